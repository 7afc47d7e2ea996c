//! The derivative of the loss with respect to every parameter.

use crate::{Config, Params, Real, Tensor};

/// dL/dθ, in the shapes of [`Params`], and which of its arrays have a gradient at all.
///
/// An array that the network does not train ([`Config::trains`]), a head that was not part of the
/// batch, and a frozen head or cell have no gradient: they do not count in the clipped norm, and an
/// optimiser leaves them and their momentum alone.
#[derive(Clone, Debug)]
pub struct Gradients<R> {
    /// The derivatives; arrays without a gradient hold zeros.
    pub values: Params<R>,
    /// By [`Tensor::position`].
    has: Vec<bool>,
}

/// Which arrays a batch trains: what the network says of them, what is frozen, and which heads take
/// part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trained<'a> {
    pub(crate) config: &'a Config,
    /// Whether anything but the heads may be trained.
    pub(crate) cell: bool,
    /// The heads of the batch.
    pub(crate) heads: &'a [usize],
}

impl Trained<'_> {
    /// Whether an array of `params` is trained.
    pub(crate) fn has<R>(&self, tensor: Tensor, params: &Params<R>) -> bool {
        let takes_part = match tensor {
            Tensor::ReadoutWeight(head) | Tensor::ReadoutBias(head) => {
                self.heads.contains(&head) && !params.readouts[head].frozen
            }
            Tensor::Tau | Tensor::WRec | Tensor::BRec | Tensor::WIn | Tensor::BIn => self.cell,
        };
        takes_part && self.config.trains(tensor)
    }
}

impl<R: Real> Gradients<R> {
    /// No gradient at all, in the shapes of `params`.
    #[must_use]
    pub fn zeros(params: &Params<R>) -> Self {
        Self { values: params.zeros_like(), has: vec![false; Tensor::count(params.readouts.len())] }
    }

    /// Whether the array has a gradient.
    #[must_use]
    pub fn has(&self, tensor: Tensor) -> bool {
        self.has[tensor.position()]
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

    /// Starts a new batch that trains these arrays of `params`: everything back to zero.
    pub(crate) fn restart(&mut self, trained: Trained<'_>, params: &Params<R>) {
        for ((tensor, values), has) in self.values.tensors_mut().zip(&mut self.has) {
            values.fill(R::ZERO);
            *has = trained.has(tensor, params);
        }
    }

    /// Sets arrays to zero that have no gradient, whatever was computed for them on the way.
    pub(crate) fn silence(&mut self) {
        for ((_, values), _) in self.values.tensors_mut().zip(&self.has).filter(|(_, has)| !**has) {
            values.fill(R::ZERO);
        }
    }
}
