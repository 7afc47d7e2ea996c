//! Some trials of a batch, on their way through all steps: the unit of work of one thread.
//!
//! A slice never waits for another one. It keeps h(0) … h(T), and on the way back collects g(t)
//! over a few steps before it adds their part of dW as one long product.

use std::ops::Range;

use ndarray::ArrayView3;

use crate::batch::Initial;
use crate::{Batch, Real};

use super::isa::{Job, ROW_BLOCK};
use super::leaky::{self, Constants, Panel, StepBack, Sums};
use super::product::{OuterScratch, Panels, Rows, SLICE_ROWS, add_outer, product, row_stride};

/// Steps whose g(t) are collected before their part of dW is added.
const CHUNK_STEPS: usize = 8;

/// The parameters in the form in which a batch uses them, shared by all slices.
#[derive(Clone, Debug)]
pub(super) struct Packed<R> {
    pub(super) hidden: usize,
    pub(super) cell: Constants<R>,
    /// h · Wᵀ on the way forward: element (from, to).
    pub(super) w_forward: Panels<R>,
    /// g · W on the way back: element (to, from).
    pub(super) w_backward: Panels<R>,
    /// Outputs of the active heads side by side: element (neuron, output).
    pub(super) readout_forward: Panels<R>,
    /// Element (output, neuron).
    pub(super) readout_backward: Panels<R>,
    pub(super) readout_bias: Vec<R>,
    /// The outputs of each active head.
    pub(super) heads: Vec<Range<usize>>,
}

/// What is remembered of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// All of them.
    History,
    /// The last one.
    Last,
}

/// Work space of one slice; everything in it is reused from batch to batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice<R> {
    /// Trials of the batch.
    pub(super) trials: Range<usize>,
    /// Trials rounded up; the rows behind them hold zeros or are ignored.
    pub(super) rows: usize,
    pub(super) stride: usize,
    pub(super) steps: usize,
    /// h: slot t for h(t), or slots t mod 2 if only the last is kept.
    pub(super) h: Vec<R>,
    /// f(t) in slot t − 1, for the placements that need it.
    f: Vec<R>,
    /// Input of one step (row, channel).
    x: Vec<R>,
    /// Outputs, then their errors, of the steps that are read (step, row, output).
    pub(super) y: Vec<R>,
    carry: Vec<R>,
    pub(super) direct: Vec<R>,
    /// g of the current chunk, first step first.
    g: Vec<R>,
    pub(super) scratch: OuterScratch<R>,
    /// dW, rows `row_stride` apart.
    pub(super) dw: Vec<R>,
    pub(super) sums: Sums<R>,
    /// dW of the readouts (output, neuron).
    pub(super) dw_out: Vec<R>,
    pub(super) db_out: Vec<R>,
    /// Summed loss of each active head.
    pub(super) losses: Vec<f64>,
    /// Trials in which each active head was right.
    pub(super) hits: Vec<u32>,
}

pub(super) fn zeros<R: Real>(buffer: &mut Vec<R>, len: usize) {
    buffer.clear();
    buffer.resize(len, R::ZERO);
}

/// Room for `len` values that will all be written before they are read.
fn room<R: Real>(buffer: &mut Vec<R>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, R::ZERO);
    }
}

impl<R: Real> Slice<R> {
    /// Takes over some trials of a batch of `steps` steps and sets h(0).
    pub(super) fn start(
        &mut self,
        packed: &Packed<R>,
        trials: Range<usize>,
        steps: usize,
        keep: Keep,
        initial: &Initial<'_, R>,
    ) {
        self.rows = trials.len().next_multiple_of(ROW_BLOCK);
        self.trials = trials;
        self.steps = steps;
        self.stride = row_stride(packed.hidden);
        let slots = if keep == Keep::History { steps + 1 } else { 2 };
        let size = self.size();
        room(&mut self.h, slots * size);
        if !packed.cell.whole {
            let slots = if keep == Keep::History { steps } else { 1 };
            room(&mut self.f, slots * size);
        }
        zeros(&mut self.x, self.rows * packed.cell.channels());
        self.h[..size].fill(R::ZERO);
        for (row, trial) in self.trials.clone().enumerate() {
            initial.fill(trial, &mut self.h[row * self.stride..][..packed.hidden]);
        }
    }

    /// Numbers in one state of all rows.
    pub(super) fn size(&self) -> usize {
        self.rows * self.stride
    }

    /// The state after `t` steps of a slice that keeps the history: rows `stride` apart.
    pub(super) fn state(&self, t: usize) -> (&[R], usize) {
        (&self.h[t * self.size()..][..self.size()], self.stride)
    }

    fn load_input(&mut self, inputs: &ArrayView3<'_, f32>, t: usize) {
        let channels = inputs.shape()[2];
        for (row, trial) in self.trials.clone().enumerate() {
            for c in 0..channels {
                self.x[row * channels + c] = R::from_f32(inputs[[t, trial, c]]);
            }
        }
    }
}

