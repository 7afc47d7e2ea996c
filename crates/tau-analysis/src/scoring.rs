//! How well a network does: the score under damage.

mod by_batches;
mod every_step;
mod read;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Axis};
use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Readout};
use tau_tasks::Task;

use crate::{ChanceLevel, Error, Measure, Score, heads};

/// Questions by which a network is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One long input of fair bits, whatever the task is trained on, answered at every step as if
    /// the sequence ended there (`docs/papers/khajehabdollahi-2024.md` §5). Only ladders over N have
    /// a label at every step. A repeat is a trial.
    EveryStep {
        /// Number of steps before the first that counts: N − 1 or more.
        warm_up: usize,
        /// Number of steps that count.
        steps: usize,
    },
    /// Batches of the task as it draws them, answered where the task asks: classes at the last
    /// step, values at every step. A repeat is a batch.
    Batches {
        /// Number of trials of a batch.
        trials: usize,
    },
}

/// A network asked again and again, without being trained. Steps are those of the task: in
/// continuous time each has k small ones, and is answered at the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scoring {
    /// The questions.
    pub protocol: Protocol,
    /// Number of repeats, each with its own input.
    pub repeats: usize,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub initial_state: f64,
    /// The guess that accuracies are compared with.
    pub chance: ChanceLevel,
    /// Root seed of the input and of h(0).
    pub seed: u64,
    /// Number of the input, among those of this seed.
    pub input: u32,
}

/// Scores of one network: a row for each repeat, a column for each head of the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Accuracy in [0, 1] or loss, (repeat, head of the task).
    pub values: Array2<f64>,
    /// Whether the numbers of each head are accuracies or losses.
    pub measures: Vec<Measure>,
}

impl Scoring {
    /// Every step of a long input: 100 steps of warm-up and 1000 that count, 10 repeats,
    /// h(0) ~ U[0, 0.1), chance 1 / classes.
    #[must_use]
    pub fn every_step(seed: u64) -> Self {
        let protocol = Protocol::EveryStep { warm_up: 100, steps: 1000 };
        let chance = ChanceLevel::OneOfClasses;
        Self { protocol, repeats: 10, initial_state: 0.1, chance, seed, input: 0 }
    }

    /// Batches of the task: 10 of 256 trials, h(0) ~ U[0, 0.1), chance 1 / classes.
    #[must_use]
    pub fn batches(seed: u64) -> Self {
        Self { protocol: Protocol::Batches { trials: 256 }, ..Self::every_step(seed) }
    }

    /// What suits a task: [`every_step`](Self::every_step) for a ladder, with a warm-up of at least
    /// its largest N, and [`batches`](Self::batches) for every task without N.
    #[must_use]
    pub fn of(task: &dyn Task, seed: u64) -> Self {
        let Some(ladder) = task.ladder() else { return Self::batches(seed) };
        let largest = ladder.memory().iter().copied().max().unwrap_or(0);
        let protocol = Protocol::EveryStep { warm_up: largest.max(100), steps: 1000 };
        Self { protocol, ..Self::every_step(seed) }
    }

    /// Accuracy or loss of every repeat: `heads[i]` is the head of the network that answers for
    /// head i of the task.
    ///
    /// An output that is NaN, of a network that the damage made explode, counts as a guess among the
    /// classes; a loss that is not finite is infinite.
    ///
    /// # Errors
    /// [`Error::Value`] unless `heads` fits task and network, and for a warm-up that is too short;
    /// [`Error::NoLadder`] for every step of a task without N; [`Error::TooFew`] without a repeat, a
    /// step or a trial; sizes that task or network refuse; [`Error::Stopped`] soon after `stop` is
    /// set.
    pub fn score(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        stop: &AtomicBool,
    ) -> Result<Scored, Error> {
        let readouts = network.params()?.readouts;
        heads::check(task, heads, &readouts)?;
        let readouts: Vec<&Readout<f32>> = heads.iter().map(|&head| &readouts[head]).collect();
        let asked = Asked { scoring: self, network, task, readouts, stop };
        match self.protocol {
            Protocol::EveryStep { warm_up, steps } => asked.every_step(warm_up, steps),
            Protocol::Batches { trials } => asked.by_batches(trials),
        }
    }

    fn key(&self, purpose: Purpose) -> Key {
        Key::new(self.seed, purpose).stage(self.input)
    }

    /// Refuses to score without repeats, and without something else that is counted.
    fn check(&self, what: &'static str, count: usize) -> Result<(), Error> {
        if count.min(self.repeats) == 0 {
            return Err(Error::TooFew { what, found: 0, needed: 1 });
        }
        Ok(())
    }
}

impl Scored {
    /// Score over repeats of head i of the task.
    ///
    /// # Panics
    /// If there is no such head.
    #[must_use]
    pub fn head(&self, i: usize) -> Score {
        Score::of(&self.values.column(i).to_vec(), self.measures[i])
    }

    /// Score over repeats of the mean over heads, and so of the only head where there is one.
    #[must_use]
    pub fn over_heads(&self) -> Score {
        let heads = self.measures.len() as f64;
        let rows = self.values.axis_iter(Axis(0));
        let means: Vec<f64> = rows.map(|row| row.iter().sum::<f64>() / heads).collect();
        Score::of(&means, Measure::mean(&self.measures))
    }
}

/// A network that is being asked.
struct Asked<'a> {
    scoring: &'a Scoring,
    network: &'a mut dyn Backend<f32>,
    task: &'a dyn Task,
    /// For each head of the task.
    readouts: Vec<&'a Readout<f32>>,
    stop: &'a AtomicBool,
}
