//! The leaky cell: which matrices it multiplies by, and what follows each product.
//!
//! Rows of activity carry more than the state: h̃ = (h, x, 1), the input of the next step and a
//! one behind the neurons. So input weights and bias are columns of one matrix W̃ = (W, w_in, b),
//! forward, backward and in the gradient. With a = 1/τ_eff (τ_eff·k for the continuous placement)
//! and δ(t) = dL/dh(t):
//!
//! | | `whole` | `drive`, `continuous` |
//! |---|---|---|
//! | M | diag(a) W̃ + diag(1 − a) | W̃ |
//! | forward | h(t) = φ(M h̃(t−1)) | f = φ(M h̃(t−1)), h(t) = (1 − a) h(t−1) + a f |
//! | kept | h(t): it gives φ' | h(t) and f |
//! | error e | δ φ' | a δ φ' |
//! | δ(t−1) | Mᵀ e | Mᵀ e + (1 − a) δ |
//! | dM | Σ e h̃(t−1)ᵀ | Σ e h̃(t−1)ᵀ |
//! | dW̃ | diag(a) dM | dM |
//! | dτ | (dW_ii − Σ_j W̃_ij dW̃_ij) / τ | Σ δ (h(t−1) − f) / (τ² k) |
//!
//! The leak of `whole` is part of the matrix, so nothing but products and φ is left in its loops,
//! and dτ follows from dW̃: L depends on a_i through M_ij = a_i W̃_ij + (1 − a_i) [i = j], so
//! dL/da_i = Σ_j W̃_ij dM_ij − dM_ii.

use std::marker::PhantomData;

use crate::params::effective_tau;
use crate::{Activation, Config, Params, Placement, Real};

use super::product::{Finish, Lanes, Wide, both, each, load, row_stride, store};

/// Columns behind the neurons in a row of activity: the inputs and the one.
pub(super) fn extra_columns(channels: usize) -> usize {
    channels + 1
}

/// What the cell needs of the parameters besides M, one value a neuron, padded with zeros.
#[derive(Debug)]
pub(super) struct Leak<R> {
    pub(super) activation: Activation,
    /// Whether the leak is part of M.
    pub(super) whole: bool,
    alpha: Vec<R>,
    decay: Vec<R>,
}

impl<R: Real> Leak<R> {
    pub(super) fn new(config: &Config) -> Self {
        let padded = vec![R::ZERO; row_stride(config.hidden_size)];
        let leaky = config.leaky_cell().copied().unwrap_or_default();
        let whole = leaky.placement == Placement::Whole;
        Self { activation: leaky.activation, whole, alpha: padded.clone(), decay: padded }
    }

    /// Takes over τ.
    pub(super) fn set(&mut self, config: &Config, params: &Params<R>) {
        let k = R::from_f64(f64::from(config.steps_per_unit()));
        let slots = self.alpha.iter_mut().zip(&mut self.decay);
        for ((alpha, decay), &tau) in slots.zip(&params.tau) {
            *alpha = R::ONE / (effective_tau(tau) * k);
            *decay = R::ONE - *alpha;
        }
    }

    /// M, from column `from` of h̃ to neuron `to`.
    pub(super) fn matrix<'a>(
        &'a self,
        params: &'a Params<R>,
    ) -> impl Fn(usize, usize) -> R + use<'a, R> {
        move |to, from| {
            let weight = extended(params, to, from);
            if !self.whole {
                weight
            } else if to == from {
                self.alpha[to].mul_add(weight, self.decay[to])
            } else {
                self.alpha[to] * weight
            }
        }
    }

    /// dW̃ from dM, for neuron `to`.
    pub(super) fn weight_gradient(&self, to: usize, matrix_gradient: R) -> R {
        if self.whole { self.alpha[to] * matrix_gradient } else { matrix_gradient }
    }
}

/// W̃ = (W, w_in, b).
fn extended<R: Real>(params: &Params<R>, to: usize, from: usize) -> R {
    let (hidden, channels) = params.w_in.dim();
    if from < hidden {
        params.w_rec[[to, from]]
    } else if from < hidden + channels {
        params.w_in[[to, from - hidden]]
    } else {
        params.b_rec[to] + params.b_in[to]
    }
}

/// dτ_raw of every neuron, given all other gradients of the cell and, for placements other than
/// `whole`, the sums Σ δ (h(t−1) − f). A neuron whose τ_raw is below 1 gets none (paper,
/// section 1).
pub(super) fn tau_gradient<R: Real>(
    config: &Config,
    params: &Params<R>,
    gradients: &mut Params<R>,
    sums: &[R],
) {
    let k = R::from_f64(f64::from(config.steps_per_unit()));
    let whole = config.leaky_cell().is_some_and(|leaky| leaky.placement == Placement::Whole);
    for (i, &tau) in params.tau.iter().enumerate() {
        let dot = |a: ndarray::ArrayView1<'_, R>, b: ndarray::ArrayView1<'_, R>| -> f64 {
            a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
        };
        let gradient = if tau < R::ONE {
            R::ZERO
        } else if whole {
            let along = dot(params.w_rec.row(i), gradients.w_rec.row(i))
                + dot(params.w_in.row(i), gradients.w_in.row(i))
                + (params.b_rec[i] + params.b_in[i]).to_f64() * gradients.b_rec[i].to_f64();
            R::from_f64((gradients.w_rec[[i, i]].to_f64() - along) / tau.to_f64())
        } else {
            sums[i] / (tau * tau * k)
        };
        gradients.tau[i] = gradient;
    }
}

/// φ, and its derivative as a function of φ's value.
pub(super) trait Phi<R> {
    fn phi(s: R) -> R;
    fn slope(value: R) -> R;
}

