//! The integrated autocorrelation time: a timescale without a model of the decay.
//!
//! $$ \tau_{int} = \tfrac12 + \sum_{k \ge 1} \rho(k) $$
//!
//! (Sokal 1997; Madras & Sokal 1988; the mean over N steps scatters like one over N/(2 τ_int)
//! independent ones). For ρ(k) = φᵏ, φ = exp(−1/τ), it is (1 + φ)/(2(1 − φ)) = ½ coth(1/(2τ)),
//! τ + 1/(12τ) or so: so τ = 1/ln((2τ_int + 1)/(2τ_int − 1)), which is how it is compared with
//! other estimators (as Wolff 2004 does). For a sum of exponentials it is about their average,
//! weighted by their shares of the variance, where τ_net is the slowest of them.

use ndarray::ArrayView1;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::refuse;
use crate::timescale::{BIAS_LIMIT, Quality};
use crate::{Autocorrelation, Error, Recording};

/// Rule that cuts off the sum over lags.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntegratedConfig {
    /// Sokal's factor c: the sum ends at the first lag W ≥ c·τ_int(W). At 5 an exponential loses
    /// exp(−5), less than 1 %; beyond, noise grows and truncation hardly shrinks.
    pub window: f64,
}

impl Default for IntegratedConfig {
    fn default() -> Self {
        Self { window: 5.0 }
    }
}

/// The integrated autocorrelation time of one trace. Numbers that do not exist are NaN.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Integrated {
    /// τ_int, in steps, ½ for activity without memory; below ½ where neighbours oppose each other.
    /// The part that subtracting the mean of each trial took away is given back (see [`integrated_curve`]).
    pub tau_int: f64,
    /// Standard error of `tau_int`, in steps: τ_int √(2(2W + 1)/N) (Madras & Sokal 1988, equation 4.19).
    pub standard_error: f64,
    /// W, in steps; `None` if the window did not close within the lags that were estimated, or
    /// before so much had to be given back (more than 32 %) that the first order of it, which is
    /// all that is known, leaves more than a tenth (0.32² = 0.1). Then `tau_int` is the plain sum
    /// so far, which is too small for a curve above 0.
    pub window: Option<usize>,
    /// τ of the exponential that has this τ_int, in steps; 0 for τ_int ≤ ½.
    pub tau: f64,
    /// Standard error of `tau`, in steps; `None` for τ_int ≤ ½.
    pub tau_standard_error: Option<f64>,
    /// Whether `tau` measures a timescale: `Dead` without variance, `SubStep` for τ ≤ 1,
    /// `NotIdentifiable` if the window did not close or if the standard error of `tau` exceeds
    /// half of it.
    pub quality: Quality,
}

/// Returns τ_int of every unit, and of the population last.
///
/// `found` must reach lags of at least c·τ: 500 for τ = 100 with the default window.
///
/// # Errors
/// [`Error::Value`] unless the factor is finite and at least 1.
pub fn integrated(
    found: &Autocorrelation,
    config: &IntegratedConfig,
) -> Result<(Vec<Integrated>, Integrated), Error> {
    let population = integrated_curve(found.population.view(), &found.recording, config)?;
    let columns = (0..found.units.ncols()).into_par_iter();
    let one = |unit| integrated_curve(found.units.column(unit), &found.recording, config);
    Ok((columns.map(one).collect::<Result<_, _>>()?, population))
}

/// τ_int of one autocorrelation, given from lag 0 (where it is 1) on; a curve with a NaN is that
/// of a unit without variance.
///
/// Subtracting the mean of a trial of n steps takes 2τ_int/n off the autocovariance at every lag,
/// lag 0 included: ρ̂ = (ρ − b)/(1 − b) with b = 2τ_int/n (for the mean of trials, the mean of
/// 1/n; equal lengths are assumed). Over a window that is a large part of n, so it is solved for:
/// τ_int = (½ + s)/(1 − 2(W − s)/n) with s the sum of ρ̂ up to W (Wolff 2004 has the first order of
/// this).
///
/// # Errors
/// [`Error::Value`] unless the factor is finite and at least 1.
pub fn integrated_curve(
    curve: ArrayView1<'_, f64>,
    recording: &Recording,
    config: &IntegratedConfig,
) -> Result<Integrated, Error> {
    if !(config.window >= 1.0 && config.window.is_finite()) {
        let allowed = "finite and 1 or more autocorrelation times; 5 is usual";
        return refuse("window", config.window, allowed);
    }
    if curve.is_empty() || curve.iter().any(|value| !value.is_finite()) {
        return Ok(Integrated::dead());
    }
    let per_trial = recording.steps as f64 / recording.trials as f64;
    let mut sum = 0.0;
    let mut window = None;
    let mut last = 0;
    for (lag, rho) in curve.iter().enumerate().skip(1) {
        sum += rho;
        last = lag;
        let shrink = 1.0 - 2.0 * (lag as f64 - sum) / per_trial;
        if shrink * (1.0 + BIAS_LIMIT.sqrt()) < 1.0 {
            break;
        }
        let tau_int = (0.5 + sum) / shrink;
        // A sum that noise has driven below the instant would close any window.
        if lag as f64 >= config.window * tau_int.max(0.5) {
            window = Some((lag, tau_int));
            break;
        }
    }
    let tau_int = window.map_or(0.5 + sum, |(_, tau_int)| tau_int);
    Ok(Integrated::at(tau_int, window.map(|(lag, _)| lag), last, recording.steps as f64))
}

