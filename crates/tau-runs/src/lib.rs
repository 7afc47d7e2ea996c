//! The run store: one folder for each run, written so that a kill at any moment loses at most what came
//! after the last state that was kept (see [`Every`]), and no bit of the result.
//!
//! A run's folder is named by its task, schedule, size and seed and by a digest of its whole spec, so
//! that equal runs share a folder and different ones never do:
//!
//! | file | contents |
//! |---|---|
//! | `spec.toml` | the [`TrainingSpec`](tau_training::TrainingSpec), every value written out |
//! | `manifest.json` | [`Manifest`]: version, commit, device, hashes of the files |
//! | `metrics.csv` | one row for each epoch and head: [`MetricsRow`] |
//! | `checkpoints/N005.safetensors` | the network of a [`Milestone`](tau_training::Milestone): a solved stage, a kept epoch, the end |
//! | `latest.safetensors` | the last state that was kept, with the optimiser's memory |
//! | `status.json` | [`Status`] |
//! | `diverged.safetensors` | only after divergence: the last good state |
//! | `autopsy.json` | only after divergence: [`Autopsy`](tau_training::Autopsy) |
//! | `.lock` | who writes, or wrote last |
//!
//! Every file is replaced in one step, and says its format, which is 1. A run that goes on from
//! `latest.safetensors` ends with the same bits as one that was never interrupted.
//!
//! ```no_run
//! use tau_rnn::{Hardware, thread_pool};
//! use tau_runs::{Every, Event, Provenance, Run, StopToken, read_spec};
//! use tau_training::Milestone;
//!
//! let text = "task = \"flip-flop\"\nseed = 1\nnetwork.hidden_size = 50\nstop.loss_below = 0.001";
//! let spec = read_spec(text, &[], &[])?;
//! let run = Run::open("runs".as_ref(), spec, Hardware::Cpu)?;
//! let (pool, stop) = (thread_pool(None)?, StopToken::new());
//! run.train(pool, &Provenance::default(), Every::default(), &stop, &mut |event| {
//!     if let Event::EpochEnded { report, .. } = event {
//!         println!("epoch {}: loss {:?}", report.epoch, report.training_loss);
//!     }
//! })?;
//! let network = run.checkpoint(&Milestone::last())?;
//! println!("{:?}", network.params.tau_eff());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One process writes a run at a time ([`Lock`]).
//!
//! What it does not know: how to train (`tau-training`), papers (they hand over their [`Base`]s), what is
//! measured on the networks.

mod base;
mod crew;
mod error;
mod event;
mod files;
mod forecast;
mod format;
mod lock;
mod manifest;
mod metrics;
mod position;
pub mod queue;
mod run;
mod spec;
mod status;
mod stop;
mod sweep;
mod train;

pub use base::Base;
pub use crew::Crew;
pub use error::Error;
pub use event::{Event, Sink};
pub use files::{create_folder, read_if_there, write_atomically, write_table};
pub use forecast::Forecast;
pub use lock::Lock;
pub use manifest::{Manifest, Provenance};
pub use metrics::{MetricsRow, Reached, milestones};
pub use run::{Run, runs_in};
pub use spec::{Place, read_spec, spec_differences, spec_values};
pub use status::{State, Status};
pub use stop::StopToken;
pub use sweep::read_sweep;
pub use train::Every;
