//! Some trials of a batch, on their way through all steps: the unit of work of one thread.
//!
//! A slice never waits for another one. It keeps h(0) … h(T), and on the way back collects e(t)
//! over a few steps before it adds their part of dM as one long product.

use std::marker::PhantomData;
use std::ops::Range;

use ndarray::{ArrayView2, ArrayView3, s};

use crate::{Batch, Cell, Config, Initial, Placement, Real};

use super::buffer::Buffer;
use super::gated;
use super::isa::{MAX_PANEL, ROW_BLOCK};
use super::leaky::{Leak, Phi, StepBack, StepForward, extra_columns, with_phi};
use super::product::{OuterScratch, Panels, Rows, outer, product, row_stride};

/// Steps whose e(t) are collected before their part of dM is added.
pub(super) const CHUNK_STEPS: usize = 8;

/// The parameters in the form in which a batch uses them, shared by all slices.
#[derive(Debug)]
pub(super) struct Packed<R> {
    pub(super) hidden: usize,
    pub(super) channels: usize,
    pub(super) cell: Cell,
    pub(super) leak: Leak<R>,
    /// M on the way forward: element (from, to), with the columns for input and bias.
    pub(super) forward: Panels<R>,
    /// Mᵀ on the way back: element (to, from), from neurons only.
    pub(super) backward: Panels<R>,
    /// Weights of the inputs and of the one, as far as a gated cell has them outside of M: (input
    /// or one, neuron).
    pub(super) input: Vec<R>,
    /// Outputs of the active heads side by side: element (neuron, output).
    pub(super) readout_forward: Panels<R>,
    /// Element (output, neuron).
    pub(super) readout_backward: Panels<R>,
    /// The (head, output of the head) of each of them.
    pub(super) outputs: Vec<(usize, usize)>,
    pub(super) readout_bias: Vec<R>,
    /// The outputs of each active head.
    pub(super) heads: Vec<Range<usize>>,
}

impl<R: Real> Packed<R> {
    /// Columns of h̃: neurons, inputs, one.
    pub(super) fn columns(&self) -> usize {
        self.hidden + extra_columns(self.channels)
    }

