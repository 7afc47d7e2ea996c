//! How much memory an update takes, by the same sizes with which slices make room.

use crate::{Cell, Config, Leaky, Placement};

use super::gated::kind::Kind;
use super::packed::extra_columns;
use super::pass::CHUNK_STEPS;
use super::tile::{MAX_PANEL, ROW_BLOCK, row_stride};

/// The sizes of a slice's batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) steps: usize,
    /// Trials of a slice.
    pub(super) trials: usize,
    /// Outputs of all heads.
    pub(super) outputs: usize,
    pub(super) every_step: bool,
}

/// Numbers that a slice holds for an update.
pub(super) fn numbers(config: &Config, asked: Asked) -> usize {
    match &config.cell {
        Cell::Leaky(leaky) => leaky_numbers(config, leaky, asked),
        Cell::Lstm => gated_numbers(config, Kind::Lstm, asked),
        Cell::Gru => gated_numbers(config, Kind::Gru, asked),
    }
}

fn leaky_numbers(config: &Config, leaky: &Leaky, asked: Asked) -> usize {
    let Asked { steps, trials, .. } = asked;
    let columns = config.hidden_size + extra_columns(config.input_size);
    let (rows, stride) = (trials.next_multiple_of(ROW_BLOCK), row_stride(columns));
    // Every state; the errors of a chunk, those from readouts.
    let whole = leaky.placement == Placement::Whole;
    let states = if whole { steps + 1 } else { 2 * steps + 2 };
    let activity = (states + CHUNK_STEPS + 1) * rows * stride;
    let blocks = columns.next_multiple_of(ROW_BLOCK);
    activity + blocks * stride + readout_numbers(asked, rows, stride, blocks)
}

fn gated_numbers(config: &Config, kind: Kind, asked: Asked) -> usize {
    let Asked { steps, trials, .. } = asked;
    let columns = config.hidden_size + extra_columns(config.input_size);
    let (rows, stride) = (trials.next_multiple_of(ROW_BLOCK), row_stride(columns));
    let gate_stride = row_stride(kind.kept() * config.hidden_size);
    let states = if kind.has_memory() { 2 * steps + 2 } else { steps + 1 };
    // Errors of a step: those from the readouts, from the product, carried.
    let activity = (states + 3) * rows * stride + steps * rows * gate_stride;
    let blocks = columns.next_multiple_of(ROW_BLOCK);
    let input_blocks = extra_columns(config.input_size).next_multiple_of(ROW_BLOCK);
    let input = if kind.input_apart() { input_blocks * stride } else { 0 };
    activity + blocks * gate_stride + input + readout_numbers(asked, rows, stride, blocks)
}

/// Numbers that the outputs need, and the scratch of all gradients: the scratch of the cell's gradient
/// has `blocks` rows.
fn readout_numbers(asked: Asked, rows: usize, stride: usize, blocks: usize) -> usize {
    let Asked { steps, outputs, every_step, .. } = asked;
    let output_blocks = outputs.next_multiple_of(ROW_BLOCK);
    let read = if every_step { steps } else { 1 };
    let y = read * rows * row_stride(outputs);
    // Of the two outer products, that of the cell over a chunk and that of the heads over all.
    let chunk = CHUNK_STEPS.min(steps) * rows;
    let scratch =
        (chunk * blocks).max(read * rows * output_blocks) + chunk.max(read * rows) * MAX_PANEL;
    output_blocks * stride + y + scratch
}
