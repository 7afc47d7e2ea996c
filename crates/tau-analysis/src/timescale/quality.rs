//! Whether a fitted time constant measures a timescale.

use serde::{Deserialize, Serialize};

use super::{Component, TAU_MAX};
use crate::Recording;

/// Smallest weight of the slow exponential that counts.
pub const WEIGHT_LIMIT: f64 = 0.01;

/// Largest relative standard error that counts. A stricter limit would bias what remains: the
/// standard error grows with the estimate, so it would keep those that came out low.
pub(crate) const ERROR_LIMIT: f64 = 0.5;

/// Largest relative bias from the length of the trials that counts.
pub(crate) const BIAS_LIMIT: f64 = 0.1;

/// Relative distance from its upper bound within which the bound holds a time constant.
const BOUND_MARGIN: f64 = 1e-3;

/// Quality of an estimated timescale: the first that applies, in the order below. The limits are
/// those of τ_net; [`OrnsteinUhlenbeck`](crate::OrnsteinUhlenbeck),
/// [`Integrated`](crate::Integrated) and [`BiasCheck`](crate::BiasCheck) say what else makes them
/// answer `NotIdentifiable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// The unit has no variance, so no autocorrelation: τ is NaN.
    Dead,
    /// No fit gave finite numbers.
    Failed,
    /// τ ≤ 1 step, down to the lower bound: activity without memory that whole steps could
    /// resolve. (The published figures drop these units.)
    SubStep,
    /// τ within 0.1 % of its upper bound: the truth may be any longer timescale.
    AtBound,
    /// The recording does not determine τ:
    ///
    /// - the slow exponential has less than 1 % of the weight ([`WEIGHT_LIMIT`]), or
    /// - the standard error ([`TauNet::standard_error`](super::TauNet)) exceeds half of τ, or does
    ///   not exist, or
    /// - τ is above [`bias_limit`]: subtracting the mean of so short a trial shortens it by more
    ///   than a tenth.
    NotIdentifiable,
    /// None of these.
    Good,
}

impl Quality {
    pub(super) fn of(
        slowest: Component,
        standard_error: Option<f64>,
        recording: &Recording,
    ) -> Self {
        let trusted = slowest.weight >= WEIGHT_LIMIT && slowest.tau <= bias_limit(recording);
        Self::judge(slowest.tau, TAU_MAX, standard_error, trusted)
    }

    /// Quality of an estimate of any kind. `bound`: largest value that the estimator can give;
    /// `trusted`: nothing that only this estimator knows speaks against it.
    pub(crate) fn judge(tau: f64, bound: f64, standard_error: Option<f64>, trusted: bool) -> Self {
        let determined = standard_error.is_some_and(|error| error <= ERROR_LIMIT * tau);
        if !tau.is_finite() {
            Self::Failed
        } else if tau <= 1.0 {
            Self::SubStep
        } else if tau >= bound * (1.0 - BOUND_MARGIN) {
            Self::AtBound
        } else if determined && trusted {
            Self::Good
        } else {
            Self::NotIdentifiable
        }
    }
}

/// Largest τ, in steps, that a recording can measure with a relative bias below about a tenth.
///
/// Subtracting the mean of a trial of n steps lowers its autocorrelation by about 2τ/n at every
/// lag; the ratio to lag 0 over all N steps together adds about 2τ/N (Marriott & Pope 1954). Both
/// shorten τ, by the relative amount 2τ/n + 2τ/N: one trial needs n ≥ 40 τ, ten need n ≥ 22 τ.
/// Simulated with τ = 80, one exponential reads 75 on average from a trial of 5000 steps, as this
/// formula says, and 52 (median 47) from 500, where it is long past its range. An estimate that
/// comes out low enough itself passes: 3 of those 400 recordings of 500 steps did, at 10..12 steps.
#[must_use]
pub fn bias_limit(recording: &Recording) -> f64 {
    let per_step = 2.0 / recording.shortest_trial as f64 + 2.0 / recording.steps as f64;
    BIAS_LIMIT / per_step
}
