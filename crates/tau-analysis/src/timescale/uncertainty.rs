//! Scatter of τ_net over different recordings of the same length.
//!
//! For a linear process with autocorrelation ρ, estimates of ρ at lags j and k from N steps have
//! covariance Σᵥ bⱼ(v) bₖ(v) / N over v ≥ 1, with bₖ(v) = ρ(v + k) + ρ(v − k) − 2 ρ(k) ρ(v)
//! (Bartlett 1946; Brockwell & Davis 1991, theorem 7.2.1). Errors of neighbouring lags
//! are correlated, which the residuals of a fit do not show. A least-squares fit turns an error δ of
//! the curve into an error g·δ of τ, with g a row of (JᵀJ)⁻¹Jᵀ, so that
//!
//!   var τ = Σᵥ (Σₖ gₖ bₖ(v))² / N.

use basin::{DenseMatrix, GramMatrix, LinearSolveSpd};

use super::decay::{Fit, Problem};
use crate::Recording;

/// Terms of the sum reach this many of the slowest time constant: exp(−2·10) is left out.
const REACH: f64 = 10.0;

/// Standard error of the slowest time constant of `fit`, in steps. `None` if a bound holds it or
/// if the curve does not determine it (JᵀJ is singular).
pub(super) fn standard_error(fit: &Fit, problem: &Problem, recording: &Recording) -> Option<f64> {
    let response = response(fit, problem)?;
    let lags = response.len();
    let terms = lags + (REACH * fit.slowest().tau).ceil() as usize;
    let rho: Vec<f64> = (0..terms + lags).map(|lag| fit.autocorrelation(lag)).collect();
    let sum: f64 = (1..=terms)
        .map(|v| {
            let b = |k: usize| rho[v + k] + rho[v.abs_diff(k)] - 2.0 * rho[k] * rho[v];
            response.iter().enumerate().map(|(k, g)| g * b(k)).sum::<f64>().powi(2)
        })
        .sum();
    let error = (sum / recording.steps as f64).sqrt();
    error.is_finite().then_some(error)
}

/// Change of the slowest time constant per change of the curve at each lag.
fn response(fit: &Fit, problem: &Problem) -> Option<Vec<f64>> {
    let free = problem.free(&fit.params);
    let slowest = free.iter().position(|&i| i == fit.slowest_index())?;
    let rows = problem.derivatives(&fit.params);
    // Columns of length 1: amplitudes and time constants differ by powers of ten.
    let norm = |&i: &usize| rows.iter().map(|row| row[i] * row[i]).sum::<f64>().sqrt();
    let norms: Vec<f64> = free.iter().map(norm).collect();
    let scaled =
        DenseMatrix::from_fn(rows.len(), free.len(), |lag, j| rows[lag][free[j]] / norms[j]);
    let unit: Vec<f64> = (0..free.len()).map(|j| f64::from(u8::from(j == slowest))).collect();
    let inverse = scaled.gram().solve_spd(&unit).ok()?;
    let one = |row: &Vec<f64>| -> f64 {
        let parts = free.iter().zip(&norms).zip(&inverse);
        parts.map(|((&i, norm), z)| z * row[i] / norm).sum::<f64>() / norms[slowest]
    };
    Some(rows.iter().map(one).collect())
}
