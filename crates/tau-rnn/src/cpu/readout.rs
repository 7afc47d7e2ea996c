//! Reading the heads of a slice: outputs, scores, and what the errors of the outputs give.

use crate::loss;
use crate::{Batch, Real, Target};

use super::packed::Packed;
use super::product::{Rows, Store, outer, product};
use super::slice::{Keep, Slice};
use super::tile::row_stride;

/// Reads the heads, scores them, and leaves the errors of the outputs in the slice.
#[derive(Debug)]
pub struct Read<'a, 'b, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) batch: &'a Batch<'b, R>,
    /// [`Batch::asked`].
    pub(super) asked: f64,
    pub(super) keep: Keep,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Read<'_, '_, R> {
    #[inline(always)]
    pub(super) fn run<const MR: usize, const L: usize>(self) {
        let Self { packed, batch, asked, keep, slice } = self;
        slice.losses.clear();
        slice.losses.resize(packed.heads.len(), 0.0);
        slice.hits.clear();
        slice.hits.resize(packed.heads.len(), 0);
        let first = first_read(slice.steps, batch.target.every_step());
        let outputs = packed.readout_bias.len();
        let y_stride = row_stride(outputs);
        let y_size = slice.rows * y_stride;
        let (rows, stride, size) = (slice.rows, slice.stride, slice.size());
        let all = slice.y.zeros((slice.steps + 1 - first) * y_size);
        for t in first..=slice.steps {
            let slot = if keep == Keep::History { t } else { t % 2 };
            let h = &slice.h[slot * size..];
            let y = &mut all[(t - first) * y_size..][..y_size];
            let mut outputs = Store { to: &mut *y, stride: y_stride };
            let (weights, terms) = (&packed.readout_forward, packed.hidden);
            product::<R, MR, L>(rows, h, stride, weights, terms, &mut outputs);
            // Rows behind the last trial keep error 0: they must not reach any gradient.
            let (trials, others) = y.split_at_mut(slice.trials.len() * y_stride);
            others.fill(R::ZERO);
            for y in trials.chunks_exact_mut(y_stride) {
                y.iter_mut().zip(&packed.readout_bias).for_each(|(y, &bias)| *y += bias);
            }
            let y = trials;
            let first = slice.trials.start;
            score(packed, batch, asked, t - 1, first, y, &mut slice.losses, &mut slice.hits);
        }
    }
}

/// The first step (from 1) whose outputs count.
fn first_read(steps: usize, every_step: bool) -> usize {
    if every_step { 1 } else { steps }
}

/// Adds up losses of one step; replaces outputs by errors.
#[allow(clippy::too_many_arguments)] // the parts of a slice that it changes
fn score<R: Real>(
    packed: &Packed<R>,
    batch: &Batch<'_, R>,
    asked: f64,
    t: usize,
    first_trial: usize,
    y: &mut [R],
    losses: &mut [f64],
    hits: &mut [u32],
) {
    let y_stride = row_stride(packed.readout_bias.len());
    for (row, y) in y.chunks_exact_mut(y_stride).enumerate() {
        let trial = first_trial + row;
        for (position, range) in packed.heads.iter().enumerate() {
            let y = &mut y[range.clone()];
            let share = 1.0 / batch.target.loss_count(asked, y.len());
            match batch.target {
                Target::Classes { labels, .. } => {
                    let label = usize::from(labels[[trial, position]]);
                    let (loss, hit) = loss::cross_entropy(y, label, R::from_f64(share));
                    losses[position] += loss.to_f64();
                    hits[position] += u32::from(hit);
                }
                Target::Values { values, weights, .. } => {
                    let weight = weights.map_or(1.0, |weights| f64::from(weights[[t, trial]]));
                    if weight == 0.0 {
                        y.fill(R::ZERO);
                        continue;
                    }
                    let wanted = (0..y.len()).map(|o| values[[t, trial, o]]);
                    let square = loss::squared_error(y, wanted, R::from_f64(weight * share));
                    losses[position] += weight * square.to_f64();
                }
            }
        }
    }
}

impl<R: Real> Slice<R> {
    #[inline(always)]
    pub(super) fn readout_gradients<const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        every_step: bool,
    ) {
        let outputs = packed.readout_bias.len();
        let y_stride = row_stride(outputs);
        for y in self.y.chunks_exact(y_stride) {
            self.db_out.iter_mut().zip(y).for_each(|(sum, &y)| *sum += y);
        }
        let first = first_read(self.steps, every_step);
        let count = (self.steps + 1 - first) * self.rows;
        let y = Rows { data: &self.y, stride: y_stride, width: outputs };
        let data = &self.h[first * self.size()..];
        let h = Rows { data, stride: self.stride, width: packed.hidden };
        let (dw_out, scratch) = (&mut self.dw_out, &mut self.scratch);
        outer::<R, MR, L>(count, y, h, dw_out, self.stride, false, scratch);
    }

    /// dL/dh(t) that comes directly from the outputs read at step t.
    #[inline(always)]
    pub(super) fn direct_errors<const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        every_step: bool,
    ) {
        let y_stride = row_stride(packed.readout_bias.len());
        let first = first_read(self.steps, every_step);
        let y = &self.y[(t - first) * self.rows * y_stride..];
        let mut direct = Store { to: &mut self.direct, stride: self.stride };
        let (weights, terms) = (&packed.readout_backward, packed.outputs.len());
        product::<R, MR, L>(self.rows, y, y_stride, weights, terms, &mut direct);
    }
}
