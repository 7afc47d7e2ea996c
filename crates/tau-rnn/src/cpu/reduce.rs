//! From the slices' sums to the gradients of the parameters.

use rayon::ThreadPool;

use crate::gradients::Trained;
use crate::params::flat_mut;
use crate::{Params, Real, Tensor};

use super::gated::kind::Kind;
use super::leaky::leak::Leak;
use super::network::Cpu;
use super::packed::{Packed, PackedCell};
use super::slice::Slice;
use super::spread::spread_blocks;

/// Rows that one thread takes at a time.
const BLOCK: usize = 16;

impl<R: Real> Cpu<R> {
    /// Adds up the slices' gradients, in their order.
    pub(super) fn reduce(&mut self, heads: &[usize]) {
        let cell = self.trains_cell();
        let trained = Trained { config: &self.config, cell, heads };
        self.gradients.restart(trained, &self.params);
        self.reduce_readouts(heads);
        if cell {
            let trains_tau = self.config.trains_tau();
            let Self { packed, gradients, params, pool, .. } = self;
            let slices = &mut self.slices[..self.active];
            let gradients = &mut gradients.values;
            match &packed.cell {
                PackedCell::Leaky(leak) => {
                    let sums = reduce_leaky(pool, packed, leak, slices, gradients);
                    if trains_tau {
                        leak.tau_gradient(params, gradients, sums);
                    }
                }
                PackedCell::Gated(kind) => reduce_gates(pool, packed, *kind, slices, gradients),
            }
        }
        self.gradients.silence();
    }

    fn reduce_readouts(&mut self, heads: &[usize]) {
        let hidden = self.config.hidden_size;
        for (&head, range) in heads.iter().zip(&self.packed.heads) {
            let parts = [Tensor::ReadoutWeight(head), Tensor::ReadoutBias(head)];
            if !parts.into_iter().any(|tensor| self.gradients.has(tensor)) {
                continue;
            }
            let readout = &mut self.gradients.values.readouts[head];
            for slice in &self.slices[..self.active] {
                add(flat_mut(&mut readout.bias), &slice.db_out[range.clone()]);
                for (o, row) in range.clone().zip(flat_mut(&mut readout.weight).chunks_mut(hidden))
                {
                    add(row, &slice.dw_out[o * slice.stride..][..hidden]);
                }
            }
        }
    }
}

/// Gradients of a leaky cell but τ's; gives the sums for that of τ.
fn reduce_leaky<'a, R: Real>(
    pool: &ThreadPool,
    packed: &Packed<R>,
    leak: &Leak<R>,
    slices: &'a mut [Slice<R>],
    gradients: &mut Params<R>,
) -> &'a [R] {
    let (hidden, stride) = (packed.hidden, packed.stride());
    let Some((sums, others)) = slices.split_first_mut() else { return &[] };
    add_matrices(pool, &mut sums.dm[..packed.columns() * stride], stride, others);
    for slice in &*others {
        add(&mut sums.tau_sums, &slice.tau_sums);
    }
    let dm = &sums.dm;
    turn(pool, dm, stride, flat_mut(&mut gradients.w_rec), hidden, |to, number| {
        leak.weight_gradient(to, number)
    });
    for to in 0..hidden {
        let from = |column: usize| leak.weight_gradient(to, dm[column * stride + to]);
        for c in 0..packed.channels {
            gradients.w_in[[to, c]] = from(hidden + c);
        }
        gradients.b_rec[to] = from(hidden + packed.channels);
    }
    gradients.b_in.assign(&gradients.b_rec);
    &sums.tau_sums
}

/// Gradients of a gated cell.
fn reduce_gates<R: Real>(
    pool: &ThreadPool,
    packed: &Packed<R>,
    kind: Kind,
    slices: &mut [Slice<R>],
    gradients: &mut Params<R>,
) {
    let (hidden, channels) = (packed.hidden, packed.channels);
    let rows = kind.gates() * hidden;
    let Some((sums, others)) = slices.split_first_mut() else { return };
    let stride = sums.gated.stride;
    add_matrices(pool, &mut sums.dm[..packed.columns() * stride], stride, others);
    for slice in &*others {
        add(&mut sums.gated.input, &slice.gated.input);
    }
    let dm = &sums.dm;
    turn(pool, dm, stride, flat_mut(&mut gradients.w_rec), hidden, |_, number| number);
    let bias = &dm[(hidden + channels) * stride..][..rows];
    flat_mut(&mut gradients.b_rec).copy_from_slice(bias);
    flat_mut(&mut gradients.b_in).copy_from_slice(bias);
    for (k, mut column) in gradients.w_in.columns_mut().into_iter().enumerate() {
        let row = &dm[(hidden + k) * stride..];
        column.iter_mut().zip(row).for_each(|(to, &from)| *to = from);
    }
    if !kind.input_apart() {
        return;
    }
    // The last gate's input stood apart.
    let apart = |k: usize| &sums.gated.input[k * sums.stride..][..hidden];
    let first = rows - hidden;
    for j in 0..hidden {
        for k in 0..channels {
            gradients.w_in[[first + j, k]] = apart(k)[j];
        }
        gradients.b_in[first + j] = apart(channels)[j];
    }
}

/// Adds the other slices' dMᵀ to the first one's, whose rows are `stride` apart.
fn add_matrices<R: Real>(pool: &ThreadPool, dm: &mut [R], stride: usize, others: &[Slice<R>]) {
    spread_blocks(pool, dm, BLOCK * stride, |block, rows| {
        for slice in others {
            add(rows, &slice.dm[block * BLOCK * stride..][..rows.len()]);
        }
    });
}

/// From dMᵀ (from, to) to dW (to, from), through `part`, which is given `to` and the number.
fn turn<R: Real>(
    pool: &ThreadPool,
    dm: &[R],
    stride: usize,
    dw: &mut [R],
    hidden: usize,
    part: impl Fn(usize, R) -> R + Sync,
) {
    spread_blocks(pool, dw, BLOCK * hidden, |block, rows| {
        let first = block * BLOCK;
        for from in 0..hidden {
            let column = &dm[from * stride + first..];
            for (k, row) in rows.chunks_exact_mut(hidden).enumerate() {
                row[from] = part(first + k, column[k]);
            }
        }
    });
}

fn add<R: Real>(sums: &mut [R], parts: &[R]) {
    sums.iter_mut().zip(parts).for_each(|(sum, &part)| *sum += part);
}
