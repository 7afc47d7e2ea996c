//! New heads on a frozen network: what its activity still tells about different N.

use std::sync::atomic::AtomicBool;

use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Optimiser, Readout};
use tau_tasks::Task;

use crate::batch::LabelledBatch;
use crate::{Error, go_on};

/// Settings of new heads that are trained and scored while τ, W, w_in and the biases stay as they are. In
/// continuous time every input is held for the k steps of the network's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Number of updates of the new heads.
    pub updates: usize,
    /// Number of trials in a batch.
    pub batch_size: usize,
    /// Number of batches that score the heads.
    pub test_batches: usize,
    /// h(0) ~ U[0, this).
    pub initial_state: f64,
    /// Optimiser of the heads.
    pub optimiser: Optimiser,
    /// Root seed of input, initial states and new heads.
    pub seed: u64,
}

impl Probe {
    /// Gives the network one new head for each N of the task in place of its own, trains these
    /// alone, and returns their accuracies in [0, 1] in the order of the task's N. Sequences
    /// follow the law of lengths of the task, which its largest N sets for all heads.
    ///
    /// # Errors
    /// Sizes that task or network refuse; divergence; [`Error::Stopped`] soon after `stop` is set.
    pub fn accuracy(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        let hidden = network.config().hidden_size;
        for _ in 0..network.params()?.readouts.len() {
            network.drop_head(0)?;
        }
        for &n in task.memory() {
            // Heads of training are numbered from 0 up; these never collide with them.
            let key = Key::new(self.seed, Purpose::Readout).stage(n as u32).step(1);
            network.add_head(Readout::init(2, hidden, &mut key.stream()))?;
        }
        network.freeze_cell(true);
        let held = network.config().placement.steps_per_unit() as usize;
        for update in 0..self.updates {
            go_on(stop)?;
            self.batch(update, held).hand(task, |batch| network.update(batch, &self.optimiser))?;
        }
        let mut accuracy = vec![0.0; task.memory().len()];
        for test in 0..self.test_batches {
            go_on(stop)?;
            let batch = self.batch(self.updates + test, held);
            let scores = batch.hand(task, |batch| network.evaluate(batch))?;
            for (sum, score) in accuracy.iter_mut().zip(&scores.heads) {
                *sum += score.accuracy / self.test_batches as f64;
            }
        }
        network.freeze_cell(false);
        Ok(accuracy)
    }

    fn batch(&self, step: usize, held: usize) -> LabelledBatch {
        let key = |purpose| Key::new(self.seed, purpose).step(step as u32);
        LabelledBatch {
            trials: self.batch_size,
            inputs: key(Purpose::ProbeInputs),
            held,
            initial_state: self.initial_state,
            initial: key(Purpose::ProbeInitialState),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};
    use tau_rnn::{Config, Cpu, Params, TimeConstants, thread_pool};
    use tau_tasks::TaskKind;

    /// Three neurons in a row, each a copy of the one before a step later: a delay line. The last
    /// bit and the one before are linear functions of its state, the parity of both is not one.
    fn delay_line() -> Cpu<f32> {
        let config = Config { tau: TimeConstants::Fixed { value: 1.0 }, ..Config::paper(3) };
        let mut w_rec = Array2::zeros((3, 3));
        w_rec[[1, 0]] = 1.0;
        w_rec[[2, 1]] = 1.0;
        let params = Params {
            tau: Array1::ones(3),
            w_rec,
            b_rec: Array1::zeros(3),
            w_in: ndarray::array![[1.0], [0.0], [0.0]],
            b_in: Array1::zeros(3),
            readouts: Vec::new(),
        };
        Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap()
    }

    #[test]
    fn a_head_reads_what_the_activity_holds_and_no_more() {
        let probe = Probe {
            updates: 1500,
            batch_size: 128,
            test_batches: 20,
            initial_state: 0.0,
            optimiser: Optimiser::paper(),
            seed: 3,
        };
        let mut network = delay_line();
        let before = network.params().unwrap();
        let last_bit = TaskKind::Parity.with_memory(&[1]).unwrap();
        let go_on = AtomicBool::new(false);
        let accuracy = probe.accuracy(&mut network, &*last_bit, &go_on).unwrap();
        assert!(accuracy[0] > 0.99, "{accuracy:?}");
        let match_two = TaskKind::Dms.with_memory(&[2]).unwrap();
        let accuracy = probe.accuracy(&mut network, &*match_two, &go_on).unwrap();
        // "Equal" of two fair bits is exclusive-or: three quarters at best for a linear reader.
        assert!((0.4..0.8).contains(&accuracy[0]), "{accuracy:?}");
        let stopped = probe.accuracy(&mut network, &*match_two, &AtomicBool::new(true));
        assert!(matches!(stopped, Err(Error::Stopped)));
        let after = network.params().unwrap();
        assert_eq!((before.tau, before.w_rec, before.w_in), (after.tau, after.w_rec, after.w_in));
    }
}
