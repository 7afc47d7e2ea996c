//! Check of an estimate: the fitted model is simulated and fitted again.

use ndarray::{ArrayView1, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tau_random::Key;

use super::interval::quantile;
use super::quality::{BIAS_LIMIT, ERROR_LIMIT};
use super::{Component, FitConfig, Model, Quality, TAU_MIN, TauNet, decay, fit};
use crate::error::refuse;
use crate::processes::Process;
use crate::{AutocorrelationStream, Error};

/// Smallest number of simulated recordings.
pub const LEAST_REPETITIONS: usize = 20;

/// Settings of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BiasConfig {
    /// Settings of the fit, equal to those of the estimate that is checked.
    pub fit: FitConfig,
    /// Number of simulated recordings, 20 or more.
    pub repetitions: usize,
}

impl Default for BiasConfig {
    fn default() -> Self {
        Self { fit: FitConfig::default(), repetitions: 100 }
    }
}

/// Result of fitting simulated recordings whose τ is known. Numbers that do not exist are NaN.
///
/// Bias and spread are those of the simulated model fitted anew: two exponentials to recordings of
/// two, one to those of one. `same_model` and `good` tell what the whole estimate, with Akaike's
/// choice, would have said: it takes two for one in about every other recording (see
/// [`TauNet`]), and the spread of τ_net over both answers is no property of either.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BiasCheck {
    /// Simulated recordings that could be fitted; 0 if there was nothing to simulate.
    pub repetitions: usize,
    /// Relative bias of the median, (median of the refitted τ − τ) / τ.
    pub relative_bias: f64,
    /// Relative bias of the mean, which a few refits at the bounds can dominate.
    pub relative_bias_of_mean: f64,
    /// Half the width of the central 68 % of the refitted τ, as a part of τ: a standard deviation
    /// that outliers do not dominate.
    pub relative_spread: f64,
    /// The central 95 % of the refitted τ, in steps.
    pub central: [f64; 2],
    /// Share of recordings whose τ_net is [`Quality::Good`], `[0, 1]`.
    pub good: f64,
    /// Share of recordings for which the model that was simulated is the better one, `[0, 1]`.
    pub same_model: f64,
    /// Quality of the estimate after the check: its own quality where that is not `Good`;
    /// `NotIdentifiable` also where a recording of this length would have shown a τ off by more
    /// than a tenth in the median or scattering by more than half of it, which are the limits of
    /// the estimate's own quality too. A process and its refits agree only if the model is right:
    /// `Good` says that the recording is long enough, not that activity is exponential.
    pub quality: Quality,
}

/// Simulates the model of `found` in trials of `steps` steps, as often as `config` asks, and fits
/// each recording as the original was.
///
/// The simulated process is Gaussian with the fitted autocorrelation, and what the amplitude leaves
/// out is white. Its variance and mean do not matter: the autocorrelation is normalised. An
/// estimate that is `Dead`, `Failed`, `SubStep` or `AtBound` has no model worth simulating; its
/// check says so at once. Trial t of repetition r is drawn from stage r and step t of `key`; the
/// number of threads changes nothing. Memory: 4 bytes × the longest trial for each thread.
///
/// # Errors
/// [`Error::Value`] below [`LEAST_REPETITIONS`] and for lags to fit out of range, [`Error::NoTrial`]
/// without a trial, [`Error::ShortTrial`] if one is not longer than the lags to fit.
pub fn bias_check(
    found: &TauNet,
    steps: &[usize],
    config: &BiasConfig,
    key: Key,
) -> Result<BiasCheck, Error> {
    if config.repetitions < LEAST_REPETITIONS {
        let allowed = format!("{LEAST_REPETITIONS} or more");
        return refuse("repetitions", config.repetitions, allowed);
    }
    if steps.is_empty() {
        return Err(Error::NoTrial);
    }
    if !matches!(found.quality, Quality::Good | Quality::NotIdentifiable) {
        return Ok(BiasCheck::nothing(found.quality));
    }
    let process = process(found)?;
    let recordings = (0..config.repetitions).into_par_iter();
    let model = found.model.unwrap_or(Model::One);
    let refits: Vec<Refit> = recordings
        .map(|r| simulate(&process, model, steps, config.fit, key.stage(r as u32)))
        .collect::<Result<_, _>>()?;
    Ok(BiasCheck::of(found, &refits))
}

/// The process with the fitted autocorrelation.
fn process(found: &TauNet) -> Result<Process, Error> {
    let mut components: Vec<Component> = found
        .components
        .iter()
        .map(|c| Component { tau: c.tau, weight: found.amplitude * c.weight })
        .collect();
    components.push(Component { tau: TAU_MIN, weight: 1.0 - found.amplitude });
    Process::mixture(&components)
}

/// A simulated recording.
struct Refit {
    /// The slower time constant of the simulated model, fitted anew; NaN without a fit.
    tau: f64,
    net: TauNet,
}

fn simulate(
    process: &Process,
    model: Model,
    steps: &[usize],
    fit_as: FitConfig,
    key: Key,
) -> Result<Refit, Error> {
    let mut stream = AutocorrelationStream::new(1, fit_as.lags)?;
    for (trial, &steps) in steps.iter().enumerate() {
        let activity = process.sample(steps, key.step(trial as u32));
        stream.push(ArrayView1::from(&activity).insert_axis(Axis(1)))?;
        stream.end_trial()?;
    }
    let found = stream.finish()?;
    let net = fit(found.units.column(0), &found.recording, &fit_as)?;
    let tau = if net.model == Some(model) {
        net.tau
    } else if model == Model::One {
        net.tau_one
    } else {
        let curve: Vec<f64> = found.units.column(0).iter().take(fit_as.lags + 1).copied().collect();
        decay::fit(&curve, model).map_or(f64::NAN, |fit| fit.slowest().tau)
    };
    Ok(Refit { tau, net })
}

impl BiasCheck {
    fn of(found: &TauNet, refits: &[Refit]) -> Self {
        let mut taus: Vec<f64> =
            refits.iter().map(|refit| refit.tau).filter(|tau| tau.is_finite()).collect();
        if taus.is_empty() {
            return Self::nothing(Quality::Failed);
        }
        taus.sort_by(f64::total_cmp);
        let relative = |tau: f64| tau / found.tau - 1.0;
        let relative_bias = relative(quantile(&taus, 0.5));
        // The standard normal law has 68.27 % within one standard deviation.
        let width = quantile(&taus, 0.841_34) - quantile(&taus, 0.158_66);
        let relative_spread = width / (2.0 * found.tau);
        let biased = relative_bias.abs() > BIAS_LIMIT || relative_spread > ERROR_LIMIT;
        let share = |count: usize| count as f64 / refits.len() as f64;
        Self {
            repetitions: taus.len(),
            relative_bias,
            relative_bias_of_mean: relative(taus.iter().sum::<f64>() / taus.len() as f64),
            relative_spread,
            central: [quantile(&taus, 0.025), quantile(&taus, 0.975)],
            good: share(refits.iter().filter(|refit| refit.net.quality == Quality::Good).count()),
            same_model: share(refits.iter().filter(|refit| refit.net.model == found.model).count()),
            quality: if biased { Quality::NotIdentifiable } else { found.quality },
        }
    }

    fn nothing(quality: Quality) -> Self {
        Self {
            repetitions: 0,
            relative_bias: f64::NAN,
            relative_bias_of_mean: f64::NAN,
            relative_spread: f64::NAN,
            central: [f64::NAN; 2],
            good: f64::NAN,
            same_model: f64::NAN,
            quality,
        }
    }
}
