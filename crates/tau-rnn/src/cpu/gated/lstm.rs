//! Long short-term memory. With δ = dL/dh(t), and e_k the error of the argument of gate k:
//!
//! > δc = δ o (1 − tanh²c(t)) + f(t+1) δc(t+1),
//! > e_i = δc g i (1 − i), e_f = δc c(t−1) f (1 − f), e_g = δc i (1 − g²), e_o = δ tanh(c(t)) o (1 − o).
//!
//! Kept of a neuron: i, f, g, o, tanh(c(t)). Carried: f δc.

use crate::Real;

use super::gates::{Gates, RowBackward, RowForward, flush, sigmoid, tanh};

pub(super) struct Lstm;

/// The gates of all neurons, one slice each, and tanh(c).
#[inline(always)]
fn split<R>(row: &mut [R], hidden: usize) -> [&mut [R]; 5] {
    let (i, rest) = row.split_at_mut(hidden);
    let (f, rest) = rest.split_at_mut(hidden);
    let (g, rest) = rest.split_at_mut(hidden);
    let (o, rest) = rest.split_at_mut(hidden);
    [i, f, g, o, &mut rest[..hidden]]
}

impl<R: Real> Gates<R> for Lstm {
    const GATES: usize = 4;
    const KEPT: usize = 5;
    const MEMORY: bool = true;
    const INPUT_APART: bool = false;

    #[inline(always)]
    fn forward(row: RowForward<'_, R>) {
        let hidden = row.after.len();
        let [i, f, g, o, c] = split(row.gates, hidden);
        let (before, after) = (&row.memory[..hidden], &mut row.memory_after[..hidden]);
        sigmoid(i);
        sigmoid(f);
        tanh(g);
        sigmoid(o);
        for j in 0..hidden {
            after[j] = f[j].mul_add(before[j], i[j] * g[j]);
        }
        c.copy_from_slice(after);
        tanh(c);
        for j in 0..hidden {
            row.after[j] = o[j] * c[j];
        }
    }

    #[inline(always)]
    fn backward(row: RowBackward<'_, R>) {
        let hidden = row.delta.len();
        let [i, f, g, o, c] = split(row.gates, hidden);
        let (memory, carry) = (&row.memory[..hidden], &mut row.carry[..hidden]);
        for j in 0..hidden {
            let delta = row.delta[j];
            let dc = delta * o[j] * (R::ONE - c[j] * c[j]) + carry[j];
            carry[j] = flush(dc * f[j]);
            let errors = [
                dc * g[j] * i[j] * (R::ONE - i[j]),
                dc * memory[j] * f[j] * (R::ONE - f[j]),
                dc * i[j] * (R::ONE - g[j] * g[j]),
                delta * c[j] * o[j] * (R::ONE - o[j]),
            ];
            [i[j], f[j], g[j], o[j]] = errors.map(flush);
        }
    }
}
