//! The leaky cell's matrix, and what follows from its gradient.

use ndarray::ArrayView1;

use crate::cpu::tile::row_stride;
use crate::params::effective_tau;
use crate::{Activation, Leaky, Params, Placement, Real};

/// The numbers that the cell needs besides M, one a neuron, padded with zeros.
#[derive(Debug)]
pub(in crate::cpu) struct Leak<R> {
    pub(in crate::cpu) activation: Activation,
    /// Whether the leak is part of M.
    pub(in crate::cpu) whole: bool,
    /// k = 1/Δt.
    steps_per_unit: R,
    pub(in crate::cpu) alpha: Vec<R>,
    pub(in crate::cpu) decay: Vec<R>,
}

impl<R: Real> Leak<R> {
    pub(in crate::cpu) fn new(leaky: &Leaky, hidden_size: usize) -> Self {
        let padded = vec![R::ZERO; row_stride(hidden_size)];
        let whole = leaky.placement == Placement::Whole;
        let activation = leaky.activation;
        Self { activation, whole, steps_per_unit: R::ONE, alpha: padded.clone(), decay: padded }
    }

    /// Takes over τ, for a time step Δt = 1/k.
    pub(in crate::cpu) fn set(&mut self, steps_per_unit: u32, params: &Params<R>) {
        let k = R::from_f64(f64::from(steps_per_unit));
        self.steps_per_unit = k;
        let slots = self.alpha.iter_mut().zip(&mut self.decay);
        for ((alpha, decay), &tau) in slots.zip(&params.tau) {
            *alpha = R::ONE / (effective_tau(tau) * k);
            *decay = R::ONE - *alpha;
        }
    }

    /// M, from column `from` of h̃ to neuron `to`.
    pub(in crate::cpu) fn matrix<'a>(
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

    /// dτ_raw of every neuron, given all other gradients of the cell and, for placements other than
    /// `whole`, the sums Σ δ (h(t−1) − f). A neuron whose τ_raw is below 1 gets none: there
    /// τ_eff = max(τ_raw, 1) does not follow it.
    pub(in crate::cpu) fn tau_gradient(
        &self,
        params: &Params<R>,
        gradients: &mut Params<R>,
        sums: &[R],
    ) {
        for (i, &tau) in params.tau.iter().enumerate() {
            gradients.tau[i] = if tau < R::ONE {
                R::ZERO
            } else if self.whole {
                let along = dot(params.w_rec.row(i), gradients.w_rec.row(i))
                    + dot(params.w_in.row(i), gradients.w_in.row(i))
                    + (params.b_rec[i] + params.b_in[i]).to_f64() * gradients.b_rec[i].to_f64();
                R::from_f64((gradients.w_rec[[i, i]].to_f64() - along) / tau.to_f64())
            } else {
                sums[i] / (tau * tau * self.steps_per_unit)
            };
        }
    }

    /// dW̃ from dM, for neuron `to`.
    pub(in crate::cpu) fn weight_gradient(&self, to: usize, matrix_gradient: R) -> R {
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

fn dot<R: Real>(a: ArrayView1<'_, R>, b: ArrayView1<'_, R>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}
