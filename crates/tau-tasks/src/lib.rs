//! Tasks for recurrent networks: what is shown, and what a network should answer.
//!
//! ```
//! use tau_random::{Key, Purpose};
//! use tau_tasks::{Targets, TaskSpec};
//!
//! // N-parity with three heads, for N = 2, 3 and 4, and one batch of 256 sequences.
//! let task = TaskSpec::parity(&[2, 3, 4]).build()?;
//! assert_eq!(task.shape().heads.len(), 3);
//! let batch = task.batch(256, Key::new(7, Purpose::Inputs).stage(0).step(12))?;
//!
//! let (length, trials, channels) = batch.inputs.dim();
//! assert!((6..=17).contains(&length));
//! assert_eq!((trials, channels), (256, 1));
//! let Targets::Classes(labels) = &batch.targets else { unreachable!("parity asks for classes") };
//! let last_two = batch.inputs[[length - 2, 0, 0]] + batch.inputs[[length - 1, 0, 0]];
//! assert_eq!(f32::from(labels[[0, 0]]), last_two % 2.0);
//! # Ok::<(), tau_tasks::Error>(())
//! ```
//!
//! A task is data, a [`TaskSpec`], which builds a [`Task`]. The tasks fall into two groups:
//!
//! - **Ladders** over the memory N ([`MemoryTask`]; Khajehabdollahi et al., ICLR 2024, §2): a
//!   sequence x_1 … x_T of bits has one label at its end for every N of the task.
//!
//!   ```text
//!   N-parity                          (x_{T−N+1} + … + x_T) mod 2,     P(x_t = 1) = p, p ~ U(0, 1)
//!   N-delayed match to sample (DMS)   1 if x_{T−N+1} = x_T, else 0,    P(x_t = 1) = 1/2
//!   length of a batch                 T ~ U{N_max + 2, …, 4 N_max + 1}
//!   ```
//! - **Series** (after Jarne & Laje, arXiv 1906.01094): noisy pulses on one or more channels, and a
//!   target value at every step ([`Pulse`], [`FlipFlop`]).
//!
//! Every number is a pure function of a [`Key`](tau_random::Key), the trial and the step
//! ([`Draws`](tau_random::Draws)): a batch is the same on any machine, and its first trials and first
//! steps are the same however many follow.
//!
//! Steps are counted from 1 in equations and from 0 in arrays. A new task is one new file and one
//! line in the registry (`spec.rs`).
//!
//! For a network in continuous time every input is held for several small steps ([`hold()`],
//! [`Batch::held`]).
//!
//! What it does not know: networks, losses, when N grows, files.

mod bits;
mod dms;
mod error;
mod events;
mod flip_flop;
mod hold;
mod ladder;
mod parity;
mod pulse;
mod shape;
mod spec;
mod task;

pub use bits::draw_bits;
pub use dms::Dms;
pub use error::Error;
pub use events::ParameterSet;
pub use flip_flop::FlipFlop;
pub use hold::hold;
pub use ladder::{MAX_N, NO_LABEL};
pub use parity::Parity;
pub use pulse::Pulse;
pub use shape::{Answer, Head, Shape, Steps};
pub use spec::TaskSpec;
pub use task::{Batch, MemoryTask, Targets, Task};
