//! `tau status`: where all runs of a folder stand.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_runs::{Lock, Run, State, runs_in};

use crate::eta::duration;

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
        let mut out = std::io::stdout().lock();
        // Who reads may stop reading.
        let _ = if self.json { self.write_json(&mut out, &lines) } else { table(&mut out, &lines) };
        for error in &unreadable {
            crate::terminal::say_plainly(&format!("error: {error}"));
        }
        Ok(if unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn write_json(&self, out: &mut impl Write, lines: &[Line]) -> std::io::Result<()> {
        writeln!(out, "{}", serde_json::to_string_pretty(lines)?)
    }
}

fn table(out: &mut impl Write, lines: &[Line]) -> std::io::Result<()> {
    if lines.is_empty() {
        return writeln!(out, "no runs here");
    }
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    writeln!(
        out,
        "{:width$}  {:13} {:>11} {:>9} {:>13}",
        "run", "state", "epochs", "N", "trained"
    )?;
    for line in lines {
        let state = match (&line.state, &line.writer) {
            (_, Some(_)) => "training".to_owned(),
            (None, _) => "new".to_owned(),
            (Some(state), _) => state.to_string(),
        };
        writeln!(
            out,
            "{:width$}  {state:13} {:>11} {:>9} {:>13}",
            line.name,
            format!("{} / {}", line.epochs, line.max_epochs),
            format!("{} / {}", line.solved_n, line.n_end),
            duration(line.wall_s)
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
    )
}
