//! Claims judged on made-up networks, and the paper against itself.

pub(crate) mod made_up;

use tau_analysis::Verdict;
use tau_reproduce::{Claim, Compat, LARGEST_SHARE, Network, Networks, Part, conclude, placebo};
use tau_runs::State;

use crate::PAPER;
use crate::claims::ALL as CLAIMS;
use crate::measurements::{Tau, UpTo};
use crate::selectors::{MULTI, SINGLE, SLIDING};
use made_up::{Kind, as_published, facets, solve_instead, with_seeds};

fn parts(claim: &Claim, networks: &[Network]) -> Vec<Part> {
    (claim.parts)(&Networks::new(networks))
}

/// The claim of this number.
fn claim(id: &str) -> &'static Claim {
    CLAIMS.iter().find(|claim| claim.id == id).unwrap()
}

fn verdicts(networks: &[Network]) -> Vec<(&'static str, Verdict)> {
    CLAIMS.iter().map(|claim| (claim.id, conclude(&parts(claim, networks)))).collect()
}

fn verdict(id: &str, networks: &[Network]) -> Verdict {
    conclude(&parts(claim(id), networks))
}

fn all_are(networks: &[Network], expected: Verdict) {
    for (id, verdict) in verdicts(networks) {
        assert_eq!(verdict, expected, "claim {id}");
    }
}

/// Single-head for multi-head and the other way round, whatever else the network is.
fn exchange(network: &mut Network) {
    let curriculum = network.facets.get_mut("curriculum").unwrap();
    match curriculum.as_str() {
        "single-head" => "multi-head".clone_into(curriculum),
        "multi-head" => "single-head".clone_into(curriculum),
        _ => {}
    }
}

fn is(selector: tau_reproduce::Selector) -> impl Fn(&Network) -> bool {
    move |network| selector.matches(&network.facets)
}

#[test]
fn the_paper_fits_together_and_has_twelve_claims() {
    PAPER.load().unwrap();
    let ids: Vec<String> = (1..=12).map(|id| id.to_string()).collect();
    assert_eq!(CLAIMS.iter().map(|claim| claim.id).collect::<Vec<_>>(), ids);
}

