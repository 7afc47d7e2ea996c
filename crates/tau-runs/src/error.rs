//! Everything that can go wrong in this crate.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::spec::{Fault, Place};

/// An error of the run store. Its text names the file or the key, what is wrong, and the remedy.
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("cannot {action} {}: {source} ({remedy})", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error, remedy: &'static str },
    #[error("cannot use {}: {reason} ({remedy})", path.display())]
    Contents { path: PathBuf, reason: String, remedy: &'static str },
    #[error("no run in {} (a run's folder has a spec.toml)", folder.display())]
    NoRun { folder: PathBuf },
    #[error(
        "{}: its manifest does not say on which device it was trained (give the device)",
        folder.display()
    )]
    NoHardware { folder: PathBuf },
    #[error("{0}")]
    Spec(Fault),
    #[error("{} is in use by {owner} (wait for it, or choose another folder)", folder.display())]
    Locked { folder: PathBuf, owner: String },
    #[error("interrupted: what was trained is kept; the same command goes on from there")]
    Interrupted,
    #[error("run {name} {reason}")]
    Diverged { name: String, reason: String },
    #[error(transparent)]
    Training(tau_training::Error),
    #[error(transparent)]
    Network(tau_rnn::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Kind::Spec(fault).into()
    }
}

impl From<tau_training::Error> for Error {
    fn from(error: tau_training::Error) -> Self {
        Kind::Training(error).into()
    }
}

impl From<tau_rnn::Error> for Error {
    fn from(error: tau_rnn::Error) -> Self {
        Kind::Network(error).into()
    }
}

impl Error {
    /// A file or folder that cannot be read or written: `action` is what was tried.
    pub(crate) fn file(
        action: &'static str,
        path: &Path,
        source: std::io::Error,
        remedy: &'static str,
    ) -> Self {
        Kind::File { action, path: path.to_owned(), source, remedy }.into()
    }

    /// A file whose contents are not what they should be.
    pub(crate) fn contents(path: &Path, reason: impl fmt::Display, remedy: &'static str) -> Self {
        Kind::Contents { path: path.to_owned(), reason: reason.to_string(), remedy }.into()
    }

    pub(crate) fn no_run(folder: &Path) -> Self {
        Kind::NoRun { folder: folder.to_owned() }.into()
    }

    pub(crate) fn no_hardware(folder: &Path) -> Self {
        Kind::NoHardware { folder: folder.to_owned() }.into()
    }

    pub(crate) fn locked(folder: &Path, owner: String) -> Self {
        Kind::Locked { folder: folder.to_owned(), owner }.into()
    }

    pub(crate) fn interrupted() -> Self {
        Kind::Interrupted.into()
    }

    pub(crate) fn diverged(name: String, reason: String) -> Self {
        Kind::Diverged { name, reason }.into()
    }

    /// Whether someone asked to stop. What was trained is kept.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(*self.0, Kind::Interrupted)
    }

    /// Whether a run diverged, now or earlier.
    #[must_use]
    pub fn is_diverged(&self) -> bool {
        matches!(*self.0, Kind::Diverged { .. })
    }

    /// Whether another process has the folder.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(*self.0, Kind::Locked { .. })
    }

    /// Whether a spec or a sweep is to be corrected.
    #[must_use]
    pub fn is_spec(&self) -> bool {
        matches!(*self.0, Kind::Spec(_))
    }

    /// Whether files cannot be read, written or used.
    #[must_use]
    pub fn is_of_files(&self) -> bool {
        matches!(*self.0, Kind::File { .. } | Kind::Contents { .. })
    }

    /// The dotted key of a spec that is to be corrected, if it is known.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Spec(fault) => fault.key.as_deref(),
            _ => None,
        }
    }

    /// The place in a spec that is to be corrected, if it is known.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match &*self.0 {
            Kind::Spec(fault) => fault.place,
            _ => None,
        }
    }

    /// Whether other runs will meet it too: what is wrong with the disk or the device, not with one
    /// run's files or numbers.
    pub(crate) fn is_fatal(&self) -> bool {
        match &*self.0 {
            Kind::Diverged { .. } | Kind::Locked { .. } | Kind::Contents { .. } => false,
            Kind::File { source, .. } => matches!(
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
