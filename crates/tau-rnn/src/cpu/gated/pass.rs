//! A slice's way through all steps of a gated network, forward and back.

use ndarray::s;

use crate::Real;
use crate::cpu::packed::{Packed, extra_columns};
use crate::cpu::pass::{Backward, CHUNK_STEPS, Forward, write_extra_columns};
use crate::cpu::product::{Rows, Store, outer, product};
use crate::cpu::slice::{Keep, Slice};
use crate::cpu::tile::{ROW_BLOCK, both, load, store};

use super::gates::{Gates, RowBackward, RowForward};
use super::kind::{Kind, with_gates};

/// A pass forward of a gated network.
#[derive(Debug)]
pub struct GatedForward<'a, R> {
    pub(in crate::cpu) kind: Kind,
    pub(in crate::cpu) pass: Forward<'a, R>,
}

/// A pass back of a gated network.
#[derive(Debug)]
pub struct GatedBackward<'a, 'b, R> {
    pub(in crate::cpu) kind: Kind,
    pub(in crate::cpu) pass: Backward<'a, 'b, R>,
}

/// Slot `to` to be written and slot `from` to be read, of those of `size` numbers.
fn slots<R>(all: &mut [R], from: usize, to: usize, size: usize) -> (&mut [R], &mut [R]) {
    let (low, high) = all.split_at_mut(from.max(to) * size);
    let (low, high) = (&mut low[from.min(to) * size..][..size], &mut high[..size]);
    if from < to { (low, high) } else { (high, low) }
}

impl<R: Real> GatedForward<'_, R> {
    #[inline(always)]
    pub(in crate::cpu) fn run<const MR: usize, const L: usize>(self) {
        with_gates!(self.kind, G => self.with::<G, MR, L>());
    }

    #[inline(always)]
    fn with<G: Gates<R>, const MR: usize, const L: usize>(self) {
        let Forward { packed, inputs, keep, slice } = self.pass;
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

impl<R: Real> GatedBackward<'_, '_, R> {
    #[inline(always)]
    pub(in crate::cpu) fn run<const MR: usize, const L: usize>(self) {
        with_gates!(self.kind, G => self.with::<G, MR, L>());
    }

    #[inline(always)]
    fn with<G: Gates<R>, const MR: usize, const L: usize>(self) {
        let Backward { packed, batch, cell, slice } = self.pass;
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
            slice.delta::<G, MR, L>(packed, t, every_step);
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
    fn delta<G: Gates<R>, const MR: usize, const L: usize>(
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
        let terms = G::GATES * packed.hidden;
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