impl Integrated {
    /// `last`: the last lag of the sum, whether or not the window closed there.
    fn at(tau_int: f64, window: Option<usize>, last: usize, steps: f64) -> Self {
        let x = tau_int;
        let standard_error = x.abs() * (2.0 * (2.0 * last as f64 + 1.0) / steps).sqrt();
        let (tau, tau_standard_error) = if x > 0.5 {
            let tau = 1.0 / ((2.0 * x + 1.0) / (2.0 * x - 1.0)).ln();
            (tau, Some(tau * tau * 4.0 / (4.0 * x * x - 1.0) * standard_error))
        } else {
            (0.0, None)
        };
        let quality = Quality::judge(tau, f64::INFINITY, tau_standard_error, window.is_some());
        Self { tau_int, standard_error, window, tau, tau_standard_error, quality }
    }

    fn dead() -> Self {
        Self {
            tau_int: f64::NAN,
            standard_error: f64::NAN,
            window: None,
            tau: f64::NAN,
            tau_standard_error: None,
            quality: Quality::Dead,
        }
    }
}

/// τ_int of an exponential with time constant `tau`, in steps: ½ coth(1/(2τ)).
#[must_use]
pub fn of_exponential(tau: f64) -> f64 {
    0.5 / (0.5 / tau).tanh()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    /// The exact autocorrelation of an exponential, lags 0..=`max_lag`.
    fn exponential(tau: f64, max_lag: usize) -> Array1<f64> {
        Array1::from_shape_fn(max_lag + 1, |lag| (-(lag as f64) / tau).exp())
    }

    const LONG: Recording = Recording { trials: 1, steps: 1 << 40, shortest_trial: 1 << 40 };

    /// The first W ≥ 5 τ_int(W) leaves out less than exp(−5) of it.
    #[test]
    fn an_exact_exponential_is_recovered_but_for_the_window() {
        for tau in [1.5, 2.0, 5.0, 20.0, 100.0] {
            let curve = exponential(tau, 600);
            let found = integrated_curve(curve.view(), &LONG, &IntegratedConfig::default());
            let found = found.unwrap();
            let lost = 1.0 - found.tau_int / of_exponential(tau);
            assert!((0.0..(-4.9f64).exp()).contains(&lost), "tau {tau}: {lost}");
            assert!((found.tau / tau - 1.0).abs() < 0.01, "tau {tau}: {}", found.tau);
            assert_eq!(found.quality, Quality::Good);
            let window = found.window.unwrap() as f64;
            assert!(window >= 5.0 * found.tau_int && window < 5.0 * of_exponential(tau) + 1.0);
        }
    }

    /// ½ + ½ + ¼ + … = 1.5, and back: 1/ln(4/2) = 1/ln 2, where exp(−1/τ) is ½.
    #[test]
    fn halving_from_step_to_step_is_the_case_worked_by_hand() {
        let tau = 1.0 / std::f64::consts::LN_2;
        assert!((of_exponential(tau) - 1.5).abs() < 1e-12);
        let config = IntegratedConfig { window: 30.0 };
        let found = integrated_curve(exponential(tau, 99).view(), &LONG, &config).unwrap();
        assert!((found.tau_int - 1.5).abs() < 1e-9);
        assert!((found.tau - tau).abs() < 1e-9);
    }

    #[test]
    fn what_the_mean_of_a_trial_took_away_is_given_back() {
        let (tau, n) = (10.0, 1000.0);
        let b = 2.0 * of_exponential(tau) / n;
        let curve = exponential(tau, 200).mapv(|rho| (rho - b) / (1.0 - b));
        let recording = Recording { trials: 10, steps: 10_000, shortest_trial: 1000 };
        let found = integrated_curve(curve.view(), &recording, &IntegratedConfig::default());
        assert!((found.unwrap().tau / tau - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_window_that_does_not_close_is_not_identifiable() {
        let curve = exponential(100.0, 200);
        let found = integrated_curve(curve.view(), &LONG, &IntegratedConfig::default()).unwrap();
        assert_eq!((found.window, found.quality), (None, Quality::NotIdentifiable));
        assert!(found.tau_int < of_exponential(100.0));
    }

    #[test]
    fn no_memory_no_variance_and_no_window_are_told_apart() {
        let mut white = Array1::zeros(31);
        white[0] = 1.0;
        let check = |curve: &Array1<f64>, window| {
            integrated_curve(curve.view(), &LONG, &IntegratedConfig { window })
        };
        let found = check(&white, 5.0).unwrap();
        assert!((found.tau_int - 0.5).abs() < 1e-9 && found.tau < 0.1);
        assert_eq!((found.window, found.quality), (Some(3), Quality::SubStep));
        // ρ(1) = −0.4: τ_int = 0.1, and no exponential has that.
        white[1] = -0.4;
        let found = check(&white, 5.0).unwrap();
        assert!((found.tau_int - 0.1).abs() < 1e-9 && found.tau == 0.0);
        assert_eq!((found.tau_standard_error, found.quality), (None, Quality::SubStep));
        let dead = check(&Array1::from_elem(31, f64::NAN), 5.0).unwrap();
        assert_eq!(dead.quality, Quality::Dead);
        for window in [0.5, f64::NAN, f64::INFINITY] {
            let refused = check(&white, window).unwrap_err();
            let expected = format!(
                "window: {window} (allowed: finite and 1 or more autocorrelation times; 5 is usual)"
            );
            assert_eq!(refused.to_string(), expected);
        }
    }
}
