//! The same judgement on networks whose conditions are exchanged at random: what a claim's verdict is
//! worth. A claim that is still supported is supported by something else than the conditions.

use std::collections::BTreeMap;

use ndarray_rand::rand::seq::SliceRandom;
use tau_analysis::Verdict;
use tau_random::{Key, Purpose};

use crate::claim::conclude;
use crate::{Claim, Facets, Network, Networks};

/// How often the conditions are exchanged.
pub const EXCHANGES: u32 = 200;
/// Largest share of exchanges that may support a claim whose support counts. Three networks in each of
/// two conditions are as they were in one exchange of twenty.
pub const LARGEST_SHARE: f64 = 0.1;

/// Share of exchanges after which the claim is supported. `None` where there is nothing to exchange.
#[must_use]
pub fn placebo(claim: &Claim, networks: &[Network]) -> Option<f64> {
    let judged: Vec<&Network> = networks
        .iter()
        .filter(|network| network.is_sound() && claim.is_about(&network.facets))
        .collect();
    let mut groups = exchangeable(claim, &judged);
    if groups.is_empty() {
        return None;
    }
    let mut facets: Vec<&Facets> = judged.iter().map(|network| &network.facets).collect();
    let mut supported = 0;
    for exchange in 0..EXCHANGES {
        let mut random = Key::new(0, Purpose::Statistics).stage(exchange).stream();
        for (places, theirs) in &mut groups {
            theirs.shuffle(&mut random);
            for (&place, &given) in places.iter().zip(&*theirs) {
                facets[place] = given;
            }
        }
        let entries = facets.iter().copied().zip(judged.iter().copied());
        let parts = (claim.parts)(&Networks::with_facets(entries));
        supported += u32::from(conclude(&parts) == Verdict::Supported);
    }
    Some(f64::from(supported) / f64::from(EXCHANGES))
}

/// The places of networks that could have each other's conditions, and the facets that these have. A
/// group of equal networks has nothing to exchange.
fn exchangeable<'a>(claim: &Claim, judged: &[&'a Network]) -> Vec<(Vec<usize>, Vec<&'a Facets>)> {
    let mut groups: BTreeMap<Facets, (Vec<usize>, Vec<&Facets>)> = BTreeMap::new();
    for (place, network) in judged.iter().enumerate() {
        let mut alike = network.facets.clone();
        if alike.remove(claim.exchanged).is_some() {
            let (places, facets) = groups.entry(alike).or_default();
            places.push(place);
            facets.push(&network.facets);
        }
    }
    let differ = |facets: &[&Facets]| facets.iter().any(|other| *other != facets[0]);
    groups.into_values().filter(|(_, facets)| differ(facets)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Selector;
    use crate::claim::{Part, RISES, Sample};

    const A: Selector = Selector::of("a", &[("kind", "a")]);
    const B: Selector = Selector::of("b", &[("kind", "b")]);

    fn claim(parts: fn(&Networks<'_>) -> Vec<Part>) -> Claim {
        Claim {
            id: "1",
            title: "",
            figure: "",
            networks: &[A, B],
            needs: &[],
            exchanged: "kind",
            parts,
        }
    }

    /// Networks of `a` and `b`, whose value is their seed: 10 more for those of `a`.
    fn networks(conditions: &[(&str, &str)]) -> Vec<Network> {
        let mut networks = Vec::new();
        for (kind, size) in conditions {
            let facets = Facets::from(
                [("kind", *kind), ("size", *size)]
                    .map(|(key, value)| (key.to_owned(), value.to_owned())),
            );
            for seed in 0..4 {
                let seed = seed + if *kind == "a" { 10 } else { 0 };
                networks.push(Network::new(kind, facets.clone(), 0, seed));
            }
        }
        networks
    }

    fn larger(networks: &Networks<'_>) -> Vec<Part> {
        let sample = |kind| Sample::of(networks, kind, |network| Some(network.seed as f64));
        vec![Part::difference("", &sample(&A), &sample(&B), RISES)]
    }

    #[test]
    fn an_effect_of_the_conditions_does_not_survive_their_exchange() {
        let networks = networks(&[("a", "1"), ("b", "1")]);
        assert_eq!(conclude(&larger(&Networks::new(&networks))), Verdict::Supported);
        assert!(placebo(&claim(larger), &networks).is_some_and(|share| share < LARGEST_SHARE));
    }

    #[test]
    fn an_effect_of_something_else_survives_it() {
        let always = |networks: &Networks<'_>| {
            let sample =
                |kind| Sample::of(networks, kind, |network| Some(1.0 + network.seed as f64));
            vec![Part::mean("", &sample(&A), RISES)]
        };
        let networks = networks(&[("a", "1"), ("b", "1")]);
        assert!(placebo(&claim(always), &networks).is_some_and(|share| share > LARGEST_SHARE));
    }

    #[test]
    fn only_networks_that_are_alike_otherwise_are_exchanged() {
        assert_eq!(placebo(&claim(larger), &networks(&[("a", "1"), ("b", "2")])), None);
        assert_eq!(placebo(&claim(larger), &networks(&[("a", "1"), ("a", "2")])), None);
        assert_eq!(placebo(&claim(larger), &[]), None);
    }
}
