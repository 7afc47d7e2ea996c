//! Recurrent networks with trainable time constants: forward pass, back-propagation through time,
//! optimisers.
#![doc = ""]

mod backend;
mod batch;
mod config;
mod cpu;
mod error;
mod gradients;
mod loss;
mod optim;
mod params;
mod real;
pub mod reference;

pub use backend::Backend;
pub use batch::{Batch, HeadScore, Initial, Scores, Target};
pub use config::{Activation, Config, Placement, TimeConstants};
pub use cpu::{Cpu, Isa, Job, Vectorised, thread_pool};
pub use error::Error;
pub use gradients::Gradients;
pub use optim::{Optimiser, Rule};
pub use params::{Params, Readout, Tensor};
pub use real::Real;
