//! How far a network gets on larger N when it is trained further on them.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tau_analysis::{Retraining, relative_accuracy};
use tau_runs::Run;

use crate::Error;
use crate::measure::backend;

/// A network trained further on several larger N, each time from the same start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retrained {
    /// The N that it had solved.
    pub n: usize,
    /// Its accuracy for that N, in [0, 1].
    pub accuracy: f64,
    /// One for each larger N.
    pub on: Vec<RetrainedOn>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrainedOn {
    /// The N that it was trained on.
    pub n: usize,
    /// Accuracy for it, in [0, 1], before and after each epoch.
    pub accuracy: Vec<f64>,
}

impl RetrainedOn {
    /// Before training.
    #[must_use]
    pub fn before(&self) -> f64 {
        self.accuracy.first().copied().unwrap_or(0.5)
    }

    /// After the last epoch.
    #[must_use]
    pub fn after(&self) -> f64 {
        self.accuracy.last().copied().unwrap_or(0.5)
    }
}

impl Retrained {
    /// Relative to the accuracy for the N that it had solved: 1 as good, 0 chance.
    #[must_use]
    pub fn relative(&self, accuracy: f64) -> Option<f64> {
        relative_accuracy(accuracy, self.accuracy)
    }

    /// Mean relative accuracy after training, over the larger N.
    #[must_use]
    pub fn mean_after(&self) -> Option<f64> {
        let relative = self.on.iter().map(|one| self.relative(one.after()));
        let relative = relative.collect::<Option<Vec<f64>>>()?;
        let count = relative.len() as f64;
        (!relative.is_empty()).then(|| relative.iter().sum::<f64>() / count)
    }
}

/// Trains the network that the run kept for N = `n` further on N = `on`, on the run's device, as it was
/// trained. Accuracy before and after each epoch.
///
/// # Errors
/// [`Error::Interrupted`] soon after `stop` is set; a checkpoint that cannot be read, and what the
/// protocol refuses.
pub(crate) fn retrain(
    run: &Run,
    n: usize,
    on: usize,
    epochs: usize,
    stop: &AtomicBool,
) -> Result<Vec<f64>, Error> {
    let spec = run.spec();
    let retraining = Retraining {
        epochs,
        updates_per_epoch: spec.updates_per_epoch,
        batch_size: spec.batch_size,
        test_batches: spec.test_batches,
        initial_state: spec.initial_state,
        optimiser: spec.optimiser,
        seed: spec.seed,
    };
    let task = spec.task.with_coding(&[on], spec.coding).map_err(tau_curricula::Error::from)?;
    let mut network = backend(run, n)?;
    // The newest head is the one for the largest N.
    let head = network.params()?.readouts.len().saturating_sub(1);
    Ok(retraining.run(&mut *network, head, &*task, stop)?)
}
