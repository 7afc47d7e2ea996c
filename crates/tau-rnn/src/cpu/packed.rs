//! The parameters in the form in which a batch uses them.

use std::ops::Range;

use rayon::ThreadPool;

use crate::{Cell, Config, Params, Readout, Real};

use super::gated::kind::Kind;
use super::leaky::leak::Leak;
use super::product::Panels;
use super::tile::row_stride;

/// Columns behind the neurons in a row of activity: the inputs and the one.
pub(super) fn extra_columns(channels: usize) -> usize {
    channels + 1
}

/// The parameters in the form in which a batch uses them, shared by all slices.
#[derive(Debug)]
pub(super) struct Packed<R> {
    pub(super) hidden: usize,
    pub(super) channels: usize,
    pub(super) cell: PackedCell<R>,
    /// M on the way forward: element (from, to), with the columns for input and bias.
    pub(super) forward: Panels<R>,
    /// Mᵀ on the way back: element (to, from), from neurons only.
    pub(super) backward: Panels<R>,
    /// Weights of the inputs and of the one, as far as a gated cell has them outside of M: (input
    /// or one, neuron).
    pub(super) input: Vec<R>,
    /// Outputs of the active heads side by side: element (neuron, output).
    pub(super) readout_forward: Panels<R>,
    /// Element (output, neuron).
    pub(super) readout_backward: Panels<R>,
    /// The (head, output of the head) of each of them.
    pub(super) outputs: Vec<(usize, usize)>,
    pub(super) readout_bias: Vec<R>,
    /// The outputs of each active head.
    pub(super) heads: Vec<Range<usize>>,
}

impl<R: Real> Packed<R> {
    /// Columns of h̃: neurons, inputs, one.
    pub(super) fn columns(&self) -> usize {
        self.hidden + extra_columns(self.channels)
    }

    /// Distance between rows of activity.
    pub(super) fn stride(&self) -> usize {
        row_stride(self.columns())
    }
}

/// The parts of the cell besides its matrices.
#[derive(Debug)]
pub(super) enum PackedCell<R> {
    Leaky(Leak<R>),
    Gated(Kind),
}

impl<R: Real> Packed<R> {
    /// Nothing is packed yet.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            hidden: config.hidden_size,
            channels: config.input_size,
            cell: match &config.cell {
                Cell::Leaky(leaky) => PackedCell::Leaky(Leak::new(leaky, config.hidden_size)),
                Cell::Lstm => PackedCell::Gated(Kind::Lstm),
                Cell::Gru => PackedCell::Gated(Kind::Gru),
            },
            forward: Panels::default(),
            backward: Panels::default(),
            input: Vec::new(),
            readout_forward: Panels::default(),
            readout_backward: Panels::default(),
            outputs: Vec::new(),
            readout_bias: Vec::new(),
            heads: Vec::new(),
        }
    }

    /// Packs the cell's matrices for registers of `lanes` numbers.
    pub(super) fn pack_cell(
        &mut self,
        pool: &ThreadPool,
        lanes: usize,
        steps_per_unit: u32,
        params: &Params<R>,
    ) {
        let (hidden, columns) = (self.hidden, self.columns());
        match &mut self.cell {
            PackedCell::Leaky(leak) => {
                leak.set(steps_per_unit, params);
                let matrix = leak.matrix(params);
                self.forward.pack(pool, lanes, columns, hidden, |from, to| matrix(to, from));
                self.backward.pack(pool, lanes, hidden, hidden, &matrix);
            }
            PackedCell::Gated(kind) => {
                let kind = *kind;
                self.pack_gates(pool, lanes, kind, params);
            }
        }
    }

    /// Packs the readouts of the active heads.
    pub(super) fn pack_heads(
        &mut self,
        pool: &ThreadPool,
        lanes: usize,
        readouts: &[Readout<R>],
        heads: &[usize],
    ) {
        let hidden = self.hidden;
        self.outputs.clear();
        self.readout_bias.clear();
        self.heads.clear();
        for &head in heads {
            let first = self.outputs.len();
            self.outputs.extend((0..readouts[head].outputs()).map(|o| (head, o)));
            self.readout_bias.extend(&readouts[head].bias);
            self.heads.push(first..self.outputs.len());
        }
        let outputs = &self.outputs;
        let weight = |output: usize, j: usize| {
            let (head, o) = outputs[output];
            readouts[head].weight[[o, j]]
        };
        self.readout_forward.pack(pool, lanes, hidden, outputs.len(), |j, o| weight(o, j));
        self.readout_backward.pack(pool, lanes, outputs.len(), hidden, weight);
    }

    /// Packs the matrix of all gates side by side.
    fn pack_gates(&mut self, pool: &ThreadPool, lanes: usize, kind: Kind, params: &Params<R>) {
        let (hidden, channels, columns) = (self.hidden, self.channels, self.columns());
        let rows = kind.gates() * hidden;
        // The first row of the gate whose input is not part of the product.
        let first_apart = if kind.input_apart() { rows - hidden } else { rows };
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
