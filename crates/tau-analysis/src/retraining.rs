//! Trains a trained network further on a different task, such as a larger N.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Optimiser};
use tau_tasks::Task;

use crate::batch::NamedBatch;
use crate::chance::LabelCounts;
use crate::{ChanceLevel, Error, Measure, go_on, heads};

/// Settings of further training (`docs/papers/khajehabdollahi-2024.md` §5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retraining {
    /// Number of epochs.
    pub epochs: usize,
    /// Number of updates in an epoch.
    pub updates_per_epoch: usize,
    /// Number of trials in a batch.
    pub batch_size: usize,
    /// Number of batches that score the network after each epoch, 1 or more.
    pub test_batches: usize,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub initial_state: f64,
    /// Optimiser, which begins with an empty memory.
    pub optimiser: Optimiser,
    /// The guess that accuracies are compared with.
    pub chance: ChanceLevel,
    /// Root seed of input and initial states.
    pub seed: u64,
}

/// How well a network did before and after each epoch of further training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrainingResult {
    /// Whether the numbers are accuracies or losses.
    pub measure: Measure,
    /// Accuracy or loss, the mean over heads, before training and after each epoch: `epochs + 1`
    /// entries. `None` from the epoch on in which the network diverged, and for a loss that is not
    /// finite.
    pub values: Vec<Option<f64>>,
}

impl RetrainingResult {
    /// The value before training.
    #[must_use]
    pub fn before(&self) -> Option<f64> {
        self.values.first().copied().flatten()
    }

    /// The value after the last epoch; `None` for a network that diverged.
    #[must_use]
    pub fn after(&self) -> Option<f64> {
        self.values.last().copied().flatten()
    }
}

impl Retraining {
    /// Takes all heads but `heads` away and trains everything that is left on the task: `heads[i]` is
    /// the head of the network that answers for head i of the task.
    ///
    /// Batches are those of the task, with its law of lengths. The network is left as it was trained.
    ///
    /// # Errors
    /// [`Error::Value`] unless `heads` fits task and network; no test batches ([`Error::TooFew`]);
    /// sizes that task or network refuse; [`Error::Stopped`] soon after `stop` is set.
    pub fn run(
        &self,
        network: &mut dyn Backend<f32>,
        heads: &[usize],
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<RetrainingResult, Error> {
        let readouts = network.params()?.readouts;
        heads::check(task, heads, &readouts)?;
        if self.test_batches == 0 {
            return Err(Error::TooFew { what: "test batches", found: 0, needed: 1 });
        }
        let kept: BTreeSet<usize> = heads.iter().copied().collect();
        for other in (0..readouts.len()).rev().filter(|other| !kept.contains(other)) {
            network.drop_head(other)?;
        }
        // Those behind a head that was taken away have moved up.
        let heads = heads.iter().map(|head| kept.range(..head).count()).collect();
        let mut course =
            Course { retraining: self, task, heads, asked: LabelCounts::new(task), stop };
        let mut values = vec![course.test(network, 0)?];
        for epoch in 0..self.epochs {
            match course.train(network, epoch) {
                Ok(()) => values.push(course.test(network, epoch + 1)?),
                // No network is left for later epochs.
                Err(Error::Network(tau_rnn::Error::Diverged { .. })) => {
                    values.resize(self.epochs + 1, None);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(RetrainingResult { measure: Measure::mean(&course.asked.measures(self.chance)), values })
    }

    fn batch(&self, epoch: usize, step: usize) -> NamedBatch {
        let key = |purpose| Key::new(self.seed, purpose).stage(epoch as u32).step(step as u32);
        NamedBatch {
            trials: self.batch_size,
            inputs: key(Purpose::RetrainingInputs),
            initial_state: self.initial_state,
            initial: key(Purpose::RetrainingInitialState),
        }
    }
}

/// One further training on its way.
struct Course<'a> {
    retraining: &'a Retraining,
    task: &'a dyn Task,
    /// For each head of the task.
    heads: Vec<usize>,
    /// Labels of the test batches.
    asked: LabelCounts,
    stop: &'a AtomicBool,
}

impl Course<'_> {
    fn train(&self, network: &mut dyn Backend<f32>, epoch: usize) -> Result<(), Error> {
        let Retraining { updates_per_epoch, optimiser, .. } = self.retraining;
        for update in 0..*updates_per_epoch {
            go_on(self.stop)?;
            let batch = self.retraining.batch(epoch, update);
            batch.update(network, self.task, &self.heads, optimiser)?;
        }
        // A device may have kept a divergence to itself until now.
        network.take_mean_loss()?;
        Ok(())
    }

    /// The mean over heads and test batches; `None` if it is not finite.
    fn test(&mut self, network: &mut dyn Backend<f32>, epoch: usize) -> Result<Option<f64>, Error> {
        let Retraining { updates_per_epoch, test_batches, .. } = *self.retraining;
        let mut sum = 0.0;
        for batch in 0..test_batches {
            go_on(self.stop)?;
            // Behind the updates of the epoch: no batch is trained on and scored.
            let batch = self.retraining.batch(epoch, updates_per_epoch + batch);
            let values = batch.evaluate(network, self.task, &self.heads, &mut self.asked)?;
            sum += values.iter().sum::<f64>() / values.len() as f64;
        }
        let mean = sum / test_batches as f64;
        Ok(mean.is_finite().then_some(mean))
    }
}

#[cfg(test)]
mod tests;
