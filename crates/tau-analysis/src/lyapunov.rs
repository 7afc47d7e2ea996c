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
use tangent::Cell;

/// Batches whose means give the standard error.
const BATCHES: usize = 20;

/// A vector that lost so much of its length to those before it is rounding and nothing else.
const LOST: f64 = 1e-13;

/// Settings of a measurement of exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Root seed of h(0) ~ 0.1 U[0, 1) and of the first vectors.
    pub seed: u64,
}

impl Default for Lyapunov {
    fn default() -> Self {
        Self { exponents: 1, burn_in: 500, every: 1, seed: 1 }
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
    /// [`Error::Exponents`], [`Error::Orthonormalisation`], [`Error::Channels`], [`Error::TooFew`]
    /// if fewer than 20 × `every` steps count, [`Error::Network`] for parameters that do not fit,
    /// [`Error::NotFinite`] if the state overflows, [`Error::NoTau`] for a gated cell.
    pub fn measure(
        &self,
        config: &Config,
        params: &Params<f64>,
        inputs: ArrayView2<'_, f32>,
    ) -> Result<LyapunovExponents, Error> {
        if config.cell.gated() {
            return Err(Error::NoTau { cell: config.cell });
        }
        let cell = Cell::new(config, params)?;
        let neurons = config.hidden_size;
        if inputs.ncols() != config.input_size {
            let (found, expected) = (inputs.ncols(), config.input_size);
            return Err(Error::Channels { found, expected });
        }
        let key = Key::new(self.seed, Purpose::DriveInitialState);
        let mut h = Array1::from_shape_fn(neurons, |i| 0.1 * f64::from(key.unit_f32(i as u64)));
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
    /// [`Error::Exponents`], [`Error::Orthonormalisation`], [`Error::TooFew`] as in
    /// [`measure`](Self::measure); what `step` refuses.
    pub fn along(
        &self,
        neurons: usize,
        steps: usize,
        mut step: impl FnMut(usize, &mut Array2<f64>) -> Result<(), Error>,
    ) -> Result<LyapunovExponents, Error> {
        let count = self.exponents;
        if !(1..=neurons).contains(&count) {
            return Err(Error::Exponents { value: count, neurons });
        }
        if self.every == 0 {
            return Err(Error::Orthonormalisation);
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
mod tests {
    use super::*;
    use ndarray::array;
    use tau_rnn::{Activation, Placement, TimeConstants};

    fn network(activation: Activation, tau: &[f64], w_rec: Array2<f64>) -> (Config, Params<f64>) {
        let n = tau.len();
        let config = Config {
            activation,
            self_connections: true,
            tau: TimeConstants::Trainable { start: 1.0 },
            ..Config::paper(n)
        };
        let params = Params {
            tau: Array1::from_vec(tau.to_vec()),
            w_rec,
            b_rec: Array1::zeros(n),
            w_in: Array2::ones((n, 1)),
            b_in: Array1::ones(n),
            readouts: Vec::new(),
        };
        (config, params)
    }

    fn inputs(steps: usize) -> Array2<f32> {
        Array2::from_shape_fn((steps, 1), |(t, _)| (t % 3 == 0) as u8 as f32)
    }

    /// All weights and inputs are above 0, so a ReLU is the identity and the step is M, whatever
    /// the state: the exponents are ln|λ| of M, for every placement and spacing.
    #[test]
    fn a_linear_network_has_the_logarithms_of_its_eigenvalues() {
        let tau = [1.0, 2.0, 5.0];
        let w = array![[0.2, 0.1, 0.3], [0.3, 0.1, 0.2], [0.1, 0.4, 0.2]];
        let step = crate::linearised_step(&Array1::from_vec(tau.to_vec()), &w).unwrap();
        let expected: Vec<f64> =
            crate::eigenvalues(&step).unwrap().iter().map(|z| z.re.hypot(z.im).ln()).collect();
        for placement in [Placement::Whole, Placement::Drive] {
            for every in [1, 4] {
                let (config, params) = network(Activation::Relu, &tau, w.clone());
                let config = Config { placement, ..config };
                let how = Lyapunov { exponents: 3, every, ..Lyapunov::default() };
                let found = how.measure(&config, &params, inputs(4500).view()).unwrap();
                assert_eq!(found.steps, 4000);
                for (found, expected) in found.exponents.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-10, "{found}, expected {expected}");
                }
            }
        }
    }

    /// One neuron without input and bias rests at 0, where tanh has slope 1:
    /// λ = ln|1 − 1/τ + w/τ|, here ln(1 − 1/4 + 0.5/4).
    #[test]
    fn one_neuron_contracts_as_worked_by_hand() {
        let (config, mut params) = network(Activation::Tanh, &[4.0], array![[0.5]]);
        params.b_in.fill(0.0);
        let silence = Array2::zeros((2000, 1));
        let found = Lyapunov::default().measure(&config, &params, silence.view()).unwrap();
        assert!((found.exponents[0] - 0.875f64.ln()).abs() < 1e-12);
        assert!(found.standard_errors[0] < 1e-12);
    }

    /// The logistic map at its end is chaotic with exponent ln 2 (Ulam & von Neumann 1947).
    #[test]
    fn the_logistic_map_has_the_exponent_ln_2() {
        let mut x = 0.3f64;
        let step = |_: usize, vectors: &mut Array2<f64>| {
            *vectors *= 4.0 - 8.0 * x;
            x = 4.0 * x * (1.0 - x);
            Ok(())
        };
        let found = Lyapunov::default().along(1, 100_500, step).unwrap();
        let error = (found.exponents[0] - std::f64::consts::LN_2).abs();
        assert!(error < 4.0 * found.standard_errors[0] && error < 0.01, "{found:?}");
    }

    /// Random weights of gain g are silent below 1 and chaotic above (Sompolinsky et al. 1988).
    #[test]
    fn a_random_network_is_chaotic_above_gain_one() {
        let n = 100;
        let key = Key::new(5, Purpose::Parameters);
        let exponent = |gain: f64| {
            let scale = gain * (12.0 / n as f64).sqrt();
            let w = Array2::from_shape_fn((n, n), |(i, j)| {
                scale * (f64::from(key.unit_f32((i * n + j) as u64)) - 0.5)
            });
            let (config, mut params) = network(Activation::Tanh, &[2.0; 100], w);
            params.b_in.fill(0.0);
            let silence = Array2::zeros((1500, 1));
            Lyapunov::default().measure(&config, &params, silence.view()).unwrap().exponents[0]
        };
        assert!(exponent(0.6) < -0.05);
        assert!(exponent(3.0) > 0.05);
    }

    #[test]
    fn a_direction_that_is_lost_has_no_finite_exponent() {
        let step = |_: usize, vectors: &mut Array2<f64>| {
            *vectors = array![[0.5, 0.5], [0.5, 0.5]].dot(vectors);
            Ok(())
        };
        let how = Lyapunov { exponents: 2, ..Lyapunov::default() };
        let found = how.along(2, 600, step).unwrap();
        assert!(found.exponents[0].abs() < 1e-12);
        assert_eq!(found.exponents[1], f64::NEG_INFINITY);
        assert!(found.standard_errors[1].is_nan());
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let (config, params) = network(Activation::Relu, &[1.0, 1.0], Array2::zeros((2, 2)));
        let check = |how: Lyapunov, inputs: Array2<f32>| {
            how.measure(&config, &params, inputs.view()).unwrap_err()
        };
        let how = Lyapunov::default();
        let none = check(Lyapunov { exponents: 0, ..how }, inputs(600));
        assert_eq!(none, Error::Exponents { value: 0, neurons: 2 });
        let three = check(Lyapunov { exponents: 3, ..how }, inputs(600));
        assert_eq!(three, Error::Exponents { value: 3, neurons: 2 });
        assert_eq!(check(Lyapunov { every: 0, ..how }, inputs(600)), Error::Orthonormalisation);
        let short = check(how, inputs(519));
        assert!(matches!(short, Error::TooFew { found: 519, needed: 520, .. }), "{short}");
        let two = check(how, Array2::zeros((600, 2)));
        assert_eq!(two, Error::Channels { found: 2, expected: 1 });
    }
}
