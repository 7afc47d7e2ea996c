//! The derivative of the loss with respect to every parameter.

use crate::{Params, Real, Tensor};

/// dL/dθ, in the shapes of [`Params`], and which of its arrays have a gradient at all.
///
/// A head that was not part of the batch, a frozen head or cell, and a fixed τ have no gradient: they do
/// not count in the clipped norm and an optimiser leaves them and their momentum alone.
#[derive(Clone, Debug)]
pub struct Gradients<R> {
    /// The derivatives; arrays without a gradient hold zeros.
    pub values: Params<R>,
    pub(crate) cell: bool,
    pub(crate) tau: bool,
    pub(crate) heads: Vec<bool>,
}

impl<R: Real> Gradients<R> {
    /// No gradient at all, in the shapes of `params`.
    #[must_use]
    pub fn zeros(params: &Params<R>) -> Self {
        Self {
            values: params.zeros_like(),
            cell: false,
            tau: false,
            heads: vec![false; params.readouts.len()],
        }
    }

    /// Whether the array has a gradient.
    #[must_use]
    pub fn has(&self, tensor: Tensor) -> bool {
        match tensor {
            Tensor::Tau => self.cell && self.tau,
            Tensor::ReadoutWeight(head) | Tensor::ReadoutBias(head) => self.heads[head],
            Tensor::WRec | Tensor::BRec | Tensor::WIn | Tensor::BIn => self.cell,
        }
    }

    /// Euclidean norm over all arrays that have a gradient, summed in `f64`.
    #[must_use]
    pub fn norm(&self) -> f64 {
        // Several sums side by side: one alone waits for every addition.
        let square = |values: &[R]| {
            let mut sums = [0.0; 8];
            for values in values.chunks(sums.len()) {
                for (sum, x) in sums.iter_mut().zip(values) {
                    *sum += x.to_f64() * x.to_f64();
                }
            }
            sums.iter().sum::<f64>()
        };
        let tensors = self.values.tensors().filter(|(tensor, _)| self.has(*tensor));
        tensors.map(|(_, values)| square(values)).sum::<f64>().sqrt()
    }

    /// Starts a new batch with the given trained parts: everything back to zero.
    pub(crate) fn restart(
        &mut self,
        cell: bool,
        tau: bool,
        trained_heads: impl Iterator<Item = usize>,
    ) {
        for (_, values) in self.values.tensors_mut() {
            values.fill(R::ZERO);
        }
        self.cell = cell;
        self.tau = tau;
        self.heads.fill(false);
        for head in trained_heads {
            self.heads[head] = true;
        }
    }
}
