//! All that defines a training run: with a seed, the same bits.

use serde::{Deserialize, Serialize};
use tau_rnn::{Cell, Config, Optimiser};
use tau_tasks::{Coding, Draws, MAX_N, TaskKind};

use crate::{Curriculum, Error};

/// Largest number of heads of a window.
const MAX_HEADS: usize = 1000;

/// A training run. [`TrainingSpec::paper_cell`] has the published values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// What is learned.
    pub task: TaskKind,
    /// How bits are written as input.
    pub coding: Coding,
    /// When N grows.
    pub curriculum: Curriculum,
    /// First N (2 in the paper).
    pub n_start: usize,
    /// Training ends when this N is solved, at least `n_start`.
    pub n_end: usize,
    /// Largest number of epochs.
    pub max_epochs: usize,
    /// Updates in an epoch (600 in the paper).
    pub updates_per_epoch: usize,
    /// Trials in a batch (256 in the paper).
    pub batch_size: usize,
    /// Fresh batches that are scored after each epoch (50 in the paper).
    pub test_batches: usize,
    /// A stage is solved when the mean accuracy over heads and that of the newest head are both
    /// above this fraction (0.98 in the paper).
    pub success_accuracy: f64,
    /// h(0) ~ U[0, this) (0.1 in the paper; 0 for gated cells, which must begin so).
    pub initial_state: f64,
    /// Size and equations of the network.
    pub network: Config,
    /// How parameters follow the gradient.
    pub optimiser: Optimiser,
}

impl TrainingSpec {
    /// The published training (sections 1 to 4) of a τ-RNN with `hidden_size` neurons.
    #[must_use]
    pub fn paper(task: TaskKind, curriculum: Curriculum, hidden_size: usize, seed: u64) -> Self {
        Self {
            seed,
            task,
            coding: Coding::Bits,
            curriculum,
            n_start: 2,
            n_end: 101,
            max_epochs: 1000,
            updates_per_epoch: 600,
            batch_size: 256,
            test_batches: 50,
            success_accuracy: 0.98,
            initial_state: 0.1,
            network: Config::paper(hidden_size),
            optimiser: Optimiser::paper(),
        }
    }

    /// The published training of a network of any cell: of a gated one with Adam, in smaller and
    /// fewer batches, on bits that are −1 and 1 with probability 1/2, from states that are zero.
    #[must_use]
    pub fn paper_cell(
        cell: Cell,
        task: TaskKind,
        curriculum: Curriculum,
        hidden_size: usize,
        seed: u64,
    ) -> Self {
        let leaky = Self::paper(task, curriculum, hidden_size, seed);
        if !cell.gated() {
            return leaky;
        }
        Self {
            coding: Coding::Signs,
            max_epochs: 100,
            updates_per_epoch: 300,
            batch_size: 64,
            initial_state: 0.0,
            network: Config { cell, ..leaky.network },
            optimiser: Optimiser::paper_gated(),
            ..leaky
        }
    }

