//! `status.json`: where a run stands.

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Begun, and not at its end: it can go on.
    Unfinished,
    /// The last stage is solved.
    Finished,
    /// `max_epochs` are over.
    OutOfEpochs,
    /// Loss or gradient stopped being finite.
    Diverged,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Unfinished => "unfinished",
            Self::Finished => "finished",
            Self::OutOfEpochs => "out of epochs",
            Self::Diverged => "diverged",
        })
    }
}

/// Contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Where the run stands.
    pub state: State,
    /// Epochs that are over.
    pub epochs: usize,
    /// The milestone of the last solved stage, for instance `N005`; `None` before the first.
    pub reached: Option<String>,
    /// Seconds of training so far, over all starts.
    pub wall_s: f64,
    /// What happened, for a run that diverged or was broken off by an error.
    pub reason: Option<String>,
}
