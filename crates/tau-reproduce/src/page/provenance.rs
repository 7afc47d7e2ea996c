//! Where the numbers come from: program, machine, runs, settings.

use std::collections::BTreeSet;

use maud::{Markup, html};
use toml::Table;

use super::{Page, scroll};
use crate::{Condition, Error};

impl Page<'_> {
    pub(super) fn provenance(&self) -> Markup {
        let report = self.report;
        html! {
            h2 #provenance { "Provenance" }
            dl {
                div { dt { "Paper" } dd { (report.paper) } }
                div { dt { "Preset" } dd { (report.preset) } }
                div { dt { "Measured" } dd { (self.measured()) } }
                div { dt { "Commit" } dd { code { (report.commit) } } }
                div { dt { "Device" } dd { (report.device) } }
                div { dt { "Wall time of this call" } dd.seconds { (time(report.wall_s)) } }
                div {
                    dt { "Runs" }
                    dd { (report.runs.len()) ", of which " (report.diverged.len()) " diverged" }
                }
            }
            p {
                "Networks are trained once and read again by later calls, so a call may be shorter than "
                "its training was. A run that diverged counts in no claim and enters no mean."
            }
            details {
                summary { "Runs" }
                ul.runs {
                    @for run in &report.runs {
                        li {
                            code { (run) }
                            @if let Some(condition) = report.conditions.get(run) { ": " (condition) }
                            @if report.diverged.contains(run) { " " strong { "diverged" } }
                        }
                    }
                }
            }
        }
    }

    /// Whose way of measuring.
    fn measured(&self) -> String {
        match self.preset.compat.quirk() {
            None => "as the text of the paper has it".to_owned(),
            Some(quirk) => {
                format!("with the quirks of the published code ({}): {}", quirk.id, quirk.what)
            }
        }
    }

    pub(super) fn settings(&self) -> Result<Markup, Error> {
        let text = self.preset.text()?;
        Ok(html! {
            h2 #settings { "Settings" }
            p { "Every network has " (settings(self.preset.shared())) ", unless the table says otherwise." }
            (scroll("Networks that are compared", &self.conditions()))
            details {
                summary { "All settings, as the preset's file has them" }
                pre tabindex="0" { code { (text) } }
            }
        })
    }

    /// One row per condition, one column per facet.
    fn conditions(&self) -> Markup {
        let conditions = &self.preset.conditions;
        let keys: BTreeSet<&str> = conditions
            .iter()
            .flat_map(|condition| condition.facets.keys().map(String::as_str))
            .collect();
        html! {
            table {
                caption { "Networks that are compared" }
                thead {
                    tr {
                        th scope="col" { "Condition" }
                        @for key in &keys { th scope="col" { (key) } }
                        th.value scope="col" { "Networks" }
                        th scope="col" { "Settings of its own" }
                    }
                }
                tbody { @for condition in conditions { (row(condition, &keys)) } }
            }
        }
    }
}

fn row(condition: &Condition, keys: &BTreeSet<&str>) -> Markup {
    let Condition { name, facets, seeds, own, .. } = condition;
    html! {
        tr {
            th scope="row" { (name) }
            @for key in keys { td { (facets.get(*key).map_or("–", String::as_str)) } }
            td.value { (seeds) }
            td { (settings(own)) }
        }
    }
}

/// `batch_size = 256, hidden_size = 64`.
fn settings(table: &Table) -> String {
    let each = table.iter().map(|(key, value)| format!("{key} = {value}"));
    each.collect::<Vec<_>>().join(", ")
}

/// `52.1 s`, `9 min 24 s`, `3 h 5 min`.
fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}
