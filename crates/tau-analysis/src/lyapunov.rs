//! Lyapunov exponents: how fast small differences between states of a driven network grow.
//!
//! The k largest exponents are the mean logarithms of how a step stretches k vectors that are made
//! orthonormal again and again (Benettin et al. 1980; Geist, Parlitz & Lauterborn 1990): V ← J V,
//! V = Q R, λᵢ = ⟨ln Rᵢᵢ⟩, with J the derivative of the step along the trajectory. λ₁ < 0: the
//! network forgets where it began, within −1/λ₁ steps, and its state is a function of the input
//! alone; λ₁ > 0: chaos.

mod tangent;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use serde::Serialize;
use tau_random::{Key, Purpose};
use tau_rnn::{Config, Params};

use crate::Error;
use crate::error::refuse;
use tangent::Cell;

/// Batches whose means give the standard error.
const BATCHES: usize = 20;

/// A vector that lost so much of its length to those before it is rounding and nothing else.
const LOST: f64 = 1e-13;

/// Settings of a measurement of exponents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lyapunov {
    /// Number of exponents, 1 to the number of neurons. Time grows with neurons² × exponents.
    pub exponents: usize,
    /// Steps at the beginning that do not count, while the network reaches its attractor and the
    /// vectors turn into their directions.
    pub burn_in: usize,
    /// Steps from one orthonormalisation to the next, 1 or more. 1 is safest; m saves little unless
    /// there are many exponents, and between two of them no pair of exponents may part by more than
    /// ln 10¹³ = 30: m times their difference.
    pub every: usize,
    /// h(0) ~ U[0, this).
    pub initial_state: f64,
    /// Root seed of h(0) and of the first vectors.
    pub seed: u64,
}

impl Default for Lyapunov {
    fn default() -> Self {
        Self { exponents: 1, burn_in: 500, every: 1, initial_state: 0.1, seed: 1 }
    }
}

/// The largest exponents of a network under one input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LyapunovExponents {
    /// Exponents per step of the network, in natural logarithms, largest first (up to their errors). An
    /// exponent is −∞ for a direction that is lost altogether: a ReLU at rest, a matrix without full rank.
    pub exponents: Vec<f64>,
    /// Standard errors of the exponents, from the means over 20 batches of consecutive steps: right if a batch
    /// is longer than the memory of the stretching. NaN where the exponent is −∞.
    pub standard_errors: Vec<f64>,
    /// Number of steps that counted.
    pub steps: usize,
}

impl Lyapunov {
    /// Exponents along the trajectory that `inputs` (time, channel) drive, in f64: a row for each step
    /// of the network, so that inputs of one in continuous time are held already
    /// ([`tau_tasks::hold`]), and an exponent × k is one per step of the task.
    ///
    /// The derivative at the kink of a (leaky) ReLU is that of its left side. All steps after the
    /// burn-in count but for at most 20 × `every` at the end, so that batches are of equal length.
    /// Nothing depends on the number of threads. Memory: 16 bytes × neurons × (neurons +
    /// exponents).
    ///
    /// # Errors
    /// [`Error::Value`] for settings out of range and for inputs with other channels than the
    /// network's, [`Error::TooFew`] if fewer than 20 × `every` steps count, [`Error::Network`] for
    /// parameters that do not fit, [`Error::NotFinite`] if the state overflows, [`Error::NoTau`] for
    /// a gated cell.
    pub fn measure(
        &self,
        config: &Config,
        params: &Params<f64>,
        inputs: ArrayView2<'_, f32>,
    ) -> Result<LyapunovExponents, Error> {
        let leaky = config.leaky_cell().ok_or(Error::NoTau { cell: config.cell })?;
        let cell = Cell::new(config, leaky, params)?;
        let neurons = config.hidden_size;
        if inputs.ncols() != config.input_size {
            let (found, expected) = (inputs.ncols(), config.input_size);
            return refuse(
                "channels of the input",
                found,
                format!("{expected}, as of the network"),
            );
        }
        let key = Key::new(self.seed, Purpose::DriveInitialState);
        let start = |i| self.initial_state * f64::from(key.unit_f32(i as u64));
        let mut h = Array1::from_shape_fn(neurons, start);
        let step = |t: usize, vectors: &mut Array2<f64>| {
            cell.step(&mut h, inputs.row(t), vectors);
            match h.iter().position(|x| !x.is_finite()) {
                Some(index) => Err(Error::NotFinite { what: "state", index, value: h[index] }),
                None => Ok(()),
            }
        };
        self.along(neurons, inputs.nrows(), step)
    }

