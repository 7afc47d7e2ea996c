//! `tau retrain`: how far what a network has learned carries.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tau_analysis::{Retraining, relative_accuracy};
use tau_curricula::{Curriculum, TrainingSpec};
use tau_rnn::thread_pool;

use crate::output::say;
use crate::trained::Trained;
use crate::{Usage, stop, terminal};

/// Train a network further on other N, with one head.
///
/// The network that had solved N keeps the head for that N alone and is trained on each of the other N,
/// every time from the same start, with the batches and the optimiser of its run (of a lone checkpoint:
/// the published ones). Printed is its accuracy before and after, the latter relative to that for its own
/// N, too; --csv has every epoch. Claim 7 of the paper: multi-head networks carry further. Nothing of the
/// run is changed; with --csv what is done is in the table after every N.
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
    /// Absent from the epoch in which the training diverged.
    accuracy: Option<f64>,
    relative_accuracy: Option<f64>,
    /// Seconds since the network was read.
    wall_s: f64,
}

impl Retrain {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let opened = self.trained.open(self.from, "--from")?;
        let (cell, hidden) =
            (opened.checkpoint.config.cell, opened.checkpoint.params.hidden_size());
        let paper =
            || TrainingSpec::paper_cell(cell, opened.task, Curriculum::NoCurriculum, hidden, 0);
        let spec = opened.spec.clone().unwrap_or_else(paper);
        let retraining = Retraining {
            epochs: self.epochs as usize,
            updates_per_epoch: self.updates as usize,
            batch_size: spec.batch_size,
            test_batches: spec.test_batches,
            initial_state: spec.initial_state,
            optimiser: spec.optimiser,
            seed: self.trained.seed,
        };
        let stop = stop::when_asked()?;
        let pool = thread_pool(self.trained.threads()?)?;
        let train = |n: usize, epochs: usize| -> anyhow::Result<Vec<Option<f64>>> {
            let task = opened.task.with_coding(&[n], opened.coding)?;
            let (config, params) =
                (opened.checkpoint.config.clone(), opened.checkpoint.params.clone());
            let mut network = self.trained.device.network(config, params, pool.clone())?;
            let retraining = Retraining { epochs, ..retraining };
            Ok(retraining.run(&mut *network, opened.head, &*task, &stop)?)
        };
        if let Some(n) = self.to.iter().find(|&&n| opened.task.with_memory(&[n]).is_err()) {
            return Err(Usage(format!("--to {n}: the task has no such N")).into());
        }
        let started = Instant::now();
        let own = train(opened.n, 0)?.first().copied().flatten();
        let relative = |accuracy: Option<f64>| relative_accuracy(accuracy?, own?);
        let (solved, epochs) = (opened.n, self.epochs);
        say!("solved N = {solved}: accuracy {}; {epochs} epochs on each N", shown(own));
        say!("{:>5} {:>10} {:>10} {:>10}", "N", "before", "after", "relative");
        let mut rows = Vec::new();
        for &n in &self.to {
            let accuracy = train(n, retraining.epochs)?;
            let wall_s = started.elapsed().as_secs_f64();
            let before = accuracy.first().copied().flatten();
            let after = accuracy.last().copied().flatten();
            let cells = [before, after, relative(after)].map(shown);
            say!("{n:>5} {:>10} {:>10} {:>10}", cells[0], cells[1], cells[2]);
            rows.extend(accuracy.into_iter().enumerate().map(|(epoch, accuracy)| Row {
                solved_n: opened.n,
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
}

/// Four decimals; `-` for what is absent: the training diverged, or the network is at chance.
fn shown(accuracy: Option<f64>) -> String {
    accuracy.map_or_else(|| "-".to_owned(), |accuracy| format!("{accuracy:.4}"))
}
