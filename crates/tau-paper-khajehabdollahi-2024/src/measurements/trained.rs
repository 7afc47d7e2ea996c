//! The trained network at a solved N, as measurements want it.

use std::fmt;

use tau_reproduce::{Error, Trained};
use tau_rnn::{Backend, thread_pool};
use tau_tasks::{Task, TaskKind};

/// The checkpoint of a network that had just solved this N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Solved(pub(crate) usize);

impl Solved {
    pub(crate) fn n(self) -> usize {
        self.0
    }
}

impl fmt::Display for Solved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "N{:03}", self.0)
    }
}

/// The network of a checkpoint on the run's device; on the processor on one thread: the networks, not
/// the batch, are what is spread over the threads.
pub(crate) fn backend(trained: &Trained<'_>, at: Solved) -> Result<Box<dyn Backend<f32>>, Error> {
    let checkpoint = trained.run.checkpoint(at.n())?;
    let (config, params) = (checkpoint.config, checkpoint.params);
    Ok(trained.run.hardware().network(config, params, thread_pool(Some(1))?)?)
}

/// The run's task for these N.
pub(crate) fn task(trained: &Trained<'_>, memory: &[usize]) -> Result<Box<dyn Task>, Error> {
    task_of_kind(trained, trained.run.spec().task, memory)
}

/// A task for these N, with bits written as the run's are.
pub(crate) fn task_of_kind(
    trained: &Trained<'_>,
    kind: TaskKind,
    memory: &[usize],
) -> Result<Box<dyn Task>, Error> {
    let coding = trained.run.spec().coding;
    Ok(kind.with_coding(memory, coding).map_err(tau_curricula::Error::from)?)
}
