use super::*;
use crate::damage::Damage;
use crate::evidence::{Forgetting, TauNetSummary};
use tau_analysis::{Ablated, AblationResult, PerturbationResult, Score, TauStatistics};
use tau_runs::{MetricsRow, State};

/// A made-up network that solves one N every `epochs_per_n` epochs, whose τ are `tau(N)` and
/// 1.5 · `tau(N)`, whose τ_net is `tau_net(N)`, and which tells smaller N with `told` accuracy.
fn network(
    series: &str,
    seed: u64,
    epochs_per_n: usize,
    tau: impl Fn(f64) -> f64,
    tau_net: impl Fn(f64) -> f64,
    told: f64,
) -> Network {
    // Networks differ a little, so that intervals have a width.
    let wobble = 1.0 + 0.01 * (seed as f64 - 1.0);
    let epochs = 60;
    let metrics = (1..=epochs).map(|epoch| {
        let solved_n = 1 + epoch / epochs_per_n + usize::from(seed == 2);
        MetricsRow {
            epoch,
            head: 0,
            n: solved_n,
            accuracy: 0.99,
            test_loss: 0.1,
            training_loss: 0.1,
            solved: epoch % epochs_per_n == 0,
            solved_n,
            wall_s: epoch as f64,
        }
    });
    let metrics: Vec<MetricsRow> = metrics.collect();
    let largest = metrics.last().unwrap().solved_n;
    let statistics = |n: usize| {
        let tau = 1.0 + (tau(n as f64) - 1.0) * wobble;
        TauStatistics::new([tau, 1.5 * tau]).unwrap()
    };
    let summary = |n: usize| TauNetSummary {
        n,
        good: 10,
        mean: Some(tau_net(n as f64) * wobble),
        standard_deviation: Some(1.0),
        published_mean: None,
        population: None,
    };
    Network {
        series: series.to_owned(),
        name: format!("{series}-{seed}"),
        seed,
        state: if series == "multi-head" { State::Finished } else { State::OutOfEpochs },
        provenance: tau_runs::Provenance::default(),
        tau: (2..=largest).map(|n| (n, statistics(n))).collect(),
        tau_net: (2..=largest).map(summary).collect(),
        forgetting: Some(Forgetting {
            n_max: 5,
            accuracy: (2..=5).map(|n| (n, told * wobble)).collect(),
        }),
        damage: Some(damage(series == "single-head", wobble)),
        metrics,
    }
}

/// Relative accuracies about as published, of a single-head network or a multi-head one.
fn damage(single: bool, wobble: f64) -> Damage {
    let score = |relative: f64| Score {
        mean: 0.5 + 0.5 * relative * (2.0 - wobble),
        standard_deviation: 0.0,
        best: 1.0,
    };
    let whole = Score { mean: 1.0, standard_deviation: 0.0, best: 1.0 };
    let ablated =
        |relative| vec![Ablated { neuron: 0, tau_raw: 1.0, accuracy: score(relative).mean }];
    let noisy = |epsilon, relative| {
        vec![
            PerturbationResult { epsilon: 0.0, score: whole },
            PerturbationResult { epsilon, score: score(relative) },
        ]
    };
    let (short, long, weights, tau) =
        if single { (0.9, 0.45, 0.15, 0.3) } else { (0.79, 0.99, 0.65, 0.88) };
    Damage {
        n: 5,
        ablation: AblationResult { baseline: whole, short: ablated(short), long: ablated(long) },
        weights: noisy(0.46, weights),
        tau: noisy(0.1, tau),
    }
}

fn as_published() -> Vec<Network> {
    let falls_then_rises = |n: f64| 1.4 + 0.01 * (n - 5.0).powi(2);
    let single = (0..3).map(|seed| network("single-head", seed, 6, falls_then_rises, |n| n, 0.5));
    let multi = (0..3).map(|seed| network("multi-head", seed, 2, |n| 1.5 - 0.01 * n, |n| n, 0.98));
    let sliding = (0..3).map(|seed| {
        let mut network = network("sliding", seed, 4, |_| 1.4, |n| n, 0.9);
        network.damage = None;
        network
    });
    single.chain(multi).chain(sliding).collect()
}

