//! `tau status`: where all runs of a folder stand.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_runs::{Lock, Run, State, runs_in};
use tau_training::{Milestone, TrainingSpec};

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
    /// The milestone of the last solved stage.
    reached: Option<String>,
    /// The last N that was solved, and the one that ends the run; `null` for a run without N.
    solved_n: Option<usize>,
    n_end: Option<usize>,
    /// Loss of the last epoch, if the table of metrics can be read.
    training_loss: Option<f64>,
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
        let reached = status.as_ref().and_then(|status| status.reached.clone());
        let last = run.metrics().ok().and_then(|rows| rows.last().cloned());
        Ok(Self {
            name: run.name(),
            state: status.as_ref().map(|status| status.state),
            epochs: status.as_ref().map_or(0, |status| status.epochs),
            max_epochs: spec.max_epochs,
            solved_n: reached.clone().and_then(|name| Milestone(name).memory()),
            reached,
            n_end: spec.schedule.range().map(|(_, end)| end),
            training_loss: last.and_then(|row| row.training_loss),
            wall_s: status.as_ref().map_or(0.0, |status| status.wall_s),
            writer: Lock::owner(run.folder()),
            reason: status.and_then(|status| status.reason),
            spec: spec.clone(),
        })
    }

    /// `training`, `new`, or the state.
    fn state(&self) -> String {
        match (&self.state, &self.writer) {
            (_, Some(_)) => "training".to_owned(),
            (None, _) => "new".to_owned(),
            (Some(state), _) => state.to_string(),
        }
    }

    /// `3 / 20` for a curriculum over N, else the milestone.
    fn reached(&self) -> String {
        match self.n_end {
            Some(end) => format!("{} / {end}", self.solved_n.unwrap_or(0)),
            None => self.reached.clone().unwrap_or_else(|| "-".to_owned()),
        }
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
    // Of runs that all have an N, that is what they reach.
    let what = if lines.iter().all(|line| line.n_end.is_some()) { "N" } else { "reached" };
    writeln!(
        out,
        "{:width$}  {:13} {:>11} {what:>9} {:>9} {:>13}",
        "run", "state", "epochs", "loss", "trained"
    )?;
    let specs: Vec<&TrainingSpec> = lines.iter().map(|line| &line.spec).collect();
    for (line, difference) in lines.iter().zip(unlike::each_other(&specs)) {
        let text = format!(
            "{:width$}  {:13} {:>11} {:>9} {:>9} {:>13}  {difference}",
            line.name,
            line.state(),
            format!("{} / {}", line.epochs, line.max_epochs),
            line.reached(),
            line.training_loss.map_or("-".to_owned(), short),
            duration(line.wall_s)
        );
        writeln!(out, "{}", text.trim_end())?;
        for more in [&line.writer, &line.reason].into_iter().flatten() {
            writeln!(out, "    {more}")?;
        }
    }
    summary(&mut out, lines)?;
    Ok(out)
}

/// Four digits or so.
fn short(loss: f64) -> String {
    if loss < 0.001 { format!("{loss:.2e}") } else { format!("{loss:.4}") }
}

/// How many runs are in which state.
fn summary(out: &mut String, lines: &[Line]) -> std::fmt::Result {
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
    )
}
