//! From the slices' sums to the gradients of the parameters.

use crate::gradients::Trained;
use crate::params::flat_mut;
use crate::{Cell, Real, Tensor};

use super::{Cpu, leaky, spread_blocks};

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
            match self.config.cell {
                Cell::Leaky(_) => self.reduce_cell(),
                Cell::Lstm | Cell::Gru => self.reduce_gates(),
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

    fn reduce_cell(&mut self) {
        let (hidden, leak) = (self.config.hidden_size, &self.packed.leak);
        let stride = self.packed.stride();
        let gradients = &mut self.gradients.values;
        let Some((sums, others)) = self.slices[..self.active].split_first_mut() else { return };
        // dMᵀ is summed in the first slice …
        let dm = &mut sums.dm[..self.packed.columns() * stride];
        spread_blocks(&self.pool, dm, BLOCK * stride, |block, rows| {
            for slice in &*others {
                add(rows, &slice.dm[block * BLOCK * stride..][..rows.len()]);
            }
        });
        for slice in &*others {
            add(&mut sums.tau_sums, &slice.tau_sums);
        }
        // … and turned from there.
        let dm = &sums.dm;
        let dw = flat_mut(&mut gradients.w_rec);
        spread_blocks(&self.pool, dw, BLOCK * hidden, |block, rows| {
            for from in 0..hidden {
                let part = &dm[from * stride + block * BLOCK..];
                for (k, row) in rows.chunks_exact_mut(hidden).enumerate() {
                    row[from] = leak.weight_gradient(block * BLOCK + k, part[k]);
                }
            }
        });
        for to in 0..hidden {
            let from = |column: usize| leak.weight_gradient(to, dm[column * stride + to]);
            for c in 0..self.packed.channels {
                gradients.w_in[[to, c]] = from(hidden + c);
            }
            gradients.b_rec[to] = from(hidden + self.packed.channels);
        }
        gradients.b_in.assign(&gradients.b_rec);
        if self.config.trains_tau() {
            leaky::tau_gradient(&self.config, &self.params, gradients, &sums.tau_sums);
        }
    }
}

/// Gradients of a gated cell.
impl<R: Real> Cpu<R> {
    fn reduce_gates(&mut self) {
        let (hidden, channels) = (self.config.hidden_size, self.config.input_size);
        let (columns, rows) = (self.packed.columns(), self.config.gate_rows());
        let gradients = &mut self.gradients.values;
        let Some((sums, others)) = self.slices[..self.active].split_first_mut() else { return };
        // dW̃ᵀ is summed in the first slice …
        let stride = sums.gated.stride;
        let dm = &mut sums.dm[..columns * stride];
        spread_blocks(&self.pool, dm, BLOCK * stride, |block, part| {
            for slice in &*others {
                add(part, &slice.dm[block * BLOCK * stride..][..part.len()]);
            }
        });
        for slice in &*others {
            add(&mut sums.gated.input, &slice.gated.input);
        }
        // … and turned from there.
        let dm = &sums.dm;
        let dw = flat_mut(&mut gradients.w_rec);
        spread_blocks(&self.pool, dw, BLOCK * hidden, |block, part| {
            for from in 0..hidden {
                let column = &dm[from * stride + block * BLOCK..];
                for (row, &number) in part.chunks_exact_mut(hidden).zip(column) {
                    row[from] = number;
                }
            }
        });
        let bias = &dm[(hidden + channels) * stride..][..rows];
        flat_mut(&mut gradients.b_rec).copy_from_slice(bias);
        flat_mut(&mut gradients.b_in).copy_from_slice(bias);
        for (k, mut column) in gradients.w_in.columns_mut().into_iter().enumerate() {
            let row = &dm[(hidden + k) * stride..];
            column.iter_mut().zip(row).for_each(|(to, &from)| *to = from);
        }
        if sums.gated.input.is_empty() {
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
}

fn add<R: Real>(sums: &mut [R], parts: &[R]) {
    sums.iter_mut().zip(parts).for_each(|(sum, &part)| *sum += part);
}
