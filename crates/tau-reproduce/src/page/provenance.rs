//! Where the numbers come from: program, machine, runs, settings.

use maud::{Markup, html};

use super::{Page, scroll};
use crate::Error;

impl Page<'_> {
    pub(super) fn provenance(&self) -> Markup {
        let report = self.report;
        html! {
            h2 #provenance { "Provenance" }
            dl {
                div { dt { "Preset" } dd { (report.preset) } }
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
                            @if report.diverged.contains(run) { " " strong { "diverged" } }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn settings(&self) -> Result<Markup, Error> {
        let preset = self.preset;
        let text = toml::to_string(preset).map_err(|error| Error::Preset {
            name: preset.id.clone(),
            reason: error.to_string(),
        })?;
        let conditions = html! {
            table {
                caption { "Curricula that are compared" }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Curriculum" }
                        th.value scope="col" { "Networks" }
                        th.value scope="col" { "Epochs, at most" }
                        th.value scope="col" { "Last N" }
                    }
                }
                tbody {
                    @for condition in &preset.conditions {
                        tr {
                            th scope="row" { (condition.series) }
                            td { (condition.curriculum) }
                            td.value { (condition.seeds) }
                            td.value { (condition.max_epochs) }
                            td.value { (condition.n_end) }
                        }
                    }
                }
            }
        };
        Ok(html! {
            h2 #settings { "Settings" }
            p {
                "Task " (preset.task) "; networks of " (preset.hidden_size) " neurons; "
                (preset.updates_per_epoch) " updates an epoch, of " (preset.batch_size) " trials each."
            }
            (scroll("Curricula", &conditions))
            details {
                summary { "All settings, as the preset's file has them" }
                pre tabindex="0" { code { (text) } }
            }
        })
    }
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
