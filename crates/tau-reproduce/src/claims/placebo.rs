//! The same judgement on networks whose conditions are exchanged at random: what a claim's verdict is
//! worth. A claim that compares conditions must hardly ever be supported then.

use ndarray_rand::rand::seq::SliceRandom;
use tau_analysis::Verdict;
use tau_random::{Key, Purpose};

use super::{Claim, conclude};
use crate::evidence::Network;

/// How often the conditions are exchanged.
pub const EXCHANGES: u32 = 200;

/// Share of exchanges after which the claim is supported. `None` where there is nothing to exchange:
/// networks of less than two of these series.
#[must_use]
pub fn placebo(claim: &Claim, series: &[&str], networks: &[Network]) -> Option<f64> {
    let mut shown: Vec<Network> =
        networks.iter().filter(|network| series.contains(&&*network.series)).cloned().collect();
    let mut names: Vec<String> = shown.iter().map(|network| network.series.clone()).collect();
    if names.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let supported = (0..EXCHANGES).filter(|&exchange| {
        names.shuffle(&mut Key::new(0, Purpose::Statistics).stage(exchange).stream());
        for (network, name) in shown.iter_mut().zip(&names) {
            network.series.clone_from(name);
        }
        conclude(&(claim.parts)(&shown)) == Verdict::Supported
    });
    Some(supported.count() as f64 / f64::from(EXCHANGES))
}
