//! Cells with gates: a slice's way forward and back. `lstm.rs` and `gru.rs` have what a row does.
//!
//! As for the leaky cell, rows of activity are h̃ = (h, x, 1), so that a step forward is one product
//! with W̃ = (W, w_in, b_rec + b_in), here of all gates side by side: number g·H + j of a row of gates
//! is gate g of neuron j. What the cell makes of a row of the product replaces it, and what it keeps
//! for the way back stands behind the gates. On the way back the errors of the gates' arguments
//! replace both: they are already in the order in which the next product, and that of dW̃ over a
//! chunk of steps, read them. So the history is the only memory that grows with the steps.
//!
//! The argument of a GRU's n is not one product: r multiplies W_n h + b_n and not w_n x + b′_n. The
//! columns of W̃ for the input are 0 there; the few terms of the input are added row by row, and
//! their gradient is a small product of its own.

mod gru;
mod lstm;
mod pack;
mod state;

use ndarray::s;

use crate::{Cell, Config, Real};

use super::buffer::Buffer;
use super::isa::ROW_BLOCK;
use super::leaky::extra_columns;
use super::product::{Rows, Store, both, load, outer, product, row_stride, store};
use super::slice::{
    Backward, CHUNK_STEPS, Forward, Keep, Packed, Slice, readout_numbers, write_extra_columns,
};

pub(super) use state::hand_over;

use gru::Gru;
use lstm::Lstm;

/// The equations of a cell, a row (all neurons of a trial) at a time.
trait Gates<R: Real> {
    /// Gates, as in [`Cell::gates`].
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
struct RowForward<'a, R> {
    /// The gates' arguments, to become what is kept.
    gates: &'a mut [R],
    /// h̃(t−1).
    before: &'a [R],
    /// h(t), to be written; its length is the number of neurons.
    after: &'a mut [R],
    /// c(t−1), or nothing.
    memory: &'a [R],
    /// c(t), to be written, or nothing.
    memory_after: &'a mut [R],
    /// [`Packed::input`].
    input: &'a [R],
}

/// A row on the way back.
struct RowBackward<'a, R> {
    /// What was kept, to become the errors of the gates' arguments; behind them that of the input
    /// that stands apart.
    gates: &'a mut [R],
    /// dL/dh(t) but for the carry; its length is the number of neurons.
    delta: &'a [R],
    /// h(t−1).
    before: &'a [R],
    /// c(t−1), or nothing.
    memory: &'a [R],
    /// What comes from step t + 1 without a product, to become what goes to step t − 1.
    carry: &'a mut [R],
}

/// Evaluates `$body` with `$gates` as the type that stands for the cell.
macro_rules! with_gates {
    ($cell:expr, $gates:ident => $body:expr) => {
        match $cell {
            Cell::Gru => {
                type $gates = Gru;
                $body
            }
            // The leaky cell does not come here: `Cpu` sends it elsewhere.
            Cell::Lstm | Cell::Leaky(_) => {
                type $gates = Lstm;
                $body
            }
        }
    };
}

/// Numbers kept of a neuron and step, whether there is a c, whether an input stands apart.
fn sizes<R: Real>(cell: Cell) -> (usize, bool, bool) {
    with_gates!(cell, G => (
        <G as Gates<R>>::KEPT, <G as Gates<R>>::MEMORY, <G as Gates<R>>::INPUT_APART
    ))
}

/// Work space that only gated cells have.
#[derive(Debug, Default)]
pub(super) struct Work<R> {
    /// Distance between rows of gates, and of dW̃ᵀ.
    pub(super) stride: usize,
    /// Those of step t in slot t − 1, or of the current step.
    gates: Buffer<R>,
    /// c as h in [`Slice::h`]; empty without.
    memory: Buffer<R>,
    /// Gradient of the input that stands apart: (input or one, neuron), rows [`Slice::stride`] apart.
    pub(super) input: Buffer<R>,
}

#[cfg(test)]
impl<R: Real> Work<R> {
    pub(super) fn held(&self) -> usize {
        self.gates.held() + self.memory.held() + self.input.held()
    }
}

