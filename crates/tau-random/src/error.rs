//! The crate's error.

use crate::Draws;

/// What can be wrong with a request for the random numbers of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sequences that are too short for what is asked of them.
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
}
