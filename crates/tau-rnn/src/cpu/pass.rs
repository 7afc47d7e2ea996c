//! What the passes of all cells take.

use ndarray::{ArrayView2, ArrayView3};

use crate::{Batch, Real};

use super::packed::Packed;
use super::slice::{Keep, Slice};

/// Steps whose errors are collected before their part of the matrix's gradient is added.
pub(super) const CHUNK_STEPS: usize = 8;

/// Runs a slice through all steps.
#[derive(Debug)]
pub(super) struct Forward<'a, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) inputs: ArrayView3<'a, f32>,
    pub(super) keep: Keep,
    pub(super) slice: &'a mut Slice<R>,
}

/// Back-propagation through time of a slice that was read and has its whole history.
#[derive(Debug)]
pub(super) struct Backward<'a, 'b, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) batch: &'a Batch<'b, R>,
    /// Whether anything but the heads is trained.
    pub(super) cell: bool,
    pub(super) slice: &'a mut Slice<R>,
}

/// Puts the inputs and the ones into rows of activity; zeros into those behind the last trial.
pub(super) fn write_extra_columns<R: Real>(
    rows: &mut [R],
    stride: usize,
    packed: &Packed<R>,
    inputs: ArrayView2<'_, f32>,
) {
    let (trials, channels) = inputs.dim();
    for c in 0..channels {
        let column = rows[packed.hidden + c..].iter_mut().step_by(stride);
        column.zip(inputs.column(c)).for_each(|(slot, &x)| *slot = R::from_f32(x));
    }
    let ones = rows[packed.hidden + channels..].iter_mut().step_by(stride);
    ones.for_each(|slot| *slot = R::ONE);
    for row in rows.chunks_exact_mut(stride).skip(trials) {
        row[packed.hidden..packed.columns()].fill(R::ZERO);
    }
}