fn verdicts(networks: &[Network]) -> Vec<Verdict> {
    CLAIMS.iter().map(|claim| conclude(&(claim.parts)(networks))).collect()
}

#[test]
fn networks_like_the_published_ones_support_every_claim() {
    assert_eq!(verdicts(&as_published()), [Verdict::Supported; 7]);
}

#[test]
fn exchanged_conditions_contradict_what_compares_them() {
    let mut networks = as_published();
    for network in &mut networks {
        let other = match &*network.series {
            "single-head" => "multi-head",
            "multi-head" => "single-head",
            same => same,
        };
        network.series = other.to_owned();
    }
    networks.iter_mut().for_each(|network| network.state = State::OutOfEpochs);
    let verdicts = verdicts(&networks);
    for claim in [0, 2, 3, 4, 5, 6] {
        assert_eq!(verdicts[claim], Verdict::Contradicted, "claim {}", CLAIMS[claim].id);
    }
    assert_ne!(verdicts[1], Verdict::Supported);
}

#[test]
fn one_or_two_networks_of_each_condition_decide_nothing() {
    for seeds in [1, 2] {
        let few = as_published().into_iter().filter(|network| network.seed < seeds);
        assert_eq!(verdicts(&few.collect::<Vec<_>>()), [Verdict::Undecidable; 7]);
    }
}

/// Multi-head networks that ended with the last N they were given may look worse than single-head
/// ones that were given more: that is no evidence against them.
#[test]
fn a_cap_on_n_contradicts_nothing() {
    let mut networks = as_published();
    for network in networks.iter_mut().filter(|network| network.series == "multi-head") {
        network.metrics.iter_mut().for_each(|row| row.solved_n = 1);
    }
    assert_eq!(conclude(&(CLAIMS[2].parts)(&networks)), Verdict::Undecidable);
    networks.iter_mut().for_each(|network| network.state = State::OutOfEpochs);
    assert_eq!(conclude(&(CLAIMS[2].parts)(&networks)), Verdict::Contradicted);
}

/// Nor may single-head networks that ended with their last N look worse than they are.
#[test]
fn a_cap_on_single_head_supports_nothing() {
    let mut networks = as_published();
    networks.iter_mut().for_each(|network| network.state = State::Finished);
    assert_eq!(conclude(&(CLAIMS[2].parts)(&networks)), Verdict::Undecidable);
}

#[test]
fn no_network_decides_nothing() {
    assert_eq!(verdicts(&[]), [Verdict::Undecidable; 7]);
}

#[test]
fn a_run_that_diverged_counts_nowhere() {
    let mut networks = as_published();
    let mut odd = network("multi-head", 7, 60, |n| 9.0 + n, |_| 0.0, 0.0);
    odd.state = State::Diverged;
    networks.push(odd);
    let with: Vec<Vec<Part>> = CLAIMS.iter().map(|claim| (claim.parts)(&networks)).collect();
    let without: Vec<Vec<Part>> =
        CLAIMS.iter().map(|claim| (claim.parts)(&as_published())).collect();
    assert_eq!(with, without);
}

#[test]
fn a_network_that_solved_too_little_is_left_out_and_counted() {
    let mut networks = as_published();
    let stuck = networks.iter_mut().find(|network| network.series == "single-head").unwrap();
    stuck.tau.truncate(2);
    stuck.metrics.iter_mut().for_each(|row| row.solved_n = 3);
    let part = (CLAIMS[0].parts)(&networks).swap_remove(0);
    assert_eq!((part.networks, part.left_out), (2, 1));
    assert_eq!(part.verdict, Verdict::Undecidable);
}

#[test]
fn a_claim_needs_all_its_parts() {
    use Verdict::{Contradicted, Supported, Undecidable};
    check(&[Supported, Supported], Supported);
    check(&[Supported, Undecidable], Undecidable);
    check(&[Undecidable, Contradicted, Supported], Contradicted);
    check(&[], Undecidable);
    fn check(parts: &[Verdict], expected: Verdict) {
        let parts: Vec<Part> = parts
            .iter()
            .map(|&verdict| Part {
                title: String::new(),
                verdict,
                effect: None,
                interval: None,
                networks: 0,
                left_out: 0,
            })
            .collect();
        assert_eq!(conclude(&parts), expected);
    }
}
