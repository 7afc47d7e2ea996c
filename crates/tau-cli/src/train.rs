//! `tau train`, `tau plan`, `tau run`: one run, or all of a sweep.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Mutex;

use clap::Args;
use serde::Serialize;
use tau_curricula::TrainingSpec;
use tau_rnn::{Hardware, thread_pool};
use tau_runs::{Crew, Error, Every, Forecast, Progress, Run, State, read_spec, read_sweep};

use crate::device::Device;
use crate::eta::about;
use crate::terminal::Terminal;
use crate::{Usage, stop, threads};

/// Where runs are, and how they are computed.
#[derive(Args)]
pub(crate) struct Place {
    /// Folder of the runs.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Where networks are trained: cpu, cuda (the first GPU), cuda:NUMBER, or auto (a GPU if there
    /// is one that computes what the processor computes). A run on another kind of device is
    /// another run.
    #[arg(long, default_value = "auto")]
    device: Device,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor]. Their number changes the
    /// time, never the results.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

impl Place {
    fn threads(&self) -> anyhow::Result<usize> {
        Ok(thread_pool(threads(self.threads)?)?.current_num_threads())
    }
}

/// How often a run is kept.
#[derive(Args)]
pub(crate) struct Keep {
    /// Keep the state after every K updates of an epoch [default: after half a minute]. Changes
    /// what a kill costs, never the results.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    checkpoint_every: Option<u32>,
}

impl Keep {
    fn every(&self) -> Every {
        self.checkpoint_every
            .map_or_else(Every::default, |updates| Every::Updates(updates as usize))
    }
}