/// Runs a slice through all steps.
pub(super) struct Forward<'a, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) inputs: ArrayView3<'a, f32>,
    pub(super) keep: Keep,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Job<R> for Forward<'_, R> {
    #[inline(always)]
    fn run<const MR: usize, const NR: usize>(self) {
        let Self { packed, inputs, keep, slice } = self;
        let size = slice.size();
        for t in 1..=slice.steps {
            slice.load_input(&inputs, t - 1);
            let (before, after, f_slot) = match keep {
                Keep::History => {
                    let (past, next) = slice.h.split_at_mut(t * size);
                    (&past[(t - 1) * size..], next, t - 1)
                }
                Keep::Last => {
                    let (even, odd) = slice.h.split_at_mut(size);
                    if t % 2 == 1 { (&*even, odd, 0) } else { (&*odd, even, 0) }
                }
            };
            let f = if packed.cell.whole { &mut [][..] } else { &mut slice.f[f_slot * size..] };
            let (rows, stride, x) = (slice.rows, slice.stride, &slice.x);
            for (first, w) in packed.w_forward.iter::<NR>() {
                let block = product::<R, MR, NR>(rows, before, stride, w);
                let panel = Panel { rows, stride, first };
                leaky::forward(&packed.cell, panel, &block, x, before, after, f);
            }
        }
    }
}

/// Back-propagation through time of a slice that was read and has its whole history.
pub(super) struct Backward<'a, 'b, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) batch: &'a Batch<'b, R>,
    /// Whether anything but the heads is trained.
    pub(super) cell: bool,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Job<R> for Backward<'_, '_, R> {
    #[inline(always)]
    fn run<const MR: usize, const NR: usize>(self) {
        let Self { packed, batch, cell, slice } = self;
        let every_step = batch.target.every_step();
        slice.restart_gradients(packed);
        slice.readout_gradients::<MR, NR>(packed, every_step);
        if !cell {
            return;
        }
        let size = slice.size();
        let mut newest = slice.steps;
        for t in (1..=slice.steps).rev() {
            let direct = every_step || t == slice.steps;
            if direct {
                slice.direct_errors::<MR, NR>(packed, t, every_step);
            }
            slice.load_input(&batch.inputs, t - 1);
            let left = slice.step_back::<MR, NR>(packed, t, newest, direct);
            // An error of exactly zero stays zero, unless an earlier step is read as well.
            let done = !left && !every_step;
            if done || t == 1 || newest - t == CHUNK_STEPS - 1 {
                let g = Rows {
                    data: &slice.g[g_slot(t, newest) * size..],
                    stride: slice.stride,
                    width: packed.hidden,
                };
                let h = Rows { data: &slice.h[(t - 1) * size..], ..g };
                let count = (newest + 1 - t) * slice.rows;
                let (dw, scratch) = (&mut slice.dw, &mut slice.scratch);
                add_outer::<R, MR, NR>(count, g, h, dw, slice.stride, scratch);
                newest = t - 1;
            }
            if done {
                break;
            }
        }
    }
}

/// Where g(t) stands among the collected steps, of which `newest` is the latest: they fill the
/// room from its end, so that the last step of a full chunk is in slot 0 while the next chunk
/// starts at the other end.
fn g_slot(t: usize, newest: usize) -> usize {
    CHUNK_STEPS - 1 - (newest - t)
}

impl<R: Real> Slice<R> {
    fn restart_gradients(&mut self, packed: &Packed<R>) {
        let outputs = packed.readout_bias.len();
        let size = self.size();
        room(&mut self.direct, size);
        room(&mut self.g, CHUNK_STEPS * size);
        zeros(&mut self.carry, size);
        zeros(&mut self.dw, packed.hidden.next_multiple_of(ROW_BLOCK) * self.stride);
        zeros(&mut self.dw_out, outputs.next_multiple_of(ROW_BLOCK) * self.stride);
        zeros(&mut self.db_out, outputs);
        self.sums.restart(self.stride, packed.cell.channels());
    }

    /// From g(t+1) to g(t); says whether any error is left.
    #[inline(always)]
    fn step_back<const MR: usize, const NR: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        newest: usize,
        direct: bool,
    ) -> bool {
        let size = self.size();
        let (rows, stride) = (self.rows, self.stride);
        let value = if packed.cell.whole { &self.h[t * size..] } else { &self.f[(t - 1) * size..] };
        let direct = direct.then_some(&self.direct[..]);
        let step = StepBack { x: &self.x, before: &self.h[(t - 1) * size..], value, direct };
        let (carry, sums) = (&mut self.carry, &mut self.sums);
        let slot = g_slot(t, newest);
        let (g_later, g) = if t < newest {
            let (now, later) = self.g.split_at_mut((slot + 1) * size);
            (&*later, &mut now[slot * size..])
        } else {
            let (later, now) = self.g.split_at_mut(slot * size);
            (&*later, now)
        };
        let mut left = false;
        for (first, w) in packed.w_backward.iter::<NR>() {
            // Nothing comes from behind the last step.
            let block = if t == self.steps {
                [[R::ZERO; NR]; SLICE_ROWS]
            } else {
                product::<R, MR, NR>(rows, g_later, stride, w)
            };
            let panel = Panel { rows, stride, first };
            left |= leaky::backward(&packed.cell, panel, &block, &step, carry, g, sums);
        }
        left
    }
}
