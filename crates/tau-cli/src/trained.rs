//! A trained network that a command asks something, and what all such commands have in common.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tau_curricula::TrainingSpec;
use tau_rnn::{Checkpoint, Hardware};
use tau_runs::{Run, write_table};
use tau_tasks::{Coding, TaskKind};

use crate::exchange::read_network;
use crate::output::{say, table};
use crate::{Usage, threads};

/// Which network, where it lives, and where the values go.
#[derive(Args)]
pub(crate) struct Trained {
    /// A checkpoint, or the folder of a run.
    network: PathBuf,
    /// The task, of a checkpoint without a run [default: what the checkpoint says, or parity].
    #[arg(long)]
    task: Option<TaskKind>,
    /// Names the random numbers.
    #[arg(long, default_value = "0")]
    pub(crate) seed: u64,
    /// cpu, cuda (the first GPU) or cuda:NUMBER.
    #[arg(long, default_value = "cpu")]
    pub(crate) device: Hardware,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor].
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Also write all single values, as a table.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// A network, what it is asked, and who answers.
pub(crate) struct Opened {
    pub(crate) checkpoint: Checkpoint<f32>,
    pub(crate) task: TaskKind,
    pub(crate) coding: Coding,
    pub(crate) n: usize,
    pub(crate) head: usize,
    /// How it was trained, if it is a run's.
    pub(crate) spec: Option<TrainingSpec>,
}

impl Trained {
    /// Reads it: a checkpoint, or that of a run for this N, the value of this option.
    pub(crate) fn open(&self, n: Option<usize>, option: &str) -> anyhow::Result<Opened> {
        let network = &self.network;
        let is_run = network.is_dir();
        let checkpoint = read_network(network, n.filter(|_| is_run), option)?;
        let spec = if is_run { Some(Run::read(network)?.spec().clone()) } else { None };
        let coding = match &spec {
            Some(spec) => spec.coding,
            // A file does not say it: as published.
            None if checkpoint.config.cell.gated() => Coding::Signs,
            None => Coding::Bits,
        };
        let task = match (self.task, &spec, checkpoint.metadata.get("task")) {
            (Some(_), Some(_), _) => {
                return Err(Usage("--task is for a checkpoint without a run".to_owned()).into());
            }
            (Some(task), None, _) => task,
            (None, Some(spec), _) => spec.task,
            (None, None, Some(name)) => name.parse().unwrap_or(TaskKind::Parity),
            (None, None, None) => TaskKind::Parity,
        };
        let memory: Vec<usize> = match checkpoint.metadata.get("memory") {
            Some(memory) => serde_json::from_str(memory)?,
            None => {
                let text = format!(
                    "{} does not say which N its heads answer for (tau import --first-n says it)",
                    network.display()
                );
                return Err(Usage(text).into());
            }
        };
        let n = n.or_else(|| memory.iter().max().copied()).unwrap_or_default();
        let Some(head) = memory.iter().position(|known| *known == n) else {
            return Err(Usage(format!("{option} {n}: its heads answer for {memory:?}")).into());
        };
        Ok(Opened { checkpoint, task, coding, n, head, spec })
    }

    /// The threads that were asked for.
    pub(crate) fn threads(&self) -> anyhow::Result<Option<usize>> {
        Ok(threads(self.threads)?)
    }

    /// Writes the table that was asked for, if one was, and says where.
    pub(crate) fn write(&self, rows: impl Iterator<Item = impl Serialize>) -> anyhow::Result<()> {
        self.keep(rows)?;
        if let Some(path) = &self.csv {
            say!("{}", path.display());
        }
        Ok(())
    }

    /// The same in the middle of long work, without a word.
    pub(crate) fn keep(&self, rows: impl Iterator<Item = impl Serialize>) -> anyhow::Result<()> {
        let Some(path) = &self.csv else { return Ok(()) };
        Ok(write_table(path, &table(rows)?)?)
    }
}
