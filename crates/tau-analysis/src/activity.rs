//! Activity of one long simulation, handed to every estimator in one pass.

use std::sync::atomic::AtomicBool;

use ndarray::Array2;
use tau_rnn::Backend;
use tau_tasks::Task;

use crate::{
    AutocorrelationStream, CovarianceStream, Drive, Error, Mean, OrnsteinUhlenbeck,
    OrnsteinUhlenbeckStream, TrialAutocovariances,
};

/// Summary of the activity of a driven network: enough for every estimator of a timescale and for its
/// dimensions.
pub struct Activity {
    /// Autocovariance of every unit and of their sum in every trial, for τ_net, its interval
    /// ([`tau_interval`](crate::tau_interval)) and integrated times
    /// ([`integrated`](crate::integrated())).
    pub trials: TrialAutocovariances,
    /// One timescale of every unit by maximum likelihood, each trial with its own mean.
    pub ornstein_uhlenbeck: Vec<OrnsteinUhlenbeck>,
    /// Covariance of the units, (unit, unit), over all steps of all trials about one mean.
    pub covariance: Array2<f64>,
    /// Number of steps behind the covariance.
    pub steps: usize,
}

impl Drive {
    /// Drives the network once and hands its activity to every estimator as it is produced.
    ///
    /// Memory, whatever the number of steps: 33 kB × trials for each unit up to 250 lags, twice that at
    /// 500 (0.4 GB for ten trials of 500 units); 8 bytes × units²; a chunk of activity, 4 kB × trials
    /// for each unit. Only the input grows with them: 4 bytes × steps × trials.
    ///
    /// # Errors
    /// The errors of [`autocorrelation`](Self::autocorrelation).
    pub fn activity(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        stop: &AtomicBool,
    ) -> Result<Activity, Error> {
        let units = network.config().hidden_size;
        let mut covariance = CovarianceStream::new(units)?;
        let mut trials = Vec::new();
        for _ in 0..self.trials {
            trials.push(OrnsteinUhlenbeckStream::new(units)?);
        }
        let make = AutocorrelationStream::keeping_trials;
        let correlated = self.correlate(network, task, stop, make, |trial, chunk| {
            trials[trial].push(chunk)?;
            covariance.push(chunk)
        })?;
        let mut likelihood = OrnsteinUhlenbeckStream::new(units)?;
        for mut trial in trials {
            trial.end_trial()?;
            likelihood.absorb(&trial)?;
        }
        Ok(Activity {
            trials: correlated.finish_trials()?,
            ornstein_uhlenbeck: likelihood.finish(Mean::PerTrial)?,
            covariance: covariance.covariance()?,
            steps: self.steps * self.trials,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dimensionality, IntegratedConfig, integrated};
    use ndarray::Array1;
    use tau_rnn::{Activation, Config, Cpu, Leaky, Params, Placement, thread_pool};
    use tau_tasks::TaskSpec;

    /// Unconnected linear neurons are AR(1) processes with φ = 1 − 1/τ, driven by the same input.
    #[test]
    fn every_estimator_sees_the_same_activity() {
        let (placement, activation) = (Placement::Drive, Activation::Relu);
        let leaky = Leaky { placement, activation, ..Leaky::DEFAULT };
        let config = Config::new(leaky, 2, 1);
        let params = Params {
            tau: Array1::from_vec(vec![4.0, 12.0]),
            w_rec: Array2::zeros((2, 2)),
            b_rec: Array1::zeros(2),
            w_in: Array2::ones((2, 1)),
            b_in: Array1::zeros(2),
            readouts: Vec::new(),
        };
        let drive = Drive {
            steps: 20_000,
            burn_in: 100,
            trials: 3,
            max_lag: 200,
            initial_state: 0.1,
            seed: 1,
        };
        let task = TaskSpec::dms(&[2]).build().unwrap();
        let stop = AtomicBool::new(false);
        let run = |threads: usize| {
            let pool = thread_pool(Some(threads)).unwrap();
            let one = thread_pool(Some(1)).unwrap();
            let mut network = Cpu::new(config.clone(), params.clone(), one).unwrap();
            pool.install(|| drive.activity(&mut network, &*task, &stop).unwrap())
        };
        let found = run(1);
        let one = thread_pool(Some(1)).unwrap();
        let mut network = Cpu::new(config.clone(), params.clone(), one).unwrap();
        let alone = drive.trial_autocovariances(&mut network, &*task, &stop).unwrap();
        assert_eq!(found.trials, alone);
        let (times, _) = integrated(&alone.pooled(), &IntegratedConfig::default()).unwrap();
        for (unit, tau) in [4.0, 12.0f64].into_iter().enumerate() {
            let expected = -1.0 / (1.0 - 1.0 / tau).ln();
            // Four standard errors of 60 000 steps.
            let by_likelihood = found.ornstein_uhlenbeck[unit].tau_corrected;
            assert!((by_likelihood / expected - 1.0).abs() < 4.0 * (2.0 * tau / 6e4).sqrt());
            assert!((times[unit].tau / expected - 1.0).abs() < 0.2, "{:?}", times[unit]);
        }
        assert_eq!(found.steps, 60_000);
        let dimensions = Dimensionality::of(&found.covariance, found.steps).unwrap();
        assert!(dimensions.participation_ratio > 1.0 && dimensions.participation_ratio < 2.0);
        let threaded = run(3);
        assert_eq!(threaded.trials, found.trials);
        assert_eq!(threaded.ornstein_uhlenbeck, found.ornstein_uhlenbeck);
        assert_eq!(threaded.covariance, found.covariance);
        let stopped = drive.activity(&mut network, &*task, &AtomicBool::new(true));
        assert_eq!(stopped.err(), Some(Error::Stopped));
    }
}