    /// Checks every value once.
    ///
    /// # Errors
    /// The first value out of range, with the range.
    pub fn check(&self) -> Result<(), Error> {
        self.network.check()?;
        self.optimiser.check()?;
        if self.n_end < self.n_start {
            return Err(Error::Range { start: self.n_start, end: self.n_end });
        }
        if let Curriculum::Sliding { heads, forget } = self.curriculum
            && heads > MAX_HEADS
        {
            return Err(Error::Sliding { heads, forget });
        }
        let steps = self.network.placement.steps_per_unit();
        if steps > 1 {
            // Every bit would have to be held for that many steps, which this loop does not do.
            let allowed = "1: training in continuous time is not built yet";
            return Err(Error::Value { name: "steps_per_unit", value: f64::from(steps), allowed });
        }
        if self.n_start > MAX_N {
            let allowed = "1 to 100000";
            return Err(Error::Value { name: "n_start", value: self.n_start as f64, allowed });
        }
        // The task knows which N it can have: the first and the last stage are the extremes.
        let first = self.curriculum.first(self.n_start);
        self.task.with_memory(&first.memory)?;
        let task = self.task.with_memory(&[self.n_end])?;
        if task.channels() != self.network.input_size {
            let allowed = "as many as the task has channels: 1 for parity and dms";
            let value = self.network.input_size as f64;
            return Err(Error::Value { name: "input_size", value, allowed });
        }
        if self.batch_size > Draws::MAX_TRIALS {
            let allowed = "1 to 16383";
            return Err(Error::Value {
                name: "batch_size",
                value: self.batch_size as f64,
                allowed,
            });
        }
        // A file of TOML has no larger number.
        if self.seed > i64::MAX as u64 {
            let allowed = "0 to 9223372036854775807";
            return Err(Error::Value { name: "seed", value: self.seed as f64, allowed });
        }
        let counts = [
            ("max_epochs", self.max_epochs),
            ("updates_per_epoch", self.updates_per_epoch),
            ("batch_size", self.batch_size),
            ("test_batches", self.test_batches),
        ];
        for (name, value) in counts {
            if value == 0 || u32::try_from(value).is_err() {
                let allowed = "1 to 4294967295";
                return Err(Error::Value { name, value: value as f64, allowed });
            }
        }
        let accuracy = self.success_accuracy;
        if !(0.0..1.0).contains(&accuracy) {
            let allowed = "0 or more, below 1";
            return Err(Error::Value { name: "success_accuracy", value: accuracy, allowed });
        }
        let scale = self.initial_state;
        if !(scale.is_finite() && scale >= 0.0) {
            let allowed = "0 or more, finite";
            return Err(Error::Value { name: "initial_state", value: scale, allowed });
        }
        if self.network.cell.gated() && scale != 0.0 {
            let allowed = "0 for a gated cell: as published, its state begins with zeros";
            return Err(Error::Value { name: "initial_state", value: scale, allowed });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_training_is_valid() {
        for curriculum in ["single", "cumulative", "sliding_10_5", "single_nocurr"] {
            let curriculum = curriculum.parse().unwrap();
            for task in TaskKind::ALL {
                TrainingSpec::paper(*task, curriculum, 500, 0).check().unwrap();
                for cell in Cell::ALL {
                    TrainingSpec::paper_cell(cell, *task, curriculum, 500, 0).check().unwrap();
                }
            }
        }
        let cell =
            |cell| TrainingSpec::paper_cell(cell, TaskKind::Dms, Curriculum::SingleHead, 64, 3);
        let leaky = TrainingSpec::paper(TaskKind::Dms, Curriculum::SingleHead, 64, 3);
        assert_eq!(cell(Cell::Leaky), leaky);
        assert_eq!(cell(Cell::Gru).network, Config { cell: Cell::Gru, ..leaky.network });
    }

    #[test]
    fn a_gated_network_begins_with_zeros() {
        let spec =
            TrainingSpec::paper_cell(Cell::Lstm, TaskKind::Parity, Curriculum::MultiHead, 9, 0);
        let error = TrainingSpec { initial_state: 0.1, ..spec }.check().unwrap_err().to_string();
        let expected = "initial_state: 0.1 (allowed: 0 for a gated cell: as published, its state \
                        begins with zeros)";
        assert_eq!(error, expected);
    }

    #[test]
    fn values_out_of_range_are_named() {
        check(
            |spec| (spec.n_start, spec.n_end) = (9, 4),
            "n_end: 4 (allowed: n_start = 9 or more)",
        );
        check(|spec| spec.network.hidden_size = 0, "hidden_size: 0 (allowed: 1 to 65536)");
        check(|spec| spec.batch_size = 0, "batch_size: 0 (allowed: 1 to 4294967295)");
        check(
            |spec| spec.success_accuracy = 98.0,
            "success_accuracy: 98 (allowed: 0 or more, below 1)",
        );
        check(|spec| spec.initial_state = -0.1, "initial_state: -0.1 (allowed: 0 or more, finite)");
        fn check(spoil: impl Fn(&mut TrainingSpec), message: &str) {
            let mut spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::SingleHead, 10, 0);
            spoil(&mut spec);
            assert_eq!(spec.check().unwrap_err().to_string(), message);
        }
    }
}
