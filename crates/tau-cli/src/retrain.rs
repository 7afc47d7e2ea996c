//! `tau retrain`: how far what a network has learned carries.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tau_analysis::{ChanceLevel, Retraining, RetrainingResult};
use tau_rnn::thread_pool;
use tau_tasks::TaskSpec;

use crate::exchange::Moment;
use crate::output::say;
use crate::trained::{Opened, Trained};
use crate::{Usage, stop, terminal};

/// Train a network further on other N, with one head.
///
/// The network that had solved N keeps the head for that N alone and is trained on each of the other N,
/// every time from the same start, with the batches and the optimiser of its run (of a lone checkpoint:
/// those that are usual for its task and cell). Printed is its accuracy before and after, the latter relative to that for its own
/// N, too; --csv has every epoch. Claim 7 of ICLR 2024: multi-head networks carry further. Nothing of the
/// run is changed; with --csv what is done is in the table after every N. A task without N has no other N
/// to go on with, and is refused.
#[derive(Args)]
pub(crate) struct Retrain {
    #[command(flatten)]
    trained: Trained,
    /// The N that the network had solved, whose head is kept [default: the largest of the network].
    #[arg(long, value_name = "N")]
    from: Option<usize>,
    /// The N that it is trained on, one by one: --to 20,30.
    #[arg(long, value_name = "N", value_delimiter = ',', required = true)]
    to: Vec<usize>,
    /// Epochs.
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(u32).range(1..10_000))]
    epochs: u32,
    /// Updates in an epoch.
    #[arg(long, default_value = "600", value_parser = clap::value_parser!(u32).range(1..100_000_000))]
    updates: u32,
}

#[derive(Serialize)]
struct Row {
    solved_n: usize,
    n: usize,
    epoch: usize,
    /// Absent from the epoch on in which the training diverged.
    accuracy: Option<f64>,
    relative_accuracy: Option<f64>,
    /// Seconds since the network was read.
    wall_s: f64,
}

impl Retrain {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let opened = self.trained.open(&Moment::n(self.from), "--from")?;
        let Some(solved) = opened.n else {
            let text = format!(
                "retrain: the task {} has no N, and so no other N to train the network on (allowed: \
                 networks for tasks with N)",
                opened.task
            );
            return Err(Usage(text).into());
        };
        let retraining = self.retraining(&opened);
        let stop = stop::when_asked()?;
        let pool = thread_pool(self.trained.threads()?)?;
        let train = |task: &TaskSpec, epochs: usize| -> anyhow::Result<RetrainingResult> {
            let (config, params) =
                (opened.checkpoint.config.clone(), opened.checkpoint.params.clone());
            let mut network = self.trained.device.network(config, params, pool.clone())?;
            let retraining = Retraining { epochs, ..retraining };
            let task = task.build()?;
            Ok(retraining.run(&mut *network, &opened.heads, &*task, stop.flag())?)
        };
        let tasks = self.to.iter().map(|&n| Ok((n, self.task(&opened, n)?)));
        let tasks: Vec<(usize, TaskSpec)> = tasks.collect::<anyhow::Result<_>>()?;
        let started = Instant::now();
        let own = train(&opened.task, 0)?.before();
        say!("solved N = {solved}: accuracy {}; {} epochs on each N", shown(own), self.epochs);
        say!("{:>5} {:>10} {:>10} {:>10}", "N", "before", "after", "relative");
        let mut rows = Vec::new();
        for (n, task) in tasks {
            let found = train(&task, retraining.epochs)?;
            let relative = |value: Option<f64>| found.measure.relative(value?, own?);
            let wall_s = started.elapsed().as_secs_f64();
            let cells = [found.before(), found.after(), relative(found.after())].map(shown);
            say!("{n:>5} {:>10} {:>10} {:>10}", cells[0], cells[1], cells[2]);
            rows.extend(found.values.iter().enumerate().map(|(epoch, &accuracy)| Row {
                solved_n: solved,
                n,
                epoch,
                accuracy,
                relative_accuracy: relative(accuracy),
                wall_s,
            }));
            self.trained.keep(rows.iter())?;
            terminal::say_plainly(&format!("N = {n} is trained ({wall_s:.0} s)"));
        }
        self.trained.write(rows.iter())?;
        Ok(ExitCode::SUCCESS)
    }

    /// The task of the network for another N.
    fn task(&self, opened: &Opened, n: usize) -> anyhow::Result<TaskSpec> {
        let task = opened.task.with_memory(&[n]).filter(|task| task.build().is_ok());
        Ok(task.ok_or_else(|| Usage(format!("--to {n}: the task has no such N")))?)
    }

    /// Batches and optimiser of the network's training.
    fn retraining(&self, opened: &Opened) -> Retraining {
        let spec = &opened.spec;
        Retraining {
            epochs: self.epochs as usize,
            updates_per_epoch: self.updates as usize,
            batch_size: spec.batch_size,
            test_batches: spec.data.test_batches(spec.batch_size).max(1),
            initial_state: spec.initial_state,
            optimiser: spec.optimiser,
            chance: ChanceLevel::default(),
            seed: self.trained.seed,
        }
    }
}

/// Four decimals; `-` for what is absent: the training diverged, or the network is at chance.
fn shown(accuracy: Option<f64>) -> String {
    accuracy.map_or_else(|| "-".to_owned(), |accuracy| format!("{accuracy:.4}"))
}
