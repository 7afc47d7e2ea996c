//! The crate's error.

/// What can be wrong with a schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no schedule.
    #[error("schedule: {name:?} (known: {known})")]
    UnknownSchedule {
        /// The name asked for.
        name: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// A window that cannot slide.
    #[error(
        "sliding schedule: {heads} heads moving by {forget} (allowed: 1 to 1000 heads, moving by 1 to \
         that many)"
    )]
    Sliding {
        /// Width of the window.
        heads: usize,
        /// How far it moves.
        forget: usize,
    },
    /// A range of N in the wrong order.
    #[error("schedule.n_end: {end} (allowed: n_start = {start} or more)")]
    Range {
        /// First N.
        start: usize,
        /// Last N.
        end: usize,
    },
    /// A curriculum over N for a task that has no N.
    #[error("schedule: {schedule} for the task {task}, which has no N (allowed: none)")]
    NoLadder {
        /// The schedule's name.
        schedule: String,
        /// The task's name.
        task: &'static str,
    },
    /// Heads that the task and the schedule both name.
    #[error(
        "n of {task}: {memory:?} together with the schedule {schedule} (allowed: one of the two; leave \
         n out, or say schedule.kind = \"none\")"
    )]
    TwoMemories {
        /// The task's name.
        task: &'static str,
        /// N of the task's heads.
        memory: Vec<usize>,
        /// The schedule's name.
        schedule: String,
    },
    /// An N that the task does not have.
    #[error(transparent)]
    Task(#[from] tau_tasks::Error),
}
