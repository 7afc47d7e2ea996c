//! A batch of a task, in the form that the core reads.

use tau_random::Key;
use tau_rnn::{Backend, Batch, Optimiser, Target};
use tau_tasks::{Targets, Task};

use crate::Error;
use crate::chance::LabelCounts;
use crate::simulation::initial;

/// Definition of a batch, which is a pure function of these fields.
pub(crate) struct NamedBatch {
    pub(crate) trials: usize,
    pub(crate) inputs: Key,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub(crate) initial_state: f64,
    pub(crate) initial: Key,
}

impl NamedBatch {
    /// One update of the network on this batch; `heads[i]` answers for head i of the task.
    pub(crate) fn update(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        optimiser: &Optimiser,
    ) -> Result<(), Error> {
        self.hand(network, task, heads, |network, batch| network.update(batch, optimiser))
    }

    /// Accuracy or loss of each head on this batch, and its labels into the counts.
    pub(crate) fn evaluate(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        asked: &mut LabelCounts,
    ) -> Result<Vec<f64>, Error> {
        let scores = self.hand(network, task, heads, |network, batch| {
            if let Target::Classes { labels, .. } = batch.target {
                asked.add(labels);
            }
            network.evaluate(batch)
        })?;
        Ok(scores.heads.iter().map(|head| head.accuracy.unwrap_or(head.loss)).collect())
    }

    /// Draws the batch, in continuous time held for the k steps of the network.
    fn hand<T>(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        consume: impl FnOnce(&mut dyn Backend<f32>, &Batch<'_, f32>) -> Result<T, tau_rnn::Error>,
    ) -> Result<T, Error> {
        let config = network.config();
        let drawn = task.batch(self.trials, self.inputs)?.held(config.steps_per_unit() as usize);
        let target = match &drawn.targets {
            Targets::Classes(labels) => Target::Classes { labels: labels.view(), heads },
            Targets::Values { values, weights } => Target::Values {
                values: values.view(),
                weights: weights.as_ref().map(|weights| weights.view()),
                head: heads[0],
            },
        };
        let initial = initial(config, self.initial_state, self.initial);
        Ok(consume(network, &Batch { inputs: drawn.inputs.view(), initial, target })?)
    }
}
