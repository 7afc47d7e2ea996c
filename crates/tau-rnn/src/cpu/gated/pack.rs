//! The weights of a gated cell in the form in which a batch uses them.

use rayon::ThreadPool;

use crate::cpu::slice::Packed;
use crate::{Params, Real};

use super::sizes;

impl<R: Real> Packed<R> {
    /// Packs W̃.
    pub(in crate::cpu) fn pack_gates(
        &mut self,
        pool: &ThreadPool,
        lanes: usize,
        params: &Params<R>,
    ) {
        let (hidden, channels, columns) = (self.hidden, self.channels, self.columns());
        let rows = self.cell.gates() * hidden;
        let (_, _, apart) = sizes::<R>(self.cell);
        // The first row of the gate whose input is not part of the product.
        let first_apart = if apart { rows - hidden } else { rows };
        let element = |from: usize, to: usize| {
            if from < hidden {
                params.w_rec[[to, from]]
            } else if to >= first_apart {
                if from < hidden + channels { R::ZERO } else { params.b_rec[to] }
            } else if from < hidden + channels {
                params.w_in[[to, from - hidden]]
            } else {
                params.b_rec[to] + params.b_in[to]
            }
        };
        self.forward.pack(pool, lanes, columns, rows, element);
        self.backward.pack(pool, lanes, rows, hidden, |to, from| params.w_rec[[to, from]]);
        self.input.clear();
        for k in 0..=channels {
            self.input.extend(
                (first_apart..rows)
                    .map(|to| if k < channels { params.w_in[[to, k]] } else { params.b_in[to] }),
            );
        }
    }
}
