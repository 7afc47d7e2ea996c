//! One timescale by maximum likelihood: activity as a sampled Ornstein–Uhlenbeck process.
//!
//! Sampled at whole steps, an Ornstein–Uhlenbeck process with time constant τ is the AR(1) process
//! xₜ₊₁ − μ = φ (xₜ − μ) + noise with φ = exp(−1/τ), and its exact likelihood depends on six sums a
//! trial: one pass, nothing stored, no lags to choose. If the activity is such a process, no
//! estimator without bias scatters less. If it is not (two timescales, an instantaneous part), the
//! answer is a compromise that belongs to neighbouring steps: use [`tau_net`](crate::tau_net).

mod likelihood;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{check_same_units, check_units};
use crate::timescale::{BIAS_LIMIT, Quality};
use crate::{Error, Recording};
use likelihood::{Likelihood, Sums};

/// Fewest steps of a trial: with fewer, φ is not determined once the mean is taken out.
const LEAST_STEPS: usize = 3;

/// Units that are read together from a chunk: sixteen `f32` share a cache line.
const TILE: usize = 16;

/// Knowledge about the means of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mean {
    /// Each trial has its own mean, as in [`AutocorrelationStream`](crate::AutocorrelationStream). This is
    /// right for parity, where each trial has its own probability of a 1.
    PerTrial,
    /// All trials have one mean: this has less bias, and is wrong if they do not.
    Common,
}

/// The maximum-likelihood estimate for one unit. Numbers that do not exist are NaN.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrnsteinUhlenbeck {
    /// Time constant τ = −1/ln φ, in steps, `[0, ∞)`; 0 if φ ≤ 0, where no decay without
    /// oscillation fits.
    pub tau: f64,
    /// Decay φ from one step to the next, (−1, 1).
    pub phi: f64,
    /// Standard error of `tau`, in steps, by the Fisher information at the estimate (exact for the
    /// length, first order in the curvature of τ(φ)); `None` if φ ≤ 0.
    pub standard_error: Option<f64>,
    /// τ less its bias, in steps. Taking out m means from N steps biases φ by about
    /// −(m(1 + φ) + 2φ)/N (Marriott & Pope 1954; Kendall 1954; for exact likelihood Cordeiro &
    /// Klein 1994), so φ becomes (N φ + m)/(N − m − 2); what the curvature of τ(φ) adds to a
    /// scattering φ, ½ τ″ var φ, is divided out. NaN if that φ is outside (0, 1).
    pub tau_corrected: f64,
    /// Stationary variance σ²/(1 − φ²), in activity squared.
    pub variance: f64,
    /// ln L at the maximum.
    pub log_likelihood: f64,
    /// Whether `tau` measures a timescale: `Dead` without variance, `SubStep` for τ ≤ 1 (also φ ≤ 0),
    /// `AtBound` if the likelihood still rises at φ = 1 − 3·10⁻⁸, and `NotIdentifiable` if the
    /// standard error exceeds half of τ or the correction changes τ by more than √0.1 = 32 %: it is
    /// of first order, so what it leaves is about its square, above a tenth.
    pub quality: Quality,
}

/// Streaming maximum-likelihood estimator of one timescale a unit.
///
/// Sums run from step to step in order, from the first step of the trial as their origin: any
/// chunking and any number of threads give the same bits. Memory is 56 bytes × units × trials; no
/// recording is kept.
///
/// ```
/// use tau_analysis::{Mean, OrnsteinUhlenbeckStream, processes};
/// use tau_random::{Key, Purpose};
/// let units = [processes::Process::exponential(7.0)?];
/// let mut stream = OrnsteinUhlenbeckStream::new(1)?;
/// for trial in 0..4 {
///     let key = Key::new(1, Purpose::Statistics).stage(trial);
///     stream.push(processes::activity(&units, 10_000, key).view())?;
///     stream.end_trial()?;
/// }
/// let found = &stream.finish(Mean::PerTrial)?[0];
/// assert!((found.tau_corrected - 7.0).abs() < 3.0 * found.standard_error.unwrap_or(0.0));
/// # Ok::<(), tau_analysis::Error>(())
/// ```
pub struct OrnsteinUhlenbeckStream {
    units: Vec<Unit>,
    steps: usize,
    trial_steps: Vec<usize>,
}