    /// Exponents of any system of `neurons` variables: `step(t, vectors)` makes J(t) V of V
    /// (variable, vector), for t = 0 to `steps` − 1 in order.
    ///
    /// # Errors
    /// [`Error::Value`] and [`Error::TooFew`] as in [`measure`](Self::measure); what `step` refuses.
    pub fn along(
        &self,
        neurons: usize,
        steps: usize,
        mut step: impl FnMut(usize, &mut Array2<f64>) -> Result<(), Error>,
    ) -> Result<LyapunovExponents, Error> {
        let count = self.exponents;
        if !(1..=neurons).contains(&count) {
            let allowed = format!("1 to {neurons}, one for each neuron");
            return refuse("number of exponents", count, allowed);
        }
        if self.every == 0 {
            return refuse("steps between orthonormalisations", 0, "1 or more; 1 is safest");
        }
        let per_batch = steps.saturating_sub(self.burn_in) / (BATCHES * self.every);
        if per_batch == 0 {
            let what = "Lyapunov exponents, in steps with the burn-in";
            let needed = self.burn_in + BATCHES * self.every;
            return Err(Error::TooFew { what, found: steps, needed });
        }
        let key = Key::new(self.seed, Purpose::Statistics);
        let mut vectors = Array2::from_shape_fn((neurons, count), |(i, j)| {
            f64::from(key.unit_f32((i * count + j) as u64)) - 0.5
        });
        let mut growth = vec![0.0; count];
        orthonormalise(&mut vectors, &mut growth);
        for t in 0..self.burn_in {
            step(t, &mut vectors)?;
            if (t + 1) % self.every == 0 {
                orthonormalise(&mut vectors, &mut growth);
            }
        }
        orthonormalise(&mut vectors, &mut growth);
        let batch_steps = per_batch * self.every;
        let mut batches = Array2::zeros((BATCHES, count));
        let mut t = self.burn_in;
        for batch in 0..BATCHES {
            growth.fill(0.0);
            for i in 1..=batch_steps {
                step(t, &mut vectors)?;
                t += 1;
                if i % self.every == 0 {
                    orthonormalise(&mut vectors, &mut growth);
                }
            }
            for (mean, growth) in batches.row_mut(batch).iter_mut().zip(&growth) {
                *mean = growth / batch_steps as f64;
            }
        }
        let (exponents, standard_errors) = batches.columns().into_iter().map(moments).unzip();
        Ok(LyapunovExponents { exponents, standard_errors, steps: BATCHES * batch_steps })
    }
}

/// Mean of batches and its standard error.
fn moments(batches: ArrayView1<'_, f64>) -> (f64, f64) {
    let count = batches.len() as f64;
    let mean = batches.sum() / count;
    if mean == f64::NEG_INFINITY {
        return (mean, f64::NAN);
    }
    let square = batches.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (mean, (square / (count - 1.0) / count).sqrt())
}

/// Makes columns orthonormal in place (Gram–Schmidt, twice: Giraud, Langou & Rozložník 2005) and
/// adds ln Rᵢᵢ to `growth`. A column that is lost becomes 0 and stays so.
fn orthonormalise(vectors: &mut Array2<f64>, growth: &mut [f64]) {
    for j in 0..vectors.ncols() {
        let (before, mut rest) = vectors.multi_slice_mut((s![.., ..j], s![.., j]));
        let length = |v: ArrayView1<'_, f64>| v.dot(&v).sqrt();
        let whole = length(rest.view());
        for _ in 0..2 {
            let parts = before.t().dot(&rest);
            rest -= &before.dot(&parts);
        }
        let left = length(rest.view());
        if left > LOST * whole {
            growth[j] += left.ln();
            rest /= left;
        } else {
            growth[j] = f64::NEG_INFINITY;
            rest.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests;
