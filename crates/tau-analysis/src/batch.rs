//! A batch of a task with labels, in the form that the core reads.

use tau_random::Key;
use tau_rnn::{Batch, Initial, Target};
use tau_tasks::Task;

use crate::Error;

/// Definition of a batch, which is a pure function of these fields.
pub(crate) struct LabelledBatch {
    pub(crate) trials: usize,
    pub(crate) inputs: Key,
    /// Steps for which every input is held: more than 1 in continuous time.
    pub(crate) held: usize,
    /// h(0) ~ U[0, this).
    pub(crate) initial_state: f64,
    pub(crate) initial: Key,
}

impl LabelledBatch {
    /// Draws the batch, head i for the i-th N of the task.
    pub(crate) fn hand<T>(
        &self,
        task: &dyn Task,
        consume: impl FnOnce(&Batch<'_, f32>) -> Result<T, tau_rnn::Error>,
    ) -> Result<T, Error> {
        let drawn = task.batch(self.trials, self.inputs)?.held(self.held);
        let heads: Vec<usize> = (0..task.memory().len()).collect();
        let tau_tasks::Target::Labels(labels) = &drawn.target else {
            return Err(Error::SeriesTask { task: task.name() });
        };
        let initial = Initial::Uniform { scale: self.initial_state, key: self.initial };
        let target = Target::Labels { labels: labels.view(), heads: &heads };
        Ok(consume(&Batch { inputs: drawn.inputs.view(), initial, target })?)
    }
}
