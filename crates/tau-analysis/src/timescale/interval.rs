//! Interval for τ_net: the whole estimate is repeated on trials drawn with replacement.
//!
//! Trials are independent, steps are not, so the trial is what is drawn (Efron & Tibshirani 1993,
//! chapter 8): the autocovariances of as many trials as there are, some twice and some not at all,
//! are averaged and fitted anew, choice of the model included. No formula for the errors of an
//! autocorrelation is needed, nor that the process be linear.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use tau_random::Key;

use super::profile::{Refit, refit};
use super::{FitConfig, Model, TauNet, decay, fit};
use crate::autocorrelation::average;
use crate::error::refuse;
use crate::{Error, TrialAutocovariances};

/// Smallest number of trials: four can be drawn in 35 ways only, five in 126.
pub const LEAST_TRIALS: usize = 5;

/// Smallest number of resamplings.
pub const LEAST_RESAMPLES: usize = 100;

/// Smallest share of resamplings with an estimate for which an interval is given.
const LEAST_SHARE: f64 = 0.9;

/// Rule that picks the ends of an interval among the resampled estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// Quantiles of the resampled estimates.
    Percentile,
    /// Quantiles shifted for the bias of the median and for a spread that grows with the estimate
    /// (bias-corrected and accelerated: Efron 1987), the acceleration from leaving out each trial
    /// in turn.
    Bca,
}

/// Settings of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalConfig {
    /// Settings of the fit.
    pub fit: FitConfig,
    /// Number of resamplings, 100 or more.
    pub resamples: usize,
    /// Probability with which the interval covers the mean estimate, (0, 1).
    pub level: f64,
    /// Kind of the interval.
    pub interval: Interval,
}

impl Default for IntervalConfig {
    fn default() -> Self {
        Self { fit: FitConfig::default(), resamples: 1000, level: 0.95, interval: Interval::Bca }
    }
}

/// τ_net of one trace with its interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TauInterval {
    /// The estimate from all trials, as [`tau_net`](super::tau_net) gives it.
    pub estimate: TauNet,
    /// Lower and upper end of the interval for `estimate.tau`, in steps. An end at
    /// [`TAU_MAX`](super::TAU_MAX) is no end: the truth may be any longer. `None` if the unit is
    /// dead or the fit failed, or if more than a tenth of the resamplings did.
    pub interval: Option<[f64; 2]>,
    /// Interval of `estimate.tau_one`, the one time constant that describes the curve best.
    pub interval_one: Option<[f64; 2]>,
    /// Share of resamplings in which the same model is the better one, `[0, 1]`: where it is far
    /// from 1, τ_net is now the one and now the other time constant, and its interval spans both.
    pub same_model: f64,
}

/// Intervals of all units and of the population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TauIntervals {
    /// Interval of each unit, in the order of the activity's columns.
    pub units: Vec<TauInterval>,
    /// Interval of the sum over units.
    pub population: TauInterval,
}

/// τ_net with an interval for every unit and for the population, by resampling trials.
///
/// Few trials scatter less around their own mean than around the truth, by √((n − 1)/n), and their
/// spread is itself uncertain: the level is widened to what Student's t with n − 1 degrees of
/// freedom asks for (Hesterberg 2015, "expanded percentile"). The interval says how far the
/// estimate scatters over recordings like this one; the bias that trials of this length have is in
/// all of them, and not in the interval: see [`bias_check`](super::bias_check).
///
/// The trials of resampling r are drawn from step r of `key` and are the same for all units. The
/// bits depend on nothing else. Memory: 16 bytes × resamples for each unit that is being worked on;
/// time: about that of `resamples` / 50 calls of [`tau_net`](super::tau_net).
///
/// # Errors
/// [`Error::TooFew`] below [`LEAST_TRIALS`] trials, [`Error::Value`] for settings out of
/// range: resamples below [`LEAST_RESAMPLES`], the level, the lags to fit.
pub fn tau_interval(
    trials: &TrialAutocovariances,
    config: &IntervalConfig,
    key: Key,
) -> Result<TauIntervals, Error> {
    let draws = Draws::new(trials.steps.len(), config, key)?;
    let one = |unit: ArrayView2<'_, f64>| draws.interval(unit, &trials.steps);
    let columns = (0..trials.units.dim().2).into_par_iter();
    Ok(TauIntervals {
        units: columns.map(|unit| one(trials.unit(unit))).collect::<Result<_, _>>()?,
        population: one(trials.population.view())?,
    })
}