/// Train one network.
///
/// SPEC is a TOML file with what differs from the published training; README.md has an example, and
/// an empty file trains 500 neurons on N-parity. Or the folder of a run, which then goes on. What
/// was trained is kept: the same command goes on where it stopped.
#[derive(Args)]
pub(crate) struct Train {
    /// The file, or the folder of a run.
    spec: PathBuf,
    /// A value that goes before the file's: --set seed=3 --set network.hidden_size=64.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    keep: Keep,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| !key.trim().is_empty());
    let (key, value) = parts.ok_or_else(|| "expected KEY=VALUE, as in seed=3".to_owned())?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

impl Train {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (root, spec) = self.spec()?;
        let hardware = self.place.device.choose([&spec.network])?;
        let run = Run::open(&root, spec, hardware)?;
        let threads = self.place.threads()?;
        let ended = train(&[&run], vec![seed(&run)], hardware, threads, None, self.keep.every())?;
        match ended.into_iter().next() {
            Some(Err(error)) => Err(error.into()),
            _ => {
                println!("{}", run.folder().display());
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// The folder of runs, and the spec.
    fn spec(&self) -> anyhow::Result<(PathBuf, TrainingSpec)> {
        if self.spec.is_dir() {
            if !self.set.is_empty() {
                let text = "--set makes another run: give a file, not the folder of a run";
                return Err(Usage(text.to_owned()).into());
            }
            let spec = Run::read(&self.spec)?.spec().clone();
            let whole = std::path::absolute(&self.spec)?;
            return Ok((whole.parent().unwrap_or(Path::new("/")).to_owned(), spec));
        }
        Ok((self.place.out.clone(), read_spec(&read(&self.spec)?, &self.set)?))
    }
}

pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = tau_runs::read_if_there(path)?;
    let bytes = bytes.ok_or_else(|| Usage(format!("there is no file {}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| Usage(format!("{} is no text", path.display())).into())
}

fn seed(run: &Run) -> String {
    format!("seed {}", run.spec().seed)
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
    /// The device, and the runs on it.
    fn runs(&self) -> anyhow::Result<(Hardware, Vec<Run>)> {
        let specs = read_sweep(&read(&self.sweep)?)?;
        // That of all shards: machines that share a sweep must not choose by their part of it.
        let hardware = self.place.device.choose(specs.iter().map(|spec| &spec.network))?;
        let Shard { index, of } = self.shard.unwrap_or(Shard { index: 0, of: 1 });
        let mine = specs.into_iter().skip(index).step_by(of);
        let runs: Result<Vec<_>, Error> =
            mine.map(|spec| Run::open(&self.place.out, spec, hardware)).collect();
        Ok((hardware, runs?))
    }
}

/// Say which runs a sweep has, and what they will take; trains nothing.
///
/// The forecast is what a few updates take on this machine, for a run that uses all its epochs while
/// N grows evenly.
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
    runs: Vec<PlannedRun>,
    about_s: f64,
    jobs: usize,
    threads: usize,
    memory_bytes: usize,
    disk_bytes: usize,
    folder: &'a Path,
}

#[derive(Serialize)]
struct PlannedRun {
    name: String,
    /// `null` for a run that was never begun.
    state: Option<State>,
}

/// Names that are listed without being asked for all.
const LISTED: usize = 20;

impl Plan {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (_, runs) = self.sweep.runs()?;
        let threads = self.sweep.place.threads()?;
        let forecast = Forecast::of(&Vec::from_iter(&runs), threads)?;
        let mut planned = Vec::new();
        for run in &runs {
            planned.push(PlannedRun {
                name: run.name(),
                state: run.status()?.map(|status| status.state),
            });
        }
        if self.json {
            let Forecast { about_s, jobs, memory_bytes, disk_bytes } = forecast;
            let folder = &self.sweep.place.out;
            let all =
                Planned { runs: planned, about_s, jobs, threads, memory_bytes, disk_bytes, folder };
            println!("{}", serde_json::to_string_pretty(&all)?);
            return Ok(ExitCode::SUCCESS);
        }
        let listed = if self.all { planned.len() } else { LISTED };
        for PlannedRun { name, state } in planned.iter().take(listed) {
            println!("  {:13} {name}", state.map_or("new".to_owned(), |state| state.to_string()));
        }
        if planned.len() > listed {
            println!("  ... and {} more (--all names them)", planned.len() - listed);
        }
        let to_do =
            planned.iter().filter(|run| matches!(run.state, None | Some(State::Unfinished)));
        let to_do = to_do.count();
        println!("{} runs, {to_do} of them to train", planned.len());
        if to_do > 0 {
            println!(
                "{} on {threads} threads, {} at a time; {} of memory, {} on the disk",
                about(forecast.about_s),
                forecast.jobs,
                size(forecast.memory_bytes),
                size(forecast.disk_bytes)
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `12 MB`, `1.5 GB`.
fn size(bytes: usize) -> String {
    match bytes.div_ceil(1_000_000) {
        megabytes @ 0..1000 => format!("{megabytes} MB"),
        megabytes => format!("{:.1} GB", megabytes as f64 / 1e3),
    }
}

/// Train every run of a sweep that has not ended.
///
/// The same command goes on where it stopped. Several machines share a sweep by shards, or by
/// nothing at all: a run that another process trains is left to it. A run that diverges is a result
/// and stops no other; `tau status` lists it.
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
        let (hardware, runs) = self.sweep.runs()?;
        let threads = self.sweep.place.threads()?;
        let names = runs.iter().map(Run::name).collect();
        let jobs = self.jobs.map(usize::from);
        let every = self.keep.every();
        let ended = train(&Vec::from_iter(&runs), names, hardware, threads, jobs, every)?;
        let count = |kind: fn(&Error) -> bool| {
            ended.iter().filter(|ended| ended.as_ref().is_err_and(kind)).count()
        };
        let diverged = count(|error| matches!(error, Error::Diverged { .. }));
        let elsewhere = count(|error| matches!(error, Error::Locked { .. }));
        let good = ended.len() - diverged - elsewhere;
        println!("{good} of {} runs have ended", runs.len());
        if diverged > 0 {
            println!("{diverged} diverged: tau status --out {} says why", self.out().display());
        }
        if elsewhere > 0 {
            println!("{elsewhere} are trained by other processes");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn out(&self) -> &Path {
        &self.sweep.place.out
    }
}

/// Trains them, shows it, and says how each ended.
fn train(
    runs: &[&Run],
    names: Vec<String>,
    hardware: Hardware,
    threads: usize,
    jobs: Option<usize>,
    every: Every,
) -> anyhow::Result<Vec<Result<tau_curricula::Outcome, Error>>> {
    let provenance = crate::provenance(hardware, threads)?;
    let stop = stop::when_asked()?;
    let mut forecast = Forecast::of(runs, threads)?;
    forecast.jobs = jobs.unwrap_or(forecast.jobs).min(threads).min(runs.len()).max(1);
    let folder = runs.first().map_or(Path::new("."), |run| run.folder());
    let folder = if runs.len() == 1 { folder } else { folder.parent().unwrap_or(folder) };
    let mut terminal = Terminal::new(&format!("in {}", folder.display()), threads);
    terminal.begin(runs, names, &forecast);
    let progress: Mutex<&mut dyn Progress> = Mutex::new(&mut terminal);
    let crew = Crew { threads, jobs: forecast.jobs, provenance: &provenance, every, stop: &stop };
    Ok(crew.train(runs, &progress)?)
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

    #[test]
    fn a_setting_has_a_key() {
        assert_eq!(key_value("a.b = 3"), Ok(("a.b".to_owned(), "3".to_owned())));
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(key_value("=3").is_err() && key_value("seed").is_err());
    }
}
