//! Recurrent networks with trainable time constants: forward pass, back-propagation through time,
//! optimisers.
//!
//! The τ-RNN of Khajehabdollahi et al. (ICLR 2024): H leaky neurons, each with its own trainable
//! time constant τ in steps,
//!
//! > h(t) = φ((1 − 1/τ) h(t−1) + (1/τ) (W h(t−1) + b_rec + w_in x(t) + b_in)),
//!
//! (and two other [`Placement`]s of φ), read by linear heads. The paper's gated baselines, LSTM and
//! GRU with PyTorch's equations, are other [`Cell`]s of the same networks: no τ, a row of W for each
//! gate of each neuron, state zero before the first step.
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
//! A [`Backend`] trains, scores and simulates; [`Cpu`] is the one for processors, [`cuda::Cuda`] the
//! one for NVIDIA GPUs (feature `cuda`), [`mod@reference`] is the slow float64 model that judges both. The same seed gives the same bits on any number of
//! threads and on any processor.
//!
//! ```
//! use ndarray::{Array2, Array3};
//! use tau_random::{Key, Purpose};
//! use tau_rnn::{
//!     Backend, Batch, Config, Cpu, Initial, Optimiser, Params, Readout, Target, thread_pool,
//! };
//!
//! // 20 neurons learn to repeat the last of 6 bits.
//! let config = Config::paper(20);
//! let mut random = Key::new(1, Purpose::Parameters).stream();
//! let mut params = Params::<f32>::init(&config, &mut random)?;
//! params.readouts.push(Readout::init(2, config.hidden_size, &mut random));
//! let mut network = Cpu::new(config, params, thread_pool(Some(2))?)?;
//! for step in 0..200 {
//!     let bits = Key::new(1, Purpose::Inputs).step(step);
//!     let inputs = Array3::from_shape_fn((6, 32, 1), |(t, trial, _)| {
//!         bits.unit_f32((t * 32 + trial) as u64).round()
//!     });
//!     let labels = Array2::from_shape_fn((32, 1), |(trial, _)| inputs[[5, trial, 0]] as u8);
//!     let key = Key::new(1, Purpose::InitialState).step(step);
//!     let batch = Batch {
//!         inputs: inputs.view(),
//!         initial: Initial::Uniform { scale: 0.1, key },
//!         target: Target::Labels { labels: labels.view(), heads: &[0] },
//!     };
//!     network.update(&batch, &Optimiser::paper())?;
//!     if step == 199 {
//!         assert!(network.evaluate(&batch)?.accuracy() > 0.98);
//!     }
//! }
//! # Ok::<(), tau_rnn::Error>(())
//! ```
//!
//! What it does not know: tasks and curricula (`tau-tasks`, `tau-curricula`), timescales of the
//! activity (`tau-analysis`), files (a [`Checkpoint`] is bytes), gated cells on GPUs (not yet), stacks
//! of layers.

mod backend;
mod batch;
#[cfg(feature = "bench")]
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
mod loss;
mod optim;
mod params;
mod real;
pub mod reference;
mod smooth;
mod spectrum;

pub use backend::{Backend, Losses};
pub use batch::{Batch, BitRule, Drawn, HeadScore, Initial, Scores, Target};
pub use cell::Cell;
pub use check::self_test;
pub use checkpoint::Checkpoint;
pub use config::{Activation, Config, Placement, TimeConstants};
pub use cpu::{Cpu, Isa, thread_pool};
pub use error::Error;
pub use gradients::Gradients;
pub use hardware::Hardware;
pub use optim::{Momentum, Optimiser, Rule, Slot};
pub use params::{Params, Readout, Tensor};
pub use real::Real;
pub use spectrum::spectral_radius;
