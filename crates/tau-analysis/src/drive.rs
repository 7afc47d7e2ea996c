//! A network under random input of a task for a long time: its autocorrelation, in one pass.

use std::sync::atomic::AtomicBool;

use ndarray::{ArrayView2, Axis};
use tau_random::{Key, Purpose};
use tau_rnn::Backend;
use tau_tasks::Task;

use crate::simulation::{first_state, simulate};
use crate::{Autocorrelation, AutocorrelationStream, Error, TrialAutocovariances};

/// How a network is driven with the input of a task ([`Task::drive`]), whatever its channels
/// (`docs/papers/khajehabdollahi-2024.md` §5: 10 trials, 10⁵ steps after 500).
///
/// Steps, and so lags and τ_net, are those of the task at every time step of a network in continuous
/// time: its activity counts once for each input, at the last of the k small steps that it is held for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drive {
    /// Number of steps of each trial that count.
    pub steps: usize,
    /// Number of steps before the ones that count.
    pub burn_in: usize,
    /// Number of trials.
    pub trials: usize,
    /// Largest lag of the autocorrelation, in steps.
    pub max_lag: usize,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub initial_state: f64,
    /// Root seed of the input and of h(0).
    pub seed: u64,
}

impl Drive {
    /// Drives the network and estimates the autocorrelation of its units and of their sum.
    ///
    /// Memory: one chunk of activity and, for each trial and unit, a block of the estimator (some
    /// 70 kB); never the whole recording.
    ///
    /// # Errors
    /// Sizes that task, network or estimator refuse; activity that is not finite;
    /// [`Error::Stopped`] soon after `stop` is set.
    pub fn autocorrelation(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Autocorrelation, Error> {
        let make = AutocorrelationStream::new;
        self.correlate(network, task, stop, make, |_, _| Ok(()))?.finish()
    }

    /// Drives the network and returns the autocovariance of every single trial, for intervals by
    /// resampling ([`tau_interval`](crate::tau_interval)).
    ///
    /// It takes the memory of [`autocorrelation`](Self::autocorrelation) and 16 bytes × trials × units ×
    /// lags (16 MB for ten trials of 500 units and 200 lags).
    ///
    /// # Errors
    /// The errors of [`autocorrelation`](Self::autocorrelation).
    pub fn trial_autocovariances(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<TrialAutocovariances, Error> {
        let make = AutocorrelationStream::keeping_trials;
        self.correlate(network, task, stop, make, |_, _| Ok(()))?.finish_trials()
    }

    /// Drives the network and hands over its activity as it is produced: `visit(trial, chunk)`,
    /// with `chunk` (time, unit) the next steps of that trial. What comes before the burn-in has
    /// passed is left out; chunks of different trials take turns. For estimators of your own.
    ///
    /// # Errors
    /// Sizes that task or network refuse, what `visit` refuses, [`Error::Stopped`] soon after
    /// `stop` is set.
    pub fn each_chunk(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
        mut visit: impl FnMut(usize, ArrayView2<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let total = self.burn_in + self.steps;
        let inputs = task.drive(total, self.trials, Key::new(self.seed, Purpose::DriveInputs))?;
        let start = Key::new(self.seed, Purpose::DriveInitialState);
        let state = first_state(network.config(), self.trials, self.initial_state, start)?;
        simulate(network, state, inputs.view(), self.burn_in, stop, |_, activity| {
            let mut trials = activity.axis_iter(Axis(1)).enumerate();
            trials.try_for_each(|(trial, chunk)| visit(trial, chunk))
        })
    }

    /// Feeds one stream per trial and joins the streams in the order of the trials; `also` sees every
    /// chunk, too.
    pub(crate) fn correlate(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
        make: fn(usize, usize) -> Result<AutocorrelationStream, Error>,
        mut also: impl FnMut(usize, ArrayView2<'_, f32>) -> Result<(), Error>,
    ) -> Result<AutocorrelationStream, Error> {
        let units = network.config().hidden_size;
        let mut streams = Vec::new();
        for _ in 0..self.trials {
            streams.push(make(units, self.max_lag)?);
        }
        self.each_chunk(network, task, stop, |trial, chunk| {
            streams[trial].push(chunk)?;
            also(trial, chunk)
        })?;
        let mut all = make(units, self.max_lag)?;
        for mut stream in streams {
            stream.end_trial()?;
            all.absorb(&stream)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use ndarray::{Array1, Array2};
    use tau_rnn::{Activation, Config, Cpu, Leaky, Params, Placement, thread_pool};
    use tau_tasks::{FlipFlop, TaskSpec};

    /// Unconnected linear neurons driven by white input are AR(1) processes with decay 1 − 1/τ, so
    /// ρ(lag) = (1 − 1/τ)^lag: a network whose autocorrelation is known in closed form.
    #[test]
    fn unconnected_neurons_have_the_autocorrelation_of_their_tau() {
        check(Placement::Drive, 50_000, |tau| 1.0 - 1.0 / tau);
    }

    /// In continuous time a step of the task is k small ones, of which each decays by 1 − 1/(kτ): for
    /// large k by e^(−1/τ) in all, in units of the task.
    #[test]
    fn lags_are_steps_of_the_task_in_continuous_time() {
        let at = |steps_per_unit| Placement::Continuous { steps_per_unit };
        check(at(1), 20_000, |tau| 1.0 - 1.0 / tau);
        check(at(3), 20_000, |tau| (1.0 - 1.0 / (3.0 * tau)).powi(3));
        check(at(60), 5_000, |tau| (-1.0 / tau).exp());
        // More small steps than a chunk has.
        check(at(1001), 300, |tau| (-1.0 / tau).exp());
    }

    fn check(placement: Placement, steps: usize, decay: impl Fn(f64) -> f64) {
        let leaky = Leaky { placement, activation: Activation::Relu, ..Leaky::DEFAULT };
        let config = Config::new(leaky, 3, 1);
        let params = Params {
            tau: Array1::from_vec(vec![2.0, 5.0, 10.0]),
            w_rec: Array2::zeros((3, 3)),
            b_rec: Array1::zeros(3),
            w_in: Array2::ones((3, 1)),
            b_in: Array1::zeros(3),
            readouts: Vec::new(),
        };
        let mut network = Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap();
        let drive =
            Drive { steps, burn_in: 100, trials: 3, max_lag: 10, initial_state: 0.1, seed: 1 };
        let task = TaskSpec::dms(&[2]).build().unwrap();
        let go_on = AtomicBool::new(false);
        let found = drive.autocorrelation(&mut network, &*task, &go_on).unwrap();
        assert_eq!((found.recording.trials, found.recording.shortest_trial), (3, steps));
        let trials = drive.trial_autocovariances(&mut network, &*task, &go_on).unwrap();
        assert_eq!(trials.pooled(), found);
        let stopped = drive.autocorrelation(&mut network, &*task, &AtomicBool::new(true));
        assert!(matches!(stopped, Err(Error::Stopped)));
        for (unit, tau) in [2.0, 5.0, 10.0f64].into_iter().enumerate() {
            for lag in 0..=10 {
                let expected = decay(tau).powi(lag);
                // Four standard errors, √(2τ / steps), of an estimate over three trials.
                let bound = 4.0 * (2.0 * tau / (3.0 * steps as f64)).sqrt();
                assert_abs_diff_eq!(found.units[[lag as usize, unit]], expected, epsilon = bound);
            }
        }
    }

    /// Neurons with τ = 1 copy the channels of a task without N: their autocorrelation is that of
    /// its input.
    #[test]
    fn a_task_without_n_drives_a_network_on_all_its_channels() {
        let flip_flop = FlipFlop { noise: false, ..FlipFlop::default() };
        let task = TaskSpec::FlipFlop(flip_flop).build().unwrap();
        let leaky = Leaky { activation: Activation::Relu, ..Leaky::DEFAULT };
        let params = Params {
            tau: Array1::ones(2),
            w_rec: Array2::zeros((2, 2)),
            b_rec: Array1::zeros(2),
            w_in: Array2::eye(2),
            b_in: Array1::zeros(2),
            readouts: Vec::new(),
        };
        let config = Config::new(leaky, 2, 2);
        let mut network = Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap();
        let drive =
            Drive { steps: 5000, burn_in: 60, trials: 2, max_lag: 40, initial_state: 0.1, seed: 1 };
        let go_on = AtomicBool::new(false);
        let found = drive.autocorrelation(&mut network, &*task, &go_on).unwrap();
        let inputs = task.drive(5060, 2, Key::new(1, Purpose::DriveInputs)).unwrap();
        let mut expected = AutocorrelationStream::new(2, 40).unwrap();
        for trial in inputs.axis_iter(Axis(1)) {
            expected.push(trial.slice(ndarray::s![60.., ..])).unwrap();
            expected.end_trial().unwrap();
        }
        let expected = expected.finish().unwrap();
        assert_eq!(found, expected);
        // A pulse of 20 steps correlates with itself for 20 steps.
        assert!(found.units[[10, 0]] > 0.3 && found.units[[30, 0]] < 0.0, "{}", found.units);
        let one = TaskSpec::parity(&[1]).build().unwrap();
        let refused = drive.autocorrelation(&mut network, &*one, &go_on);
        assert!(matches!(refused, Err(Error::Network(_))), "{refused:?}");
    }
}
