//! Memory tasks for recurrent networks: random input, and what a network should answer to it.
//!
//! ```
//! use tau_random::{Key, Purpose};
//! use tau_tasks::{Outputs, Target, Task, TaskKind};
//!
//! // N-parity with three heads, for N = 2, 3 and 4, and one batch of 256 sequences.
//! let task = TaskKind::Parity.with_memory(&[2, 3, 4])?;
//! assert_eq!(task.outputs(), Outputs::Heads { heads: 3, classes: 2 });
//! let batch = task.batch(256, Key::new(7, Purpose::Inputs).stage(0).step(12))?;
//!
//! let (length, trials, channels) = batch.inputs.dim();
//! assert!((6..=17).contains(&length));
//! assert_eq!((trials, channels), (256, 1));
//! let Target::Labels(labels) = &batch.target else { unreachable!("parity has heads") };
//! let last_two = batch.inputs[[length - 2, 0, 0]] + batch.inputs[[length - 1, 0, 0]];
//! assert_eq!(f32::from(labels[[0, 0]]), last_two % 2.0);
//! # Ok::<(), tau_tasks::Error>(())
//! ```
//!
//! A sequence x_1 … x_T of bits has one label for every N of the task (Khajehabdollahi et al.,
//! ICLR 2024, section 2):
//!
//! ```text
//! N-parity                          (x_{T−N+1} + … + x_T) mod 2,     P(x_t = 1) = p, p ~ U(0, 1)
//! N-delayed match to sample (DMS)   1 if x_{T−N+1} = x_T, else 0,    P(x_t = 1) = 1/2
//! length of a batch                 T ~ U{N_max + 2, …, 4 N_max + 1}
//! ```
//!
//! Every number is a pure function of a [`Key`](tau_random::Key), the trial and the step
//! ([`Draws`]): a batch is the same on any machine, and its first trials and first steps are the
//! same however many follow.
//!
//! Steps are counted from 1 in equations and from 0 in arrays. A new task is one new file that
//! implements [`Task`], and one line in the registry ([`TaskKind`]).
//!
//! For a network in continuous time every input is held for several small steps ([`hold()`],
//! [`Batch::held`]).
//!
//! What it does not know: networks, losses, when N grows, files.

mod bits;
mod dms;
mod draws;
mod error;
mod hold;
mod kind;
mod memory;
mod parity;
mod task;

pub use bits::{BitRule, Bits, Chance, Coding};
pub use draws::Draws;
pub use error::Error;
pub use hold::hold;
pub use kind::TaskKind;
pub use memory::{MAX_N, NO_LABEL};
pub use task::{Batch, Outputs, Target, Task};
