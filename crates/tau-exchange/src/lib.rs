//! Import from PyTorch and export for Python.
//!
//! [`read_pytorch`] reads the networks that the authors published: PyTorch archives with a
//! `state_dict` (`parameterlist.0` is τ_raw; of `modulelist`, 0 is the input map, 1 the recurrent
//! map, 2, 3, … are the heads). No code in a pickle is ever run.
//!
//! [`export`] writes a network for Python: arrays as `.npz`, a forward pass in numpy, and a trajectory
//! that the forward pass must reproduce.
//!
//! ```no_run
//! use tau_exchange::{export, read_pytorch};
//!
//! let network = read_pytorch("rnn_N2_N5".as_ref())?;
//! for (name, bytes) in export(&network, 0)? {
//!     std::fs::write(name, bytes)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it does not know: runs and their folders (`tau-runs`), tasks.

mod export;
mod pytorch;

pub use export::export;
pub use pytorch::read_pytorch;

/// Errors of import and export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Path of the file.
        path: std::path::PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// A file that is no network.
    #[error("no PyTorch network of this kind: {reason}")]
    PyTorch {
        /// Reason why it is none.
        reason: String,
    },
    /// An array that cannot be written.
    #[error("cannot write the arrays: {0}")]
    Npz(#[from] ndarray_npy::WriteNpzError),
    /// Error of the core.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
}
