//! Made-up networks, which are like the published ones.

use tau_analysis::{
    Ablated, AblationResult, Measure, PerturbationResult, Removal, RetrainingResult, Score,
};
use tau_reproduce::{Facets, Network, Selector};
use tau_runs::{MetricsRow, State};

use crate::measurements::{
    Damage, Damaged, Forgetting, Forgotten, Moments, Onto, Retraining, Solved, Summary, Tau,
    TauNet, UpTo,
};
use crate::selectors::*;

/// The facets that a selector asks for.
pub(crate) fn facets(selector: &Selector) -> Facets {
    let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    selector.facets().into_iter().map(pair).collect()
}

/// The table of a training that solved one of these N in each epoch.
pub(crate) fn solving(n: &[usize]) -> Vec<MetricsRow> {
    n.iter().enumerate().map(|(k, n)| row(k + 1, *n, true)).collect()
}

fn row(epoch: usize, solved_n: usize, solved: bool) -> MetricsRow {
    MetricsRow {
        epoch,
        head: 0,
        label: format!("N={solved_n}"),
        n: Some(solved_n),
        accuracy: Some(0.99),
        test_loss: Some(0.1),
        training_loss: Some(0.1),
        solved,
        // The first epoch says what was solved before it.
        milestones: if solved || epoch == 1 { format!("N{solved_n:03}") } else { String::new() },
        wall_s: epoch as f64,
    }
}

/// Replaces every solved N of a training.
pub(crate) fn solve_instead(network: &mut Network, n: impl Fn(usize) -> usize) {
    for row in &mut network.metrics {
        let found: Vec<usize> = row.reached().filter_map(|reached| reached.memory()).collect();
        row.milestones = found.into_iter().map(|found| format!("N{:03}", n(found))).collect();
    }
}

/// A kind of network, like the published ones.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) selector: Selector,
    /// Epochs for which it learns each N.
    pub(crate) epochs_per_n: usize,
    /// Its neurons have the τ `tau(N)` and 1.5 · `tau(N)`.
    pub(crate) tau: fn(f64) -> f64,
    pub(crate) tau_net: fn(f64) -> f64,
    /// Accuracy of new heads for smaller N.
    pub(crate) told: f64,
}

impl Kind {
    /// The network with this seed. Networks differ a little, so that intervals have a width.
    pub(crate) fn network(&self, seed: u64) -> Network {
        let wobble = 1.0 + 0.01 * (seed as f64 - 1.0);
        let solved_n = |epoch| 1 + epoch / self.epochs_per_n + usize::from(seed == 2);
        let metrics = (1..=60)
            .map(|epoch| row(epoch, solved_n(epoch), epoch.is_multiple_of(self.epochs_per_n)));
        let largest = solved_n(60);
        let moments = |n: usize| {
            let tau = 1.0 + ((self.tau)(n as f64) - 1.0) * wobble;
            Moments { mean: 1.25 * tau, standard_deviation: 0.25 * tau }
        };
        let summary = |n: usize| Summary {
            good: 10,
            mean: Some((self.tau_net)(n as f64) * wobble),
            standard_deviation: Some(1.0),
            published_mean: None,
            published_standard_deviation: None,
            population: None,
        };
        let told = (2..=5).map(|n| (n, self.told * wobble)).collect();
        let forgotten = Forgotten { n_max: 5, accuracy: told };
        let name = self.selector.name();
        let single = self.selector == SINGLE;
        let multi = self.selector == MULTI;
        let damaged = if self.selector == SLIDING { None } else { Some(damaged(single, wobble)) };
        let mut network = Network::new(name, facets(&self.selector), seed as usize, seed);
        network.name = format!("{name}-{seed}");
        network.state = if multi { State::Finished } else { State::OutOfEpochs };
        network.metrics = metrics.collect();
        network
            .with::<Tau>(vec![(UpTo(largest), (2..=largest).map(|n| (n, moments(n))).collect())])
            .with::<TauNet>((2..=largest).map(|n| (Solved(n), summary(n))).collect())
            .with::<Forgetting>(vec![(Solved(5), forgotten)])
            .with::<Damage>(damaged.map(|damaged| (Solved(5), damaged)).into_iter().collect())
            .with::<Retraining>(retrained(single, wobble))
    }
}

