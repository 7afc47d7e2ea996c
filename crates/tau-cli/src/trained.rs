//! A trained network that a command asks something, and what all such commands have in common.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tau_rnn::{Cell, Checkpoint, Hardware};
use tau_runs::{Run, read_spec, write_table};
use tau_tasks::{Task, TaskSpec};
use tau_training::TrainingSpec;

use crate::bases::{bases, fitting};
use crate::exchange::{Moment, read_network};
use crate::output::{say, table};
use crate::{Usage, threads};

/// Which network, where it lives, and where the values go.
#[derive(Args)]
pub(crate) struct Trained {
    /// A checkpoint, or the folder of a run.
    network: PathBuf,
    /// The task, of a checkpoint without a run [default: what the checkpoint says].
    #[arg(long)]
    task: Option<TaskSpec>,
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
    /// The task that is asked: of a ladder, with one N.
    pub(crate) task: TaskSpec,
    /// The N that is asked for; `None` for a task without N.
    pub(crate) n: Option<usize>,
    /// The heads of the network that answer, one for each head of the task.
    pub(crate) heads: Vec<usize>,
    /// How it was trained; of a lone checkpoint, what is usual for its task and cell.
    pub(crate) spec: TrainingSpec,
}

impl Opened {
    /// The task, ready to be asked.
    pub(crate) fn built(&self) -> anyhow::Result<Box<dyn Task>> {
        Ok(self.task.build()?)
    }
}

impl Trained {
    /// Reads it: a checkpoint, or that of a run at a moment. `option` is the name of the option that
    /// gives the N.
    pub(crate) fn open(&self, moment: &Moment, option: &str) -> anyhow::Result<Opened> {
        let is_run = self.network.is_dir();
        let checkpoint = read_network(&self.network, moment)?;
        if self.task.is_some() && is_run {
            return Err(Usage("--task is for a checkpoint without a run".to_owned()).into());
        }
        let task = self.task_of(&checkpoint)?;
        let spec = match is_run {
            true => Run::read(&self.network)?.spec().clone(),
            false => usual(&task, checkpoint.config.cell)?,
        };
        let n = moment.n;
        let Some(memory) = task.memory().map(<[usize]>::to_vec) else {
            if let Some(n) = n {
                return Err(Usage(format!("{option} {n}: the task {task} has no N")).into());
            }
            let heads = Vec::from_iter(0..task.build()?.shape().heads.len());
            return Ok(Opened { checkpoint, task, n: None, heads, spec });
        };
        let asked = n.or_else(|| memory.iter().max().copied()).unwrap_or_default();
        let head = memory.iter().position(|known| *known == asked);
        let (Some(head), Some(task)) = (head, task.with_memory(&[asked])) else {
            let text = format!("{option} {asked}: its heads answer for N = {memory:?}");
            return Err(Usage(text).into());
        };
        Ok(Opened { checkpoint, task, n: Some(asked), heads: vec![head], spec })
    }

    /// The task of a checkpoint, with the N of its heads.
    fn task_of(&self, checkpoint: &Checkpoint<f32>) -> anyhow::Result<TaskSpec> {
        let said: Option<TaskSpec> = match checkpoint.metadata.get("task") {
            Some(text) => Some(serde_json::from_str(text)?),
            None => None,
        };
        let memory = said.as_ref().and_then(|task| task.memory()).unwrap_or_default().to_vec();
        let task = match &self.task {
            Some(task) => task.with_memory(&memory).or_else(|| Some(task.clone())),
            None => said,
        };
        let of_heads = |task: &TaskSpec| task.memory().is_none_or(|memory| !memory.is_empty());
        Ok(task.filter(of_heads).ok_or_else(|| {
            let network = self.network.display();
            Usage(format!(
                "{network} does not say which task its heads answer (tau import says it: --task and \
                 --first-n)"
            ))
        })?)
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

    /// Writes the table in the middle of long work, without a word.
    pub(crate) fn keep(&self, rows: impl Iterator<Item = impl Serialize>) -> anyhow::Result<()> {
        let Some(path) = &self.csv else { return Ok(()) };
        Ok(write_table(path, &table(rows)?)?)
    }
}

/// The training of the base that fits a task and a cell.
fn usual(task: &TaskSpec, cell: Cell) -> Result<TrainingSpec, tau_runs::Error> {
    let n = task.memory().and_then(|memory| memory.iter().max().copied());
    let n = n.map_or_else(String::new, |n| format!(", n = [{n}]"));
    let base = fitting(task, cell).map_or_else(String::new, |name| format!("base = \"{name}\"\n"));
    let text = format!(
        "{base}seed = 0\nschedule = \"none\"\ntask = {{ kind = \"{task}\"{n} }}\n\
         network.cell.kind = \"{cell}\""
    );
    read_spec(&text, &[], &bases())
}
