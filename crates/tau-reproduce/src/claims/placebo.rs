//! The same judgement on networks whose conditions are exchanged at random: what a claim's verdict is
//! worth. A claim that is still supported is supported by something else than the conditions.

use std::collections::BTreeMap;

use ndarray_rand::rand::seq::SliceRandom;
use tau_analysis::Verdict;
use tau_random::{Key, Purpose};

use super::{Claim, conclude};
use crate::evidence::Network;

/// How often the conditions are exchanged.
pub const EXCHANGES: u32 = 200;
/// Largest share of exchanges that may support a claim whose support counts. Three networks in each of
/// two conditions are as they were in one exchange of twenty.
pub const LARGEST_SHARE: f64 = 0.1;

/// Share of exchanges after which the claim is supported. `None` where there is nothing to exchange.
#[must_use]
pub fn placebo(claim: &Claim, networks: &[Network]) -> Option<f64> {
    let mut networks = networks.to_vec();
    // The networks that may have each other's series.
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, network) in networks.iter().enumerate() {
        if let (Some(group), true) = ((claim.exchanged)(&network.series), network.is_sound()) {
            groups.entry(group.to_owned()).or_default().push(place);
        }
    }
    let mut named = Vec::new();
    for places in groups.into_values() {
        let names: Vec<String> =
            places.iter().map(|&place| networks[place].series.clone()).collect();
        if names.iter().any(|name| *name != names[0]) {
            named.push((places, names));
        }
    }
    if named.is_empty() {
        return None;
    }
    let supported = (0..EXCHANGES).filter(|&exchange| {
        let mut random = Key::new(0, Purpose::Statistics).stage(exchange).stream();
        for (places, names) in &mut named {
            names.shuffle(&mut random);
            for (&place, name) in places.iter().zip(names) {
                networks[place].series.clone_from(name);
            }
        }
        conclude(&(claim.parts)(&networks)) == Verdict::Supported
    });
    Some(supported.count() as f64 / f64::from(EXCHANGES))
}
