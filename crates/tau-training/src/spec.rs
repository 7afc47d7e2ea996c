//! Everything that defines a training: with a seed, the same bits.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use tau_curricula::{Schedule, Stage};
use tau_random::{Draws, Key, Purpose};
use tau_rnn::{Cell, Config, Cpu, Optimiser, Params, Placement, Real, thread_pool};
use tau_tasks::{Task, TaskSpec};

use crate::{Data, Error, Stop, Trainer};

/// A training. [`TrainingSpec::plain`] is one for any task; papers have their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Root of every random stream of the run but those of a fixed data set, 0 to 2⁶³ − 1.
    pub seed: u64,
    /// Largest number of epochs, at least 1.
    pub max_epochs: usize,
    /// Trials of a batch, 1 to 16383.
    pub batch_size: usize,
    /// h(0) ~ U[0, this), 0 or more; 0 for gated cells, which begin with zeros.
    pub initial_state: f64,
    /// The k = 1/Δt that a network in continuous time is trained at: every update has a batch, and a
    /// step of the optimiser, for each of them in turn, and so has every test batch. The network's
    /// own k, that of its checkpoints, is one of them. Empty: its own alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps_per_unit: Vec<u32>,
    /// When a stage is solved; `None` trains through all epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Every how many epochs a state is kept, besides those of solved stages and the last one;
    /// `None` keeps no more than those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_every: Option<usize>,
    /// What is learned.
    pub task: TaskSpec,
    /// Which tasks follow one another.
    pub schedule: Schedule,
    /// Where the trials come from.
    pub data: Data,
    /// Size and equations of the network, its initial values, what is trained of it.
    pub network: Config,
    /// How parameters follow the gradient.
    pub optimiser: Optimiser,
}

impl TrainingSpec {
    /// A plain training of a leaky network on any task: no schedule, 100 epochs of 100 updates on
    /// fresh batches of 64 trials, Adam with a rate of 0.001, h(0) = 0, no stop rule.
    ///
    /// # Errors
    /// Settings of the task out of range.
    pub fn plain(task: TaskSpec, hidden_size: usize, seed: u64) -> Result<Self, Error> {
        // The number of channels does not depend on N, so a ladder may stand without one.
        let built = task.with_memory(&[2]).unwrap_or_else(|| task.clone()).build()?;
        Ok(Self {
            seed,
            max_epochs: 100,
            batch_size: 64,
            initial_state: 0.0,
            steps_per_unit: Vec::new(),
            stop: None,
            keep_every: None,
            network: Config::leaky(hidden_size, built.shape().channels),
            task,
            schedule: Schedule::None,
            data: Data::Fresh { updates_per_epoch: 100, test_batches: 10 },
            optimiser: Optimiser::adam(),
        })
    }

    /// This training on a fixed data set: so many trials, of which the first `held_out` are scored and
    /// not trained on, drawn from a seed of their own ([`Data::Fixed`]).
    #[must_use]
    pub fn with_fixed_data(mut self, trials: usize, held_out: usize, data_seed: u64) -> Self {
        self.data = Data::Fixed { trials, held_out, data_seed };
        self
    }

    /// This training until the loss is below a value ([`Stop::LossBelow`]).
    #[must_use]
    pub fn until_loss_below(mut self, loss: f64) -> Self {
        self.stop = Some(Stop::LossBelow(loss));
        self
    }

    /// This training until the accuracy is above a fraction ([`Stop::AccuracyAbove`]).
    #[must_use]
    pub fn until_accuracy_above(mut self, accuracy: f64) -> Self {
        self.stop = Some(Stop::AccuracyAbove(accuracy));
        self
    }

    /// A trainer at the beginning of this training, on the processor with so many threads (`None` for
    /// one per processor, or as many as `RAYON_NUM_THREADS` says).
    ///
    /// # Errors
    /// The errors of [`TrainingSpec::check`] and [`tau_rnn::thread_pool`].
    pub fn on_cpu(&self, threads: Option<usize>) -> Result<Trainer<f32>, Error> {
        self.check()?;
        let (network, params) = (self.network.clone(), self.initial_params()?);
        let backend = Cpu::new(network, params, thread_pool(threads)?)?;
        Trainer::new(self.clone(), Box::new(backend))
    }

    /// This training in continuous time, at these k = 1/Δt (ICLR 2024, appendix: 7, 8, 9 and
    /// 10); its checkpoints are networks of the largest. Networks of gated cells stay as they are.
    #[must_use]
    pub fn in_continuous_time(mut self, steps_per_unit: &[u32]) -> Self {
        let largest = steps_per_unit.iter().copied().max().unwrap_or(1);
        if let Cell::Leaky(leaky) = &mut self.network.cell {
            leaky.placement = Placement::Continuous { steps_per_unit: largest };
            self.steps_per_unit = steps_per_unit.to_vec();
        }
        self
    }

