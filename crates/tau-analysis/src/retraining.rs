//! Trains a trained network further on one different N.

use std::sync::atomic::AtomicBool;

use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Optimiser};
use tau_tasks::Task;

use crate::batch::LabelledBatch;
use crate::{Error, go_on};

/// Settings of further training (`docs/papers/khajehabdollahi-2024.md` §5: one head, 20 epochs,
/// N = 16 … 46, after the network had solved N = 16).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retraining {
    /// Number of epochs (20 in the paper).
    pub epochs: usize,
    /// Number of updates in an epoch (600 in the paper).
    pub updates_per_epoch: usize,
    /// Number of trials in a batch (256 in the paper).
    pub batch_size: usize,
    /// Number of batches that score the network after each epoch (50 in the paper).
    pub test_batches: usize,
    /// h(0) ~ U[0, this).
    pub initial_state: f64,
    /// Optimiser, which begins with an empty memory.
    pub optimiser: Optimiser,
    /// Root seed of input and initial states.
    pub seed: u64,
}

impl Retraining {
    /// Takes all heads but `head` away and trains everything that is left on the task's only N.
    /// Returns the accuracy in [0, 1] before and after each epoch: `epochs + 1` numbers.
    ///
    /// Sequences have the length law of the task. The network is left as it was trained; one that
    /// diverges ends there, at chance.
    ///
    /// # Errors
    /// [`Error::Head`]; [`Error::Lengths`] for a task of more than one N; no test batches
    /// ([`Error::TooFew`]); sizes that task or network refuse; [`Error::Stopped`] soon after `stop`
    /// is set.
    pub fn run(
        &self,
        network: &mut dyn Backend<f32>,
        head: usize,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        let heads = network.params()?.readouts.len();
        if head >= heads {
            return Err(Error::Head { head, heads });
        }
        if task.memory().len() != 1 {
            return Err(Error::Lengths { left: task.memory().len(), right: 1 });
        }
        if self.test_batches == 0 {
            return Err(Error::TooFew { what: "test batches", found: 0, needed: 1 });
        }
        for other in (0..heads).rev().filter(|other| *other != head) {
            network.drop_head(other)?;
        }
        let mut accuracy = vec![self.test(network, task, 0, stop)?];
        for epoch in 0..self.epochs {
            match self.train(network, task, epoch, stop) {
                Ok(()) => accuracy.push(self.test(network, task, epoch + 1, stop)?),
                // No network is left for later epochs.
                Err(Error::Network(tau_rnn::Error::Diverged { .. })) => {
                    accuracy.resize(self.epochs + 1, 0.5);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(accuracy)
    }

    fn train(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        epoch: usize,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        for update in 0..self.updates_per_epoch {
            go_on(stop)?;
            self.batch(network, epoch, update)
                .hand(task, |batch| network.update(batch, &self.optimiser))?;
        }
        // A device may have kept a divergence to itself until now.
        network.take_mean_loss()?;
        Ok(())
    }

    fn test(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        epoch: usize,
        stop: &AtomicBool,
    ) -> Result<f64, Error> {
        let mut sum = 0.0;
        for batch in 0..self.test_batches {
            go_on(stop)?;
            // Behind the updates of the epoch: no batch is trained on and scored.
            let scores = self
                .batch(network, epoch, self.updates_per_epoch + batch)
                .hand(task, |batch| network.evaluate(batch))?;
            sum += scores.heads.first().map_or(0.5, |head| head.accuracy);
        }
        Ok(sum / self.test_batches as f64)
    }

    fn batch(&self, network: &dyn Backend<f32>, epoch: usize, step: usize) -> LabelledBatch {
        let key = |purpose| Key::new(self.seed, purpose).stage(epoch as u32).step(step as u32);
        LabelledBatch {
            trials: self.batch_size,
            inputs: key(Purpose::RetrainingInputs),
            held: network.config().placement.steps_per_unit() as usize,
            initial_state: self.initial_state,
            initial: key(Purpose::RetrainingInitialState),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::tests::{delay_line, on_cpu};
    use tau_tasks::TaskKind;

    fn retraining(epochs: usize) -> Retraining {
        Retraining {
            epochs,
            updates_per_epoch: 200,
            batch_size: 64,
            test_batches: 5,
            initial_state: 0.1,
            optimiser: Optimiser::paper(),
            seed: 4,
        }
    }

    /// The last bit of a delay line, read by its first head: right before training and after.
    #[test]
    fn what_is_solved_stays_solved() {
        let (config, params) = delay_line();
        let mut network = on_cpu(config, params).unwrap();
        let last_bit = TaskKind::Parity.with_memory(&[1]).unwrap();
        let go_on = AtomicBool::new(false);
        let accuracy = retraining(2).run(&mut *network, 0, &*last_bit, &go_on).unwrap();
        assert_eq!(accuracy, [1.0; 3]);
        assert_eq!(network.params().unwrap().readouts.len(), 1);
    }

    /// With the two classes of the head exchanged the network is always wrong before training and right after
    /// an epoch, since the activity tells the bit.
    #[test]
    fn a_head_that_is_always_wrong_is_turned_round() {
        let (config, mut params) = delay_line();
        let head = &mut params.readouts[0];
        head.weight.invert_axis(ndarray::Axis(0));
        head.bias.invert_axis(ndarray::Axis(0));
        let mut network = on_cpu(config, params).unwrap();
        let last_bit = TaskKind::Parity.with_memory(&[1]).unwrap();
        let go_on = AtomicBool::new(false);
        let accuracy = retraining(2).run(&mut *network, 0, &*last_bit, &go_on).unwrap();
        assert_eq!(accuracy[0], 0.0);
        assert!(accuracy[2] > 0.99, "{accuracy:?}");
    }

    /// Nothing is trained without updates: the parity of nine bits stays chance for a head that reads
    /// the last one.
    #[test]
    fn a_network_that_is_not_trained_is_only_scored() {
        let (config, params) = delay_line();
        let mut network = on_cpu(config, params.clone()).unwrap();
        let nine = TaskKind::Dms.with_memory(&[9]).unwrap();
        let go_on = AtomicBool::new(false);
        let many = Retraining { test_batches: 100, ..retraining(0) };
        let accuracy = many.run(&mut *network, 0, &*nine, &go_on).unwrap();
        assert_eq!(accuracy.len(), 1);
        // Four standard errors of 6400 fair coins.
        assert!((accuracy[0] - 0.5).abs() < 0.025, "{accuracy:?}");
        assert_eq!(network.params().unwrap().w_rec, params.w_rec);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (config, params) = delay_line();
        let heads = params.readouts.len();
        let mut network = on_cpu(config, params).unwrap();
        let one = TaskKind::Parity.with_memory(&[1]).unwrap();
        let two = TaskKind::Parity.with_memory(&[1, 2]).unwrap();
        let go_on = AtomicBool::new(false);
        let mut run = |head, task| retraining(1).run(&mut *network, head, task, &go_on);
        assert!(matches!(run(heads, &*one), Err(Error::Head { .. })));
        assert!(matches!(run(0, &*two), Err(Error::Lengths { .. })));
        let stopped = retraining(1).run(&mut *network, 0, &*one, &AtomicBool::new(true));
        assert!(matches!(stopped, Err(Error::Stopped)));
    }
}