/// Numbers that a slice holds for an update.
pub(super) fn numbers<R: Real>(
    config: &Config,
    steps: usize,
    trials: usize,
    outputs: usize,
    every_step: bool,
) -> usize {
    let columns = config.hidden_size + extra_columns(config.input_size);
    let (rows, stride) = (trials.next_multiple_of(ROW_BLOCK), row_stride(columns));
    let (kept, memory, apart) = sizes::<R>(config.cell);
    let gate_stride = row_stride(kept * config.hidden_size);
    let states = if memory { 2 * steps + 2 } else { steps + 1 };
    // Errors of a step: those from the readouts, from the product, carried.
    let activity = (states + 3) * rows * stride + steps * rows * gate_stride;
    let blocks = columns.next_multiple_of(ROW_BLOCK);
    let input_blocks = extra_columns(config.input_size).next_multiple_of(ROW_BLOCK);
    let input = if apart { input_blocks * stride } else { 0 };
    let read = readout_numbers(steps, rows, stride, blocks, outputs, every_step);
    activity + blocks * gate_stride + input + read
}

/// A kernel of a gated cell.
#[derive(Debug)]
pub struct Gated<K>(pub(super) K);

/// Slot `to` to be written and slot `from` to be read, of those of `size` numbers.
fn slots<R>(all: &mut [R], from: usize, to: usize, size: usize) -> (&mut [R], &mut [R]) {
    let (low, high) = all.split_at_mut(from.max(to) * size);
    let (low, high) = (&mut low[from.min(to) * size..][..size], &mut high[..size]);
    if from < to { (low, high) } else { (high, low) }
}

impl<R: Real> Gated<Forward<'_, R>> {
    #[inline(always)]
    pub(super) fn run<const MR: usize, const L: usize>(self) {
        with_gates!(self.0.packed.cell, G => self.with::<G, MR, L>());
    }

    #[inline(always)]
    fn with<G: Gates<R>, const MR: usize, const L: usize>(self) {
        let Forward { packed, inputs, keep, slice } = self.0;
        let (size, rows, stride, hidden) = (slice.size(), slice.rows, slice.stride, packed.hidden);
        let gate_stride = slice.gated.stride;
        for t in 1..=slice.steps {
            let (from, to, slot) = match keep {
                Keep::History => (t - 1, t, t - 1),
                Keep::Last => ((t - 1) % 2, t % 2, 0),
            };
            let (before, after) = slots(&mut slice.h, from, to, size);
            let x = inputs.slice(s![t - 1, slice.trials.clone(), ..]);
            write_extra_columns(before, stride, packed, x);
            let before = &*before;
            let gates = &mut slice.gated.gates[slot * rows * gate_stride..][..rows * gate_stride];
            let mut arguments = Store { to: &mut *gates, stride: gate_stride };
            let terms = packed.columns();
            product::<R, MR, L>(rows, before, stride, &packed.forward, terms, &mut arguments);
            let (mut memory, mut memory_after) = (&mut [][..], &mut [][..]);
            if G::MEMORY {
                (memory, memory_after) = slots(&mut slice.gated.memory, from, to, size);
            }
            for (row, gates) in gates.chunks_exact_mut(gate_stride).enumerate() {
                let at = row * stride;
                let c = if G::MEMORY { at..at + hidden } else { 0..0 };
                G::forward(RowForward {
                    gates,
                    before: &before[at..][..packed.columns()],
                    after: &mut after[at..][..hidden],
                    memory: &memory[c.clone()],
                    memory_after: &mut memory_after[c],
                    input: &packed.input,
                });
            }
        }
    }
}

impl<R: Real> Gated<Backward<'_, '_, R>> {
    #[inline(always)]
    pub(super) fn run<const MR: usize, const L: usize>(self) {
        with_gates!(self.0.packed.cell, G => self.with::<G, MR, L>());
    }

    #[inline(always)]
    fn with<G: Gates<R>, const MR: usize, const L: usize>(self) {
        let Backward { packed, batch, cell, slice } = self.0;
        let every_step = batch.target.every_step();
        slice.restart_readout_gradients(packed);
        slice.readout_gradients::<MR, L>(packed, every_step);
        if !cell {
            return;
        }
        slice.restart_gate_gradients::<G>(packed);
        let mut newest = slice.steps;
        let mut add = false;
        for t in (1..=slice.steps).rev() {
            slice.delta::<MR, L>(packed, t, every_step);
            let left = slice.gates_back::<G>(packed, t);
            let ends = !left && !every_step;
            if t > 1 && !ends && newest - t < CHUNK_STEPS - 1 {
                continue;
            }
            slice.add_gate_gradients::<G, MR, L>(packed, t, newest, add);
            add = true;
            newest = t - 1;
            // An error of exactly zero stays zero, unless an earlier step is read as well.
            if ends {
                break;
            }
        }
    }
}

impl<R: Real> Slice<R> {
    fn restart_gate_gradients<G: Gates<R>>(&mut self, packed: &Packed<R>) {
        let (size, stride) = (self.size(), self.stride);
        self.errors.room(size);
        self.carry.zeros(size);
        let columns = packed.columns().next_multiple_of(ROW_BLOCK);
        self.dm.room(columns * self.gated.stride);
        if G::INPUT_APART {
            let inputs = extra_columns(packed.channels).next_multiple_of(ROW_BLOCK);
            self.gated.input.room(inputs * stride);
        }
    }

