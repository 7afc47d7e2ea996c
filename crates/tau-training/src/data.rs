//! Where the trials come from.

use serde::{Deserialize, Serialize};
use tau_tasks::Task;

use crate::Error;
use crate::spec::{count, refuse};

/// Where the trials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Data {
    /// Every batch is new.
    Fresh {
        /// Updates in an epoch, at least 1.
        updates_per_epoch: usize,
        /// New batches that are scored after each epoch, at least 1.
        test_batches: usize,
    },
    /// One data set, drawn once. An epoch shows every training trial once, in an order of its own;
    /// its last batch is short if need be.
    Fixed {
        /// Trials of the data set, held-out ones included.
        trials: usize,
        /// How many of them, the first ones, are not trained on and are scored after each epoch;
        /// 0 scores none.
        held_out: usize,
        /// Root of the data set's random streams: networks with different seeds and one data seed
        /// see the same trials.
        data_seed: u64,
    },
}

impl Data {
    /// Updates of an epoch with batches of this size.
    #[must_use]
    pub fn updates_per_epoch(&self, batch_size: usize) -> usize {
        match *self {
            Self::Fresh { updates_per_epoch, .. } => updates_per_epoch,
            Self::Fixed { trials, held_out, .. } => {
                trials.saturating_sub(held_out).div_ceil(batch_size.max(1))
            }
        }
    }

    /// Batches that are scored after each epoch.
    #[must_use]
    pub fn test_batches(&self, batch_size: usize) -> usize {
        match *self {
            Self::Fresh { test_batches, .. } => test_batches,
            Self::Fixed { held_out, .. } => held_out.div_ceil(batch_size.max(1)),
        }
    }

    /// Whether anything is scored after an epoch.
    pub(crate) fn tests(&self) -> bool {
        self.test_batches(1) > 0
    }

    /// Bytes that the trials take while they are kept: 0 for fresh ones.
    #[must_use]
    pub fn bytes(&self, task: &dyn Task) -> usize {
        match *self {
            Self::Fresh { .. } => 0,
            Self::Fixed { trials, .. } => {
                let shape = task.shape();
                let values = if shape.every_step() { shape.outputs() } else { 0 };
                let numbers = task.steps().most.saturating_mul(shape.channels + values);
                trials.saturating_mul(numbers).saturating_mul(size_of::<f32>())
            }
        }
    }

    /// Checks every number; batches are numbered within an epoch, and an update has `each` of them.
    pub(crate) fn check(&self, task: &dyn Task, each: usize) -> Result<(), Error> {
        match *self {
            Self::Fresh { updates_per_epoch, test_batches } => {
                count("data.fresh.updates_per_epoch", updates_per_epoch, each)?;
                count("data.fresh.test_batches", test_batches, each)
            }
            Self::Fixed { trials, held_out, data_seed } => {
                count("data.fixed.trials", trials, each)?;
                if held_out >= trials {
                    let allowed = format!("0 to {}, one less than the trials", trials - 1);
                    return refuse("data.fixed.held_out", held_out, &allowed);
                }
                let steps = task.steps();
                if steps.least < steps.most {
                    let allowed = format!(
                        "for tasks whose trials have one length; those of {} have {} to {} steps: \
                         use data.fresh",
                        task.name(),
                        steps.least,
                        steps.most
                    );
                    return refuse("data.fixed.trials", trials, &allowed);
                }
                // A file of TOML has no larger number.
                if data_seed > i64::MAX as u64 {
                    let allowed = "0 to 9223372036854775807";
                    return refuse("data.fixed.data_seed", data_seed, allowed);
                }
                Ok(())
            }
        }
    }
}
