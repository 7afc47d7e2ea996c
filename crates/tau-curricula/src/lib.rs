//! Curricula over the memory N, and the loop that trains a network through them.
//!
//! A [`Curriculum`] says which N each readout head has and what follows when a stage is solved;
//! a [`TrainingSpec`] says everything else; a [`Trainer`] does it. After each epoch fresh batches
//! are scored; a stage is solved when (paper, section 3)
//!
//! > mean accuracy over heads > 98 % and accuracy of the newest head > 98 %.
//!
//! ```
//! use tau_curricula::{Curriculum, Outcome, Trainer, TrainingSpec};
//! use tau_rnn::{Cpu, thread_pool};
//! use tau_tasks::TaskKind;
//!
//! let mut spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 40, 0);
//! spec.n_end = 2;
//! let params = spec.initial_params::<f32>()?;
//! let backend = Cpu::new(spec.network.clone(), params, thread_pool(Some(2))?)?;
//! let mut trainer = Trainer::new(spec, Box::new(backend))?;
//! assert_eq!(trainer.run(&mut ())?, Outcome::Finished);
//! assert_eq!(trainer.position().solved_n, 2);
//! # Ok::<(), tau_curricula::Error>(())
//! ```
//!
//! What it does not know: files and resuming from them (`tau-runs`; a [`Position`] and the
//! backend's state are what it needs), what the trained network is like (`tau-analysis`).

mod autopsy;
mod curriculum;
mod error;
mod spec;
mod trainer;

pub use autopsy::{ArrayReport, Autopsy, NeuronReport};
pub use curriculum::{Curriculum, Stage};
pub use error::Error;
pub use spec::TrainingSpec;
pub use trainer::{EpochReport, Observer, Outcome, Position, Trainer};