/// Relative accuracies about as published, of a single-head network or a multi-head one.
fn damaged(single: bool, wobble: f64) -> Damaged {
    let score = |relative: f64| Score {
        mean: 0.5 + 0.5 * relative * (2.0 - wobble),
        standard_deviation: 0.0,
        best: 1.0,
        measure: Measure::Accuracy { chance: 0.5 },
    };
    let whole = Score { mean: 1.0, ..score(1.0) };
    let ablated = |relative| vec![Ablated { neuron: 0, tau_raw: 1.0, value: score(relative).mean }];
    let noisy = |epsilon, relative| {
        vec![
            PerturbationResult { epsilon: 0.0, score: whole },
            PerturbationResult { epsilon, score: score(relative) },
        ]
    };
    let (short, long, weights, tau) =
        if single { (0.9, 0.45, 0.15, 0.3) } else { (0.79, 0.99, 0.65, 0.88) };
    Damaged {
        n: 5,
        removal: Removal::Clean,
        ablation: AblationResult { baseline: whole, short: ablated(short), long: ablated(long) },
        weights: noisy(0.46, weights),
        tau: noisy(0.1, tau),
    }
}

/// Accuracies after retraining about as published.
fn retrained(single: bool, wobble: f64) -> Vec<(Onto, RetrainingResult)> {
    let after: &[f64] = if single { &[0.9, 0.7, 0.55] } else { &[0.98, 0.95, 0.85] };
    let measure = Measure::Accuracy { chance: 0.5 };
    let result = |values| RetrainingResult { measure, values };
    let own = (Onto { from: 5, n: 5 }, result(vec![Some(0.99)]));
    let on = |(k, after): (usize, &f64)| {
        let site = Onto { from: 5, n: 5 + 2 * (k + 1) };
        (site, result(vec![Some(0.5), Some(after * (2.0 - wobble))]))
    };
    [own].into_iter().chain(after.iter().enumerate().map(on)).collect()
}

/// Every kind of network that claims speak of, with the epochs that each N takes.
fn kinds() -> Vec<Kind> {
    let single = |(selector, epochs_per_n)| Kind {
        selector,
        epochs_per_n,
        tau: |n| 1.4 + 0.01 * (n - 5.0).powi(2),
        tau_net: |n| n,
        told: 0.5,
    };
    let multi = |(selector, epochs_per_n)| Kind {
        selector,
        epochs_per_n,
        tau: |n| 1.5 - 0.01 * n,
        tau_net: |n| n,
        told: 0.98,
    };
    let singles = [
        (SINGLE, 6),
        (SINGLE_TAU_1, 10),
        (SINGLE_TAU_2, 10),
        (SINGLE_TAU_3, 10),
        (SINGLE_DMS, 3),
        (SINGLE_LSTM, 6),
        (SINGLE_GRU, 6),
        (SINGLE_DRIVE, 6),
        (SINGLE_CONTINUOUS, 6),
    ];
    let multis = [
        (MULTI, 2),
        (MULTI_TAU_1, 2),
        (MULTI_TAU_2, 3),
        (MULTI_TAU_3, 4),
        (MULTI_DMS, 2),
        (MULTI_LSTM, 2),
        (MULTI_GRU, 2),
        (MULTI_DRIVE, 2),
        (MULTI_CONTINUOUS, 2),
    ];
    let sliding = Kind {
        selector: SLIDING,
        epochs_per_n: 4,
        tau: |n| 1.45 - 0.008 * n,
        tau_net: |n| n,
        told: 0.9,
    };
    singles.map(single).into_iter().chain(multis.map(multi)).chain([sliding]).collect()
}

/// Three networks of each kind.
pub(crate) fn as_published() -> Vec<Network> {
    with_seeds(3)
}

/// So many networks of each kind.
pub(crate) fn with_seeds(seeds: u64) -> Vec<Network> {
    let kinds = kinds();
    (0..seeds).flat_map(|seed| kinds.iter().map(move |kind| kind.network(seed))).collect()
}
