//! `tau train`, `tau plan`, `tau run`: one run, or all of a sweep.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde::Serialize;
use tau_curricula::TrainingSpec;
use tau_rnn::{Hardware, thread_pool};
use tau_runs::{Crew, Error, Every, Forecast, Progress, Run, State, read_spec, read_sweep};

use crate::device::Device;
use crate::eta::about;
use crate::output::say;
use crate::terminal::{Terminal, say_plainly};
use crate::{Usage, stop, threads, unlike};

/// Where runs are, and how they are computed.
#[derive(Args)]
pub(crate) struct Place {
    /// Folder of the runs [default: runs].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
    fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new("runs"))
    }

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
/// was trained is kept: the same command goes on where it stopped, if the spec has a seed; without one
/// each call draws another, and the folder of the run is what goes on.
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
        let stop = stop::when_asked()?;
        let (root, spec) = self.spec()?;
        let hardware = self.place.device.choose([&spec.network])?;
        let run = Run::open(&root, spec, hardware)?;
        self.check_folder(&run)?;
        let (threads, every) = (self.place.threads()?, self.keep.every());
        let ended = train(&[&run], vec![seed(&run)], hardware, threads, None, every, &stop);
        match ended.map(|ended| ended.into_iter().next()) {
            Err(error) if crate::is_interruption(&error) => {
                let folder = run.folder().display();
                say_plainly(&format!("interrupted: kept; tau train {folder} goes on from there"));
                Ok(ExitCode::from(stop::AGAIN))
            }
            Err(error) => Err(error),
            Ok(Some(Err(error))) => Err(error.into()),
            Ok(_) => {
                say!("{}", run.folder().display());
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// The folder of a run that was given is the one that goes on.
    fn check_folder(&self, run: &Run) -> anyhow::Result<()> {
        let given = self.spec.is_dir().then(|| std::path::absolute(&self.spec)).transpose()?;
        if given.as_ref().and_then(|folder| folder.file_name()) != run.folder().file_name()
            && given.is_some()
        {
            let text = format!(
                "{} is not what its spec.toml defines on this device, which is {} (was it renamed, \
                 edited, or trained on another kind of device? to train the spec anew: tau train \
                 {}/spec.toml)",
                self.spec.display(),
                run.name(),
                self.spec.display()
            );
            return Err(Usage(text).into());
        }
        Ok(())
    }

    /// The folder of runs, and the spec.
    fn spec(&self) -> anyhow::Result<(PathBuf, TrainingSpec)> {
        if self.spec.is_dir() {
            if !self.set.is_empty() {
                let text = "--set makes another run: give a file, not the folder of a run";
                return Err(Usage(text.to_owned()).into());
            }
            if self.place.out.is_some() {
                let text = "--out is for a file: the folder of a run stays where it is";
                return Err(Usage(text.to_owned()).into());
            }
            let spec = Run::read(&self.spec)?.spec().clone();
            let whole = std::path::absolute(&self.spec)?;
            return Ok((whole.parent().unwrap_or(Path::new("/")).to_owned(), spec));
        }
        let spec = read_spec(&read(&self.spec)?, &self.set).map_err(|error| match &error {
            Error::UnknownKey { key, .. } if SWEEPS.contains(&key.as_str()) => {
                Usage(format!("{}: {key} makes it a sweep: tau run trains it", self.spec.display()))
            }
            _ => Usage(format!("{}: {error}", self.spec.display())),
        })?;
        Ok((self.place.out().to_owned(), spec))
    }
}

/// Keys that only sweeps have.
const SWEEPS: [&str; 3] = ["grid", "seeds", "first_seed"];

/// All runs of a sweep, from its file.
pub(crate) fn read_sweep_file(path: &Path) -> anyhow::Result<Vec<TrainingSpec>> {
    let specs = read_sweep(&read(path)?);
    specs.map_err(|error| Usage(format!("{}: {error}", path.display())).into())
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
    /// The device, the runs on it, and what is wrong with those that cannot be opened: they stop no other.
    fn runs(&self) -> anyhow::Result<(Hardware, Vec<Run>, Vec<Error>)> {
        let specs = read_sweep_file(&self.sweep)?;
        // That of all shards: machines that share a sweep must not choose by their part of it.
        let hardware = self.place.device.choose(specs.iter().map(|spec| &spec.network))?;
        let Shard { index, of } = self.shard.unwrap_or(Shard { index: 0, of: 1 });
        let (mut runs, mut unusable) = (Vec::new(), Vec::new());
        for spec in specs.into_iter().skip(index).step_by(of) {
            // One whose files are damaged stops no other.
            match Run::open(self.place.out(), spec, hardware).and_then(|run| {
                run.status()?;
                Ok(run)
            }) {
                Ok(run) => runs.push(run),
                Err(error @ (Error::Contents { .. } | Error::File { .. })) => unusable.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok((hardware, runs, unusable))
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

/// Seconds that the forecast of a plan takes, and that of a training, which wants to begin.
const PLAN_S: f64 = 5.0;
const TRAIN_S: f64 = 0.6;
/// Names that are listed without being asked for all.
const LISTED: usize = 20;

impl Plan {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (_, runs, unusable) = self.sweep.runs()?;
        let threads = self.sweep.place.threads()?;
        let forecast = Forecast::of(&Vec::from_iter(&runs), threads, PLAN_S)?;
        let mut planned = Vec::new();
        for run in &runs {
            planned.push(PlannedRun {
                name: run.name(),
                state: run.status()?.map(|status| status.state),
                spec: run.spec(),
            });
        }
        for error in &unusable {
            say_plainly(&format!("error: {error}"));
        }
        let code = ExitCode::from(u8::from(!unusable.is_empty()));
        if self.json {
            let Forecast { about_s, jobs, memory_bytes, disk_bytes } = forecast;
            let folder = self.sweep.place.out();
            let all =
                Planned { runs: planned, about_s, jobs, threads, memory_bytes, disk_bytes, folder };
            say!("{}", serde_json::to_string_pretty(&all)?);
            return Ok(code);
        }
        let listed = if self.all { planned.len() } else { LISTED };
        let differences = unlike::each_other(&runs.iter().map(Run::spec).collect::<Vec<_>>());
        for (PlannedRun { name, state, .. }, difference) in
            planned.iter().zip(differences).take(listed)
        {
            let state = state.map_or("new".to_owned(), |state| state.to_string());
            say!("{}", format!("  {state:13} {name}  {difference}").trim_end());
        }
        if planned.len() > listed {
            say!("  ... and {} more (--all names them)", planned.len() - listed);
        }
        let to_do =
            planned.iter().filter(|run| matches!(run.state, None | Some(State::Unfinished)));
        let to_do = to_do.count();
        say!("{} runs, {to_do} of them to train", planned.len());
        if to_do > 0 {
            say!(
                "{} if every run uses all its epochs, on {threads} threads, {} at a time; {} of memory, \
                 {} on the disk",
                about(forecast.about_s),
                forecast.jobs,
                size(forecast.memory_bytes),
                size(forecast.disk_bytes)
            );
        }
        Ok(code)
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
        let diverged = count(|error| matches!(error, Error::Diverged { .. }));
        let elsewhere = count(|error| matches!(error, Error::Locked { .. }));
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

/// Trains them, shows it, and says how each ended.
fn train(
    runs: &[&Run],
    names: Vec<String>,
    hardware: Hardware,
    threads: usize,
    jobs: Option<usize>,
    every: Every,
    stop: &AtomicBool,
) -> anyhow::Result<Vec<Result<tau_curricula::Outcome, Error>>> {
    let provenance = crate::provenance(hardware, threads)?;
    let mut forecast = Forecast::of(runs, threads, TRAIN_S)?;
    forecast.jobs = jobs.unwrap_or(forecast.jobs).min(threads).min(runs.len()).max(1);
    let folder = runs.first().map_or(Path::new("."), |run| run.folder());
    let folder = if runs.len() == 1 { folder } else { folder.parent().unwrap_or(folder) };
    let mut terminal = Terminal::new(&format!("in {}", folder.display()), threads);
    terminal.begin(runs, names, &forecast);
    let progress: Mutex<&mut dyn Progress> = Mutex::new(&mut terminal);
    let crew = Crew { threads, jobs: forecast.jobs, provenance: &provenance, every, stop };
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
