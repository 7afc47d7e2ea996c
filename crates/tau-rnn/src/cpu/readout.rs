//! Reading the heads of a slice: outputs, scores, and what the errors of the outputs give.

use crate::batch::Target;
use crate::loss;
use crate::{Batch, Real};

use super::isa::Job;
use super::product::{Rows, SLICE_ROWS, add_outer, product};
use super::slice::{Keep, Packed, Slice, zeros};

/// Reads the heads, scores them, and leaves the errors of the outputs in the slice.
pub(super) struct Read<'a, 'b, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) batch: &'a Batch<'b, R>,
    pub(super) keep: Keep,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Job<R> for Read<'_, '_, R> {
    #[inline(always)]
    fn run<const MR: usize, const NR: usize>(self) {
        let Self { packed, batch, keep, slice } = self;
        slice.losses.clear();
        slice.losses.resize(packed.heads.len(), 0.0);
        slice.hits.clear();
        slice.hits.resize(packed.heads.len(), 0);
        let first = first_read(slice.steps, batch.target.every_step());
        let outputs = packed.readout_bias.len();
        let y_size = slice.rows * outputs;
        zeros(&mut slice.y, (slice.steps + 1 - first) * y_size);
        for t in first..=slice.steps {
            let slot = if keep == Keep::History { t } else { t % 2 };
            let h = &slice.h[slot * slice.size()..];
            let y = &mut slice.y[(t - first) * y_size..][..y_size];
            // Rows behind the last trial keep error 0: they must not reach any gradient.
            let trials = slice.trials.len();
            for (j, w) in packed.readout_forward.iter::<NR>() {
                let block = product::<R, MR, NR>(slice.rows, h, slice.stride, w);
                let bias = &packed.readout_bias[j..outputs.min(j + NR)];
                for (y, block) in y.chunks_exact_mut(outputs).zip(&block).take(trials) {
                    for (k, &bias) in bias.iter().enumerate() {
                        y[j + k] = block[k] + bias;
                    }
                }
            }
            score(packed, batch, t - 1, slice.trials.start, y, &mut slice.losses, &mut slice.hits);
        }
    }
}

/// The first step (from 1) whose outputs count.
fn first_read(steps: usize, every_step: bool) -> usize {
    if every_step { 1 } else { steps }
}

/// Adds up losses of one step; replaces outputs by errors.
fn score<R: Real>(
    packed: &Packed<R>,
    batch: &Batch<'_, R>,
    t: usize,
    first_trial: usize,
    y: &mut [R],
    losses: &mut [f64],
    hits: &mut [u32],
) {
    let outputs = packed.readout_bias.len();
    let trials = batch.trials();
    let rows = (trials - first_trial).min(SLICE_ROWS).min(y.len() / outputs.max(1));
    for (row, y) in y.chunks_exact_mut(outputs).take(rows).enumerate() {
        let trial = first_trial + row;
        for (position, range) in packed.heads.iter().enumerate() {
            let y = &mut y[range.clone()];
            match batch.target {
                Target::Labels { labels, .. } => {
                    let weight = R::from_f64(1.0 / trials as f64);
                    let label = usize::from(labels[[trial, position]]);
                    let (loss, hit) = loss::cross_entropy(y, label, weight);
                    losses[position] += loss.to_f64();
                    hits[position] += u32::from(hit);
                }
                Target::Series { targets, .. } => {
                    let count = trials * batch.steps() * y.len();
                    let weight = R::from_f64(1.0 / count as f64);
                    let wanted = (0..y.len()).map(|o| targets[[t, trial, o]]);
                    losses[position] += loss::squared_error(y, wanted, weight).to_f64();
                }
            }
        }
    }
}

impl<R: Real> Slice<R> {
    #[inline(always)]
    pub(super) fn readout_gradients<const MR: usize, const NR: usize>(
        &mut self,
        packed: &Packed<R>,
        every_step: bool,
    ) {
        let outputs = packed.readout_bias.len();
        for y in self.y.chunks_exact(outputs) {
            for (sum, &y) in self.db_out.iter_mut().zip(y) {
                *sum += y;
            }
        }
        let first = first_read(self.steps, every_step);
        let count = (self.steps + 1 - first) * self.rows;
        let y = Rows { data: &self.y, stride: outputs, width: outputs };
        let h = Rows {
            data: &self.h[first * self.size()..],
            stride: self.stride,
            width: packed.hidden,
        };
        let (dw_out, scratch) = (&mut self.dw_out, &mut self.scratch);
        add_outer::<R, MR, NR>(count, y, h, dw_out, self.stride, scratch);
    }

    /// dL/dh(t) that comes directly from the outputs read at step t.
    #[inline(always)]
    pub(super) fn direct_errors<const MR: usize, const NR: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        every_step: bool,
    ) {
        let outputs = packed.readout_bias.len();
        let first = first_read(self.steps, every_step);
        let y = &self.y[(t - first) * self.rows * outputs..];
        let (rows, stride, direct) = (self.rows, self.stride, &mut self.direct);
        for (j, w) in packed.readout_backward.iter::<NR>() {
            let block = product::<R, MR, NR>(rows, y, outputs, w);
            for (direct, block) in direct.chunks_exact_mut(stride).zip(&block).take(rows) {
                direct[j..j + NR].copy_from_slice(block);
            }
        }
    }
}
