use super::*;
use crate::damage::Damage;
use crate::evidence::{Forgetting, TauNetSummary};
use crate::{Retrained, RetrainedOn};
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
        published_standard_deviation: None,
        population: None,
    };
    Network {
        series: series.to_owned(),
        name: format!("{series}-{seed}"),
        seed,
        state: if series == "multi-head" { State::Finished } else { State::OutOfEpochs },
        provenance: tau_runs::Provenance::default(),
        solved: (2..=largest).collect(),
        tau: (2..=largest).map(|n| (n, statistics(n))).collect(),
        tau_net: (2..=largest).map(summary).collect(),
        forgetting: Some(Forgetting {
            n_max: 5,
            accuracy: (2..=5).map(|n| (n, told * wobble)).collect(),
        }),
        damage: Some(damage(series == "single-head", wobble)),
        retrained: Some(retrained(series == "single-head", wobble)),
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
        removal: tau_analysis::Removal::Clean,
        ablation: AblationResult { baseline: whole, short: ablated(short), long: ablated(long) },
        weights: noisy(0.46, weights),
        tau: noisy(0.1, tau),
    }
}

/// Accuracies after retraining about as published.
fn retrained(single: bool, wobble: f64) -> Retrained {
    let after: &[f64] = if single { &[0.9, 0.7, 0.55] } else { &[0.98, 0.95, 0.85] };
    let on = |(k, after): (usize, &f64)| RetrainedOn {
        n: 5 + 2 * (k + 1),
        accuracy: vec![0.5, after * (2.0 - wobble)],
    };
    Retrained { n: 5, accuracy: 0.99, on: after.iter().enumerate().map(on).collect() }
}

fn as_published() -> Vec<Network> {
    with_seeds(3)
}

fn with_seeds(seeds: u64) -> Vec<Network> {
    let falls_then_rises = |n: f64| 1.4 + 0.01 * (n - 5.0).powi(2);
    let falls = |n: f64| 1.5 - 0.01 * n;
    // Epochs that each N takes.
    let single = [
        ("single-head", 6),
        ("single-head τ=1", 10),
        ("single-head τ=2", 10),
        ("single-head τ=3", 10),
        ("single-head n-dms", 3),
        ("single-head lstm", 6),
        ("single-head gru", 6),
        ("single-head drive", 6),
        ("single-head continuous", 6),
    ];
    let multi = [
        ("multi-head", 2),
        ("multi-head τ=1", 2),
        ("multi-head τ=2", 3),
        ("multi-head τ=3", 4),
        ("multi-head n-dms", 2),
        ("multi-head lstm", 2),
        ("multi-head gru", 2),
        ("multi-head drive", 2),
        ("multi-head continuous", 2),
    ];
    let mut networks = Vec::new();
    for seed in 0..seeds {
        for (series, epochs) in single {
            networks.push(network(series, seed, epochs, falls_then_rises, |n| n, 0.5));
        }
        for (series, epochs) in multi {
            networks.push(network(series, seed, epochs, falls, |n| n, 0.98));
        }
        let mut sliding = network("sliding", seed, 4, |n| 1.45 - 0.008 * n, |n| n, 0.9);
        (sliding.damage, sliding.retrained) = (None, None);
        networks.push(sliding);
    }
    networks
}

/// Single-head for multi-head and the other way round, whatever else the series is.
fn exchange(network: &mut Network) {
    let (single, multi) = ("single-head", "multi-head");
    network.series = match network.series.strip_prefix(single) {
        Some(rest) => format!("{multi}{rest}"),
        None => network.series.replacen(multi, single, 1),
    };
}

fn verdicts(networks: &[Network]) -> Vec<(&'static str, Verdict)> {
    CLAIMS.iter().map(|claim| (claim.id, conclude(&(claim.parts)(networks)))).collect()
}

/// The verdict on the claim of this number.
fn verdict(id: &str, networks: &[Network]) -> Verdict {
    let claim = CLAIMS.iter().find(|claim| claim.id == id).unwrap();
    conclude(&(claim.parts)(networks))
}

fn all_are(networks: &[Network], expected: Verdict) {
    for (id, verdict) in verdicts(networks) {
        assert_eq!(verdict, expected, "claim {id}");
    }
}

#[test]
fn the_twelve_claims_are_there() {
    let ids: Vec<String> = (1..=12).map(|id| id.to_string()).collect();
    assert_eq!(CLAIMS.iter().map(|claim| claim.id).collect::<Vec<_>>(), ids);
    for claim in CLAIMS {
        assert!(crate::figures::FIGURES.iter().any(|figure| figure.id == claim.figure));
    }
}

#[test]
fn networks_like_the_published_ones_support_every_claim() {
    all_are(&as_published(), Verdict::Supported);
}