    /// dL/dh(t) but for what is carried: from the readouts and from the gates of step t + 1.
    #[inline(always)]
    fn delta<const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        every_step: bool,
    ) {
        let (rows, stride) = (self.rows, self.stride);
        let last = t == self.steps;
        if last || every_step {
            self.direct_errors::<MR, L>(packed, t, every_step);
        }
        if last {
            self.errors.copy_from_slice(&self.direct);
            return;
        }
        let gate_stride = self.gated.stride;
        let later = &self.gated.gates[t * rows * gate_stride..];
        let terms = packed.cell.gates() * packed.hidden;
        let mut delta = Store { to: &mut self.errors, stride };
        product::<R, MR, L>(rows, later, gate_stride, &packed.backward, terms, &mut delta);
        if every_step {
            for at in (0..self.errors.len()).step_by(L) {
                let sum: [R; L] =
                    both(load(&self.errors, at), load(&self.direct, at), |a, b| a + b);
                store(&mut self.errors, at, sum);
            }
        }
    }

    /// From dL/dh(t) to the errors of the gates at step t; whether any of them, or of what is carried
    /// on, is not zero.
    #[inline(always)]
    fn gates_back<G: Gates<R>>(&mut self, packed: &Packed<R>, t: usize) -> bool {
        let (size, rows, stride, hidden) = (self.size(), self.rows, self.stride, packed.hidden);
        let gate_stride = self.gated.stride;
        let before = &self.h[(t - 1) * size..][..size];
        let memory: &[R] =
            if G::MEMORY { &self.gated.memory[(t - 1) * size..][..size] } else { &[] };
        let gates = &mut self.gated.gates[(t - 1) * rows * gate_stride..][..rows * gate_stride];
        // A NaN is not zero: it must not end the way back in silence.
        let any = |errors: &[R]| errors.iter().any(|&e| e != R::ZERO);
        let mut left = false;
        for (row, gates) in gates.chunks_exact_mut(gate_stride).enumerate() {
            let range = row * stride..row * stride + hidden;
            let carry = &mut self.carry[range.clone()];
            G::backward(RowBackward {
                gates: &mut *gates,
                delta: &self.errors[range.clone()],
                before: &before[range.clone()],
                memory: if G::MEMORY { &memory[range] } else { &[] },
                carry: &mut *carry,
            });
            left = left || any(&gates[..G::GATES * hidden]) || any(carry);
        }
        left
    }

    /// Adds what the steps from `t` to `newest` give to the gradient, as one long product.
    #[inline(always)]
    fn add_gate_gradients<G: Gates<R>, const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        t: usize,
        newest: usize,
        add: bool,
    ) {
        let (stride, hidden, gate_stride) = (self.stride, packed.hidden, self.gated.stride);
        let count = (newest + 1 - t) * self.rows;
        let history = &self.h[(t - 1) * self.size()..];
        let gates = &self.gated.gates[(t - 1) * self.rows * gate_stride..];
        let scratch = &mut self.scratch;
        let h = Rows { data: history, stride, width: packed.columns() };
        let errors = Rows { data: gates, stride: gate_stride, width: G::GATES * hidden };
        outer::<R, MR, L>(count, h, errors, &mut self.dm, gate_stride, add, scratch);
        if G::INPUT_APART {
            let width = extra_columns(packed.channels);
            let x = Rows { data: &history[hidden..], stride, width };
            let data = &gates[G::GATES * hidden..];
            let errors = Rows { data, stride: gate_stride, width: hidden };
            outer::<R, MR, L>(count, x, errors, &mut self.gated.input, stride, add, scratch);
        }
    }
}

/// An error so small that it means nothing becomes zero: see [`Real::UNDERFLOW`].
#[inline(always)]
fn flush<R: Real>(error: R) -> R {
    if error.abs() < R::UNDERFLOW { R::ZERO } else { error }
}

// One pass for each operation: loops over few slices are what the compiler puts into vectors.

/// `numbers = σ(numbers)`.
#[inline(always)]
fn sigmoid<R: Real>(numbers: &mut [R]) {
    numbers.iter_mut().for_each(|u| *u = u.sigmoid());
}

/// `numbers = tanh(numbers)`.
#[inline(always)]
fn tanh<R: Real>(numbers: &mut [R]) {
    numbers.iter_mut().for_each(|u| *u = u.tanh());
}