pub(super) struct LeakyRelu;
pub(super) struct Relu;
pub(super) struct Tanh;
pub(super) struct Sigmoid;

impl<R: Real> Phi<R> for LeakyRelu {
    #[inline(always)]
    fn phi(s: R) -> R {
        if s > R::ZERO { s } else { R::from_f64(Activation::NEGATIVE_SLOPE) * s }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::from_f64(Activation::NEGATIVE_SLOPE) }
    }
}

impl<R: Real> Phi<R> for Relu {
    #[inline(always)]
    fn phi(s: R) -> R {
        // Not `s > 0`: a NaN must stay one.
        if s <= R::ZERO { R::ZERO } else { s }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::ZERO }
    }
}

impl<R: Real> Phi<R> for Tanh {
    #[inline(always)]
    fn phi(s: R) -> R {
        s.tanh()
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        R::ONE - value * value
    }
}

impl<R: Real> Phi<R> for Sigmoid {
    #[inline(always)]
    fn phi(s: R) -> R {
        s.sigmoid()
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        value * (R::ONE - value)
    }
}

/// Evaluates `$body` with `$phi` as the type that stands for the activation `$activation`.
macro_rules! with_phi {
    ($activation:expr, $phi:ident => $body:expr) => {
        match $activation {
            $crate::Activation::LeakyRelu => {
                type $phi = $crate::cpu::leaky::LeakyRelu;
                $body
            }
            $crate::Activation::Relu => {
                type $phi = $crate::cpu::leaky::Relu;
                $body
            }
            $crate::Activation::Tanh => {
                type $phi = $crate::cpu::leaky::Tanh;
                $body
            }
            $crate::Activation::Sigmoid => {
                type $phi = $crate::cpu::leaky::Sigmoid;
                $body
            }
        }
    };
}
pub(super) use with_phi;

/// A step forward: makes the neurons of the product of M and h̃(t−1). Rows of activity stand one
/// after the other, `stride` apart.
pub(super) struct StepForward<'a, R, P> {
    pub(super) leak: &'a Leak<R>,
    pub(super) phi: PhantomData<P>,
    pub(super) stride: usize,
    /// h(t−1).
    pub(super) before: &'a [R],
    /// h(t), to be written.
    pub(super) after: &'a mut [R],
    /// f(t), to be written; empty for `whole`.
    pub(super) f: &'a mut [R],
}

impl<R: Real, P: Phi<R>, const L: usize> Finish<R, L> for StepForward<'_, R, P> {
    #[inline(always)]
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>) {
        for (w, sum) in sums.into_iter().enumerate() {
            self.register(row, column + w * L, sum);
        }
    }
}

impl<R: Real, P: Phi<R>> StepForward<'_, R, P> {
    #[inline(always)]
    fn register<const L: usize>(&mut self, row: usize, column: usize, sum: Lanes<R, L>) {
        let at = row * self.stride + column;
        let value = each(sum, P::phi);
        if self.leak.whole {
            store(self.after, at, value);
        } else {
            let before = both(load(&self.leak.decay, column), load(self.before, at), |a, b| a * b);
            let drive = both(load(&self.leak.alpha, column), value, |a, b| a * b);
            store(self.f, at, value);
            store(self.after, at, both(before, drive, |a, b| a + b));
        }
    }
}

/// A step back: makes e(t) of the product of Mᵀ and e(t+1). Rows as in [`StepForward`].
pub(super) struct StepBack<'a, R, P> {
    pub(super) leak: &'a Leak<R>,
    pub(super) phi: PhantomData<P>,
    pub(super) stride: usize,
    /// dL/dh(t) that comes directly from readouts.
    pub(super) direct: Option<&'a [R]>,
    /// φ's value at t: h(t) or f(t).
    pub(super) value: &'a [R],
    /// e(t), to be written.
    pub(super) error: &'a mut [R],
    /// h(t−1).
    pub(super) before: &'a [R],
    /// (1 − a) δ(t+1), to become (1 − a) δ(t); empty for `whole`.
    pub(super) carry: &'a mut [R],
    /// Σ δ (h(t−1) − f), one value a neuron; empty for `whole`.
    pub(super) tau_sums: &'a mut [R],
}

impl<R: Real, P: Phi<R>, const L: usize> Finish<R, L> for StepBack<'_, R, P> {
    #[inline(always)]
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>) {
        for (w, sum) in sums.into_iter().enumerate() {
            self.register(row, column + w * L, sum);
        }
    }
}

impl<R: Real, P: Phi<R>> StepBack<'_, R, P> {
    #[inline(always)]
    fn register<const L: usize>(&mut self, row: usize, column: usize, sum: Lanes<R, L>) {
        let flush = |e: R| if e.abs() < R::UNDERFLOW { R::ZERO } else { e };
        let leak = self.leak;
        let at = row * self.stride + column;
        let sum = match self.direct {
            Some(direct) => both(sum, load(direct, at), |a, b| a + b),
            None => sum,
        };
        let value = load(self.value, at);
        let slope = each(value, P::slope);
        if leak.whole {
            store(self.error, at, each(both(sum, slope, |a, b| a * b), flush));
            return;
        }
        let delta = each(both(sum, load(self.carry, at), |a, b| a + b), flush);
        let drive = both(both(load(&leak.alpha, column), delta, |a, b| a * b), slope, |a, b| a * b);
        store(self.error, at, each(drive, flush));
        store(self.carry, at, both(load(&leak.decay, column), delta, |a, b| a * b));
        let change = both(load(self.before, at), value, |a, b| a - b);
        let part = both(delta, change, |a, b| a * b);
        let sums = both(load(self.tau_sums, column), part, |a, b| a + b);
        store(self.tau_sums, column, sums);
    }
}