#[test]
fn exchanged_conditions_contradict_what_compares_them() {
    let mut networks = as_published();
    networks.iter_mut().for_each(exchange);
    networks.iter_mut().for_each(|network| network.state = State::OutOfEpochs);
    for (id, verdict) in verdicts(&networks) {
        // Where all series rise, or all parts compare networks of one curriculum, nothing speaks
        // against the claim, and nothing for it.
        if ["2", "4"].contains(&id) {
            assert_ne!(verdict, Verdict::Supported, "claim {id}");
        } else {
            assert_eq!(verdict, Verdict::Contradicted, "claim {id}");
        }
    }
}

/// Where half of the networks of each curriculum are those of the other, there is nothing to see.
#[test]
fn half_exchanged_conditions_support_nothing() {
    for half in [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]] {
        let mut networks = with_seeds(4);
        let chosen = |network: &&mut Network| half.contains(&network.seed);
        networks.iter_mut().filter(chosen).for_each(exchange);
        // Sliding networks lie between the two: one half becomes single-head, the other multi-head.
        for network in &mut networks {
            if network.series == "sliding" {
                "single-head".clone_into(&mut network.series);
            } else if network.series == "single-head" && network.seed % 2 == 0 {
                "sliding".clone_into(&mut network.series);
            }
        }
        for (id, verdict) in verdicts(&networks) {
            assert_ne!(verdict, Verdict::Supported, "claim {id}, {half:?} exchanged");
        }
    }
}

/// Three networks each: one exchange in twenty is none, so that a share of 0.05 is the least that
/// can be expected of a claim about two series.
#[test]
fn conditions_exchanged_at_random_hardly_ever_support_a_claim() {
    let networks = as_published();
    for claim in CLAIMS {
        let share = placebo::placebo(claim, &networks).unwrap();
        assert!(share <= placebo::LARGEST_SHARE, "claim {}: {share}", claim.id);
    }
    let alone: Vec<Network> =
        networks.into_iter().filter(|network| network.series == "single-head").collect();
    assert_eq!(placebo::placebo(&CLAIMS[0], &alone), None);
}

/// Networks that ended where mean τ is still falling say nothing about its rise.
#[test]
fn a_fall_of_mean_tau_before_its_rise_contradicts_nothing() {
    let mut networks = as_published();
    for network in networks.iter_mut().filter(|network| network.series == "single-head") {
        network.tau.truncate(4);
        network.metrics.iter_mut().for_each(|row| row.solved_n = row.solved_n.min(5));
    }
    let rise = &(CLAIMS[0].parts)(&networks)[0];
    assert!(rise.effect.unwrap() < 0.0 && rise.interval.unwrap()[1] < 0.0, "{rise:?}");
    assert_eq!(rise.verdict, Verdict::Undecidable);
}

/// A single-head network that solves its last N late hides nothing of what was there before.
#[test]
fn a_cap_that_is_reached_later_hides_nothing() {
    let mut networks = as_published();
    let late = networks.iter_mut().find(|network| network.series == "single-head").unwrap();
    late.state = State::Finished;
    let parts = (CLAIMS[2].parts)(&networks);
    // After all 60 epochs it has ended with its last N; after 20 it had not.
    assert_eq!(parts[0].verdict, Verdict::Undecidable);
    assert_eq!(parts[1].verdict, Verdict::Supported);
}

#[test]
fn one_or_two_networks_of_each_condition_decide_nothing() {
    for seeds in [1, 2] {
        let few = as_published().into_iter().filter(|network| network.seed < seeds);
        all_are(&few.collect::<Vec<_>>(), Verdict::Undecidable);
    }
}

/// Multi-head networks that ended with the last N they were given may look worse than single-head
/// ones that were given more: that is no evidence against them.
#[test]
fn a_cap_on_n_contradicts_nothing() {
    let networks = |state, epochs| {
        let mut networks = as_published();
        for network in networks.iter_mut().filter(|network| network.series == "multi-head") {
            network.state = state;
            network.metrics.truncate(epochs);
            network.metrics.iter_mut().for_each(|row| row.solved_n = 1);
        }
        networks
    };
    assert_eq!(verdict("3", &networks(State::Finished, 10)), Verdict::Undecidable);
    assert_eq!(verdict("3", &networks(State::OutOfEpochs, 60)), Verdict::Contradicted);
}

/// Nor may single-head networks that ended with their last N look worse than they are.
#[test]
fn a_cap_on_single_head_supports_nothing() {
    let mut networks = as_published();
    networks.iter_mut().for_each(|network| network.state = State::Finished);
    assert_eq!(verdict("3", &networks), Verdict::Undecidable);
}

#[test]
fn no_network_decides_nothing() {
    all_are(&[], Verdict::Undecidable);
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