/// One unit: the current trial and those that have ended.
struct Unit {
    /// First raw step of the trial, the origin of its sums.
    origin: f64,
    low: f64,
    high: f64,
    current: Sums,
    /// Sums of the trials that have ended, with their origins.
    ended: Vec<(f64, Sums)>,
    /// Whether any trial showed a change that `f32` can resolve.
    alive: bool,
}

const EMPTY: Sums =
    Sums { steps: 0.0, sum: 0.0, squares: 0.0, products: 0.0, first: 0.0, last: 0.0 };

impl OrnsteinUhlenbeckStream {
    /// An estimator for `units` units.
    ///
    /// # Errors
    /// [`Error::Value`] without units.
    pub fn new(units: usize) -> Result<Self, Error> {
        check_units(units)?;
        let unit = || Unit {
            origin: 0.0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            current: EMPTY,
            ended: Vec::new(),
            alive: false,
        };
        Ok(Self {
            units: std::iter::repeat_with(unit).take(units).collect(),
            steps: 0,
            trial_steps: Vec::new(),
        })
    }

    /// Adds the next steps of the current trial, (time, unit).
    ///
    /// # Errors
    /// [`Error::Value`] for a different number of columns, [`Error::Activity`] for a value that is
    /// NaN or infinite. Nothing of a refused chunk is used.
    pub fn push(&mut self, chunk: ArrayView2<'_, f32>) -> Result<(), Error> {
        let units = self.units.len();
        check_same_units(chunk.ncols(), units)?;
        if let Some(((row, unit), &value)) = chunk.indexed_iter().find(|(_, x)| !x.is_finite()) {
            let (step, trial) = (self.steps + row, self.trial_steps.len());
            return Err(Error::Activity { unit, step, trial, value });
        }
        self.units.par_chunks_mut(TILE).enumerate().for_each(|(tile, units)| {
            for row in chunk.rows() {
                for (unit, state) in units.iter_mut().enumerate() {
                    state.add(f64::from(row[tile * TILE + unit]));
                }
            }
        });
        self.steps += chunk.nrows();
        Ok(())
    }

    /// Ends the current trial.
    ///
    /// # Errors
    /// [`Error::TooFew`] below three steps; the trial is then dropped.
    pub fn end_trial(&mut self) -> Result<(), Error> {
        let found = std::mem::take(&mut self.steps);
        let enough = found >= LEAST_STEPS;
        self.units.iter_mut().for_each(|unit| unit.end(enough));
        if !enough {
            let what = "a trial of an Ornstein-Uhlenbeck process";
            return Err(Error::TooFew { what, found, needed: LEAST_STEPS });
        }
        self.trial_steps.push(found);
        Ok(())
    }

    /// Adds the trials of `other`, as if they had come after those here.
    ///
    /// # Errors
    /// [`Error::OpenTrial`] if a trial is open in either, [`Error::Value`] if they differ in units.
    pub fn absorb(&mut self, other: &Self) -> Result<(), Error> {
        let steps = self.steps.max(other.steps);
        if steps > 0 {
            return Err(Error::OpenTrial { steps });
        }
        check_same_units(other.units.len(), self.units.len())?;
        for (mine, theirs) in self.units.iter_mut().zip(&other.units) {
            mine.ended.extend_from_slice(&theirs.ended);
            mine.alive |= theirs.alive;
        }
        self.trial_steps.extend_from_slice(&other.trial_steps);
        Ok(())
    }

    /// Amount of activity in the trials that have ended.
    #[must_use]
    pub fn recording(&self) -> Recording {
        Recording::of(&self.trial_steps)
    }

    /// The estimate of every unit, in the order of the columns.
    ///
    /// # Errors
    /// [`Error::OpenTrial`] if steps were pushed after the last trial's end, [`Error::NoTrial`]
    /// if none has ended.
    pub fn finish(self, mean: Mean) -> Result<Vec<OrnsteinUhlenbeck>, Error> {
        if self.steps > 0 {
            return Err(Error::OpenTrial { steps: self.steps });
        }
        if self.trial_steps.is_empty() {
            return Err(Error::NoTrial);
        }
        Ok(self.units.par_iter().map(|unit| unit.estimate(mean)).collect())
    }
}