/// [`tau_interval`] for one trace: `covariances` (trial, lag), `steps` of each trial.
///
/// # Errors
/// The errors of [`tau_interval`]; [`Error::Lengths`] unless there is one number of steps for each
/// trial.
pub fn interval(
    covariances: ArrayView2<'_, f64>,
    steps: &[usize],
    config: &IntervalConfig,
    key: Key,
) -> Result<TauInterval, Error> {
    if covariances.nrows() != steps.len() {
        return Err(Error::Lengths { left: covariances.nrows(), right: steps.len() });
    }
    Draws::new(steps.len(), config, key)?.interval(covariances, steps)
}

/// Draws the trials of each resampling.
struct Draws<'a> {
    config: &'a IntervalConfig,
    samples: Vec<Vec<usize>>,
}

impl<'a> Draws<'a> {
    fn new(trials: usize, config: &'a IntervalConfig, key: Key) -> Result<Self, Error> {
        if trials < LEAST_TRIALS {
            let what = "an interval over trials";
            return Err(Error::TooFew { what, found: trials, needed: LEAST_TRIALS });
        }
        if config.resamples < LEAST_RESAMPLES {
            let allowed = format!("{LEAST_RESAMPLES} or more");
            return refuse("resamples", config.resamples, allowed);
        }
        if !(config.level > 0.0 && config.level < 1.0) {
            return refuse("level", config.level, "above 0 and below 1; 0.95 is usual");
        }
        // A 32-bit word times the number of trials: which of so many equal parts it lies in.
        let one = |key: Key, i: usize| {
            let word = key.block((i / 4) as u32)[i % 4];
            ((u64::from(word) * trials as u64) >> 32) as usize
        };
        let sample = |r: usize| (0..trials).map(|i| one(key.step(r as u32), i)).collect();
        Ok(Self { config, samples: (0..config.resamples).map(sample).collect() })
    }

    fn interval(
        &self,
        covariances: ArrayView2<'_, f64>,
        steps: &[usize],
    ) -> Result<TauInterval, Error> {
        let all: Vec<usize> = (0..steps.len()).collect();
        let (curve, _) = average(covariances, &all);
        let recording = crate::Recording::of(steps);
        let estimate = fit(ndarray::aview1(&curve), &recording, &self.config.fit)?;
        let nothing = |estimate| TauInterval {
            estimate,
            interval: None,
            interval_one: None,
            same_model: f64::NAN,
        };
        let Some(model) = estimate.model else {
            return Ok(nothing(estimate));
        };
        let lags = ..=self.config.fit.lags;
        let near = decay::fit(&curve[lags], Model::Two).map(|fit| (fit.params[2], fit.params[3]));
        let refit = |trials: &[usize]| refit(&average(covariances, trials).0[lags], near);
        let found: Vec<Refit> = self.samples.par_iter().filter_map(|s| refit(s)).collect();
        if (found.len() as f64) < LEAST_SHARE * self.samples.len() as f64 {
            return Ok(nothing(estimate));
        }
        let without = |left: usize| all.iter().copied().filter(|&t| t != left).collect::<Vec<_>>();
        let left_out: Vec<Refit> =
            all.par_iter().filter_map(|&trial| refit(&without(trial))).collect();
        let ends = |of: fn(&Refit) -> f64, value: f64| {
            let mut sorted: Vec<f64> = found.iter().map(of).collect();
            sorted.sort_by(f64::total_cmp);
            let left_out: Vec<f64> = left_out.iter().map(of).collect();
            self.levels(&sorted, value, &left_out, steps.len()).map(|p| quantile(&sorted, p))
        };
        let same = found.iter().filter(|refit| refit.model == model).count();
        Ok(TauInterval {
            interval: Some(ends(|refit| refit.tau, estimate.tau)),
            interval_one: Some(ends(|refit| refit.tau_one, estimate.tau_one)),
            same_model: same as f64 / found.len() as f64,
            estimate,
        })
    }

