//! Retraining: how far a network gets on larger N when it is trained further on them
//! (docs/papers/khajehabdollahi-2024.md §5).

use std::fmt;

use serde::{Deserialize, Serialize};
use tau_analysis::{ChanceLevel, Measure, RetrainingResult};
use tau_reproduce::{Error, Measurement, Network, Trained};

use super::trained::{Solved, backend, task};
use crate::progress::largest_common_n;

/// Accuracy on larger N of a network that is trained further on them, each time from where it had solved
/// the largest common N, with the head for that N alone.
pub(crate) enum Retraining {}

/// How networks are trained further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Epochs of it (20 in the paper).
    epochs: usize,
    /// They start from where they had solved the largest common N up to this one (16 in the paper).
    #[serde(skip_serializing)]
    n_at_most: usize,
    /// How much larger the N are that they are trained on (up to 30 in the paper).
    #[serde(skip_serializing)]
    more: Vec<usize>,
    /// Networks of each condition, the first ones.
    #[serde(skip_serializing)]
    networks: usize,
}

/// From one N onto another one. Each is kept for itself: at 500 neurons it takes minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onto {
    /// The N that it had solved.
    pub(crate) from: usize,
    /// The N that it is trained on; if it is `from`, the network is scored and not trained.
    pub(crate) n: usize,
}

impl fmt::Display for Onto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "N{:03}-N{:03}", self.from, self.n)
    }
}

impl Measurement for Retraining {
    const ID: &'static str = "retraining";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = Onto;
    type Output = RetrainingResult;

    fn sites(settings: &Settings, network: &Network, all: &[Network]) -> Vec<Onto> {
        let from = largest_common_n(network, all, Some(settings.n_at_most));
        let Some(from) = from.filter(|_| network.place < settings.networks) else {
            return Vec::new();
        };
        let more = [0].into_iter().chain(settings.more.iter().copied());
        more.map(|more| Onto { from, n: from + more }).collect()
    }

    fn run(
        settings: &Settings,
        site: &Onto,
        trained: &Trained<'_>,
    ) -> Result<Option<Self::Output>, Error> {
        let spec = trained.run.spec();
        let retraining = tau_analysis::Retraining {
            epochs: if site.n == site.from { 0 } else { settings.epochs },
            updates_per_epoch: spec.updates_per_epoch(),
            batch_size: spec.batch_size,
            test_batches: spec.data.test_batches(spec.batch_size),
            initial_state: spec.initial_state,
            optimiser: spec.optimiser,
            chance: ChanceLevel::OneOfClasses,
            seed: spec.seed,
        };
        let task = task(trained, &[site.n])?;
        let mut network = backend(trained, Solved(site.from))?;
        // The newest head is the one for the largest N.
        let head = network.params()?.readouts.len().saturating_sub(1);
        Ok(Some(retraining.run(&mut *network, &[head], &*task, trained.stop)?))
    }
}

/// A network trained further on several larger N.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retrained {
    /// Its accuracy for the N that it had solved, in [0, 1].
    accuracy: f64,
    /// What the accuracies measure.
    measure: Measure,
    /// The larger N, each with the accuracies before and after each epoch.
    on: Vec<(usize, RetrainingResult)>,
}

impl Retrained {
    /// What was measured on a network; `None` if it was not trained further.
    pub(crate) fn of(network: &Network) -> Option<Self> {
        let found = network.all::<Retraining>();
        let (_, own) = found.iter().find(|(site, _)| site.n == site.from)?;
        let larger = found.iter().filter(|(site, _)| site.n != site.from);
        Some(Self {
            accuracy: own.before()?,
            measure: own.measure,
            on: larger.map(|(site, found)| (site.n, found.clone())).collect(),
        })
    }

    /// For each larger N: N and relative accuracy (1 as good as for its own N, 0 chance) before training
    /// and after the last epoch, where there is one.
    pub(crate) fn relative(&self) -> impl Iterator<Item = (usize, Option<f64>, Option<f64>)> {
        let relative = |accuracy: Option<f64>| {
            accuracy.and_then(|found| self.measure.relative(found, self.accuracy))
        };
        self.on.iter().map(move |(n, all)| (*n, relative(all.before()), relative(all.after())))
    }

    /// Mean relative accuracy after training, over the larger N; `None` if one of them has none.
    pub(crate) fn mean_after(&self) -> Option<f64> {
        let relative: Vec<f64> =
            self.relative().map(|(_, _, after)| after).collect::<Option<_>>()?;
        let count = relative.len() as f64;
        (!relative.is_empty()).then(|| relative.iter().sum::<f64>() / count)
    }

    /// Relative accuracy after training on the largest N.
    pub(crate) fn last_after(&self) -> Option<f64> {
        self.relative().last().and_then(|(_, _, after)| after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_diverged_has_no_accuracy_and_is_not_chance() {
        let measure = Measure::Accuracy { chance: 0.5 };
        let result = |values: [Option<f64>; 2]| RetrainingResult { measure, values: values.into() };
        let found = Retrained {
            accuracy: 1.0,
            measure,
            on: vec![(6, result([Some(0.5), Some(0.75)])), (8, result([Some(0.5), None]))],
        };
        let relative: Vec<_> = found.relative().collect();
        assert_eq!(relative, [(6, Some(0.0), Some(0.5)), (8, Some(0.0), None)]);
        assert_eq!((found.mean_after(), found.last_after()), (None, None));
        let whole = Retrained { on: found.on[..1].to_vec(), ..found };
        assert_eq!((whole.mean_after(), whole.last_after()), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn a_network_that_was_not_trained_further_has_no_result() {
        let network = Network::new("", Default::default(), 0, 0);
        assert_eq!(Retrained::of(&network.with::<Retraining>(Vec::new())), None);
    }
}