impl Unit {
    fn add(&mut self, raw: f64) {
        if self.current.steps == 0.0 {
            self.origin = raw;
        }
        let y = raw - self.origin;
        let sums = &mut self.current;
        // The first step is the origin, so the product with what lies before it is 0.
        sums.products += sums.last * y;
        sums.sum += y;
        sums.squares += y * y;
        sums.steps += 1.0;
        sums.last = y;
        self.low = self.low.min(raw);
        self.high = self.high.max(raw);
    }

    fn end(&mut self, keep: bool) {
        let resolution = f64::from(f32::EPSILON) * self.high.abs().max(self.low.abs());
        if keep {
            self.alive |= self.high - self.low > resolution;
            self.ended.push((self.origin, self.current));
        }
        self.current = EMPTY;
        (self.low, self.high) = (f64::INFINITY, f64::NEG_INFINITY);
    }

    fn estimate(&self, mean: Mean) -> OrnsteinUhlenbeck {
        if !self.alive {
            return OrnsteinUhlenbeck::without(Quality::Dead);
        }
        let count = self.ended.iter().map(|(_, sums)| sums.steps).sum::<f64>();
        // Origins near the means: the best means are then small corrections.
        let base = self.ended[0].0;
        let total = |(origin, sums): &(f64, Sums)| sums.sum + sums.steps * (origin - base);
        let common = self.ended.iter().map(total).sum::<f64>() / count;
        let centred = |(origin, sums): &(f64, Sums)| match mean {
            Mean::PerTrial => sums.moved(-sums.sum / sums.steps),
            Mean::Common => sums.moved(origin - base - common),
        };
        let trials: Vec<Sums> = self.ended.iter().map(centred).collect();
        let likelihood = Likelihood { trials: &trials, common_mean: mean == Mean::Common };
        let means = if mean == Mean::Common { 1.0 } else { trials.len() as f64 };
        match likelihood.best() {
            Some((phi, at_end)) => OrnsteinUhlenbeck::at(&likelihood, phi, at_end, count, means),
            None => OrnsteinUhlenbeck::without(Quality::Failed),
        }
    }
}

impl OrnsteinUhlenbeck {
    fn at(likelihood: &Likelihood, phi: f64, at_end: bool, steps: f64, means: f64) -> Self {
        let tau = time_constant(phi);
        let standard_error = (phi > 0.0).then(|| tau * tau / phi * likelihood.variance(phi).sqrt());
        let unbiased = (steps * phi + means) / (steps - means - 2.0);
        let tau_corrected = if unbiased > 0.0 && unbiased < 1.0 && steps > means + 2.0 {
            let tau = time_constant(unbiased);
            // ½ τ″ var φ / τ; as a divisor it cannot turn the sign.
            let curvature = tau * (2.0 * tau - 1.0) / (unbiased * unbiased);
            tau / (1.0 + 0.5 * curvature.max(0.0) * likelihood.variance(unbiased))
        } else {
            f64::NAN
        };
        let trusted = (tau_corrected / tau - 1.0).abs() <= BIAS_LIMIT.sqrt();
        let bound = if at_end { tau } else { f64::INFINITY };
        Self {
            tau,
            phi,
            standard_error,
            tau_corrected,
            variance: likelihood.innovation(phi) / (1.0 - phi * phi),
            log_likelihood: likelihood.log_likelihood(phi),
            quality: Quality::judge(tau, bound, standard_error, trusted),
        }
    }

    fn without(quality: Quality) -> Self {
        Self {
            tau: f64::NAN,
            phi: f64::NAN,
            standard_error: None,
            tau_corrected: f64::NAN,
            variance: if quality == Quality::Dead { 0.0 } else { f64::NAN },
            log_likelihood: f64::NAN,
            quality,
        }
    }
}

fn time_constant(phi: f64) -> f64 {
    if phi > 0.0 { -1.0 / phi.ln() } else { 0.0 }
}
