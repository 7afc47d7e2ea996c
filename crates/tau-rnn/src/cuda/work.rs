//! The memory that a pass works on, and how much of it a batch needs.

use std::ops::Range;

use crate::{Cell, Config, Leaky, Placement, Real};

use super::device::Device;
use super::gated::COLUMNS;
use super::memory::Array;
use super::outer::Splitting;
use super::pass::{TILE, room_steps, stride};

/// Memory of a pass, which the next batch uses again. Padding is never written: it stays zero.
#[derive(Debug)]
pub(super) struct Work<R, D: Device> {
    /// M and Mᵀ, packed.
    pub(super) forward: Array<R, D>,
    pub(super) backward: Array<R, D>,
    pub(super) alpha: Array<R, D>,
    pub(super) decay: Array<R, D>,
    /// Readouts of the active heads, packed in both orientations.
    pub(super) readout_forward: Array<R, D>,
    pub(super) readout_backward: Array<R, D>,
    /// The heads for which the next four tables were made; `None` if the parameters have moved since.
    pub(super) heads: Option<Vec<usize>>,
    pub(super) weight_places: Array<u64, D>,
    pub(super) bias_places: Array<u64, D>,
    pub(super) first: Array<i32, D>,
    /// The range of outputs of each active head.
    pub(super) ranges: Vec<Range<usize>>,
    /// h̃(0) … h̃(T).
    pub(super) h: Array<R, D>,
    pub(super) f: Array<R, D>,
    /// c(0) … c(T) of an LSTM.
    pub(super) c: Array<R, D>,
    /// Gates of a cell that has them, at steps 1 … T; on the way back they become their errors.
    pub(super) gates: Array<R, D>,
    /// e(1) … e(T).
    pub(super) errors: Array<R, D>,
    pub(super) carry: Array<R, D>,
    pub(super) tau_sums: Array<R, D>,
    pub(super) y: Array<R, D>,
    /// Sums of outer products, split by split.
    pub(super) parts: Array<R, D>,
    pub(super) inputs: Array<f32, D>,
    pub(super) given: Array<R, D>,
    /// States without their padding.
    pub(super) states: Array<R, D>,
    pub(super) labels: Array<u8, D>,
    pub(super) memory: Array<i32, D>,
    pub(super) values: Array<f32, D>,
    pub(super) weights: Array<f32, D>,
    pub(super) losses: Array<f64, D>,
    pub(super) hits: Array<f64, D>,
    /// Sums of squares of the gradient, one for each block.
    pub(super) squares: Array<f64, D>,
}

impl<R, D: Device> Default for Work<R, D> {
    fn default() -> Self {
        Self {
            forward: Array::default(),
            backward: Array::default(),
            alpha: Array::default(),
            decay: Array::default(),
            readout_forward: Array::default(),
            readout_backward: Array::default(),
            heads: None,
            weight_places: Array::default(),
            bias_places: Array::default(),
            first: Array::default(),
            ranges: Vec::new(),
            h: Array::default(),
            f: Array::default(),
            c: Array::default(),
            gates: Array::default(),
            errors: Array::default(),
            carry: Array::default(),
            tau_sums: Array::default(),
            y: Array::default(),
            parts: Array::default(),
            inputs: Array::default(),
            given: Array::default(),
            states: Array::default(),
            labels: Array::default(),
            memory: Array::default(),
            values: Array::default(),
            weights: Array::default(),
            losses: Array::default(),
            hits: Array::default(),
            squares: Array::default(),
        }
    }
}

impl<R, D: Device> Work<R, D> {
    /// Number of bytes in the arrays that grow with the batch.
    pub(super) fn bytes(&self) -> usize
    where
        R: Real,
    {
        let states = [&self.h, &self.f, &self.c];
        let errors = [&self.errors, &self.gates, &self.carry, &self.tau_sums, &self.y, &self.parts];
        let arrays = states.into_iter().chain(errors);
        arrays.map(Array::capacity).sum::<usize>() * size_of::<R>()
    }

    pub(super) fn forget_heads(&mut self) {
        self.heads = None;
    }

    /// Number of outputs of the active heads.
    pub(super) fn outputs(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }

    pub(super) fn output_stride(&self) -> usize {
        stride(self.outputs())
    }
}

/// Number of bytes on the device that one update needs besides parameters, gradient and momentum. Most of
/// them are the histories of the states and of the errors.
#[must_use]
pub fn workspace_bytes<R: Real>(
    config: &Config,
    steps: usize,
    trials: usize,
    outputs: usize,
    every_step: bool,
) -> usize {
    let stride_h = stride(config.hidden_size + config.input_size + 1);
    let output_stride = stride(outputs);
    let rows = trials.next_multiple_of(TILE);
    let room = room_steps(steps);
    // Length of a row of errors; number of rows that hold a number for each neuron.
    let (error_stride, states) = match config.cell {
        // h, c and the carry.
        Cell::Lstm | Cell::Gru => {
            (stride(COLUMNS * config.hidden_size), config.cell.states() * (room + 1) + 1)
        }
        Cell::Leaky(Leaky { placement: Placement::Whole, .. }) => (stride_h, room + 1),
        // h and f, (1 − a) δ, and the sums for dτ.
        Cell::Leaky(_) => (stride_h, 2 * (room + 1) + 2),
    };
    let history = rows * (states * stride_h + room * error_stride);
    let read = if every_step { steps } else { 1 };
    let y = read * rows * output_stride;
    let parts =
        |rows, a_stride| Splitting::new(rows, a_stride, stride_h).splits * a_stride * stride_h;
    let parts = parts(steps * rows, error_stride).max(parts(read * rows, output_stride));
    let matrices = 2 * stride_h * (error_stride + output_stride);
    // What is handed over in single precision: inputs, and at every step the values and their weight.
    let targets = if every_step { outputs + 1 } else { 0 };
    let shown = steps * trials * (config.input_size + targets) * size_of::<f32>();
    (history + y + parts + matrices) * size_of::<R>() + shown
}
