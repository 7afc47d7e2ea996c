//! What a pass works on.

use std::ops::Range;

use crate::{Cell, Config, Leaky, Placement, Real};

use super::device::Device;
use super::gated::COLUMNS;
use super::memory::Array;
use super::pass::{Splitting, TILE, room_steps, stride};

/// Memory of a pass, used again from batch to batch. Padding is never written: it stays zero.
#[derive(Debug)]
pub(super) struct Work<R, D: Device> {
    /// M and Mᵀ.
    pub(super) forward: Array<R, D>,
    pub(super) backward: Array<R, D>,
    pub(super) alpha: Array<R, D>,
    pub(super) decay: Array<R, D>,
    /// Readouts of the active heads.
    pub(super) readout_forward: Array<R, D>,
    pub(super) readout_backward: Array<R, D>,
    /// The heads that the next four tables are for; `None` if the parameters have moved since.
    pub(super) heads: Option<Vec<usize>>,
    pub(super) weights: Array<u64, D>,
    pub(super) biases: Array<u64, D>,
    pub(super) first: Array<i32, D>,
    /// The outputs of each active head.
    pub(super) ranges: Vec<Range<usize>>,
    /// h̃(0) … h̃(T).
    pub(super) h: Array<R, D>,
    pub(super) f: Array<R, D>,
    /// c(0) … c(T) of an LSTM.
    pub(super) c: Array<R, D>,
    /// Gates at steps 1 … T of a cell that has them, to become their errors.
    pub(super) gates: Array<R, D>,
    /// e(1) … e(T).
    pub(super) errors: Array<R, D>,
    pub(super) carry: Array<R, D>,
    pub(super) tau_sums: Array<R, D>,
    pub(super) y: Array<R, D>,
    /// Sums of outer products.
    pub(super) parts: Array<R, D>,
    pub(super) inputs: Array<f32, D>,
    pub(super) given: Array<R, D>,
    /// States without their padding.
    pub(super) states: Array<R, D>,
    pub(super) labels: Array<u8, D>,
    pub(super) memory: Array<i32, D>,
    pub(super) targets: Array<f32, D>,
    pub(super) losses: Array<f64, D>,
    pub(super) hits: Array<f64, D>,
    /// Sums of squares.
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
            weights: Array::default(),
            biases: Array::default(),
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
            targets: Array::default(),
            losses: Array::default(),
            hits: Array::default(),
            squares: Array::default(),
        }
    }
}

impl<R, D: Device> Work<R, D> {
    /// Bytes of the arrays that grow with the batch.
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

    /// Outputs of the active heads.
    pub(super) fn outputs(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }

    pub(super) fn output_stride(&self) -> usize {
        stride(self.outputs())
    }
}

/// Bytes on the device that one update needs besides parameters, gradient and momentum: mostly the
/// histories of the states and of the errors.
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
    // Numbers of a row of errors; rows of states and what else there is of a neuron.
    let (error_stride, states) = match config.cell {
        // h, c, and the carry.
        Cell::Lstm | Cell::Gru => {
            (stride(COLUMNS * config.hidden_size), config.cell.states() * (room + 1) + 1)
        }
        Cell::Leaky(Leaky { placement: Placement::Whole, .. }) => (stride_h, room + 1),
        // f as well, (1 − a) δ and what dτ sums up.
        Cell::Leaky(_) => (stride_h, 2 * (room + 1) + 2),
    };
    let history = rows * (states * stride_h + room * error_stride);
    let read = if every_step { steps } else { 1 };
    let y = read * rows * output_stride;
    let parts =
        |rows, a_stride| Splitting::new(rows, a_stride, stride_h).splits * a_stride * stride_h;
    let parts = parts(steps * rows, error_stride).max(parts(read * rows, output_stride));
    let matrices = 2 * stride_h * (error_stride + output_stride);
    // Handed over in single precision: inputs, and targets at every step.
    let targets = if every_step { outputs } else { 0 };
    let shown = steps * trials * (config.input_size + targets) * size_of::<f32>();
    (history + y + parts + matrices) * size_of::<R>() + shown
}
