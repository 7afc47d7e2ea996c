//! All that defines a training run: with a seed, the same bits.

use serde::{Deserialize, Serialize};
use tau_rnn::{Cell, Config, Optimiser, Placement};
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
    /// The k = 1/Δt that a network in continuous time is trained at: every update has a batch, and a
    /// step of the optimiser, for each of them in turn, and so has every test batch. The paper has 7,
    /// 8, 9, 10. The network's own k, that of its checkpoints, must be one of them. None: its own
    /// alone. (Not written when there are none: so older files, and what is derived from their text,
    /// stay as they are.)
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps_per_unit: Vec<u32>,
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
            steps_per_unit: Vec::new(),
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

    /// The same training in continuous time, at these k = 1/Δt (7, 8, 9 and 10 in the paper); its
    /// checkpoints are networks of the largest.
    ///
    /// ```
    /// use tau_curricula::{Curriculum, TrainingSpec};
    /// use tau_tasks::TaskKind;
    /// let spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 500, 1)
    ///     .in_continuous_time(&[7, 8, 9, 10]);
    /// assert_eq!(spec.network.placement.steps_per_unit(), 10);
    /// assert_eq!(spec.time_steps(), [7, 8, 9, 10]);
    /// ```
    #[must_use]
    pub fn in_continuous_time(mut self, steps_per_unit: &[u32]) -> Self {
        let largest = steps_per_unit.iter().copied().max().unwrap_or(1);
        self.network.placement = Placement::Continuous { steps_per_unit: largest };
        self.steps_per_unit = steps_per_unit.to_vec();
        self
    }

    /// The k of the batches of an update, in their order: at least one.
    #[must_use]
    pub fn time_steps(&self) -> Vec<u32> {
        if self.steps_per_unit.is_empty() {
            vec![self.network.placement.steps_per_unit()]
        } else {
            self.steps_per_unit.clone()
        }
    }

    /// Batches of an update, each a step of the optimiser: one for each of
    /// [`time_steps`](Self::time_steps).
    #[must_use]
    pub fn batches_per_update(&self) -> usize {
        self.steps_per_unit.len().max(1)
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
        self.check_time_steps()?;
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
            // Batches are numbered within an epoch.
            let batches = value.saturating_mul(self.batches_per_update());
            if value == 0 || u32::try_from(batches).is_err() {
                let allowed = match self.batches_per_update() {
                    1 => "1 to 4294967295",
                    _ => "1 to 4294967295 divided by the number of steps_per_unit",
                };
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

    fn check_time_steps(&self) -> Result<(), Error> {
        let steps = &self.steps_per_unit;
        let refused = |value: u32, allowed| {
            Err(Error::Value { name: "steps_per_unit", value: f64::from(value), allowed })
        };
        let Some(&first) = steps.first() else { return Ok(()) };
        let Placement::Continuous { steps_per_unit: own } = self.network.placement else {
            return refused(first, "none, unless the network's placement is continuous");
        };
        if steps.contains(&0) {
            return refused(0, "1 or more");
        }
        if let Some((_, &twice)) = steps.iter().enumerate().find(|(i, k)| steps[..*i].contains(k)) {
            return refused(twice, "each once");
        }
        if !steps.contains(&own) {
            return refused(own, "for the network: one of those that it is trained at");
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
    fn a_training_in_continuous_time_says_at_which_time_steps() {
        let paper = TrainingSpec::paper(TaskKind::Parity, Curriculum::SingleHead, 10, 0);
        assert_eq!((paper.time_steps(), paper.batches_per_update()), (vec![1], 1));
        let spec = paper.clone().in_continuous_time(&[2, 5, 3]);
        spec.check().unwrap();
        assert_eq!((spec.time_steps(), spec.batches_per_update()), (vec![2, 5, 3], 3));
        let own = TrainingSpec { steps_per_unit: Vec::new(), ..spec.clone() };
        own.check().unwrap();
        assert_eq!((own.time_steps(), own.batches_per_update()), (vec![5], 1));
        let check = |steps: &[u32], network: &Config, allowed: &str| {
            let (steps_per_unit, network) = (steps.to_vec(), network.clone());
            let spoiled = TrainingSpec { steps_per_unit, network, ..paper.clone() };
            assert_eq!(spoiled.check().unwrap_err().to_string(), allowed);
        };
        let whole =
            "steps_per_unit: 2 (allowed: none, unless the network's placement is continuous)";
        check(&[2], &paper.network, whole);
        check(&[5, 0], &spec.network, "steps_per_unit: 0 (allowed: 1 or more)");
        check(&[5, 2, 5], &spec.network, "steps_per_unit: 5 (allowed: each once)");
        let other =
            "steps_per_unit: 5 (allowed: for the network: one of those that it is trained at)";
        check(&[2, 3], &spec.network, other);
        let many = TrainingSpec { updates_per_epoch: 1 << 31, ..spec };
        assert!(
            many.check().unwrap_err().to_string().contains("divided by the number of steps_per")
        );
    }

    /// Digests of such texts name the folders of runs.
    #[test]
    fn what_is_not_in_continuous_time_is_written_as_it_was_before() {
        let spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::SingleHead, 10, 0);
        let text = toml::to_string(&spec).unwrap();
        assert!(!text.contains("steps_per_unit"), "{text}");
        for spec in [spec.clone(), spec.in_continuous_time(&[2, 3])] {
            let text = toml::to_string(&spec).unwrap();
            assert_eq!(toml::from_str::<TrainingSpec>(&text).unwrap(), spec, "{text}");
        }
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
