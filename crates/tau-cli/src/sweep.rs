//! `tau plan`, `tau run`: all runs of a sweep, or a shard of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use tau_rnn::Hardware;
use tau_runs::{Error, Forecast, Run, State, read_sweep};
use tau_training::TrainingSpec;

use crate::bases::bases;
use crate::eta::about;
use crate::output::{say, size};
use crate::terminal::say_plainly;
use crate::train::{Keep, Place, read, train};
use crate::{Usage, stop, unlike};

/// All runs of a sweep, from what its file says.
pub(crate) fn sweep_of(path: &Path, text: &str) -> anyhow::Result<Vec<TrainingSpec>> {
    let specs = read_sweep(text, &bases());
    specs.map_err(|error| Usage(format!("{}: {error}", path.display())).into())
}

/// A part of the runs: 2/8 is the second of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    index: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (index, of) = text.split_once('/')?;
            Some((index.parse().ok()?, of.parse().ok()?))
        };
        match parse() {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index: index - 1, of }),
            _ => Err("expected i/n with i from 1 to n, as in 2/8".to_owned()),
        }
    }
}

/// All runs of a sweep, or a shard of them.
#[derive(Args)]
struct Sweep {
    /// A TOML file: a spec, a table `grid` with lists of values, a number of seeds.
    sweep: PathBuf,
    /// Only every n-th run, from the i-th on: for n machines, i from 1 to n.
    #[arg(long, value_name = "i/n")]
    shard: Option<Shard>,
    #[command(flatten)]
    place: Place,
}

impl Sweep {
    /// The device, the runs on it, and what is wrong with those that cannot be opened: they stop no other.
    fn runs(&self) -> anyhow::Result<(Hardware, Vec<Run>, Vec<Error>)> {
        let specs = sweep_of(&self.sweep, &read(&self.sweep)?)?;
        // That of all shards: machines that share a sweep must not choose by their part of it.
        let hardware = self.place.device.choose()?;
        let Shard { index, of } = self.shard.unwrap_or(Shard { index: 0, of: 1 });
        let (mut runs, mut unusable) = (Vec::new(), Vec::new());
        for spec in specs.into_iter().skip(index).step_by(of) {
            // One whose files are damaged stops no other.
            match Run::open(self.place.out(), spec, hardware).and_then(|run| {
                run.status()?;
                Ok(run)
            }) {
                Ok(run) => runs.push(run),
                Err(error) if error.is_of_files() => unusable.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok((hardware, runs, unusable))
    }
}

/// Say which runs a sweep has, and what they will take; trains nothing.
///
/// The forecast is what a few updates take on this machine, for runs that use all their epochs, as many
/// for each stage of a curriculum.
#[derive(Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    sweep: Sweep,
    /// Name every run, not only the first twenty.
    #[arg(long)]
    all: bool,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// What [`Plan`] writes as JSON.
#[derive(Serialize)]
struct Planned<'a> {
    runs: Vec<PlannedRun<'a>>,
    about_s: f64,
    jobs: usize,
    threads: usize,
    memory_bytes: usize,
    disk_bytes: usize,
    folder: &'a Path,
}

#[derive(Serialize)]
struct PlannedRun<'a> {
    name: String,
    /// `null` for a run that was never begun.
    state: Option<State>,
    spec: &'a TrainingSpec,
}

/// Seconds that the forecast of a plan takes.
const PLAN_S: f64 = 5.0;
/// Names that are listed without being asked for all.
const LISTED: usize = 20;

