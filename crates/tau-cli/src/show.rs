//! `tau show`: all that is known of one run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_runs::{Lock, Manifest, MetricsRow, Provenance, Run, Status, milestones};
use tau_training::{Autopsy, NeuronReport, TrainingSpec};

use crate::bases::bases;
use crate::eta::duration;
use crate::output::say;
use crate::terminal::loss_words;
use crate::unlike;

/// Say all that is known of one run.
///
/// Exit code 1 if a file is not what training left (BLAKE3 hashes in manifest.json).
#[derive(Args)]
pub(crate) struct Show {
    /// The run's folder.
    run: PathBuf,
    /// Write JSON: spec, status, manifest, milestones, autopsy, and which files were altered.
    #[arg(long)]
    json: bool,
}

/// What [`Show`] writes as JSON.
#[derive(Serialize)]
struct All<'a> {
    format: u32,
    name: String,
    spec: &'a TrainingSpec,
    status: Option<Status>,
    manifest: Option<Manifest>,
    /// Every milestone and its epoch, in their order.
    milestones: Vec<(String, usize)>,
    autopsy: Option<Autopsy>,
    altered: Vec<String>,
}

impl Show {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let run = Run::read(&std::path::absolute(&self.run)?)?;
        let altered = run.altered()?;
        let text = if self.json {
            let reached = run.milestones()?.into_iter();
            serde_json::to_string_pretty(&All {
                format: 1,
                name: run.name(),
                spec: run.spec(),
                status: run.status()?,
                manifest: run.manifest()?,
                milestones: reached.map(|one| (one.milestone.to_string(), one.epoch)).collect(),
                autopsy: run.autopsy()?,
                altered: altered.clone(),
            })?
        } else {
            describe(&run, &altered)?
        };
        say!("{}", text.trim_end());
        Ok(if altered.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Lines of a name and a value.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.push_str(&format!("{name:12} {value}\n"));
    }
}

fn describe(run: &Run, altered: &[String]) -> anyhow::Result<String> {
    let spec = run.spec();
    let mut lines = Lines(format!("{}\n{}\n", run.name(), title(spec)));
    let (base, unlike) = unlike::nearest_base(spec, &bases());
    if !unlike.is_empty() {
        lines.add(&format!("unlike {base}"), unlike.join(", "));
    }
    let Some(status) = run.status()? else {
        lines.add("state", "new");
        return Ok(lines.0);
    };
    lines.add("state", status.state);
    lines.add("epochs", format!("{} of at most {}", status.epochs, spec.max_epochs));
    lines.add("solved", solved(spec, &status));
    lines.add("trained", duration(status.wall_s));
    if let Some(writer) = Lock::owner(run.folder()) {
        lines.add("in training", writer);
    }
    if let Some(reason) = status.reason {
        lines.add("reason", reason);
    }
    if let Some(manifest) = run.manifest()? {
        add_manifest(&mut lines, &manifest, altered);
    }
    add_metrics(&mut lines, &run.metrics()?);
    let mut text = lines.0;
    if let Some(autopsy) = run.autopsy()? {
        text.push_str(&tell(&autopsy));
    }
    Ok(text)
}

/// `parity multi-head, 64 neurons, N = 2 to 20, seed 1`.
fn title(spec: &TrainingSpec) -> String {
    let TrainingSpec { task, schedule, network, seed, .. } = spec;
    let mut text = format!("{task}, {} neurons ({})", network.hidden_size, network.cell);
    if let Some((start, end)) = spec.schedule.range() {
        text = format!("{text}, {schedule} from N = {start} to {end}");
    } else if let Some(memory) = task.memory() {
        text = format!("{text}, N = {memory:?}");
    }
    format!("{text}, seed {seed}")
}

