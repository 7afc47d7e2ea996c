//! Gated recurrent units. With δ = dL/dh(t), p = W_n h(t−1) + b_n, and e_k the error of the argument
//! of gate k:
//!
//! > e_n = δ (1 − z) (1 − n²), e_r = e_n p r (1 − r), e_z = δ (h(t−1) − n) z (1 − z),
//!
//! and that of p is r e_n. Kept of a neuron: r, z, p, n, which become e_r, e_z, r e_n, e_n. Carried: z δ.

use crate::Real;

use super::gates::{Gates, RowBackward, RowForward, flush, sigmoid, tanh};

pub(super) struct Gru;

/// r, z, p, n of all neurons, one slice each.
#[inline(always)]
fn split<R>(row: &mut [R], hidden: usize) -> [&mut [R]; 4] {
    let (r, rest) = row.split_at_mut(hidden);
    let (z, rest) = rest.split_at_mut(hidden);
    let (p, rest) = rest.split_at_mut(hidden);
    [r, z, p, &mut rest[..hidden]]
}

impl<R: Real> Gates<R> for Gru {
    const GATES: usize = 3;
    const KEPT: usize = 4;
    const MEMORY: bool = false;
    const INPUT_APART: bool = true;

    #[inline(always)]
    fn forward(row: RowForward<'_, R>) {
        let hidden = row.after.len();
        let [r, z, p, n] = split(row.gates, hidden);
        let (before, extra) = row.before.split_at(hidden);
        n.fill(R::ZERO);
        for (weights, &x) in row.input.chunks_exact(hidden).zip(extra) {
            n.iter_mut().zip(weights).for_each(|(n, &w)| *n = w.mul_add(x, *n));
        }
        sigmoid(r);
        sigmoid(z);
        for j in 0..hidden {
            n[j] = r[j].mul_add(p[j], n[j]);
        }
        tanh(n);
        for j in 0..hidden {
            row.after[j] = z[j].mul_add(before[j], (R::ONE - z[j]) * n[j]);
        }
    }

    #[inline(always)]
    fn backward(row: RowBackward<'_, R>) {
        let hidden = row.delta.len();
        let [r, z, p, n] = split(row.gates, hidden);
        let (before, carry) = (&row.before[..hidden], &mut row.carry[..hidden]);
        for j in 0..hidden {
            let delta = row.delta[j] + carry[j];
            carry[j] = flush(delta * z[j]);
            let dn = delta * (R::ONE - z[j]) * (R::ONE - n[j] * n[j]);
            let errors = [
                dn * p[j] * r[j] * (R::ONE - r[j]),
                delta * (before[j] - n[j]) * z[j] * (R::ONE - z[j]),
                dn * r[j],
                dn,
            ];
            [r[j], z[j], p[j], n[j]] = errors.map(flush);
        }
    }
}
