//! The memory of an optimiser.

use crate::{Error, Params, Real, Tensor};

/// The memory of an optimiser: one slot for each array of [`Params::tensors`], in
/// that order. Arrays at the end that were never trained may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Momentum<R> {
    /// One slot for each array.
    pub slots: Vec<Slot<R>>,
}

/// The memory of an optimiser for one array.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<R> {
    /// Momentum, or Adam's mean gradient; as long as the array.
    pub mean: Vec<R>,
    /// Adam's mean squared gradient; empty for SGD.
    pub square: Vec<R>,
    /// Updates that this array took part in: a head that is added later starts at 0.
    pub steps: u64,
}

impl<R> Default for Momentum<R> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<R: Real> Momentum<R> {
    /// Checks that the slots fit the arrays of `params`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check(&self, params: &Params<R>) -> Result<(), Error> {
        let arrays = Tensor::count(params.readouts.len());
        // The arrays of the cell, then both of each head.
        let mut whole = (0..=params.readouts.len()).map(Tensor::count);
        if !self.slots.is_empty() && !whole.any(|count| count == self.slots.len()) {
            return Err(Error::shape("momentum", &[self.slots.len()], &[arrays]));
        }
        for (slot, (tensor, values)) in self.slots.iter().zip(params.tensors()) {
            let expected = values.len();
            let square = if slot.square.is_empty() { expected } else { slot.square.len() };
            if slot.mean.len() != expected || square != expected {
                let found = [slot.mean.len(), slot.square.len()];
                return Err(Error::shape(format!("momentum of {tensor}"), &found, &[expected]));
            }
        }
        Ok(())
    }

    /// Makes room for arrays (new heads) that have none yet. What another rule remembered means
    /// nothing to this one: it begins anew.
    pub(crate) fn fit(&mut self, params: &Params<R>, needs_square: bool) {
        // An array without numbers (τ of a gated cell) tells nothing about the rule.
        let other_rule =
            |slot: &Slot<R>| !slot.mean.is_empty() && slot.square.is_empty() == needs_square;
        if self.slots.iter().any(other_rule) {
            self.slots.clear();
        }
        for (_, values) in params.tensors().skip(self.slots.len()) {
            let square = if needs_square { values.len() } else { 0 };
            let mean = vec![R::ZERO; values.len()];
            self.slots.push(Slot { mean, square: vec![R::ZERO; square], steps: 0 });
        }
    }

    /// Forgets the arrays of one head.
    pub(crate) fn drop_head(&mut self, head: usize) {
        let (first, behind) = (Tensor::count(head), Tensor::count(head + 1));
        if first < self.slots.len() {
            self.slots.drain(first..behind);
        }
    }
}