/// How far a run has come.
fn solved(spec: &TrainingSpec, status: &Status) -> String {
    let reached = status.reached.clone().map(tau_training::Milestone);
    let n = reached.as_ref().and_then(tau_training::Milestone::memory);
    match (spec.schedule.range(), n, reached) {
        (Some((_, end)), n, _) => format!("N = {} of {end}", n.unwrap_or(0)),
        (None, Some(n), _) => format!("N = {n}"),
        (None, None, Some(_)) => "yes".to_owned(),
        (None, None, None) if spec.stop.is_none() => "no stop rule".to_owned(),
        (None, None, None) => "no".to_owned(),
    }
}

fn add_manifest(lines: &mut Lines, manifest: &Manifest, altered: &[String]) {
    let Provenance { version, commit, device, threads } = &manifest.by;
    let on = format!("{threads} threads on {device} of {}", manifest.host);
    lines.add("computed by", format!("tau {version} ({commit}), {on}"));
    // A run in training changes its files; so does one that was killed and not begun again.
    if !manifest.files.is_empty() {
        let files = if altered.is_empty() {
            format!("{}, as they were written (BLAKE3)", manifest.files.len())
        } else {
            format!("ALTERED or gone since they were written: {}", altered.join(", "))
        };
        lines.add("files", files);
    }
}

fn add_metrics(lines: &mut Lines, rows: &[MetricsRow]) {
    let Some(last) = rows.last() else { return };
    let heads: Vec<&MetricsRow> = rows.iter().filter(|row| row.epoch == last.epoch).collect();
    let held_out = heads.iter().map(|row| row.test_loss).sum::<Option<f64>>();
    let unit = if heads.iter().any(|row| row.accuracy.is_some()) { " nats" } else { "" };
    let loss = loss_words(last.training_loss, held_out);
    lines.add("loss", format!("{}{unit} in epoch {}", &loss["loss ".len()..], last.epoch));
    let accuracy = |row: &&&MetricsRow| row.accuracy.is_some();
    let heads: Vec<String> = heads.iter().filter(accuracy).map(|row| head(row)).collect();
    if !heads.is_empty() {
        lines.add("accuracy", heads.join(", "));
    }
    let reached = milestones(rows);
    let solved = reached.iter().filter_map(|one| Some((one.milestone.memory()?, one.epoch)));
    let solved: Vec<String> = solved.map(|(n, epoch)| format!("{n} ({epoch})")).collect();
    if !solved.is_empty() {
        lines.add("N (epoch)", solved.join(", "));
    }
    let others = reached.iter().filter(|one| one.milestone.memory().is_none());
    let others: Vec<String> =
        others.map(|one| format!("{} ({})", one.milestone, one.epoch)).collect();
    if !others.is_empty() {
        lines.add("kept (epoch)", others.join(", "));
    }
}

/// `N = 3: 98.5 %`.
fn head(row: &MetricsRow) -> String {
    let name = row.n.map_or_else(|| row.label.clone(), |n| format!("N = {n}"));
    format!("{name}: {:.1} %", 100.0 * row.accuracy.unwrap_or_default())
}

/// Why a run diverged, as far as can be seen.
fn tell(autopsy: &Autopsy) -> String {
    let number = |x: Option<f64>| x.map_or("not finite".to_owned(), |x| format!("{x:.4e}"));
    let mut text = format!(
        "before it diverged: loss {}, spectral radius of W {}, of one step {}\n",
        number(autopsy.loss),
        number(autopsy.spectral_radius),
        number(autopsy.step_spectral_radius)
    );
    for array in &autopsy.arrays {
        text.push_str(&format!(
            "  {:18} norm {:>11}  largest {:>11}  gradient {:>11}\n",
            array.name,
            number(array.norm),
            number(array.largest),
            number(array.gradient_norm)
        ));
    }
    if let Some(NeuronReport { neuron, tau, largest_activity, input_norm, .. }) =
        &autopsy.worst_neuron
    {
        text.push_str(&format!(
            "  neuron {neuron} goes furthest: activity {}, tau {}, input weights {}\n",
            number(*largest_activity),
            number(*tau),
            number(*input_norm)
        ));
    }
    text
}