    /// Distance between rows of activity.
    pub(super) fn stride(&self) -> usize {
        row_stride(self.columns())
    }
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
#[derive(Debug, Default)]
pub(super) struct Slice<R> {
    /// Trials of the batch.
    pub(super) trials: Range<usize>,
    /// Trials rounded up; the rows behind them are ignored.
    pub(super) rows: usize,
    pub(super) stride: usize,
    pub(super) steps: usize,
    /// h̃: slot t for h(t) and the input of step t + 1, or slots t mod 2 if only the last is kept.
    pub(super) h: Buffer<R>,
    /// f(t) in slot t − 1, for the placements that need it.
    f: Buffer<R>,
    /// Outputs, then their errors, of the steps that are read (step, row, output), rows
    /// `row_stride` of the outputs apart.
    pub(super) y: Buffer<R>,
    pub(super) carry: Buffer<R>,
    pub(super) direct: Buffer<R>,
    /// e of the current chunk, first step first; δ of the current step of a gated cell.
    pub(super) errors: Buffer<R>,
    pub(super) gated: gated::Work<R>,
    pub(super) scratch: OuterScratch<R>,
    /// dMᵀ (column of h̃, neuron), rows `stride` apart.
    pub(super) dm: Buffer<R>,
    pub(super) tau_sums: Buffer<R>,
    /// dW of the readouts (output, neuron), rows `stride` apart.
    pub(super) dw_out: Buffer<R>,
    pub(super) db_out: Buffer<R>,
    /// Summed loss of each active head.
    pub(super) losses: Vec<f64>,
    /// Trials in which each active head was right.
    pub(super) hits: Vec<u32>,
}

/// Numbers that a slice holds for an update.
pub(super) fn numbers(
    config: &Config,
    steps: usize,
    trials: usize,
    outputs: usize,
    every_step: bool,
) -> usize {
    let columns = config.hidden_size + extra_columns(config.input_size);
    let (rows, stride) = (trials.next_multiple_of(ROW_BLOCK), row_stride(columns));
    // Every state; the errors of a chunk, those from readouts.
    let whole = config.leaky_cell().is_some_and(|leaky| leaky.placement == Placement::Whole);
    let states = if whole { steps + 1 } else { 2 * steps + 2 };
    let activity = (states + CHUNK_STEPS + 1) * rows * stride;
    let blocks = columns.next_multiple_of(ROW_BLOCK);
    let read = readout_numbers(steps, rows, stride, blocks, outputs, every_step);
    activity + blocks * stride + read
}

/// Those of them that outputs need, and the scratch of all gradients: that of the cell has `blocks`
/// rows.
pub(super) fn readout_numbers(
    steps: usize,
    rows: usize,
    stride: usize,
    blocks: usize,
    outputs: usize,
    every_step: bool,
) -> usize {
    let output_blocks = outputs.next_multiple_of(ROW_BLOCK);
    let read = if every_step { steps } else { 1 };
    let y = read * rows * row_stride(outputs);
    // Of the two outer products, that of the cell over a chunk and that of the heads over all.
    let chunk = CHUNK_STEPS.min(steps) * rows;
    let scratch =
        (chunk * blocks).max(read * rows * output_blocks) + chunk.max(read * rows) * MAX_PANEL;
    output_blocks * stride + y + scratch
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
        self.stride = packed.stride();
        let (size, stride) = (self.size(), self.stride);
        let history = keep == Keep::History;
        let h = self.h.room(if history { steps + 1 } else { 2 } * size);
        if !packed.leak.whole {
            self.f.room(if history { steps } else { 1 } * size);
        }
        h[..size].fill(R::ZERO);
        for (row, trial) in self.trials.clone().enumerate() {
            initial.fill(trial, &mut h[row * stride..][..packed.hidden]);
        }
        if packed.cell.leaky().is_none() {
            self.start_gates(packed, keep, initial);
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
}

/// Runs a slice through all steps.
#[derive(Debug)]
pub struct Forward<'a, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) inputs: ArrayView3<'a, f32>,
    pub(super) keep: Keep,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Forward<'_, R> {
    #[inline(always)]
    pub(super) fn run<const MR: usize, const L: usize>(self) {
        with_phi!(self.packed.leak.activation, P => self.with::<P, MR, L>());
    }

    #[inline(always)]
    fn with<P: Phi<R>, const MR: usize, const L: usize>(self) {
        let Self { packed, inputs, keep, slice } = self;
        let (size, rows, stride) = (slice.size(), slice.rows, slice.stride);
        let (h, f) = (&mut *slice.h, &mut *slice.f);
        for t in 1..=slice.steps {
            let (before, after, f_slot) = match keep {
                Keep::History => {
                    let (past, next) = h.split_at_mut(t * size);
                    (&mut past[(t - 1) * size..], &mut next[..size], t - 1)
                }
                Keep::Last => {
                    let (even, odd) = h.split_at_mut(size);
                    if t % 2 == 1 { (even, odd, 0) } else { (odd, even, 0) }
                }
            };
            let x = inputs.slice(s![t - 1, slice.trials.clone(), ..]);
            write_extra_columns(before, stride, packed, x);
            let f = if packed.leak.whole { &mut [][..] } else { &mut f[f_slot * size..] };
            let before = &*before;
            let (leak, phi) = (&packed.leak, PhantomData::<P>);
            let mut step = StepForward { leak, phi, stride, before, after, f };
            let terms = packed.columns();
            product::<R, MR, L>(rows, before, stride, &packed.forward, terms, &mut step);
        }
    }
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

/// Back-propagation through time of a slice that was read and has its whole history.
#[derive(Debug)]
pub struct Backward<'a, 'b, R> {
    pub(super) packed: &'a Packed<R>,
    pub(super) batch: &'a Batch<'b, R>,
    /// Whether anything but the heads is trained.
    pub(super) cell: bool,
    pub(super) slice: &'a mut Slice<R>,
}

impl<R: Real> Backward<'_, '_, R> {
    #[inline(always)]
    pub(super) fn run<const MR: usize, const L: usize>(self) {
        with_phi!(self.packed.leak.activation, P => self.with::<P, MR, L>());
    }

    #[inline(always)]
    fn with<P: Phi<R>, const MR: usize, const L: usize>(self) {
        let Self { packed, batch, cell, slice } = self;
        let every_step = batch.target.every_step();
        slice.restart_gradients(packed);
        slice.readout_gradients::<MR, L>(packed, every_step);
        if !cell {
            return;
        }
        let (size, stride) = (slice.size(), slice.stride);
        let mut newest = slice.steps;
        let mut add = false;
        for t in (1..=slice.steps).rev() {
            let direct = every_step || t == slice.steps;
            if direct {
                slice.direct_errors::<MR, L>(packed, t, every_step);
            }
            slice.step_back::<P, MR, L>(packed, t, newest, direct);
            if t > 1 && newest - t < CHUNK_STEPS - 1 {
                continue;
            }
            let errors = Rows {
                data: &slice.errors[error_slot(t, newest) * size..],
                stride,
                width: packed.hidden,
            };
            let data = &slice.h[(t - 1) * size..];
            let h = Rows { data, stride, width: packed.columns() };
            let count = (newest + 1 - t) * slice.rows;
            let scratch = &mut slice.scratch;
            outer::<R, MR, L>(count, h, errors, &mut slice.dm, stride, add, scratch);
            add = true;
            newest = t - 1;
            // An error of exactly zero stays zero, unless an earlier step is read as well. Not
            // `> 0`: a NaN must not end the way back in silence.
            let left = slice.errors[..size].iter().chain(&*slice.carry).any(|&e| e != R::ZERO);
            if !left && !every_step {
                break;
            }
        }
    }
}

/// Where e(t) stands among the collected steps, of which `newest` is the latest: they fill the
/// room from its end, so that the last step of a full chunk is in slot 0 while the next chunk
/// starts at the other end.
fn error_slot(t: usize, newest: usize) -> usize {
    CHUNK_STEPS - 1 - (newest - t)
}

impl<R: Real> Slice<R> {
    fn restart_gradients(&mut self, packed: &Packed<R>) {
        let (size, stride) = (self.size(), self.stride);
        self.restart_readout_gradients(packed);
        self.errors.room(CHUNK_STEPS * size);
        if !packed.leak.whole {
            self.carry.zeros(size);
            self.tau_sums.zeros(stride);
        }
        self.dm.room(packed.columns().next_multiple_of(ROW_BLOCK) * stride);
    }

    pub(super) fn restart_readout_gradients(&mut self, packed: &Packed<R>) {
        let outputs = packed.readout_bias.len();
        let (size, stride) = (self.size(), self.stride);
        self.direct.room(size);
        self.dw_out.room(outputs.next_multiple_of(ROW_BLOCK) * stride);
        self.db_out.zeros(outputs);
    }

    /// From e(t+1) to e(t).
    #[inline(always)]
    fn step_back<P: Phi<R>, const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        newest: usize,
        direct: bool,
    ) {
        let (size, rows, stride) = (self.size(), self.rows, self.stride);
        let before = &self.h[(t - 1) * size..];
        let value = if packed.leak.whole { &self.h[t * size..] } else { &self.f[(t - 1) * size..] };
        let slot = error_slot(t, newest);
        let (later, error) = if t < newest {
            let (now, later) = self.errors.split_at_mut((slot + 1) * size);
            (&*later, &mut now[slot * size..])
        } else {
            let (later, now) = self.errors.split_at_mut(slot * size);
            (&*later, now)
        };
        let (carry, tau_sums) = (&mut *self.carry, &mut *self.tau_sums);
        let direct = direct.then_some(&*self.direct);
        let (leak, phi) = (&packed.leak, PhantomData::<P>);
        let mut step =
            StepBack { leak, phi, stride, direct, value, error, before, carry, tau_sums };
        // Nothing comes from behind the last step: a product without terms.
        let terms = if t == self.steps { 0 } else { packed.hidden };
        product::<R, MR, L>(rows, later, stride, &packed.backward, terms, &mut step);
    }
}

#[cfg(test)]
impl<R: Real> Slice<R> {
    /// Bytes of all buffers that grow with the batch.
    pub(super) fn bytes(&self) -> usize {
        let buffers = [
            &self.h,
            &self.f,
            &self.y,
            &self.carry,
            &self.direct,
            &self.errors,
            &self.dm,
            &self.dw_out,
        ];
        let numbers: usize = buffers.iter().map(|buffer| buffer.held()).sum();
        (numbers + self.gated.held() + self.scratch.numbers()) * size_of::<R>()
    }
}
