//! The batches of a training: fresh ones by their names, or those of a fixed data set.

use tau_random::{DrawnBits, Key, Purpose};
use tau_rnn::{Initial, Real, Target};
use tau_tasks::{Batch, Targets, Task};

use crate::fixed::DataSet;
use crate::{Data, Error, TrainingSpec};

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Training,
    Test,
}

/// Which batch: its use, and its place in an epoch. Epochs and batches are counted from 0. Update u
/// has batches u·K to u·K + K − 1, with K = [`TrainingSpec::batches_per_update`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which {
    pub(crate) of: Use,
    pub(crate) epoch: usize,
    pub(crate) batch: usize,
}

/// Where the batches of a stage come from.
#[derive(Debug)]
pub(crate) struct Source {
    task: Box<dyn Task>,
    fixed: Option<Fixed>,
}

#[derive(Debug)]
struct Fixed {
    set: DataSet,
    /// The epoch whose order is kept, and the order.
    order: (usize, Vec<usize>),
}

impl Source {
    pub(crate) fn new(spec: &TrainingSpec, task: Box<dyn Task>) -> Result<Self, Error> {
        let fixed = match spec.data {
            Data::Fresh { .. } => None,
            Data::Fixed { trials, held_out, data_seed } => {
                let set = DataSet::draw(&*task, trials, held_out, data_seed)?;
                let order = (0, set.order(spec.seed, 0));
                Some(Fixed { set, order })
            }
        };
        Ok(Self { task, fixed })
    }

    pub(crate) fn task(&self) -> &dyn Task {
        &*self.task
    }

    /// The batch as a device may draw it itself: fresh bits that are not held.
    pub(crate) fn drawn(&self, spec: &TrainingSpec, which: Which) -> Option<DrawnBits<'_>> {
        let ladder = self.task.ladder()?;
        if self.fixed.is_some() || which.steps_per_unit(spec) != 1 {
            return None;
        }
        let (key, (bits, rule)) = (which.inputs(spec), ladder.bits());
        let (steps, trials) = (ladder.length(key), spec.batch_size);
        Some(DrawnBits { key, steps, trials, bits, rule, memory: ladder.memory() })
    }

    /// The batch itself.
    pub(crate) fn batch(&mut self, spec: &TrainingSpec, which: Which) -> Result<Batch, Error> {
        let held = which.steps_per_unit(spec) as usize;
        let batch = match &mut self.fixed {
            None => self.task.batch(spec.batch_size, which.inputs(spec))?,
            Some(fixed) => fixed.batch(spec, which),
        };
        Ok(batch.held(held))
    }
}

impl Fixed {
    fn batch(&mut self, spec: &TrainingSpec, which: Which) -> Batch {
        // A data set is shown at every k: its batches are numbered by the update.
        let batch = which.batch / spec.batches_per_update();
        match which.of {
            Use::Test => self.set.held_out_batch(batch, spec.batch_size),
            Use::Training => {
                if self.order.0 != which.epoch {
                    self.order = (which.epoch, self.set.order(spec.seed, which.epoch));
                }
                self.set.training_batch(&self.order.1, batch, spec.batch_size)
            }
        }
    }
}

impl Which {
    /// The k of the batch: every input is held for so many steps.
    pub(crate) fn steps_per_unit(self, spec: &TrainingSpec) -> u32 {
        match spec.steps_per_unit.get(self.batch % spec.batches_per_update()) {
            Some(&steps) => steps,
            None => spec.network.steps_per_unit(),
        }
    }

    fn inputs(self, spec: &TrainingSpec) -> Key {
        self.key(spec, [Purpose::Inputs, Purpose::TestInputs])
    }

    /// The states before the first step.
    pub(crate) fn initial<'a, R: Real>(self, spec: &TrainingSpec) -> Initial<'a, R> {
        if spec.initial_state == 0.0 {
            return Initial::Zero;
        }
        let key = self.key(spec, [Purpose::InitialState, Purpose::TestInitialState]);
        Initial::Uniform { scale: spec.initial_state, key }
    }

    /// The stream of a training batch or of a test batch.
    fn key(self, spec: &TrainingSpec, [training, test]: [Purpose; 2]) -> Key {
        let purpose = if self.of == Use::Training { training } else { test };
        // Both counts fit: `TrainingSpec::check`.
        Key::new(spec.seed, purpose).stage(self.epoch as u32).step(self.batch as u32)
    }
}

/// A drawn batch as the core reads it, with `heads` 0, 1, ….
pub(crate) fn target<'a>(targets: &'a Targets, heads: &'a [usize]) -> Target<'a> {
    match targets {
        Targets::Classes(labels) => Target::Classes { labels: labels.view(), heads },
        Targets::Values { values, weights } => Target::Values {
            values: values.view(),
            weights: weights.as_ref().map(|weights| weights.view()),
            head: 0,
        },
    }
}
