//! Everything that can go wrong in this crate.

/// An error of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no curriculum.
    #[error(
        "unknown curriculum: {name:?} (known: single-head, multi-head, sliding-{{heads}}-{{forget}}, \
         no-curriculum)"
    )]
    UnknownCurriculum {
        /// The name.
        name: String,
    },
    /// A window that cannot slide.
    #[error(
        "sliding window: {heads} heads moving by {forget} (allowed: 1 to 1000 heads, moving by 1 to \
         that many)"
    )]
    Sliding {
        /// Width of the window.
        heads: usize,
        /// How far it moves.
        forget: usize,
    },
    /// A range of N in the wrong order.
    #[error("n_end: {end} (allowed: n_start = {start} or more)")]
    Range {
        /// First N.
        start: usize,
        /// Last N.
        end: usize,
    },
    /// A number of the training out of range.
    #[error("{name}: {value} (allowed: {allowed})")]
    Value {
        /// Which number.
        name: &'static str,
        /// What was asked for.
        value: f64,
        /// The range.
        allowed: &'static str,
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
        /// Counted from 1.
        epoch: usize,
        /// Within the epoch, counted from 1.
        update: usize,
        /// Since the start of the run, counted from 1; in continuous time an update has several
        /// steps of the optimiser, and these are counted.
        total: usize,
        /// `loss`, `gradient norm` or `step`.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// From the core.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
    /// From the tasks.
    #[error(transparent)]
    Task(#[from] tau_tasks::Error),
}
