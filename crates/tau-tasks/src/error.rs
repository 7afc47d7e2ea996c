//! The crate's error.

use crate::{Draws, MAX_N};

/// What can be wrong with a task or a request for a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// A task without a single N.
    #[error("N: none (give at least one, for instance [2])")]
    NoMemory,
    /// An N that the task does not have.
    #[error("N: {n} (allowed for {task}: {smallest}..={max})", max = MAX_N)]
    Memory {
        /// The task's name.
        task: &'static str,
        /// The N asked for.
        n: usize,
        /// The task's smallest N.
        smallest: usize,
    },
    /// The same N for two heads.
    #[error("N: {n} more than once (give each N once, it has one head)")]
    RepeatedMemory {
        /// The repeated N.
        n: usize,
    },
    /// Sequences in which the task's memory does not fit.
    #[error("length: {length} (allowed: at least {smallest} steps; use longer sequences)")]
    TooShort {
        /// Steps asked for.
        length: usize,
        /// The fewest steps that the request allows.
        smallest: usize,
    },
    /// More steps than a key has numbers for.
    #[error(
        "length: {length} (allowed: at most {largest} steps under one key; \
         use several trials instead of one long one)"
    )]
    TooLong {
        /// Steps asked for.
        length: usize,
        /// The most steps of a trial.
        largest: usize,
    },
    /// No trials, or more than a key has numbers for.
    #[error(
        "trials: {trials} (allowed: 1..={max} under one key; \
         draw more under another stage or step of the key)",
        max = Draws::MAX_TRIALS
    )]
    Trials {
        /// Trials asked for.
        trials: usize,
    },
    /// Input with another number of channels than the task's.
    #[error("channels: {found} (allowed: {expected}; give input of shape (time, trial, channel))")]
    Channels {
        /// Channels of the input.
        found: usize,
        /// Channels of the task.
        expected: usize,
    },
    /// Running labels of a task that has no classes.
    #[error("running labels: {task} has none (use the target series of a sample)")]
    NoRunningLabels {
        /// The task's name.
        task: &'static str,
    },
}
