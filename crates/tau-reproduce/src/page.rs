//! The report page: verdicts, figures, provenance and divergences as one HTML file that needs no
//! other file, no network and no script. Equal inputs give equal bytes: the page has no date.
//!
//! Text is escaped by the template library ([`maud`]); divergences are the paper's.

mod divergences;
mod figures;
mod provenance;
mod verdicts;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tau_runs::{read_if_there, write_atomically};

use crate::{Error, Loaded, Paper, Preset, Report};
use figures::Shown;

/// Its file in the folder of a reproduction.
const FILE: &str = "index.html";
const STYLE: &str = include_str!("page/style.css");
/// What the page may load: its own style, and pictures and fonts that are inside it. A browser
/// refuses everything else, so nothing can leave, whatever is in a table or a name.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/// What the page is made of.
struct Page<'a> {
    paper: &'static Paper,
    preset: &'a Preset,
    report: &'a Report,
    figures: &'a [Shown],
}

/// Writes the page into the folder of a reproduction and says where. It shows the figures just
/// `drawn` and those of earlier calls whose verdicts the report keeps: these are of the same networks.
///
/// # Errors
/// Files that cannot be read or written.
pub(crate) fn write(
    folder: &Path,
    loaded: &Loaded,
    preset: &Preset,
    report: &Report,
    drawn: &[&str],
) -> Result<PathBuf, Error> {
    let mut shown = Vec::new();
    for ready in loaded.figures() {
        let id = ready.figure.id;
        let kept = report.claims.iter().any(|claim| claim.figure == id);
        if kept || drawn.contains(&id) {
            let read = |extension: &str| read_if_there(&folder.join(format!("{id}.{extension}")));
            if let (Some(csv), Some(svg)) = (read("csv")?, read("svg")?) {
                shown.extend(Shown::new(ready, &csv, &svg));
            }
        }
    }
    let page = Page { paper: loaded.paper(), preset, report, figures: &shown };
    let path = folder.join(FILE);
    write_atomically(&path, page.render()?.as_bytes())?;
    Ok(path)
}

impl Page<'_> {
    fn render(&self) -> Result<String, Error> {
        let title = format!("{}, preset {}{}", self.title(), self.preset.id, self.quirks());
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    // Without one, browsers ask a server for its own.
                    link rel="icon" href="data:,";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.header())
                    main {
                        section aria-labelledby="verdicts" { (self.verdicts()) }
                        section aria-labelledby="figures" { (self.drawings()) }
                        section aria-labelledby="provenance" { (self.provenance()) }
                        section aria-labelledby="settings" { (self.settings()?) }
                        @if !self.paper.divergences.is_empty() {
                            section.prose aria-labelledby="divergences" {
                                (divergences::section(self.paper.divergences))
                            }
                        }
                    }
                    footer {
                        p {
                            "This page is one file: tables and figures are inside it, it loads nothing. "
                            "The verdicts for programs: " a href="verdicts.json" { "verdicts.json" } "."
                        }
                    }
                }
            }
        };
        Ok(page.into_string())
    }

    /// `Reproduction of Elman, Cognitive Science 1990`.
    fn title(&self) -> String {
        format!("Reproduction of {}", self.paper.short_citation())
    }

    /// Said wherever the page says what it is.
    fn quirks(&self) -> &'static str {
        match self.preset.compat.quirk() {
            None => "",
            Some(_) => ", with the quirks of the published code",
        }
    }

    fn header(&self) -> Markup {
        let citation = &self.paper.citation;
        let (words, address) = citation.link;
        let links = [
            ("verdicts", "Verdicts"),
            ("figures", "Figures"),
            ("provenance", "Provenance"),
            ("settings", "Settings"),
            ("divergences", "Divergences"),
        ];
        let there =
            |(id, _): &(&str, &str)| *id != "divergences" || !self.paper.divergences.is_empty();
        html! {
            header {
                p.kicker { "tau-rnn · reproduction report" }
                h1 { (self.title()) ", preset " (self.preset.id) (self.quirks()) }
                p.lead {
                    "The claims of " cite { (citation.title) } " (" (citation.authors) ", "
                    (citation.venue) " " (citation.year) ", " a href=(address) { (words) }
                    "), judged on " (count(self.report.runs.len(), "network")) " trained for it."
                }
                nav aria-label="Sections" {
                    ul {
                        @for (id, name) in links.into_iter().filter(there) {
                            li { a href={ "#" (id) } { (name) } }
                        }
                    }
                }
            }
        }
    }
}

/// A box in which wide content scrolls sideways, so that the page does not; by keyboard, too.
fn scroll(label: &str, content: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (content) } }
}

/// A count with its noun: `1 network`, `2 networks`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
