//! The run store: one folder a run, written so that a kill at any moment loses at most what came after
//! the last state that was kept (see [`Every`]), and no bit of the result.
//!
//! A run's folder is named by what it is and a digest of its whole spec, so that equal runs share
//! a folder and different ones never do:
//!
//! | file | contents |
//! |---|---|
//! | `spec.toml` | the [`tau_curricula::TrainingSpec`], every value written out |
//! | `manifest.json` | see [`Manifest`]: version, commit, device, hashes of the files |
//! | `metrics.csv` | one row for each epoch and head: see [`MetricsRow`] |
//! | `checkpoints/N005.safetensors` | the network when it had solved N = 5 |
//! | `latest.safetensors` | the last state that was kept, with the optimiser's memory |
//! | `status.json` | see [`Status`] |
//! | `diverged.safetensors` | only after divergence: the last good state |
//! | `autopsy.json` | only after divergence: see [`tau_curricula::Autopsy`] |
//! | `.lock` | who writes, or wrote last |
//!
//! Every file is replaced in one step. A run that goes on from `latest.safetensors` ends with the
//! same bits as one that was never interrupted.
//!
//! ```no_run
//! use tau_curricula::{Curriculum, TrainingSpec};
//! use tau_rnn::{Hardware, thread_pool};
//! use tau_runs::{Every, Provenance, Run};
//! use tau_tasks::TaskKind;
//!
//! let spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 64, 0);
//! let run = Run::open("runs".as_ref(), spec, Hardware::Cpu)?;
//! run.train(thread_pool(None)?, &Provenance::default(), Every::default(), &mut ())?;
//! let network = run.checkpoint(10)?;
//! println!("{:?}", network.params.tau_eff());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One process writes a run at a time ([`Lock`]).
//!
//! What it does not know: how to train (`tau-curricula`), what is measured on the networks.

mod crew;
mod error;
mod files;
mod forecast;
mod lock;
mod manifest;
pub mod queue;
mod run;
mod spec;
mod sweep;
mod train;

pub use crew::{Crew, Progress};
pub use error::Error;
pub use files::{create_folder, read_if_there, write_atomically, write_table};
pub use forecast::Forecast;
pub use lock::Lock;
pub use manifest::{Manifest, Provenance};
pub use run::{MetricsRow, Run, State, Status, runs_in, solved};
pub use spec::read_spec;
pub use sweep::read_sweep;
pub use train::{Every, Watch};
