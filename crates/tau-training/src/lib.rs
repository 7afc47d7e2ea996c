//! The loop that trains a network: data, stop rules, milestones, divergence.
//!
//! A [`TrainingSpec`] says everything that defines a training; a [`Trainer`] does it, one
//! [`Step`] at a time, so that the caller decides what is written, shown or stopped in between.
//!
//! ```
//! use tau_tasks::TaskSpec;
//! use tau_training::{Outcome, TrainingSpec};
//!
//! let spec = TrainingSpec::plain(TaskSpec::parity(&[2]), 40, 0)?.until_accuracy_above(0.98);
//! let mut trainer = spec.on_cpu(Some(2))?;
//! assert_eq!(trainer.run(|_| {})?, Outcome::Finished);
//! assert_eq!(trainer.position().reached.as_deref(), Some("N002"));
//! # Ok::<(), tau_training::Error>(())
//! ```
//!
//! Data is fresh in every batch, or fixed ([`Data`]); a stage is solved when a [`Stop`] rule holds;
//! what is worth keeping has a name, its [`Milestone`].
//!
//! What it does not know: the memory N (a schedule of `tau-curricula` turns one stage into the
//! next), files and resuming from them (`tau-runs`; a [`Position`] and the backend's state are what
//! it needs), measurements of the trained network (`tau-analysis`).

mod autopsy;
mod data;
mod error;
mod fixed;
mod milestone;
mod source;
mod spec;
mod stop;
mod trainer;

pub use autopsy::{ArrayReport, Autopsy, NeuronReport};
pub use data::Data;
pub use error::Error;
pub use milestone::Milestone;
pub use spec::TrainingSpec;
pub use stop::Stop;
pub use trainer::{EpochReport, Outcome, Position, Step, Trainer};
