//! Curricula: which task comes first, and which one follows when it is solved.
//!
//! A [`Schedule`] is data for one stage machine. Each [`Stage`] is a task with the name of what is
//! reached when it is solved. The curricula of Khajehabdollahi et al. (ICLR 2024, §3) let the memory
//! N of a ladder task grow:
//!
//! ```
//! use tau_curricula::Schedule;
//! use tau_tasks::TaskSpec;
//!
//! let schedule: Schedule = "multi-head".parse()?;
//! let first = schedule.first(&TaskSpec::parity(&[]))?;
//! let second = schedule.after(&first).expect("N = 3 follows");
//! assert_eq!(second.task, TaskSpec::parity(&[2, 3]));
//! assert_eq!(second.milestone, "N003");
//! # Ok::<(), tau_curricula::Error>(())
//! ```
//!
//! What it does not know: networks, how a stage is trained, when it is solved (`tau-training`).

mod error;
mod growth;
mod multi_head;
mod schedule;
mod single_head;
mod sliding;

pub use error::Error;
pub use multi_head::MultiHead;
pub use schedule::{Schedule, Stage};
pub use single_head::SingleHead;
pub use sliding::Sliding;
