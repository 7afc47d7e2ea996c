//! `tau train`: one run; and what it shares with `tau run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tau_rnn::{Hardware, thread_pool};
use tau_runs::{Crew, Error, Every, Forecast, Place as Said, Run, StopToken, read_spec};
use tau_training::{Outcome, TrainingSpec};

use crate::bases::bases;
use crate::device::Device;
use crate::output::say;
use crate::terminal::{Terminal, say_plainly};
use crate::{Usage, stop, threads};

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
    pub(crate) device: Device,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor]. Their number changes the
    /// time, never the results.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

impl Place {
    pub(crate) fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new("runs"))
    }

    pub(crate) fn threads(&self) -> anyhow::Result<usize> {
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
    pub(crate) fn every(&self) -> Every {
        self.checkpoint_every
            .map_or_else(Every::default, |updates| Every::Updates(updates as usize))
    }
}

/// Train one network.
///
/// SPEC is a TOML file that names a task and says what differs from the training that it begins from
/// (its base); README.md has an example, docs/specs.md has every key. Or the folder of a run, which then
/// goes on. What was trained is kept: the same command goes on where it stopped, if the spec has a seed;
/// without one each call draws another, and the folder of the run is what goes on.
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
        let hardware = self.place.device.choose()?;
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
        let given = std::path::absolute(&self.spec)?;
        if !self.spec.is_dir() || given.file_name() == run.folder().file_name() {
            return Ok(());
        }
        let (folder, name) = (self.spec.display(), run.name());
        let text = format!(
            "{folder} is not what its spec.toml defines on this device, which is {name} (was it \
             renamed, edited, or trained on another kind of device? to train the spec anew: tau train \
             {folder}/spec.toml)"
        );
        Err(Usage(text).into())
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
        let file = self.spec.display();
        let spec = read_spec(&read(&self.spec)?, &self.set, &bases()).map_err(|error| {
            Usage(match (error.key(), error.place()) {
                (Some(key), _) if SWEEPS.contains(&key) => {
                    format!("{file}: {key} makes it a sweep: tau run trains it")
                }
                (_, Some(Said::Set)) => format!("--set {error}"),
                _ => format!("{file}: {error}"),
            })
        })?;
        Ok((self.place.out().to_owned(), spec))
    }
}

/// Keys that only sweeps have.
const SWEEPS: [&str; 3] = ["grid", "seeds", "first_seed"];

pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = tau_runs::read_if_there(path)?;
    let bytes = bytes.ok_or_else(|| Usage(format!("there is no file {}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| Usage(format!("{} is no text", path.display())).into())
}

fn seed(run: &Run) -> String {
    format!("seed {}", run.spec().seed)
}

/// Seconds that the forecast takes: a training wants to begin.
const TRAIN_S: f64 = 0.6;

/// Trains them, shows it, and says how each ended.
pub(crate) fn train(
    runs: &[&Run],
    names: Vec<String>,
    hardware: Hardware,
    threads: usize,
    jobs: Option<usize>,
    every: Every,
    stop: &StopToken,
) -> anyhow::Result<Vec<Result<Outcome, Error>>> {
    let provenance = crate::provenance(hardware, threads)?;
    let mut forecast = Forecast::of(runs, threads, TRAIN_S)?;
    forecast.jobs = jobs.unwrap_or(forecast.jobs).min(threads).min(runs.len()).max(1);
    let folder = runs.first().map_or(Path::new("."), |run| run.folder());
    let folder = if runs.len() == 1 { folder } else { folder.parent().unwrap_or(folder) };
    let mut terminal = Terminal::new(&format!("in {}", folder.display()), threads);
    terminal.begin(runs, names, &forecast);
    let crew = Crew { threads, jobs: forecast.jobs, provenance: &provenance, every, stop };
    Ok(crew.train(runs, &mut |event| terminal.show(event))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_key() {
        assert_eq!(key_value("a.b = 3"), Ok(("a.b".to_owned(), "3".to_owned())));
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(key_value("=3").is_err() && key_value("seed").is_err());
    }
}
