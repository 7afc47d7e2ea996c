//! How much activity an estimate rests on.

use serde::Serialize;

/// Amount of activity behind an autocorrelation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// Number of trials.
    pub trials: usize,
    /// Steps of all trials together.
    pub steps: usize,
    /// Steps of the shortest trial.
    pub shortest_trial: usize,
}

impl Recording {
    /// The recording that consists of trials of so many steps.
    pub(crate) fn of(trials: &[usize]) -> Self {
        Self {
            trials: trials.len(),
            steps: trials.iter().sum(),
            shortest_trial: trials.iter().copied().min().unwrap_or(0),
        }
    }
}