    /// The two probabilities whose quantiles are the ends.
    fn levels(&self, sorted: &[f64], value: f64, left_out: &[f64], trials: usize) -> [f64; 2] {
        let n = trials as f64;
        let tail = f64::midpoint(1.0, self.config.level);
        // The number of trials is at least five, so the law exists.
        let t = StudentsT::new(0.0, 1.0, n - 1.0).map_or(f64::NAN, |law| law.inverse_cdf(tail));
        let z = t * (n / (n - 1.0)).sqrt();
        let normal = Normal::standard();
        if self.config.interval == Interval::Percentile {
            return [normal.cdf(-z), normal.cdf(z)];
        }
        let below = sorted.partition_point(|&x| x < value);
        let equal = sorted[below..].partition_point(|&x| x <= value);
        // Half a resampling inside, so that the correction is finite.
        let count = sorted.len() as f64;
        let share = (below as f64 + 0.5 * equal as f64).clamp(0.5, count - 0.5) / count;
        let shift = normal.inverse_cdf(share);
        let acceleration = acceleration(left_out);
        let level = |z: f64| {
            let moved = shift + z;
            let shrink = 1.0 - acceleration * moved;
            // Beyond the pole there is nothing left to go to but the end.
            let far = if z > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
            normal.cdf(if shrink > 0.0 { shift + moved / shrink } else { far })
        };
        [level(-z), level(z)]
    }
}

/// Σ d³ / (6 (Σ d²)^1.5), with d the deviations of the estimates that leave out one trial (Efron
/// 1987, equation 7.3 of Efron & Tibshirani 1993, chapter 14).
fn acceleration(left_out: &[f64]) -> f64 {
    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let power = |p: i32| left_out.iter().map(|x| (mean - x).powi(p)).sum::<f64>();
    let square = power(2);
    if square > 0.0 { power(3) / (6.0 * square.powf(1.5)) } else { 0.0 }
}

/// The point below which a share `p` of `sorted` lies, between its neighbours in proportion.
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let at = (p * sorted.len() as f64 - 0.5).clamp(0.0, last as f64);
    let below = at.floor() as usize;
    let part = at - below as f64;
    sorted[below] + part * (sorted[(below + 1).min(last)] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        check(0.5, 2.5);
        check(0.25, 1.5);
        check(0.0, 1.0);
        check(1.0, 4.0);
        fn check(p: f64, expected: f64) {
            let found = quantile(&[1.0, 2.0, 3.0, 4.0], p);
            assert!((found - expected).abs() < 1e-12, "{p}: {found}");
        }
        assert_eq!(quantile(&sorted[..1], 0.3), 1.0);
    }

    /// Deviations 1, 1, −2: Σd³ = −6, Σd² = 6, so −6/(6·6^1.5) = −6^−1.5.
    #[test]
    fn the_acceleration_is_that_worked_by_hand() {
        assert!((acceleration(&[0.0, 0.0, 3.0]) + 6f64.powf(-1.5)).abs() < 1e-12);
        assert_eq!(acceleration(&[2.0, 2.0]), 0.0);
    }

    /// Without bias and skewness, ten trials: Φ(−√(10/9) t₀.₉₇₅,₉) = Φ(−2.3845) = 0.00855.
    #[test]
    fn the_level_is_widened_for_few_trials() {
        let config = IntervalConfig { interval: Interval::Percentile, ..IntervalConfig::default() };
        let draws = Draws { config: &config, samples: Vec::new() };
        let [low, high] = draws.levels(&[1.0], 1.0, &[1.0], 10);
        assert!((low - 0.00855).abs() < 1e-4 && (high - 0.99145).abs() < 1e-4, "{low}, {high}");
        // BCa is the same where the estimate is the median and no trial stands out.
        let config = IntervalConfig::default();
        let draws = Draws { config: &config, samples: Vec::new() };
        let bca = draws.levels(&[1.0, 2.0, 3.0], 2.0, &[2.0; 10], 10);
        assert!((bca[0] - low).abs() < 1e-12 && (bca[1] - high).abs() < 1e-12, "{bca:?}");
    }
}
