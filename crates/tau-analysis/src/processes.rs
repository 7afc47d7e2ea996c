//! Simulated activity with a known autocorrelation, to test an estimator or to measure its bias.

use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use tau_random::Key;

use crate::error::refuse;
use crate::{Component, Error};

/// A stationary Gaussian process of mean 0 and variance 1 with autocorrelation
/// Σᵢ wᵢ exp(−lag/τᵢ): a sum of independent Ornstein–Uhlenbeck processes.
///
/// Each is sampled at whole steps by its exact discretisation, an AR(1) process:
/// x₍ₜ₊₁₎ = φ xₜ + √(1 − φ²) ξₜ with φ = exp(−1/τ) and ξₜ ~ N(0, 1), started from its stationary
/// law (Uhlenbeck & Ornstein 1930; Gillespie 1996). So the autocorrelation holds without any
/// error of discretisation and without burn-in.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    components: Vec<Component>,
}

impl Process {
    /// One component with time constant `tau`, in steps, `(0, ∞)`.
    ///
    /// # Errors
    /// [`Error::Value`] unless `tau` is finite and positive.
    pub fn exponential(tau: f64) -> Result<Self, Error> {
        Self::mixture(&[Component { tau, weight: 1.0 }])
    }

    /// A mixture of time constants; the weights are shares of the variance.
    ///
    /// # Errors
    /// [`Error::Value`] unless every τ is finite and positive, and every weight lies in [0, 1] and they sum to 1 (within 10⁻⁹).
    pub fn mixture(components: &[Component]) -> Result<Self, Error> {
        if let Some(bad) = components.iter().find(|c| !(c.tau > 0.0 && c.tau.is_finite())) {
            return refuse("tau to simulate", bad.tau, "finite and above 0, in steps");
        }
        let sum: f64 = components.iter().map(|c| c.weight).sum();
        let each = components.iter().all(|c| (0.0..=1.0).contains(&c.weight));
        if !each || (sum - 1.0).abs() > 1e-9 {
            let weights: Vec<f64> = components.iter().map(|c| c.weight).collect();
            let allowed = "each in [0, 1], with the sum 1";
            return refuse("weights of the components", format!("{weights:?}"), allowed);
        }
        Ok(Self { components: components.to_vec() })
    }

    /// The true autocorrelation at `lag`, in steps.
    #[must_use]
    pub fn autocorrelation(&self, lag: usize) -> f64 {
        self.components.iter().map(|c| c.weight * (-(lag as f64) / c.tau).exp()).sum()
    }

    /// A trial of `steps` steps, drawn from the stream that `key` names.
    #[must_use]
    pub fn sample(&self, steps: usize, key: Key) -> Vec<f32> {
        let mut stream = key.stream();
        let mut draw = || -> f64 { StandardNormal.sample(&mut stream) };
        let decay: Vec<f64> = self.components.iter().map(|c| (-1.0 / c.tau).exp()).collect();
        let mut state: Vec<f64> = self.components.iter().map(|_| draw()).collect();
        let mut trial = Vec::with_capacity(steps);
        for _ in 0..steps {
            let parts = self.components.iter().zip(&state);
            trial.push(parts.map(|(c, x)| c.weight.sqrt() * x).sum::<f64>() as f32);
            for (x, phi) in state.iter_mut().zip(&decay) {
                *x = phi * *x + (1.0 - phi * phi).sqrt() * draw();
            }
        }
        trial
    }
}

/// Activity of independent units, shape (time, units), as a network would give it.
///
/// Unit `u` is drawn from step `u` of `key`; use the key's stage to tell trials apart.
#[must_use]
pub fn activity(units: &[Process], steps: usize, key: Key) -> Array2<f32> {
    let columns: Vec<Vec<f32>> = units
        .par_iter()
        .enumerate()
        .map(|(unit, process)| process.sample(steps, key.step(unit as u32)))
        .collect();
    Array2::from_shape_fn((steps, units.len()), |(time, unit)| columns[unit][time])
}
