//! The timescales of every neuron's activity.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ndarray::Axis;
use rayon::prelude::*;
use tau_random::{Key, Purpose};

use super::{Portrait, Told};
use crate::timescale::{LEAST_TRIALS, fit, interval};
use crate::{
    Activity, Autocorrelation, BiasConfig, Error, FitConfig, IntegratedConfig, IntervalConfig,
    Quality, TauNet, TrialAutocovariances, bias_check, integrated,
};

/// Stage of the resamplings; the simulations of a bias check count theirs from 0.
const RESAMPLINGS: u32 = u32::MAX;

/// τ_net of one neuron and its interval.
type Fitted = (TauNet, Option<[f64; 2]>);

impl Portrait {
    /// Fills the columns of timescales.
    pub(super) fn timescales(
        &mut self,
        activity: &Activity,
        check: bool,
        seed: u64,
        stop: &AtomicBool,
        told: &Told,
    ) -> Result<(), Error> {
        let key = Key::new(seed, Purpose::Statistics);
        let (trials, pooled) = (&activity.trials, activity.trials.pooled());
        let units = self.neurons.len();
        let fits = each(units, "resampled", stop, told, |unit| {
            fitted(trials, &pooled, unit, key.stage(RESAMPLINGS))
        })?;
        let (integrated, _) = integrated(&pooled, &IntegratedConfig::default())?;
        for (unit, row) in self.neurons.iter_mut().enumerate() {
            let (fit, interval) = &fits[unit];
            (row.tau_net, row.tau_net_error) = (finite(fit.tau), fit.standard_error);
            (row.tau_net_low, row.tau_net_high) = interval.map(|[low, high]| (low, high)).unzip();
            row.quality = Some(fit.quality);
            let likelihood = &activity.ornstein_uhlenbeck[unit];
            row.tau_ou = good(likelihood.quality, likelihood.tau_corrected);
            row.tau_integrated = good(integrated[unit].quality, integrated[unit].tau);
        }
        let whole = fit(pooled.population.view(), &pooled.recording, &FitConfig::default())?;
        self.network.tau_net_population = good(whole.quality, whole.tau);
        if check {
            let biases = each(units, "checked for bias", stop, told, |unit| {
                let config = BiasConfig::default();
                Ok(bias_check(&fits[unit].0, &trials.steps, &config, key)?.relative_bias)
            })?;
            for (row, bias) in self.neurons.iter_mut().zip(biases) {
                row.tau_net_bias = finite(bias);
            }
        }
        Ok(())
    }
}

fn fitted(
    trials: &TrialAutocovariances,
    pooled: &Autocorrelation,
    unit: usize,
    key: Key,
) -> Result<Fitted, Error> {
    if trials.steps.len() < LEAST_TRIALS {
        let curve = pooled.units.column(unit);
        return Ok((fit(curve, &pooled.recording, &FitConfig::default())?, None));
    }
    let covariances = trials.units.index_axis(Axis(2), unit);
    let found = interval(covariances, &trials.steps, &IntervalConfig::default(), key)?;
    Ok((found.estimate, found.interval))
}

/// The results of `one` for every neuron, over the threads of the pool in which it is called.
fn each<T: Send>(
    neurons: usize,
    what: &'static str,
    stop: &AtomicBool,
    told: &Told,
    one: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    told(what, 0, neurons);
    let done = AtomicUsize::new(0);
    let one = |neuron| {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let found = one(neuron)?;
        told(what, done.fetch_add(1, Ordering::Relaxed) + 1, neurons);
        Ok(found)
    };
    (0..neurons).into_par_iter().map(one).collect()
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

fn good(quality: Quality, tau: f64) -> Option<f64> {
    Some(tau).filter(|_| quality == Quality::Good)
}
