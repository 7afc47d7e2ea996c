//! Everything that can go wrong in this crate.

use std::path::PathBuf;

/// An error of the run store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}: {source} ({remedy})", path.display())]
    File {
        /// `write`, `read` or `create`.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// A file whose contents are not what they should be.
    #[error("cannot use {}: {reason} ({remedy})", path.display())]
    Contents {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A run that diverged, now or earlier.
    #[error("run {name} {reason}")]
    Diverged {
        /// Name of the run's folder.
        name: String,
        /// Where and how.
        reason: String,
    },
    /// From the training.
    #[error(transparent)]
    Training(#[from] tau_curricula::Error),
    /// From the core.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
}
