//! `tau status`: where all runs of a folder stand.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_curricula::TrainingSpec;
use tau_runs::{Lock, Run, State, runs_in};

use crate::eta::duration;
use crate::output::say;
use crate::unlike;

/// Say where the runs of a folder stand.
///
/// Reads what the runs wrote: nothing needs to be running, and nothing is disturbed that is. Exit
/// code 0, or 1 if a run cannot be read.
#[derive(Args)]
pub(crate) struct StatusOf {
    /// Folder of the runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Write JSON, one object for each run.
    #[arg(long)]
    json: bool,
}

/// One run. Seconds in `wall_s`; `writer` is who trains it now.
#[derive(Serialize)]
struct Line {
    name: String,
    state: Option<State>,
    epochs: usize,
    max_epochs: usize,
    solved_n: usize,
    n_end: usize,
    wall_s: f64,
    writer: Option<String>,
    reason: Option<String>,
    /// Every value that defines the run.
    spec: TrainingSpec,
}

impl Line {
    fn of(run: &Run) -> Result<Self, tau_runs::Error> {
        let status = run.status()?;
        let spec = run.spec();
        Ok(Self {
            name: run.name(),
            state: status.as_ref().map(|status| status.state),
            epochs: status.as_ref().map_or(0, |status| status.epochs),
            max_epochs: spec.max_epochs,
            solved_n: status.as_ref().map_or(0, |status| status.solved_n),
            n_end: spec.n_end,
            wall_s: status.as_ref().map_or(0.0, |status| status.wall_s),
            writer: Lock::owner(run.folder()),
            reason: status.and_then(|status| status.reason),
            spec: spec.clone(),
        })
    }
}

impl StatusOf {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (mut lines, mut unreadable) = (Vec::new(), Vec::new());
        for run in runs_in(&self.out)? {
            match run.and_then(|run| Line::of(&run)) {
                Ok(line) => lines.push(line),
                Err(error) => unreadable.push(error),
            }
        }
        let text = if self.json { serde_json::to_string_pretty(&lines)? } else { table(&lines)? };
        say!("{}", text.trim_end());
        for error in &unreadable {
            crate::terminal::say_plainly(&format!("error: {error}"));
        }
        Ok(if unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn table(lines: &[Line]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    if lines.is_empty() {
        return Ok("no runs here".to_owned());
    }
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    writeln!(
        out,
        "{:width$}  {:13} {:>11} {:>9} {:>13}",
        "run", "state", "epochs", "N", "trained"
    )?;
    let specs: Vec<&TrainingSpec> = lines.iter().map(|line| &line.spec).collect();
    for (line, difference) in lines.iter().zip(unlike::each_other(&specs)) {
        let state = match (&line.state, &line.writer) {
            (_, Some(_)) => "training".to_owned(),
            (None, _) => "new".to_owned(),
            (Some(state), _) => state.to_string(),
        };
        writeln!(
            out,
            "{}",
            format!(
                "{:width$}  {state:13} {:>11} {:>9} {:>13}  {difference}",
                line.name,
                format!("{} / {}", line.epochs, line.max_epochs),
                format!("{} / {}", line.solved_n, line.n_end),
                duration(line.wall_s)
            )
            .trim_end()
        )?;
        if let Some(writer) = &line.writer {
            writeln!(out, "    {writer}")?;
        }
        if let Some(reason) = &line.reason {
            writeln!(out, "    {reason}")?;
        }
    }
    let count = |state: State| lines.iter().filter(|line| line.state == Some(state)).count();
    let training = lines.iter().filter(|line| line.writer.is_some()).count();
    let seconds: f64 = lines.iter().map(|line| line.wall_s).sum();
    writeln!(
        out,
        "{} runs: {} finished, {} out of epochs, {} diverged, {} unfinished ({training} in \
         training); {} of training",
        lines.len(),
        count(State::Finished),
        count(State::OutOfEpochs),
        count(State::Diverged),
        count(State::Unfinished) + lines.iter().filter(|line| line.state.is_none()).count(),
        duration(seconds)
    )?;
    Ok(out)
}
