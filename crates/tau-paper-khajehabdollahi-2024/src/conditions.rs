//! What the settings of a condition mean: its facets, and the training of its networks. Besides
//! `published` this is the only place of the crate where a training is defined.

use serde::{Deserialize, Serialize};
use tau_curricula::{MultiHead, Schedule, SingleHead, Sliding};
use tau_reproduce::{Compat, Entry, Error, Facets, Meaning};
use tau_rnn::{Cell, Leaky, Placement, TimeConstants};
use tau_tasks::{Dms, TaskSpec};
use tau_training::{Data, TrainingSpec};

use crate::{ICLR_2024, published};

/// Settings of a condition, those of all conditions among them. Settings that are left out are as
/// published: N-parity, τ-RNN, trained τ, nonlinearity around the whole update.
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
    /// Name of the curriculum.
    curriculum: String,
    /// Largest number of epochs.
    max_epochs: usize,
    /// Training ends when this N is solved.
    n_end: usize,
    /// Name of the task.
    #[serde(default = "parity")]
    task: String,
    /// The equations of a neuron.
    #[serde(default)]
    cell: CellName,
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

/// The cells that the paper compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CellName {
    #[default]
    Leaky,
    Lstm,
    Gru,
}

fn parity() -> String {
    "parity".to_owned()
}

/// Reads a condition of a preset.
pub(crate) fn condition(entry: &Entry<'_>) -> Result<Meaning, Error> {
    let training: Training = entry.read()?;
    let refused = |error: String| Error::Paper(error);
    let schedule = training.schedule().map_err(|error| refused(error.to_string()))?;
    let task = training.task().map_err(|error| refused(error.to_string()))?;
    let compat = entry.compat;
    Ok(Meaning {
        facets: training.facets(&schedule),
        training: Box::new(move |seed| training.spec(&schedule, &task, seed, compat)),
    })
}

impl Training {
    fn schedule(&self) -> Result<Schedule, tau_curricula::Error> {
        let n_end = self.n_end;
        Ok(match self.curriculum.parse()? {
            Schedule::None => Schedule::None,
            Schedule::SingleHead(single) => Schedule::SingleHead(SingleHead { n_end, ..single }),
            Schedule::MultiHead(multi) => Schedule::MultiHead(MultiHead { n_end, ..multi }),
            Schedule::Sliding(window) => Schedule::Sliding(Sliding { n_end, ..window }),
        })
    }

    fn task(&self) -> Result<TaskSpec, tau_tasks::Error> {
        self.task.parse()
    }

    fn cell(&self, compat: Compat) -> Cell {
        match self.cell {
            CellName::Leaky => self.leaky(compat).into(),
            CellName::Lstm => Cell::Lstm,
            CellName::Gru => Cell::Gru,
        }
    }

    fn leaky(&self, compat: Compat) -> Leaky {
        let tau = self.fixed_tau.map(|value| {
            if compat.has(&ICLR_2024) {
                // The published option sets where τ starts, and it is trained all the same.
                TimeConstants::Trainable { start: value }
            } else {
                TimeConstants::Fixed { value }
            }
        });
        Leaky {
            placement: self.placement.unwrap_or(Leaky::DEFAULT.placement),
            tau: tau.unwrap_or(Leaky::DEFAULT.tau),
            ..Leaky::DEFAULT
        }
    }

    fn facets(&self, schedule: &Schedule) -> Facets {
        let curriculum = match schedule {
            // Widths of windows differ between presets.
            Schedule::Sliding(_) => "sliding".to_owned(),
            other => other.to_string(),
        };
        let gated = self.cell != CellName::Leaky;
        let tau = match self.fixed_tau {
            _ if gated => "none".to_owned(),
            Some(tau) => tau.to_string(),
            None => "trained".to_owned(),
        };
        let placement = match self.placement {
            _ if gated => "none",
            _ if !self.steps_per_unit.is_empty() => "continuous",
            Some(Placement::Continuous { .. }) => "continuous",
            Some(Placement::Drive) => "drive",
            Some(Placement::Whole) | None => "whole",
        };
        let cell = match self.cell {
            CellName::Leaky => "leaky",
            CellName::Lstm => "lstm",
            CellName::Gru => "gru",
        };
        let facets = [
            ("curriculum", curriculum),
            ("task", self.task.clone()),
            ("cell", cell.to_owned()),
            ("tau", tau),
            ("placement", placement.to_owned()),
        ];
        facets.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The training of one network (docs/papers/khajehabdollahi-2024.md §4), with the sizes and budgets
    /// of the preset.
    fn spec(
        &self,
        schedule: &Schedule,
        task: &TaskSpec,
        seed: u64,
        compat: Compat,
    ) -> TrainingSpec {
        let mut spec = published::training(self.cell(compat));
        spec.seed = seed;
        spec.max_epochs = self.max_epochs;
        spec.batch_size = self.batch_size;
        spec.schedule = schedule.clone();
        spec.data = Data::Fresh {
            updates_per_epoch: self.updates_per_epoch,
            test_batches: self.test_batches,
        };
        spec.network.hidden_size = self.hidden_size;
        spec.task = match (task, spec.task) {
            // Bits are shown as the cell's published training shows them.
            (TaskSpec::Dms(_), TaskSpec::Parity(shown)) => {
                TaskSpec::Dms(Dms { n: shown.n, coding: shown.coding })
            }
            (_, shown) => shown,
        };
        match &self.steps_per_unit[..] {
            [] => spec,
            steps => spec.in_continuous_time(steps),
        }
    }
}
