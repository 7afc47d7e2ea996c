//! Everything that can go wrong in this crate.

use std::io::ErrorKind;
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
    /// A folder that is no run's.
    #[error("no run in {} (a run's folder has a spec.toml)", folder.display())]
    NoRun {
        /// Which one.
        folder: PathBuf,
    },
    /// A key of a spec or a sweep that nobody knows.
    #[error("unknown key: {key} (did you mean {nearest}?)")]
    UnknownKey {
        /// With the tables it stands in, e. g. `network.hidden_sizes`.
        key: String,
        /// The known key that is most like it.
        nearest: String,
    },
    /// A value of a spec or a sweep that cannot be.
    #[error("{key}: {value} (allowed: {allowed})")]
    Value {
        /// Which one.
        key: String,
        /// What was there.
        value: String,
        /// What may be there.
        allowed: String,
    },
    /// A text that is no spec.
    #[error("{0}")]
    Toml(String),
    /// A folder in which someone else writes.
    #[error(
        "{} is in use by {owner} (wait for it, or choose another folder)", folder.display()
    )]
    Locked {
        /// Which one.
        folder: PathBuf,
        /// Who.
        owner: String,
    },
    /// Someone asked to stop. What was trained is kept.
    #[error("interrupted: what was trained is kept; the same command goes on from there")]
    Interrupted,
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

impl Error {
    /// Whether other runs will meet it too: what is wrong with the disk or the device, not with one
    /// run's files or numbers.
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Diverged { .. } | Self::Locked { .. } | Self::Contents { .. } => false,
            Self::File { source, .. } => matches!(
                source.kind(),
                ErrorKind::StorageFull
                    | ErrorKind::QuotaExceeded
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::PermissionDenied
            ),
            _ => true,
        }
    }
}
