//! Everything that can go wrong in this crate.

/// An error of a reproduction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that a paper does not have.
    #[error("unknown {what}: {name} (known: {known})")]
    Unknown {
        /// What was asked for: a preset, a figure, quirks.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// No networks, or too many.
    #[error("seeds: {value} (allowed: 1 to 1000)")]
    Seeds {
        /// What was asked for.
        value: u64,
    },
    /// A paper, or one of its presets, figures and claims, that contradicts itself: a fault of the
    /// program.
    #[error("{0}")]
    Paper(String),
    /// A file that another version of the program wrote.
    #[error(
        "cannot use {path}: format: {found} (allowed: {allowed}; a newer tau wrote it: use that one)"
    )]
    Format {
        /// The file.
        path: String,
        /// The version of its format.
        found: u32,
        /// The version that can be read.
        allowed: u32,
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
    Training(#[from] tau_training::Error),
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

impl Error {
    /// Whether the work was stopped from outside and can go on.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted)
    }

    /// Whether a value that a person gave is none of those allowed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Seeds { .. })
    }

    pub(crate) fn unknown<'a>(
        what: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        let known = known.collect::<Vec<_>>().join(", ");
        Self::Unknown { what, name: name.to_owned(), known }
    }
}

impl From<tau_runs::Error> for Error {
    fn from(error: tau_runs::Error) -> Self {
        if error.is_interrupted() { Self::Interrupted } else { Self::Runs(error) }
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
