//! `tau show`: all that is known of one run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_curricula::{Autopsy, NeuronReport, TrainingSpec};
use tau_runs::{Lock, Manifest, Provenance, Run, Status};

use crate::eta::duration;
use crate::output::say;
use crate::unlike;

/// Say all that is known of one run.
///
/// Exit code 1 if a file is not what training left (BLAKE3 hashes in manifest.json).
#[derive(Args)]
pub(crate) struct Show {
    /// The run's folder.
    run: PathBuf,
    /// Write JSON: spec, status, manifest, autopsy, and which files were altered.
    #[arg(long)]
    json: bool,
}

/// What [`Show`] writes as JSON.
#[derive(Serialize)]
struct All<'a> {
    name: String,
    spec: &'a TrainingSpec,
    status: Option<Status>,
    manifest: Option<Manifest>,
    autopsy: Option<Autopsy>,
    altered: Vec<String>,
}

impl Show {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let run = Run::read(&std::path::absolute(&self.run)?)?;
        let altered = run.altered()?;
        let text = if self.json {
            let (status, manifest, autopsy) = (run.status()?, run.manifest()?, run.autopsy()?);
            let (name, spec, altered) = (run.name(), run.spec(), altered.clone());
            serde_json::to_string_pretty(&All { name, spec, status, manifest, autopsy, altered })?
        } else {
            describe(&run, &altered)?
        };
        say!("{}", text.trim_end());
        Ok(if altered.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn describe(run: &Run, altered: &[String]) -> anyhow::Result<String> {
    let spec = run.spec();
    let mut text = format!(
        "{}\n{} {}, {} neurons, N = {} to {}, seed {}\n",
        run.name(),
        spec.task,
        spec.curriculum,
        spec.network.hidden_size,
        spec.n_start,
        spec.n_end,
        spec.seed
    );
    let mut line = |name: &str, value: String| {
        text.push_str(&format!("{name:12} {value}\n"));
    };
    let unlike = unlike::the_paper(spec);
    if !unlike.is_empty() {
        line("unlike paper", unlike.join(", "));
    }
    let Some(status) = run.status()? else {
        line("state", "new".to_owned());
        return Ok(text);
    };
    line("state", status.state.to_string());
    line("epochs", format!("{} of at most {}", status.epochs, spec.max_epochs));
    line("solved", format!("N = {} of {}", status.solved_n, spec.n_end));
    line("trained", duration(status.wall_s));
    if let Some(writer) = Lock::owner(run.folder()) {
        line("in training", writer);
    }
    if let Some(reason) = status.reason {
        line("reason", reason);
    }
    if let Some(Manifest { by, host, files, .. }) = run.manifest()? {
        let Provenance { version, commit, device, threads } = by;
        let on = if host.is_empty() { String::new() } else { format!(" of {host}") };
        line("computed by", format!("tau {version} ({commit}), {threads} threads on {device}{on}"));
        // A run in training changes its files; so does one that was killed and not begun again.
        if !files.is_empty() {
            line(
                "files",
                if altered.is_empty() {
                    format!("{}, as they were written (BLAKE3)", files.len())
                } else {
                    format!("ALTERED or gone since they were written: {}", altered.join(", "))
                },
            );
        }
    }
    let rows = run.metrics()?;
    if let Some(last) = rows.last() {
        line("loss", format!("{:.4} nats in epoch {}", last.training_loss, last.epoch));
        let heads = rows.iter().filter(|row| row.epoch == last.epoch);
        let heads: Vec<String> =
            heads.map(|row| format!("N = {}: {:.1} %", row.n, 100.0 * row.accuracy)).collect();
        line("accuracy", heads.join(", "));
    }
    let solved: Vec<String> = rows
        .iter()
        .filter(|row| row.solves())
        .map(|row| format!("{} ({})", row.n, row.epoch))
        .collect();
    if !solved.is_empty() {
        line("N (epoch)", solved.join(", "));
    }
    if let Some(autopsy) = run.autopsy()? {
        text.push_str(&tell(&autopsy));
    }
    Ok(text)
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
