//! Everything that can go wrong in this crate.

/// An error of a reproduction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no preset.
    #[error("unknown preset: {name} (known: {known})")]
    UnknownPreset {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A preset that cannot be read.
    #[error("preset {name}: {reason}")]
    Preset {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that is no figure.
    #[error("unknown figure: {name} (known: {known})")]
    UnknownFigure {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No networks.
    #[error("seeds: {value} (allowed: 1 to 1000)")]
    Seeds {
        /// What was asked for.
        value: u64,
    },
    /// Stopped from outside; what was trained is kept.
    #[error(
        "interrupted: epochs and measurements that ended are kept; the same command goes on from there"
    )]
    Interrupted,
    /// A number that has no JSON: a fault of the program.
    #[error("cannot write results as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// From the run store.
    #[error(transparent)]
    Runs(tau_runs::Error),
    /// From the training.
    #[error(transparent)]
    Training(#[from] tau_curricula::Error),
    /// From the core.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
    /// From the estimators.
    #[error(transparent)]
    Analysis(tau_analysis::Error),
    /// From the drawing.
    #[error(transparent)]
    Figures(#[from] tau_figures::Error),
}

impl From<tau_runs::Error> for Error {
    fn from(error: tau_runs::Error) -> Self {
        match error {
            tau_runs::Error::Interrupted => Self::Interrupted,
            error => Self::Runs(error),
        }
    }
}

impl From<tau_analysis::Error> for Error {
    fn from(error: tau_analysis::Error) -> Self {
        match error {
            tau_analysis::Error::Stopped => Self::Interrupted,
            error => Self::Analysis(error),
        }
    }
}
