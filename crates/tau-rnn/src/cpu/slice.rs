//! Some trials of a batch, on their way through all steps: the unit of work of one thread.
//!
//! A slice never waits for another one. It keeps h(0) … h(T), and on the way back collects errors
//! over a few steps before it adds their part of the gradient as one long product.

use std::ops::Range;

use crate::{Initial, Real};

use super::buffer::Buffer;
use super::gated::kind::Kind;
use super::packed::{Packed, PackedCell};
use super::product::OuterScratch;
use super::tile::{ROW_BLOCK, row_stride};

/// Which states are remembered.
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
    pub(super) f: Buffer<R>,
    /// Outputs, then their errors, of the steps that are read (step, row, output), rows
    /// `row_stride` of the outputs apart.
    pub(super) y: Buffer<R>,
    pub(super) carry: Buffer<R>,
    pub(super) direct: Buffer<R>,
    /// e of the current chunk, first step first; δ of the current step of a gated cell.
    pub(super) errors: Buffer<R>,
    pub(super) gated: GatedWork<R>,
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
        h[..size].fill(R::ZERO);
        for (row, trial) in self.trials.clone().enumerate() {
            initial.fill(trial, &mut h[row * stride..][..packed.hidden]);
        }
        match &packed.cell {
            PackedCell::Leaky(leak) if leak.whole => {}
            PackedCell::Leaky(_) => {
                self.f.room(if history { steps } else { 1 } * size);
            }
            PackedCell::Gated(kind) => self.start_gates(*kind, packed.hidden, keep, initial),
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

    /// Makes room for the history of gates, sets c(0).
    fn start_gates(&mut self, kind: Kind, hidden: usize, keep: Keep, initial: &Initial<'_, R>) {
        let (size, stride, history) = (self.size(), self.stride, keep == Keep::History);
        let work = &mut self.gated;
        work.stride = row_stride(kind.kept() * hidden);
        work.gates.room(if history { self.steps } else { 1 } * self.rows * work.stride);
        if !kind.has_memory() {
            return;
        }
        let c = work.memory.room(if history { self.steps + 1 } else { 2 } * size);
        c[..size].fill(R::ZERO);
        if let Initial::Given(states) = initial {
            for (row, trial) in self.trials.clone().enumerate() {
                let given = states.row(trial);
                let given = given.iter().skip(hidden);
                c[row * stride..].iter_mut().zip(given).for_each(|(c, &given)| *c = given);
            }
        }
    }

    /// c after `t` steps of a slice that keeps the history: rows `stride` apart; `None` for a cell
    /// without.
    pub(super) fn memory(&self, t: usize) -> Option<&[R]> {
        self.gated.memory.get(t * self.size()..(t + 1) * self.size())
    }

    pub(super) fn restart_readout_gradients(&mut self, packed: &Packed<R>) {
        let outputs = packed.readout_bias.len();
        let (size, stride) = (self.size(), self.stride);
        self.direct.room(size);
        self.dw_out.room(outputs.next_multiple_of(ROW_BLOCK) * stride);
        self.db_out.zeros(outputs);
    }
}

/// Work space that only gated cells have.
#[derive(Debug, Default)]
pub(super) struct GatedWork<R> {
    /// Distance between rows of gates, and of dW̃ᵀ.
    pub(super) stride: usize,
    /// Gates of step t in slot t − 1, or those of the current step.
    pub(super) gates: Buffer<R>,
    /// c, in slots like h in [`Slice::h`]; empty for a cell without.
    pub(super) memory: Buffer<R>,
    /// Gradient of the input that stands apart: (input or one, neuron), rows [`Slice::stride`] apart.
    pub(super) input: Buffer<R>,
}

#[cfg(test)]
impl<R: Real> GatedWork<R> {
    pub(super) fn held(&self) -> usize {
        self.gates.held() + self.memory.held() + self.input.held()
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
