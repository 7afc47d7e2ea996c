//! A network in continuous time at time steps that it was not trained at.

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Axis};
use tau_rnn::Backend;
use tau_tasks::Task;

use crate::{Error, Measure, Scoring};

/// Score at every k = 1/Δt: τ·k stands for τ, and every input is held for k small steps. A network
/// that approximates an ordinary differential equation does as well at a finer step; one that lives
/// on its discretisation does not.
///
/// The parameters mean the same at every k, and every k is asked the same.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeStep {
    /// Values of k, 1 or more each.
    pub steps_per_unit: Vec<u32>,
    /// Scoring of the network at each k.
    pub scoring: Scoring,
}

/// Scores of a network at several time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeStepResult {
    /// Accuracy or loss, means over repeats, (position in [`TimeStep::steps_per_unit`], head of the
    /// task).
    pub values: Array2<f64>,
    /// Whether the numbers of each head are accuracies or losses.
    pub measures: Vec<Measure>,
}

impl TimeStep {
    /// Scores the network at every k: `heads[i]` is the head of the network that answers for head i
    /// of the task. The network is then what it was.
    ///
    /// Time grows with the sum of all k.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a k; [`Error::Network`] for a network that is not in continuous time
    /// or a k of 0; the errors of [`Scoring::score`].
    pub fn run(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        stop: &AtomicBool,
    ) -> Result<TimeStepResult, Error> {
        if self.steps_per_unit.is_empty() {
            return Err(Error::TooFew { what: "steps_per_unit", found: 0, needed: 1 });
        }
        let own = network.config().steps_per_unit();
        let mut values = Array2::zeros((self.steps_per_unit.len(), heads.len()));
        let mut measures = Vec::new();
        let mut each = values.rows_mut().into_iter().zip(&self.steps_per_unit);
        let done = each.try_for_each(|(mut row, &k)| {
            network.set_steps_per_unit(k)?;
            let scored = self.scoring.score(network, task, heads, stop)?;
            row.assign(&(scored.values.sum_axis(Axis(0)) / self.scoring.repeats as f64));
            measures = scored.measures;
            Ok(())
        });
        network.set_steps_per_unit(own)?;
        done.map(|()| TimeStepResult { values, measures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_networks::on_cpu;
    use ndarray::{Array1, array};
    use tau_rnn::{Activation, Config, Leaky, Params, Placement, Readout, TimeConstants};
    use tau_tasks::TaskSpec;

    /// One neuron that follows its input with τ = 1: h ← d h + (1 − d) x in a step of the task, with
    /// d = (1 − 1/k)^k, which is 0 for k = 1 and goes to 1/e. Head 0 says whether h > 0.5, head 1
    /// whether h > 0.7.
    fn follower(placement: Placement) -> Box<dyn Backend<f32>> {
        let above = |threshold: f32| Readout {
            weight: array![[0.0], [1.0]],
            bias: array![threshold, 0.0],
            frozen: false,
        };
        let tau = TimeConstants::Fixed { value: 1.0 };
        let leaky = Leaky { placement, activation: Activation::Relu, tau, self_connections: false };
        let config = Config::new(leaky, 1, 1);
        let params = Params {
            tau: Array1::ones(1),
            w_rec: Array2::zeros((1, 1)),
            b_rec: Array1::zeros(1),
            w_in: Array2::ones((1, 1)),
            b_in: Array1::zeros(1),
            readouts: vec![above(0.5), above(0.7)],
        };
        on_cpu(config, params).unwrap()
    }

    fn accuracy(steps: &[u32], placement: Placement, head: usize) -> Result<Array2<f64>, Error> {
        let mut network = follower(placement);
        let before = network.config().clone();
        let task = TaskSpec::parity(&[1]).build().unwrap();
        let protocol = TimeStep { steps_per_unit: steps.to_vec(), scoring: Scoring::every_step(1) };
        let found = protocol.run(&mut *network, &*task, &[head], &AtomicBool::new(false));
        assert_eq!(*network.config(), before);
        let found = found?;
        assert_eq!(found.measures, [Measure::Accuracy { chance: 0.5 }]);
        Ok(found.values)
    }

    /// The last bit moves h by more than 1 − 1/e, whatever the step.
    #[test]
    fn a_network_with_a_margin_is_right_at_every_time_step() {
        let own = Placement::Continuous { steps_per_unit: 7 };
        let found = accuracy(&[1, 2, 3, 10, 200], own, 0).unwrap();
        assert_eq!(found, Array2::<f64>::ones((5, 1)));
    }

    /// After a 1, h is 1 − d and d times what it was. With the threshold 0.7 that is enough while
    /// 1 − d > 0.7, so up to k = 3. At k = 4 (d = 0.316) it is not after 0 0 0, and with d = 1/e not
    /// after 0 0: wrong at one step of 16, at one of 8.
    #[test]
    fn a_network_that_needs_large_steps_fails_at_small_ones() {
        let own = Placement::Continuous { steps_per_unit: 2 };
        let found = accuracy(&[200, 1, 2, 3, 4], own, 1).unwrap();
        let expected = [7.0 / 8.0, 1.0, 1.0, 1.0, 15.0 / 16.0];
        for (found, expected) in found.iter().zip(expected) {
            // Four standard errors of 10 000 steps; exact where it is always right.
            let bound = 4.0 * (expected * (1.0 - expected) / 1e4_f64).sqrt() + 1e-12;
            assert!((found - expected).abs() < bound, "{found} ({expected})");
        }
    }

    #[test]
    fn what_has_no_time_step_is_refused() {
        let refused = accuracy(&[1, 4], Placement::Drive, 0).unwrap_err().to_string();
        assert!(refused.starts_with("steps_per_unit: 4 (allowed: 1, since"), "{refused}");
        assert_eq!(accuracy(&[1], Placement::Drive, 0).unwrap(), array![[1.0]]);
        let own = Placement::Continuous { steps_per_unit: 2 };
        let refused = accuracy(&[2, 0], own, 0).unwrap_err().to_string();
        assert_eq!(refused, "steps_per_unit: 0 (allowed: 1 or more)");
    }
}
