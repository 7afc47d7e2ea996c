//! Everything that can go wrong in this crate.

/// An error of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value of the training out of range.
    #[error("{name}: {value} (allowed: {allowed})")]
    Value {
        /// Its key in a spec.
        name: &'static str,
        /// The value.
        value: String,
        /// The range.
        allowed: String,
    },
    /// A checkpoint that does not continue the training that was asked for.
    #[error("cannot resume: {reason}")]
    Resume {
        /// What does not fit.
        reason: String,
    },
    /// Loss or gradient stopped being finite; the backend holds the parameters from before.
    #[error(
        "diverged in epoch {epoch} at update {update} ({total} since the start): {what} is {value} \
         (the state before it is kept; lower the learning rate or the clipping norm)"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The update within the epoch, counted from 1.
        update: usize,
        /// Steps of the optimiser since the start of the run, counted from 1; in continuous time an
        /// update has several.
        total: usize,
        /// `loss`, `gradient norm` or `step`.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// An error of the core.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
    /// An error of the schedule.
    #[error(transparent)]
    Schedule(#[from] tau_curricula::Error),
    /// An error of the task.
    #[error(transparent)]
    Task(#[from] tau_tasks::Error),
}

impl Error {
    /// Whether loss or gradient stopped being finite.
    #[must_use]
    pub fn is_diverged(&self) -> bool {
        matches!(self, Self::Diverged { .. })
    }
}
