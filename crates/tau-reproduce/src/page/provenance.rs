//! Where the numbers come from: program, machine, runs, settings.

use maud::{Markup, html};

use tau_rnn::{Cell, Placement};
use tau_tasks::TaskKind;

use super::{Page, scroll};
use crate::{Compat, Condition, Error};

impl Page<'_> {
    pub(super) fn provenance(&self) -> Markup {
        let report = self.report;
        html! {
            h2 #provenance { "Provenance" }
            dl {
                div { dt { "Preset" } dd { (report.preset) } }
                div { dt { "Measured" } dd { (measured(report.compat)) } }
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

    pub(super) fn settings(&self) -> Result<Markup, Error> {
        let preset = self.preset;
        let text = toml::to_string(preset).map_err(|error| Error::Preset {
            name: preset.id.clone(),
            reason: error.to_string(),
        })?;
        let conditions = html! {
            table {
                caption { "Networks that are compared" }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Curriculum" }
                        th scope="col" { "What differs from τ-RNNs on N-parity" }
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
                            td { (differences(condition, preset.compat)) }
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
                "Networks of " (preset.hidden_size) " neurons; " (preset.updates_per_epoch)
                " updates an epoch, of " (preset.batch_size) " trials each, unless said otherwise."
            }
            (scroll("Networks that are compared", &conditions))
            details {
                summary { "All settings, as the preset's file has them" }
                pre tabindex="0" { code { (text) } }
            }
        })
    }
}

fn measured(compat: Compat) -> &'static str {
    match compat {
        Compat::Clean => "as the text of the paper has it",
        Compat::Iclr2024 => "with the quirks of the published code (iclr2024)",
    }
}

/// What a condition differs in from the paper's main results, in words.
fn differences(condition: &Condition, compat: Compat) -> String {
    let mut found = Vec::new();
    if condition.task != TaskKind::Parity {
        found.push(format!("task {}", condition.task));
    }
    if condition.cell != Cell::default() {
        found.push(format!("cell {}", condition.cell));
    }
    if let Some(tau) = condition.fixed_tau {
        found.push(match compat {
            Compat::Clean => format!("τ fixed at {tau}"),
            Compat::Iclr2024 => format!("τ starts at {tau} and is trained"),
        });
    }
    if condition.placement == Some(Placement::Drive) {
        found.push("nonlinearity around the input".to_owned());
    }
    if !condition.steps_per_unit.is_empty() {
        let steps: Vec<String> = condition.steps_per_unit.iter().map(u32::to_string).collect();
        found.push(format!("continuous time, {} steps a bit", steps.join(" and ")));
    }
    if let Some(updates) = condition.updates_per_epoch {
        found.push(format!("{updates} updates an epoch"));
    }
    if let Some(trials) = condition.batch_size {
        found.push(format!("{trials} trials a batch"));
    }
    found.join(", ")
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
