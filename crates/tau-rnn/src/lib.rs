//! Recurrent networks with trainable time constants: forward pass, back-propagation through time,
//! optimisers.
//!
//! H leaky neurons, each with its own trainable time constant τ in steps (Khajehabdollahi et al.,
//! ICLR 2024, §2.1),
//!
//! > h(t) = φ((1 − 1/τ) h(t−1) + (1/τ) (W h(t−1) + b_rec + w_in x(t) + b_in)),
//!
//! (and two different [`Placement`]s of φ), read by linear heads. LSTM and GRU with PyTorch's equations
//! are further [`Cell`]s of the same networks: no τ, a row of W for each gate of each neuron, state
//! zero before the first step.
//!
//! | symbol | name | shape | unit |
//! |---|---|---|---|
//! | τ_raw, τ_eff = max(τ_raw, 1) | [`Params::tau`], [`Params::tau_eff`] | (neuron) | steps |
//! | W | [`Params::w_rec`] | (to, from); gated: (gate and to, from) | |
//! | w_in | [`Params::w_in`] | (neuron, channel); gated: (gate and neuron, channel) | |
//! | b_rec, b_in | [`Params::b_rec`], [`Params::b_in`] | (neuron); gated: (gate and neuron) | |
//! | readouts | [`Params::readouts`] | (output, neuron) each | |
//! | x | [`Batch::inputs`] | (time, trial, channel) | |
//! | φ | [`Activation`] | | |
//!
//! A [`Config`] says which cell a network has, and of every array how it starts ([`Init`]), whether it
//! is trained, and whether it is there at all ([`Arrays`]). A [`Network`] is the short way to one; a
//! [`Backend`] is what it runs on: [`Cpu`] on processors, [`cuda::Cuda`] on NVIDIA GPUs (feature
//! `cuda`), and [`mod@reference`] is the slow float64 model that judges both. The same seed gives the
//! same bits on any number of threads and on any processor.
//!
//! ```
//! use ndarray::{Array2, Array3};
//! use tau_rnn::{Batch, Config, Network, Optimiser};
//!
//! // 20 neurons learn to repeat the last of 6 bits.
//! let mut network = Network::new(Config::leaky(20, 1), &[2], 1)?;
//! for step in 0..200 {
//!     let inputs = Array3::from_shape_fn((6, 32, 1), |(t, trial, _)| {
//!         ((step * 7 + t * 11 + trial * (t + 3)) % 5 % 2) as f32
//!     });
//!     let labels = Array2::from_shape_fn((32, 1), |(trial, _)| inputs[[5, trial, 0]] as u8);
//!     network.update(&Batch::classes(&inputs, &labels), &Optimiser::nesterov())?;
//!     if step == 199 {
//!         let scores = network.evaluate(&Batch::classes(&inputs, &labels))?;
//!         assert!(scores.accuracy() > Some(0.98));
//!     }
//! }
//! # Ok::<(), tau_rnn::Error>(())
//! ```
//!
//! What it does not know: tasks (`tau-tasks`), when they change (`tau-curricula`), papers, timescales
//! of the activity (`tau-analysis`), files (a [`Checkpoint`] is bytes), stacks of layers.

mod arrays;
mod backend;
mod batch;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod cell;
pub mod check;
mod checkpoint;
mod config;
mod cpu;
pub mod cuda;
mod error;
mod gradients;
mod hardware;
mod init;
mod initial;
mod leaky;
mod loss;
mod momentum;
mod network;
mod optim;
mod params;
mod real;
pub mod reference;
mod score;
mod smooth;
mod spectrum;
mod tensor;

pub use arrays::{ArraySpec, Arrays};
pub use backend::{Backend, Losses};
pub use batch::{Batch, Target};
pub use cell::Cell;
pub use check::self_test;
pub use checkpoint::Checkpoint;
pub use config::Config;
pub use cpu::{Cpu, Isa, thread_pool};
pub use error::Error;
pub use gradients::Gradients;
pub use hardware::Hardware;
pub use init::Init;
pub use initial::Initial;
pub use leaky::{Activation, Leaky, Placement, TimeConstants};
pub use momentum::{Momentum, Slot};
pub use network::Network;
pub use optim::{AdamForm, Optimiser, Rule};
pub use params::{Params, Readout};
pub use real::Real;
pub use score::{Score, Scores};
pub use spectrum::spectral_radius;
pub use tensor::Tensor;
