//! A slice's way through all steps of a leaky network, forward and back.

use std::marker::PhantomData;

use ndarray::s;

use crate::Real;
use crate::cpu::packed::Packed;
use crate::cpu::pass::{Backward, CHUNK_STEPS, Forward, write_extra_columns};
use crate::cpu::product::{Rows, outer, product};
use crate::cpu::slice::{Keep, Slice};
use crate::cpu::tile::ROW_BLOCK;

use super::leak::Leak;
use super::phi::{Phi, with_phi};
use super::step::{StepBack, StepForward};

/// A pass forward of a leaky network.
#[derive(Debug)]
pub struct LeakyForward<'a, R> {
    pub(in crate::cpu) leak: &'a Leak<R>,
    pub(in crate::cpu) pass: Forward<'a, R>,
}

/// A pass back of a leaky network.
#[derive(Debug)]
pub struct LeakyBackward<'a, 'b, R> {
    pub(in crate::cpu) leak: &'a Leak<R>,
    pub(in crate::cpu) pass: Backward<'a, 'b, R>,
}

impl<R: Real> LeakyForward<'_, R> {
    #[inline(always)]
    pub(in crate::cpu) fn run<const MR: usize, const L: usize>(self) {
        with_phi!(self.leak.activation, P => self.with::<P, MR, L>());
    }

    #[inline(always)]
    fn with<P: Phi<R>, const MR: usize, const L: usize>(self) {
        let Self { leak, pass: Forward { packed, inputs, keep, slice } } = self;
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
            let f = if leak.whole { &mut [][..] } else { &mut f[f_slot * size..] };
            let before = &*before;
            let phi = PhantomData::<P>;
            let mut step = StepForward { leak, phi, stride, before, after, f };
            let terms = packed.columns();
            product::<R, MR, L>(rows, before, stride, &packed.forward, terms, &mut step);
        }
    }
}

impl<R: Real> LeakyBackward<'_, '_, R> {
    #[inline(always)]
    pub(in crate::cpu) fn run<const MR: usize, const L: usize>(self) {
        with_phi!(self.leak.activation, P => self.with::<P, MR, L>());
    }

    #[inline(always)]
    fn with<P: Phi<R>, const MR: usize, const L: usize>(self) {
        let Self { leak, pass: Backward { packed, batch, cell, slice } } = self;
        let every_step = batch.target.every_step();
        slice.restart_gradients(packed, leak);
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
            slice.step_back::<P, MR, L>(packed, leak, t, newest, direct);
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
    fn restart_gradients(&mut self, packed: &Packed<R>, leak: &Leak<R>) {
        let (size, stride) = (self.size(), self.stride);
        self.restart_readout_gradients(packed);
        self.errors.room(CHUNK_STEPS * size);
        if !leak.whole {
            self.carry.zeros(size);
            self.tau_sums.zeros(stride);
        }
        self.dm.room(packed.columns().next_multiple_of(ROW_BLOCK) * stride);
    }

    /// From e(t+1) to e(t).
    #[inline(always)]
    fn step_back<P: Phi<R>, const MR: usize, const L: usize>(
        &mut self,
        packed: &Packed<R>,
        leak: &Leak<R>,
        t: usize,
        newest: usize,
        direct: bool,
    ) {
        let (size, rows, stride) = (self.size(), self.rows, self.stride);
        let before = &self.h[(t - 1) * size..];
        let value = if leak.whole { &self.h[t * size..] } else { &self.f[(t - 1) * size..] };
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
        let phi = PhantomData::<P>;
        let mut step =
            StepBack { leak, phi, stride, direct, value, error, before, carry, tau_sums };
        // Nothing comes from behind the last step: a product without terms.
        let terms = if t == self.steps { 0 } else { packed.hidden };
        product::<R, MR, L>(rows, later, stride, &packed.backward, terms, &mut step);
    }
}
