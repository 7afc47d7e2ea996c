//! The papers that can be reproduced, and `tau papers`, which lists what they have.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tau_reproduce::{Loaded, Paper};

use crate::Usage;
use crate::output::say;
use crate::reproduce::quirks;

/// Every paper; the first is the default. A new paper is one crate and one line here.
pub(crate) static PAPERS: &[&Paper] = &[&tau_paper_khajehabdollahi_2024::PAPER];

/// The paper of that id, or the default.
pub(crate) fn paper(id: Option<&str>) -> anyhow::Result<&'static Paper> {
    let found = PAPERS.iter().find(|paper| id.is_none_or(|id| paper.id == id));
    let unknown = || {
        let known: Vec<&str> = PAPERS.iter().map(|paper| paper.id).collect();
        Usage(format!("unknown paper: {} (known: {})", id.unwrap_or(""), known.join(", ")))
    };
    Ok(*found.ok_or_else(unknown)?)
}

/// `words(paper)` for every paper, for texts of options: with the papers' ids once there are several.
pub(crate) fn each(words: impl Fn(&'static Paper) -> String) -> String {
    match PAPERS {
        [paper] => words(paper),
        papers => {
            let each = papers.iter().map(|paper| format!("of {}: {}", paper.id, words(paper)));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// List the papers that can be reproduced: their presets, figures and claims.
#[derive(Args)]
pub(crate) struct Papers {
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Papers {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let loaded = PAPERS.iter().map(|paper| paper.load()).collect::<Result<Vec<_>, _>>()?;
        if self.json {
            let papers: Vec<Value> = loaded.iter().map(as_json).collect();
            say!("{}", serde_json::to_string_pretty(&json!({ "format": 1, "papers": papers }))?);
        } else {
            loaded.iter().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(loaded: &Loaded) {
    let paper = loaded.paper();
    say!("{}: {} ({})", paper.id, paper.citation.title, paper.short_citation());
    say!("  dictionary: {}; {}", paper.document, paper.citation.link.1);
    say!("  presets");
    for preset in loaded.presets() {
        let networks = preset.runs().count();
        let default = if preset.id == paper.default_preset { ", the default" } else { "" };
        say!("    {:20} {}; {networks} networks{default}", preset.id, preset.summary);
    }
    say!("  figures");
    for ready in loaded.figures() {
        let central = if ready.figure.central { ", central" } else { "" };
        say!("    {:20} {}{central}", ready.figure.id, ready.declaration.title());
    }
    say!("  claims");
    for claim in paper.claims {
        say!("    {:4} {} (figure {})", claim.id, claim.title, claim.figure);
    }
    say!("  quirks of published code (--compat)");
    for compat in quirks(paper) {
        let quirk = compat.quirk();
        say!("    {:20} {}", compat.name(), quirk.map_or("", |quirk| quirk.what));
    }
}

fn as_json(loaded: &Loaded) -> Value {
    let paper = loaded.paper();
    let presets = loaded.presets().iter().map(|preset| {
        let networks = preset.runs().count();
        json!({ "id": preset.id, "summary": preset.summary, "networks": networks })
    });
    let figures = loaded.figures().iter().map(|ready| {
        let (id, title) = (ready.figure.id, ready.declaration.title());
        json!({ "id": id, "title": title, "central": ready.figure.central })
    });
    let claims = paper
        .claims
        .iter()
        .map(|claim| json!({ "id": claim.id, "title": claim.title, "figure": claim.figure }));
    json!({
        "id": paper.id,
        "citation": paper.citation,
        "document": paper.document,
        "default_preset": paper.default_preset,
        "presets": presets.collect::<Vec<_>>(),
        "figures": figures.collect::<Vec<_>>(),
        "claims": claims.collect::<Vec<_>>(),
        "quirks": paper.quirks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_paper_fits_together_and_has_a_name_of_its_own() {
        for paper in PAPERS {
            paper.load().unwrap();
            assert_eq!(super::paper(Some(paper.id)).unwrap().id, paper.id);
        }
        assert_eq!(super::paper(None).unwrap().id, PAPERS[0].id);
        let error = super::paper(Some("elman-1990b")).unwrap_err().to_string();
        assert!(error.starts_with("unknown paper: elman-1990b (known: "), "{error}");
    }

    #[test]
    fn quirks_are_found_by_their_names() {
        for paper in PAPERS {
            for compat in quirks(paper) {
                assert_eq!(paper.quirk(compat.name()).unwrap(), compat);
                assert!(compat.quirk().is_some());
            }
        }
    }
}
