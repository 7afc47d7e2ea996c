//! τ_net: the timescale of activity, from exponential fits to its autocorrelation.

mod bias;
mod decay;
mod interval;
mod profile;
mod quality;
mod uncertainty;

use ndarray::ArrayView1;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::refuse;
use crate::{Autocorrelation, Error, Recording};
pub use bias::{BiasCheck, BiasConfig, LEAST_REPETITIONS, bias_check};
use decay::{Fit, Problem};
pub use decay::{TAU_MAX, TAU_MIN};
pub use interval::{
    Interval, IntervalConfig, LEAST_RESAMPLES, LEAST_TRIALS, TauInterval, TauIntervals, interval,
    tau_interval,
};
pub(crate) use quality::BIAS_LIMIT;
pub use quality::{Quality, WEIGHT_LIMIT, bias_limit};

/// Smallest number of lags beyond 0 that leaves the four parameters of two exponentials a residual.
const LEAST_LAGS: usize = 5;

/// Choice of the lags that are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitConfig {
    /// Last lag fitted, in steps; lags 0..=`lags` are. The 30 of ICLR 2024 keeps clear of the long
    /// lags, whose bias is largest.
    pub lags: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self { lags: 30 }
    }
}

/// The number of exponentials of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// a·exp(−k/τ): two parameters.
    One,
    /// a·c·exp(−k/τ₁) + a(1−c)·exp(−k/τ₂): four parameters.
    Two,
}

/// One exponential of a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Component {
    /// Time constant, in steps.
    pub tau: f64,
    /// Share of the mixture, `[0, 1]`; the shares of a mixture sum to 1.
    pub weight: f64,
}

/// The timescale of one activity trace, and how far to trust it.
///
/// `tau` is the value of the estimator of ICLR 2024, whatever `quality` says: a flag never changes the
/// value. Numbers that do not exist are NaN (JSON: `null`).
///
/// Beware of means of `tau` over units that are not [`Quality::Good`]. Akaike's criterion takes
/// the errors of neighbouring lags for independent, which they are not, so it often prefers two
/// exponentials for a process that has one, and the slower is then noise, with a small weight.
/// Simulated units with the one timescale 5 (ten trials of 10⁵ steps, as long as those of ICLR 2024) read
/// 5.0 in the median, but 35 on average (27 by SciPy's `curve_fit` from its one default start,
/// which misses some of the minima). Half of them are `Good`, and those read 4.9..5.1; `tau_one`
/// of all of them reads 4.9..5.1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TauNet {
    /// τ_net, in steps, within [[`TAU_MIN`], [`TAU_MAX`]]: the time constant of the better model,
    /// and of two the slower, however small its weight. NaN if `quality` is `Dead` or `Failed`.
    pub tau: f64,
    /// Whether `tau` measures a timescale, and the reason if it does not.
    pub quality: Quality,
    /// The better model by AIC = 2k + n·ln(RSS/n), with k = 2 or 4 parameters and n lags.
    pub model: Option<Model>,
    /// Amplitude a of the better model, `[0, 1]`: below 1 where activity has a part without
    /// memory that the model does not describe.
    pub amplitude: f64,
    /// The exponentials of the better model, slowest first.
    pub components: Vec<Component>,
    /// Time constant of the model of one exponential, in steps, whichever model is the better.
    pub tau_one: f64,
    /// Akaike's criterion of one exponential.
    pub aic_one: f64,
    /// Akaike's criterion of two exponentials.
    pub aic_two: f64,
    /// Standard error of `tau` over recordings of the same length, in steps, by Bartlett's formula
    /// for the fitted model: right for linear processes and long recordings, a guide elsewhere;
    /// bias is not in it. `None` where the curve leaves `tau` undetermined or a bound holds it.
    pub standard_error: Option<f64>,
}

/// Timescales of all units and of the population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TauNets {
    /// Timescale of each unit, in the order of the activity's columns.
    pub units: Vec<TauNet>,
    /// Timescale of the sum over units.
    pub population: TauNet,
}

/// τ_net of every unit and of the population (`docs/papers/khajehabdollahi-2024.md` §5).
///
/// # Errors
/// [`Error::Value`] if `config.lags` is below 5 or above the largest lag estimated.
pub fn tau_net(found: &Autocorrelation, config: &FitConfig) -> Result<TauNets, Error> {
    let population = fit(found.population.view(), &found.recording, config)?;
    let columns = 0..found.units.ncols();
    let units =
        columns.into_par_iter().map(|unit| fit(found.units.column(unit), &found.recording, config));
    Ok(TauNets { units: units.collect::<Result<_, _>>()?, population })
}

/// τ_net of one autocorrelation, given from lag 0 (where it is 1) on.
///
/// Both models are fitted by bounded least squares (amplitude and weight in [0, 1], time
/// constants in [[`TAU_MIN`], [`TAU_MAX`]]) from several fixed starts. `recording` tells how long
/// the activity was; only `standard_error` and `quality` depend on it. A curve with a NaN is that
/// of a unit without variance.
///
/// # Errors
/// [`Error::Value`] if `config.lags` is below 5 or `curve` ends before it.
pub fn fit(
    curve: ArrayView1<'_, f64>,
    recording: &Recording,
    config: &FitConfig,
) -> Result<TauNet, Error> {
    let lags = config.lags;
    let max_lag = curve.len().saturating_sub(1);
    if !(LEAST_LAGS..=max_lag).contains(&lags) {
        let allowed = format!("{LEAST_LAGS} to {max_lag}, the largest lag of the autocorrelation");
        return refuse("last lag to fit", lags, allowed);
    }
    let curve: Vec<f64> = curve.iter().take(lags + 1).copied().collect();
    if curve.iter().any(|value| !value.is_finite()) {
        return Ok(TauNet::without(Quality::Dead));
    }
    let (one, two) = (decay::fit(&curve, Model::One), decay::fit(&curve, Model::Two));
    let aic = |fit: &Option<Fit>| fit.as_ref().map_or(f64::NAN, |fit| fit.aic);
    let (aic_one, aic_two) = (aic(&one), aic(&two));
    let tau_one = one.as_ref().map_or(f64::NAN, |fit| fit.slowest().tau);
    let best = match (one, two) {
        (Some(one), Some(two)) => Some(if two.aic < one.aic { two } else { one }),
        (one, two) => one.or(two),
    };
    Ok(match best {
        Some(best) => {
            TauNet { tau_one, aic_one, aic_two, ..TauNet::from_fit(&best, &curve, recording) }
        }
        None => TauNet::without(Quality::Failed),
    })
}

impl TauNet {
    fn from_fit(fit: &Fit, curve: &[f64], recording: &Recording) -> Self {
        let problem = Problem::new(curve, fit.model);
        let standard_error = uncertainty::standard_error(fit, &problem, recording);
        Self {
            tau: fit.slowest().tau,
            quality: Quality::of(fit.slowest(), standard_error, recording),
            model: Some(fit.model),
            amplitude: fit.amplitude(),
            components: fit.components.clone(),
            tau_one: f64::NAN,
            aic_one: f64::NAN,
            aic_two: f64::NAN,
            standard_error,
        }
    }

    fn without(quality: Quality) -> Self {
        Self {
            tau: f64::NAN,
            quality,
            model: None,
            amplitude: f64::NAN,
            components: Vec::new(),
            tau_one: f64::NAN,
            aic_one: f64::NAN,
            aic_two: f64::NAN,
            standard_error: None,
        }
    }
}
