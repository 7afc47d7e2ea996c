//! The trained network at a solved N, as measurements want it.

use std::fmt;

use tau_random::Coding;
use tau_reproduce::{Error, Trained};
use tau_rnn::{Backend, Checkpoint, thread_pool};
use tau_tasks::{Parity, Task, TaskSpec};
use tau_training::Milestone;

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

/// The network when it had just solved this N.
pub(crate) fn checkpoint(trained: &Trained<'_>, n: usize) -> Result<Checkpoint<f32>, Error> {
    Ok(trained.run.checkpoint(&Milestone::n(n))?)
}

/// The network of a checkpoint on the run's device; on the processor on one thread: the networks, not
/// the batch, are what is spread over the threads.
pub(crate) fn backend(trained: &Trained<'_>, at: Solved) -> Result<Box<dyn Backend<f32>>, Error> {
    let checkpoint = checkpoint(trained, at.n())?;
    let (config, params) = (checkpoint.config, checkpoint.params);
    Ok(trained.hardware()?.network(config, params, thread_pool(Some(1))?)?)
}

/// The run's task for these N.
pub(crate) fn task(trained: &Trained<'_>, memory: &[usize]) -> Result<Box<dyn Task>, Error> {
    let spec = &trained.run.spec().task;
    // The paper trains ladders; a task without N stays as it is.
    build(&spec.with_memory(memory).unwrap_or_else(|| spec.clone()))
}

/// N-parity for these N, with bits shown as the run's are.
pub(crate) fn parity(trained: &Trained<'_>, memory: &[usize]) -> Result<Box<dyn Task>, Error> {
    let coding = match &trained.run.spec().task {
        TaskSpec::Parity(task) => task.coding,
        TaskSpec::Dms(task) => task.coding,
        _ => Coding::default(),
    };
    build(&TaskSpec::Parity(Parity { n: memory.to_vec(), coding }))
}

fn build(task: &TaskSpec) -> Result<Box<dyn Task>, Error> {
    Ok(task.build().map_err(tau_training::Error::from)?)
}
