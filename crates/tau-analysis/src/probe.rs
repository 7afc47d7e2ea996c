//! New heads on a frozen network: what its activity still tells about a task.

use std::sync::atomic::AtomicBool;

use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Optimiser, Readout};
use tau_tasks::Task;

use crate::batch::NamedBatch;
use crate::chance::LabelCounts;
use crate::{ChanceLevel, Error, Performance, go_on};

/// Settings of new heads that are trained and scored while τ, W, w_in and the biases stay as they are. In
/// continuous time every input is held for the k steps of the network's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Number of updates of the new heads.
    pub updates: usize,
    /// Number of trials in a batch.
    pub batch_size: usize,
    /// Number of batches that score the heads, 1 or more.
    pub test_batches: usize,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub initial_state: f64,
    /// Optimiser of the heads.
    pub optimiser: Optimiser,
    /// The guess that accuracies are compared with.
    pub chance: ChanceLevel,
    /// Root seed of input, initial states and new heads.
    pub seed: u64,
}

impl Probe {
    /// Gives the network one new head for each head of the task in place of its own, trains these
    /// alone, and returns how well each of them does, in the order of the task: accuracy of classes,
    /// loss of values. For a ladder that is a head for each N: a task with the smaller N asks what the
    /// network still knows of them, on sequences whose lengths follow from the largest.
    ///
    /// # Errors
    /// No test batches ([`Error::TooFew`]); sizes that task or network refuse; divergence;
    /// [`Error::Stopped`] soon after `stop` is set.
    pub fn run(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Vec<Performance>, Error> {
        if self.test_batches == 0 {
            return Err(Error::TooFew { what: "test batches", found: 0, needed: 1 });
        }
        let config = network.config().clone();
        for _ in 0..network.params()?.readouts.len() {
            network.drop_head(0)?;
        }
        for (position, head) in task.shape().heads.iter().enumerate() {
            let stage = head.memory.unwrap_or(position) as u32;
            // Heads of training are numbered from 0 up; these never collide with them.
            let key = Key::new(self.seed, Purpose::Readout).stage(stage).step(1);
            network.add_head(Readout::init(&config, head.size, &mut key.stream()))?;
        }
        network.freeze_cell(true);
        let found = self.train_and_test(network, task, stop);
        network.freeze_cell(false);
        found
    }

    fn train_and_test(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Vec<Performance>, Error> {
        let heads: Vec<usize> = (0..task.shape().heads.len()).collect();
        for update in 0..self.updates {
            go_on(stop)?;
            self.batch(update).update(network, task, &heads, &self.optimiser)?;
        }
        let mut asked = LabelCounts::new(task);
        let mut means = vec![0.0; heads.len()];
        for test in 0..self.test_batches {
            go_on(stop)?;
            let values =
                self.batch(self.updates + test).evaluate(network, task, &heads, &mut asked)?;
            for (mean, value) in means.iter_mut().zip(values) {
                *mean += value / self.test_batches as f64;
            }
        }
        let measures = asked.measures(self.chance);
        let performance = |(value, measure)| Performance { value, measure };
        Ok(means.into_iter().zip(measures).map(performance).collect())
    }

    fn batch(&self, step: usize) -> NamedBatch {
        let key = |purpose| Key::new(self.seed, purpose).step(step as u32);
        NamedBatch {
            trials: self.batch_size,
            inputs: key(Purpose::ProbeInputs),
            initial_state: self.initial_state,
            initial: key(Purpose::ProbeInitialState),
        }
    }
}

#[cfg(test)]
mod tests;
