//! The loop that trains a network: data, stop rules, milestones, divergence.
//!
//! A [`TrainingSpec`] says everything that defines a training; a [`Trainer`] does it, one
//! [`Step`] at a time, so that the caller decides what is written, shown or stopped in between.
//!
//! ```
//! use tau_rnn::{Cpu, thread_pool};
//! use tau_training::{Data, Outcome, Stop, Trainer, TrainingSpec};
//!
//! let mut spec = TrainingSpec::plain("parity".parse()?, 40, 0)?;
//! spec.task = spec.task.with_memory(&[2]).expect("parity has an N");
//! spec.data = Data::Fresh { updates_per_epoch: 300, test_batches: 10 };
//! spec.stop = Some(Stop::AccuracyAbove(0.98));
//! let params = spec.initial_params::<f32>()?;
//! let backend = Cpu::new(spec.network.clone(), params, thread_pool(Some(2))?)?;
//! let mut trainer = Trainer::new(spec, Box::new(backend))?;
//! assert_eq!(trainer.run(|_| {})?, Outcome::Finished);
//! assert_eq!(trainer.position().reached.as_deref(), Some("N002"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
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
