//! What the settings of a condition mean: its facets, and the training of its networks. This is the
//! only place of the crate where a training is defined.

use serde::{Deserialize, Serialize};
use tau_curricula::{Curriculum, TrainingSpec};
use tau_reproduce::{Compat, Entry, Error, Facets, Meaning};
use tau_rnn::{Cell, Config, Placement, TimeConstants};
use tau_tasks::TaskKind;

use crate::ICLR_2024;

/// Settings of a condition, those of all conditions among them. What is left out is as published:
/// N-parity, τ-RNN, trained τ, nonlinearity around everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Training {
    /// Neurons of each network.
    hidden_size: usize,
    /// Updates in an epoch.
    updates_per_epoch: usize,
    /// Trials in a batch.
    batch_size: usize,
    /// Batches that are scored after each epoch.
    test_batches: usize,
    /// When N grows.
    curriculum: Curriculum,
    /// Largest number of epochs.
    max_epochs: usize,
    /// Training ends when this N is solved.
    n_end: usize,
    /// What is learned.
    #[serde(default = "parity")]
    task: TaskKind,
    /// What a neuron is.
    #[serde(default)]
    cell: Cell,
    /// τ of every neuron, in steps, when it is not trained.
    #[serde(default)]
    fixed_tau: Option<f64>,
    /// Where the nonlinearity stands.
    #[serde(default)]
    placement: Option<Placement>,
    /// The k = 1/Δt of training in continuous time; none otherwise.
    #[serde(default)]
    steps_per_unit: Vec<u32>,
}

fn parity() -> TaskKind {
    TaskKind::Parity
}

/// Reads a condition of a preset.
pub(crate) fn condition(entry: &Entry<'_>) -> Result<Meaning, Error> {
    let training: Training = entry.read()?;
    let compat = entry.compat;
    Ok(Meaning {
        facets: training.facets(),
        training: Box::new(move |seed| training.spec(seed, compat)),
    })
}

impl Training {
    fn facets(&self) -> Facets {
        let curriculum = match self.curriculum {
            // Widths of windows differ between presets.
            Curriculum::Sliding { .. } => "sliding".to_owned(),
            other => other.to_string(),
        };
        let tau = match self.fixed_tau {
            _ if self.cell.gated() => "none".to_owned(),
            Some(tau) => tau.to_string(),
            None => "trained".to_owned(),
        };
        let placement = match self.placement {
            _ if self.cell.gated() => "none",
            _ if !self.steps_per_unit.is_empty() => "continuous",
            Some(Placement::Continuous { .. }) => "continuous",
            Some(Placement::Drive) => "drive",
            Some(Placement::Whole) | None => "whole",
        };
        let facets = [
            ("curriculum", curriculum),
            ("task", self.task.to_string()),
            ("cell", self.cell.to_string()),
            ("tau", tau),
            ("placement", placement.to_owned()),
        ];
        facets.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The training of one network (docs/papers/khajehabdollahi-2024.md §4), with the sizes and budgets of the preset.
    fn spec(&self, seed: u64, compat: Compat) -> TrainingSpec {
        let Self { task, cell, curriculum, .. } = *self;
        let published = TrainingSpec::paper_cell(cell, task, curriculum, self.hidden_size, seed);
        let tau = self.fixed_tau.map(|value| {
            if compat.has(&ICLR_2024) {
                // The published option sets where τ starts, and it is trained all the same.
                TimeConstants::Trainable { start: value }
            } else {
                TimeConstants::Fixed { value }
            }
        });
        let spec = TrainingSpec {
            n_end: self.n_end,
            max_epochs: self.max_epochs,
            updates_per_epoch: self.updates_per_epoch,
            batch_size: self.batch_size,
            test_batches: self.test_batches,
            network: Config {
                placement: self.placement.unwrap_or(published.network.placement),
                tau: tau.unwrap_or(published.network.tau),
                ..published.network.clone()
            },
            ..published
        };
        match &self.steps_per_unit[..] {
            [] => spec,
            steps => spec.in_continuous_time(steps),
        }
    }
}
