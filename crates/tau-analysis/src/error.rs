//! Errors of estimators and protocols.

use std::fmt::Display;

/// Why an estimator or a protocol refuses its input. Nothing is estimated from part of an input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting or an argument is out of range.
    #[error("{name}: {value} (allowed: {allowed})")]
    Value {
        /// Name of the setting.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values allowed, and what to do.
        allowed: String,
    },
    /// A list of numbers has too few entries.
    #[error("too few values for {what}: {found} (at least {needed} are needed)")]
    TooFew {
        /// Quantity that was to be estimated.
        what: &'static str,
        /// Number of values given.
        found: usize,
        /// Smallest number that will do.
        needed: usize,
    },
    /// Two lists that belong together differ in length.
    #[error("lengths differ: {left} and {right} (give one value of each per observation)")]
    Lengths {
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },
    /// A number is NaN or infinite.
    #[error("{what} is not finite: {value} at index {index} (remove or repair the network)")]
    NotFinite {
        /// The quantity.
        what: &'static str,
        /// Position in the input.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A unit's activity is NaN or infinite: the network diverged.
    #[error("activity is not finite: {value} of unit {unit} at step {step} of trial {trial}")]
    Activity {
        /// The unit (column of the activity).
        unit: usize,
        /// Step since the start of the trial.
        step: usize,
        /// Trial, counted from 0.
        trial: usize,
        /// The value found.
        value: f32,
    },
    /// Something was asked that only a ladder over the memory N can answer.
    #[error(
        "task: {task} has no N, and so no label at every step (allowed: ladders such as parity and \
         dms; score {task} by its own batches: Scoring::batches)"
    )]
    NoLadder {
        /// Name of the task.
        task: &'static str,
    },
    /// τ is asked for of neurons that have none.
    #[error("tau: none (the cell is {cell}; allowed: leaky, which alone has time constants)")]
    NoTau {
        /// The cell.
        cell: tau_rnn::Cell,
    },
    /// A trial is not longer than the largest lag.
    #[error("steps in the trial: {steps} (more than max_lag = {max_lag} are needed)")]
    ShortTrial {
        /// Steps pushed.
        steps: usize,
        /// Largest lag of the stream.
        max_lag: usize,
    },
    /// Results are asked for while a trial is open.
    #[error("the last trial is still open after {steps} steps (call end_trial first)")]
    OpenTrial {
        /// Steps pushed since the last end of a trial.
        steps: usize,
    },
    /// Results are asked for before any trial has ended.
    #[error("number of trials: 0 (push activity and end at least 1 trial)")]
    NoTrial,
    /// Trials are asked for one by one, but the stream has only kept their sum.
    #[error(
        "trials were not kept apart (make the stream by AutocorrelationStream::keeping_trials)"
    )]
    TrialsNotKept,
    /// No variance to be explained: every unit is constant.
    #[error("variance: 0 in all {units} units (components need activity that changes)")]
    NoVariance {
        /// Units of the stream.
        units: usize,
    },
    /// The iteration for eigenvalues did not end.
    #[error(
        "eigenvalues of the {size} x {size} matrix were not found (scale or perturb it slightly)"
    )]
    Eigenvalues {
        /// Rows of the matrix.
        size: usize,
    },
    /// Asked to stop before the measurement was complete; there is no partial result.
    #[error("stopped before the measurement was complete")]
    Stopped,
    /// Error of the network that is driven.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
    /// Error of the task that drives it.
    #[error(transparent)]
    Task(#[from] tau_tasks::Error),
}

/// The error of a value out of range.
pub(crate) fn refuse<T>(
    name: &'static str,
    value: impl Display,
    allowed: impl Into<String>,
) -> Result<T, Error> {
    Err(Error::Value { name, value: value.to_string(), allowed: allowed.into() })
}

/// Refuses a stream without units.
pub(crate) fn check_units(units: usize) -> Result<(), Error> {
    if units == 0 { refuse("number of units", 0, "1 or more") } else { Ok(()) }
}

/// Refuses a chunk, or a stream, with a different number of units than this stream was made for.
pub(crate) fn check_same_units(found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    refuse("units", found, format!("{expected}, for which the stream was made"))
}

/// Refuses a matrix that is not square.
pub(crate) fn check_square((rows, columns): (usize, usize)) -> Result<(), Error> {
    if rows == columns {
        return Ok(());
    }
    refuse("matrix", format!("{rows} rows and {columns} columns"), "as many rows as columns")
}
