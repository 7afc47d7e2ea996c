//! The published training (docs/papers/khajehabdollahi-2024.md §§1 to 4), and the bases that specs
//! may start from.

use tau_curricula::{MultiHead, Schedule};
use tau_random::Coding;
use tau_rnn::{Cell, Config, Leaky, Optimiser};
use tau_runs::Base;
use tau_tasks::{Parity, TaskSpec};
use tau_training::{Data, Stop, TrainingSpec};

/// Neurons of the published networks.
const HIDDEN_SIZE: usize = 500;

/// The bases of the paper, each the published training of one cell; the first is for τ-RNNs.
pub const BASES: &[Base] = &[
    Base {
        name: "iclr-2024",
        about: "τ-RNN of 500 neurons, multi-head curriculum on N-parity (ICLR 2024, §§2 and 3)",
        spec: || training(Leaky::DEFAULT.into()),
        fits,
    },
    Base {
        name: "iclr-2024-lstm",
        about: "LSTM of 500 neurons, multi-head curriculum on N-parity (ICLR 2024, appendix)",
        spec: || training(Cell::Lstm),
        fits,
    },
    Base {
        name: "iclr-2024-gru",
        about: "GRU of 500 neurons, trained as the LSTM (ICLR 2024, appendix)",
        spec: || training(Cell::Gru),
        fits,
    },
];

/// The paper trains ladders over N.
fn fits(task: &TaskSpec) -> bool {
    task.memory().is_some()
}

/// The published training of a network of a cell, with the multi-head curriculum on N-parity and
/// seed 0. A τ-RNN is trained with Nesterov momentum on bits 0 and 1; a network with gates with Adam,
/// in smaller and fewer batches, on bits −1 and 1 with probability ½, from states that are zero.
#[must_use]
pub fn training(cell: Cell) -> TrainingSpec {
    let gated = cell.leaky().is_none();
    let coding = if gated { Coding::Signs } else { Coding::Bits };
    TrainingSpec {
        seed: 0,
        max_epochs: if gated { 100 } else { 1000 },
        batch_size: if gated { 64 } else { 256 },
        initial_state: if gated { 0.0 } else { 0.1 },
        steps_per_unit: Vec::new(),
        stop: Some(Stop::AccuracyAbove(0.98)),
        keep_every: None,
        task: TaskSpec::Parity(Parity { n: Vec::new(), coding }),
        schedule: Schedule::MultiHead(MultiHead::default()),
        data: Data::Fresh { updates_per_epoch: if gated { 300 } else { 600 }, test_batches: 50 },
        network: Config::new(cell, HIDDEN_SIZE, 1),
        optimiser: if gated { Optimiser::adam() } else { Optimiser::nesterov() },
    }
}