    /// The k of the batches of an update, in their order: at least one.
    #[must_use]
    pub fn time_steps(&self) -> Vec<u32> {
        if self.steps_per_unit.is_empty() {
            vec![self.network.steps_per_unit()]
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

    /// Updates of an epoch.
    #[must_use]
    pub fn updates_per_epoch(&self) -> usize {
        self.data.updates_per_epoch(self.batch_size)
    }

    /// The stage that training starts with.
    ///
    /// # Errors
    /// The errors of [`Schedule::first`].
    pub fn first_stage(&self) -> Result<Stage, Error> {
        Ok(self.schedule.first(&self.task)?)
    }

    /// The parameters before training, without heads: those are added when a stage needs them.
    ///
    /// # Errors
    /// The errors of [`tau_rnn::Config::check`].
    pub fn initial_params<R: Real>(&self) -> Result<Params<R>, Error> {
        let mut random = Key::new(self.seed, Purpose::Parameters).stream();
        Ok(Params::init(&self.network, &mut random)?)
    }

    /// Checks every value once.
    ///
    /// # Errors
    /// The first value out of range, with its key and the range.
    pub fn check(&self) -> Result<(), Error> {
        self.network.check()?;
        self.optimiser.check()?;
        self.check_time_steps()?;
        let first = self.first_stage()?;
        let task = first.task.build()?;
        self.check_task(&*task)?;
        // A file of TOML has no larger number.
        if self.seed > i64::MAX as u64 {
            return refuse("seed", self.seed, "0 to 9223372036854775807");
        }
        if !(1..=Draws::MAX_TRIALS).contains(&self.batch_size) {
            return refuse("batch_size", self.batch_size, "1 to 16383");
        }
        count("max_epochs", self.max_epochs, 1)?;
        if let Some(epochs) = self.keep_every {
            count("keep_every", epochs, 1)?;
        }
        let scale = self.initial_state;
        if !(scale.is_finite() && scale >= 0.0) {
            return refuse("initial_state", scale, "0 or more, finite");
        }
        if !matches!(self.network.cell, Cell::Leaky(_)) && scale != 0.0 {
            let allowed = "0 for a gated cell, whose state begins with zeros";
            return refuse("initial_state", scale, allowed);
        }
        Ok(())
    }

    /// Checks what depends on the task.
    fn check_task(&self, task: &dyn Task) -> Result<(), Error> {
        let (shape, channels) = (task.shape(), self.network.input_size);
        if shape.channels != channels {
            let allowed = format!("{}, the channels of the task {}", shape.channels, task.name());
            return refuse("network.input_size", channels, &allowed);
        }
        self.data.check(task, self.batches_per_update())?;
        match self.stop {
            Some(stop) => stop.check(shape.every_step(), &self.data),
            None if self.schedule != Schedule::None => {
                let allowed = "with a schedule: accuracy_above or loss_below, which says when a stage \
                               is solved";
                refuse("stop", "none", allowed)
            }
            None => Ok(()),
        }
    }

    fn check_time_steps(&self) -> Result<(), Error> {
        let steps = &self.steps_per_unit;
        let Some(&first) = steps.first() else { return Ok(()) };
        let own = match &self.network.cell {
            Cell::Leaky(leaky) => match leaky.placement {
                Placement::Continuous { steps_per_unit } => Some(steps_per_unit),
                Placement::Whole | Placement::Drive => None,
            },
            Cell::Lstm | Cell::Gru => None,
        };
        let name = "steps_per_unit";
        let Some(own) = own else {
            let allowed = "none, unless the network's placement is continuous";
            return refuse(name, first, allowed);
        };
        if steps.contains(&0) {
            return refuse(name, 0, "1 or more");
        }
        if let Some((_, &twice)) = steps.iter().enumerate().find(|(i, k)| steps[..*i].contains(k)) {
            return refuse(name, twice, "each once");
        }
        if !steps.contains(&own) {
            return refuse(name, own, "for the network: one of those that it is trained at");
        }
        Ok(())
    }
}

/// The error of a value out of range.
pub(crate) fn refuse<T>(
    name: &'static str,
    value: impl Display,
    allowed: &str,
) -> Result<T, Error> {
    Err(Error::Value { name, value: value.to_string(), allowed: allowed.to_owned() })
}

/// Checks a number of things that are counted in 32 bits, `each` of which counts several times.
pub(crate) fn count(name: &'static str, value: usize, each: usize) -> Result<(), Error> {
    let counted = value.saturating_mul(each.max(1));
    match (value, u32::try_from(counted)) {
        (1.., Ok(_)) => Ok(()),
        _ if each > 1 => {
            let allowed = "1 to 4294967295 divided by the number of steps_per_unit";
            refuse(name, value, allowed)
        }
        _ => refuse(name, value, "1 to 4294967295"),
    }
}

#[cfg(test)]
mod tests;