impl Plan {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (_, runs, unusable) = self.sweep.runs()?;
        let threads = self.sweep.place.threads()?;
        let forecast = Forecast::of(&Vec::from_iter(&runs), threads, PLAN_S)?;
        let mut planned = Vec::new();
        for run in &runs {
            let state = run.status()?.map(|status| status.state);
            planned.push(PlannedRun { name: run.name(), state, spec: run.spec() });
        }
        for error in &unusable {
            say_plainly(&format!("error: {error}"));
        }
        if self.json {
            let Forecast { about_s, jobs, memory_bytes, disk_bytes } = forecast;
            let folder = self.sweep.place.out();
            let all =
                Planned { runs: planned, about_s, jobs, threads, memory_bytes, disk_bytes, folder };
            say!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            self.list(&planned);
            say_cost(&planned, &forecast, threads);
        }
        Ok(ExitCode::from(u8::from(!unusable.is_empty())))
    }

    /// Names the runs.
    fn list(&self, planned: &[PlannedRun]) {
        let listed = if self.all { planned.len() } else { LISTED };
        let specs: Vec<&TrainingSpec> = planned.iter().map(|run| run.spec).collect();
        let differences = unlike::each_other(&specs);
        for (PlannedRun { name, state, .. }, difference) in
            planned.iter().zip(differences).take(listed)
        {
            let state = state.map_or("new".to_owned(), |state| state.to_string());
            say!("{}", format!("  {state:13} {name}  {difference}").trim_end());
        }
        if planned.len() > listed {
            say!("  ... and {} more (--all names them)", planned.len() - listed);
        }
    }
}

/// How many runs there are, and what they will take.
fn say_cost(planned: &[PlannedRun], forecast: &Forecast, threads: usize) {
    let to_do = planned.iter().filter(|run| matches!(run.state, None | Some(State::Unfinished)));
    let to_do = to_do.count();
    say!("{} runs, {to_do} of them to train", planned.len());
    if to_do > 0 {
        say!(
            "{} if every run uses all its epochs, on {threads} threads, {} at a time; {} of memory, {} \
             on the disk",
            about(forecast.about_s),
            forecast.jobs,
            size(forecast.memory_bytes as u64),
            size(forecast.disk_bytes as u64)
        );
    }
}

/// Train every run of a sweep that has not ended.
///
/// The same command goes on where it stopped. Several machines share a sweep by shards, or by
/// nothing at all: a run that another process trains is left to it. A run that diverges is a result
/// and stops no other; `tau status` lists it.
///
/// Exit codes: 0 all have ended (some may have diverged); 1 some could not be trained, their files are
/// damaged; 75 stopped, or some are trained by other processes: start it again.
#[derive(Args)]
pub(crate) struct RunSweep {
    #[command(flatten)]
    sweep: Sweep,
    /// Runs side by side [default: whatever is faster, one a thread or one on all threads].
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    keep: Keep,
}

impl RunSweep {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let stop = stop::when_asked()?;
        let (hardware, runs, unusable) = self.sweep.runs()?;
        let threads = self.sweep.place.threads()?;
        if let Some(jobs) = self.jobs.filter(|jobs| usize::from(*jobs) > threads) {
            let text = format!("--jobs {jobs} (allowed: 1 to {threads}, the number of threads)");
            return Err(Usage(text).into());
        }
        for error in &unusable {
            say_plainly(&format!("error: {error}"));
        }
        if runs.is_empty() {
            say!("no runs here: more shards than runs, or none that can be used");
            return Ok(ExitCode::from(u8::from(!unusable.is_empty())));
        }
        let names = runs.iter().map(Run::name).collect();
        let jobs = self.jobs.map(usize::from);
        let every = self.keep.every();
        let ended = train(&Vec::from_iter(&runs), names, hardware, threads, jobs, every, &stop)?;
        let count = |kind: fn(&Error) -> bool| {
            ended.iter().filter(|ended| ended.as_ref().is_err_and(kind)).count()
        };
        let diverged = count(|error| error.is_diverged());
        let elsewhere = count(|error| error.is_locked());
        let good = ended.iter().filter(|ended| ended.is_ok()).count();
        let damaged = ended.len() - good - diverged - elsewhere + unusable.len();
        say!("{} of {} runs have ended", good + diverged, runs.len() + unusable.len());
        if diverged > 0 {
            let out = self.sweep.place.out().display();
            say!("{diverged} of these diverged: tau status --out {out} says why");
        }
        if damaged > 0 {
            say!("{damaged} could not be trained: see the errors above");
        }
        if elsewhere > 0 {
            say!("{elsewhere} are trained by other processes: start again when they are done");
        }
        Ok(ExitCode::from(match () {
            () if damaged > 0 => 1,
            () if elsewhere > 0 => stop::AGAIN,
            () => 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!("1/1".parse(), Ok(Shard { index: 0, of: 1 }));
        assert_eq!("3/8".parse(), Ok(Shard { index: 2, of: 8 }));
        for bad in ["0/8", "9/8", "1", "a/b", "1/0", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
