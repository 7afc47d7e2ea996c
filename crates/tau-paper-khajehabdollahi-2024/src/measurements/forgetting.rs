//! Forgetting: what a frozen network still tells about smaller N.

use serde::{Deserialize, Serialize};
use tau_analysis::{ChanceLevel, Performance, Probe};
use tau_reproduce::{Error, Measurement, Network, Trained};

use super::trained::{Solved, backend, task};
use crate::progress::largest_common_n;

/// The smallest N for which there is a head.
const FIRST_N: usize = 2;

/// Accuracy of new heads for every smaller N on the frozen network, at the largest N that all compared
/// networks solved.
pub(crate) enum Forgetting {}

/// How forgetting is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Updates of the new heads.
    updates: usize,
    /// Batches that score them.
    test_batches: usize,
}

/// Accuracy of new linear heads on a frozen network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Forgotten {
    /// The N that the network had solved.
    pub(crate) n_max: usize,
    /// (N, accuracy in [0, 1]) for N from 2 to `n_max`.
    pub(crate) accuracy: Vec<(usize, f64)>,
}

impl Forgotten {
    /// Mean error of the new heads for N below `n_max`, a share of trials; `None` if there are none.
    pub(crate) fn error(&self) -> Option<f64> {
        let smaller = self.accuracy.iter().filter(|(n, _)| *n < self.n_max);
        let errors: Vec<f64> = smaller.map(|(_, accuracy)| 1.0 - accuracy).collect();
        let count = errors.len() as f64;
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / count)
    }
}

impl Measurement for Forgetting {
    const ID: &'static str = "forgetting";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = Solved;
    type Output = Forgotten;

    fn sites(_: &Settings, network: &Network, all: &[Network]) -> Vec<Solved> {
        let n_max = largest_common_n(network, all, None);
        n_max.filter(|n| *n > FIRST_N).map(Solved).into_iter().collect()
    }

    fn run(
        settings: &Settings,
        at: &Solved,
        trained: &Trained<'_>,
    ) -> Result<Option<Forgotten>, Error> {
        let spec = trained.run.spec();
        let memory: Vec<usize> = (FIRST_N..=at.n()).collect();
        let probe = Probe {
            updates: settings.updates,
            batch_size: spec.batch_size,
            test_batches: settings.test_batches,
            initial_state: spec.initial_state,
            optimiser: spec.optimiser,
            chance: ChanceLevel::OneOfClasses,
            seed: spec.seed,
        };
        let task = task(trained, &memory)?;
        let heads = probe.run(&mut *backend(trained, *at)?, &*task, trained.stop)?;
        let told = |(n, head): (usize, Performance)| (n, head.value);
        Ok(Some(Forgotten {
            n_max: at.n(),
            accuracy: memory.into_iter().zip(heads).map(told).collect(),
        }))
    }
}
