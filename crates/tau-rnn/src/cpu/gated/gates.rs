//! What a gated cell does with a row (all neurons of a trial), whichever cell it is.

use crate::Real;

/// The equations of a cell, a row (all neurons of a trial) at a time.
pub(super) trait Gates<R: Real> {
    /// Gates, as in [`crate::Cell::gates`].
    const GATES: usize;
    /// Numbers that are kept of a neuron and step, gates included.
    const KEPT: usize;
    /// Whether there is a c.
    const MEMORY: bool;
    /// Whether the input of the last gate stands outside of the product.
    const INPUT_APART: bool;

    fn forward(row: RowForward<'_, R>);
    fn backward(row: RowBackward<'_, R>);
}

/// A row on the way forward.
pub(super) struct RowForward<'a, R> {
    /// The gates' arguments, to become what is kept.
    pub(super) gates: &'a mut [R],
    /// h̃(t−1).
    pub(super) before: &'a [R],
    /// h(t), to be written; its length is the number of neurons.
    pub(super) after: &'a mut [R],
    /// c(t−1), or nothing.
    pub(super) memory: &'a [R],
    /// c(t), to be written, or nothing.
    pub(super) memory_after: &'a mut [R],
    /// Weights of the inputs and of the one, as far as they stand apart.
    pub(super) input: &'a [R],
}

/// A row on the way back.
pub(super) struct RowBackward<'a, R> {
    /// The kept numbers, to become the errors of the gates' arguments; behind them stands the error of
    /// the input that stands apart.
    pub(super) gates: &'a mut [R],
    /// dL/dh(t) but for the carry; its length is the number of neurons.
    pub(super) delta: &'a [R],
    /// h(t−1).
    pub(super) before: &'a [R],
    /// c(t−1), or nothing.
    pub(super) memory: &'a [R],
    /// The error that comes from step t + 1 without a product, to become the one that goes to t − 1.
    pub(super) carry: &'a mut [R],
}

/// An error so small that it means nothing becomes zero: see [`Real::UNDERFLOW`].
#[inline(always)]
pub(super) fn flush<R: Real>(error: R) -> R {
    if error.abs() < R::UNDERFLOW { R::ZERO } else { error }
}

// One pass for each operation: loops over few slices are what the compiler puts into vectors.

/// `numbers = σ(numbers)`.
#[inline(always)]
pub(super) fn sigmoid<R: Real>(numbers: &mut [R]) {
    numbers.iter_mut().for_each(|u| *u = u.sigmoid());
}

/// `numbers = tanh(numbers)`.
#[inline(always)]
pub(super) fn tanh<R: Real>(numbers: &mut [R]) {
    numbers.iter_mut().for_each(|u| *u = u.tanh());
}
