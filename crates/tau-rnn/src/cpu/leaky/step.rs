//! What follows the product of a step, forward and back.

use std::marker::PhantomData;

use crate::Real;
use crate::cpu::product::Finish;
use crate::cpu::tile::{Lanes, Wide, both, each, load, store};

use super::leak::Leak;
use super::phi::Phi;

/// A step forward: makes the neurons of the product of M and h̃(t−1). Rows of activity stand one
/// after the other, `stride` apart.
pub(in crate::cpu) struct StepForward<'a, R, P> {
    pub(in crate::cpu) leak: &'a Leak<R>,
    pub(in crate::cpu) phi: PhantomData<P>,
    pub(in crate::cpu) stride: usize,
    /// h(t−1).
    pub(in crate::cpu) before: &'a [R],
    /// h(t), to be written.
    pub(in crate::cpu) after: &'a mut [R],
    /// f(t), to be written; empty for `whole`.
    pub(in crate::cpu) f: &'a mut [R],
}

impl<R: Real, P: Phi<R>, const L: usize> Finish<R, L> for StepForward<'_, R, P> {
    #[inline(always)]
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>) {
        for (w, sum) in sums.into_iter().enumerate() {
            self.register(row, column + w * L, sum);
        }
    }
}

impl<R: Real, P: Phi<R>> StepForward<'_, R, P> {
    #[inline(always)]
    fn register<const L: usize>(&mut self, row: usize, column: usize, sum: Lanes<R, L>) {
        let at = row * self.stride + column;
        let value = each(sum, P::phi);
        if self.leak.whole {
            store(self.after, at, value);
        } else {
            let before = both(load(&self.leak.decay, column), load(self.before, at), |a, b| a * b);
            let drive = both(load(&self.leak.alpha, column), value, |a, b| a * b);
            store(self.f, at, value);
            store(self.after, at, both(before, drive, |a, b| a + b));
        }
    }
}

/// A step back: makes e(t) of the product of Mᵀ and e(t+1). Rows as in [`StepForward`].
pub(in crate::cpu) struct StepBack<'a, R, P> {
    pub(in crate::cpu) leak: &'a Leak<R>,
    pub(in crate::cpu) phi: PhantomData<P>,
    pub(in crate::cpu) stride: usize,
    /// dL/dh(t) that comes directly from readouts.
    pub(in crate::cpu) direct: Option<&'a [R]>,
    /// φ's value at t: h(t) or f(t).
    pub(in crate::cpu) value: &'a [R],
    /// e(t), to be written.
    pub(in crate::cpu) error: &'a mut [R],
    /// h(t−1).
    pub(in crate::cpu) before: &'a [R],
    /// (1 − a) δ(t+1), to become (1 − a) δ(t); empty for `whole`.
    pub(in crate::cpu) carry: &'a mut [R],
    /// Σ δ (h(t−1) − f), one value a neuron; empty for `whole`.
    pub(in crate::cpu) tau_sums: &'a mut [R],
}

impl<R: Real, P: Phi<R>, const L: usize> Finish<R, L> for StepBack<'_, R, P> {
    #[inline(always)]
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>) {
        for (w, sum) in sums.into_iter().enumerate() {
            self.register(row, column + w * L, sum);
        }
    }
}

impl<R: Real, P: Phi<R>> StepBack<'_, R, P> {
    #[inline(always)]
    fn register<const L: usize>(&mut self, row: usize, column: usize, sum: Lanes<R, L>) {
        let flush = |e: R| if e.abs() < R::UNDERFLOW { R::ZERO } else { e };
        let leak = self.leak;
        let at = row * self.stride + column;
        let sum = match self.direct {
            Some(direct) => both(sum, load(direct, at), |a, b| a + b),
            None => sum,
        };
        let value = load(self.value, at);
        let slope = each(value, P::slope);
        if leak.whole {
            store(self.error, at, each(both(sum, slope, |a, b| a * b), flush));
            return;
        }
        let delta = each(both(sum, load(self.carry, at), |a, b| a + b), flush);
        let drive = both(both(load(&leak.alpha, column), delta, |a, b| a * b), slope, |a, b| a * b);
        store(self.error, at, each(drive, flush));
        store(self.carry, at, both(load(&leak.decay, column), delta, |a, b| a * b));
        let change = both(load(self.before, at), value, |a, b| a - b);
        let part = both(delta, change, |a, b| a * b);
        let sums = both(load(self.tau_sums, column), part, |a, b| a + b);
        store(self.tau_sums, column, sums);
    }
}
