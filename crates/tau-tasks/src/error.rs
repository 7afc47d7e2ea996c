//! The crate's error.

use crate::MAX_N;

/// What can be wrong with a task or a request for a batch.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is not in the registry.
    #[error("task: {name} (known: {known})")]
    UnknownTask {
        /// The name asked for.
        name: String,
        /// The registered names, separated by commas.
        known: String,
    },
    /// A ladder without a single N.
    #[error("n: none (give at least one, for instance n = [2], or a schedule that fills it)")]
    NoMemory,
    /// An N that the task does not have.
    #[error("n: {n} (allowed for {task}: {smallest} to {max})", max = MAX_N)]
    Memory {
        /// The task's name.
        task: &'static str,
        /// The N asked for.
        n: usize,
        /// The task's smallest N.
        smallest: usize,
    },
    /// The same N for two heads.
    #[error("n: {n} more than once (give each N once, it has one head)")]
    RepeatedMemory {
        /// The repeated N.
        n: usize,
    },
    /// A setting of a task out of range.
    #[error("{name} of {task}: {value} (allowed: {allowed})")]
    Setting {
        /// The task's name.
        task: &'static str,
        /// The setting.
        name: &'static str,
        /// Its value.
        value: usize,
        /// The allowed values.
        allowed: String,
    },
    /// Input with a number of channels that is not the task's.
    #[error("channels: {found} (allowed: {expected}; give input of shape (time, trial, channel))")]
    Channels {
        /// Channels of the input.
        found: usize,
        /// Channels of the task.
        expected: usize,
    },
    /// Too many or too few steps or trials for the numbers of one key.
    #[error(transparent)]
    Draws(#[from] tau_random::Error),
}