#[test]
fn every_preset_has_valid_runs_with_and_without_quirks() {
    let loaded = PAPER.load().unwrap();
    for compat in [Compat::CLEAN, PAPER.quirk("iclr2024").unwrap()] {
        for (name, _) in PAPER.presets {
            let preset = loaded.preset(name, compat).unwrap();
            let seeds = preset.conditions.iter().map(|condition| condition.seeds).sum::<u64>();
            assert_eq!(preset.runs().count() as u64, seeds);
            for (condition, _, spec) in preset.runs() {
                let name = &condition.name;
                spec.check().unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}

#[test]
fn the_default_has_at_least_three_networks_for_each_condition() {
    let loaded = PAPER.load().unwrap();
    let preset = |name| loaded.preset(name, Compat::CLEAN).unwrap();
    let laptop = preset(PAPER.default_preset);
    assert!(laptop.conditions.iter().all(|condition| condition.seeds >= 3));
    assert!(!laptop.published_scale && preset("paper").published_scale);
}

/// Published values may stand beside networks of the published size and training only (ICLR 2024: 500
/// neurons, 600 updates of 256 trials in an epoch).
#[test]
fn the_published_scale_is_that_of_the_paper() {
    let loaded = PAPER.load().unwrap();
    for preset in loaded.presets() {
        let main = preset.runs().find(|(condition, ..)| MULTI.matches(&condition.facets));
        let (_, _, spec) = main.unwrap();
        let scale = (spec.network.hidden_size, spec.updates_per_epoch(), spec.batch_size);
        assert_eq!(preset.published_scale, scale == (500, 600, 256), "{}", preset.id);
    }
}

/// The page shows the list as it stands in the file.
#[test]
fn the_divergences_are_a_section_with_its_subsections() {
    let place = |words: &str| PAPER.divergences.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert_eq!(place("## Divergences from the published code"), 0);
    assert!(place("### Training") < place("a head is created when a stage needs it"));
    assert!(place("### Measurements") < place("Beware of the AIC."));
    place("### Ours alone");
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
        // Where all networks rise, or all parts compare networks of one curriculum, nothing speaks
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
        // Sliding networks lie between the two: all become single-head, and every second single-head
        // network becomes a sliding one.
        for network in &mut networks {
            if is(SLIDING)(network) {
                network.facets = facets(&SINGLE);
            } else if is(SINGLE)(network) && network.seed % 2 == 0 {
                network.facets = facets(&SLIDING);
            }
        }
        for (id, verdict) in verdicts(&networks) {
            assert_ne!(verdict, Verdict::Supported, "claim {id}, {half:?} exchanged");
        }
    }
}

/// Three networks each: one exchange in twenty is none, so that a share of 0.05 is the least that
/// can be expected of a claim about two conditions.
#[test]
fn conditions_exchanged_at_random_hardly_ever_support_a_claim() {
    let networks = as_published();
    for claim in CLAIMS {
        let share = placebo(claim, &networks).unwrap();
        assert!(share <= LARGEST_SHARE, "claim {}: {share}", claim.id);
    }
    let alone: Vec<Network> = networks.into_iter().filter(is(SINGLE)).collect();
    assert_eq!(placebo(claim("1"), &alone), None);
}

/// Networks that ended where mean τ is still falling say nothing about its rise.
#[test]
fn a_fall_of_mean_tau_before_its_rise_contradicts_nothing() {
    let short = |mut network: Network| {
        if !is(SINGLE)(&network) {
            return network;
        }
        solve_instead(&mut network, |n| n.min(5));
        let tau = network.get::<Tau>().unwrap()[..4].to_vec();
        network.with::<Tau>(vec![(UpTo(5), tau)])
    };
    let networks: Vec<Network> = as_published().into_iter().map(short).collect();
    let rise = &parts(claim("1"), &networks)[0];
    assert!(rise.effect.unwrap() < 0.0 && rise.interval.unwrap()[1] < 0.0, "{rise:?}");
    assert_eq!(rise.verdict, Verdict::Undecidable);
}

/// A single-head network that solves its last N late hides nothing of what was there before.
#[test]
fn a_cap_that_is_reached_later_hides_nothing() {
    let mut networks = as_published();
    let late = networks.iter_mut().find(|network| is(SINGLE)(network)).unwrap();
    late.state = State::Finished;
    let parts = parts(claim("3"), &networks);
    // After all 60 epochs it has ended with its last N; after 20 it had not.
    assert_eq!(parts[0].verdict, Verdict::Undecidable);
    assert_eq!(parts[1].verdict, Verdict::Supported);
}

#[test]
fn one_or_two_networks_of_each_condition_decide_nothing() {
    for seeds in [1, 2] {
        all_are(&with_seeds(seeds), Verdict::Undecidable);
    }
}

/// Multi-head networks that ended with the last N they were given may look worse than single-head
/// ones that were given more: that is no evidence against them.
#[test]
fn a_cap_on_n_contradicts_nothing() {
    let networks = |state, epochs| {
        let mut networks = as_published();
        for network in networks.iter_mut().filter(|network| is(MULTI)(network)) {
            network.state = state;
            network.metrics.truncate(epochs);
            solve_instead(network, |_| 1);
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
    let odd =
        Kind { selector: MULTI, epochs_per_n: 60, tau: |n| 9.0 + n, tau_net: |_| 0.0, told: 0.0 };
    let mut networks = as_published();
    networks.push(odd.network(7));
    networks.last_mut().unwrap().state = State::Diverged;
    let of = |networks: &[Network]| -> Vec<Vec<Part>> {
        CLAIMS.iter().map(|claim| parts(claim, networks)).collect()
    };
    assert_eq!(of(&networks), of(&as_published()));
}

#[test]
fn a_network_that_solved_too_little_is_left_out_and_counted() {
    let mut networks = as_published();
    let place = networks.iter().position(is(SINGLE)).unwrap();
    let mut stuck = networks.swap_remove(place);
    solve_instead(&mut stuck, |_| 3);
    let tau = stuck.get::<Tau>().unwrap()[..2].to_vec();
    networks.push(stuck.with::<Tau>(vec![(UpTo(3), tau)]));
    let part = parts(claim("1"), &networks).swap_remove(0);
    assert_eq!((part.networks, part.left_out), (2, 1));
    assert_eq!(part.verdict, Verdict::Undecidable);
}
