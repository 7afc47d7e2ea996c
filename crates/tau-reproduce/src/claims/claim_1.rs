//! Single-head: mean and spread of τ rise with N once N is large; multi-head: mean τ falls.
//!
//! "Large" depends on the size of the network (paper: from about 15 on with 500 neurons). It is
//! taken as the last [`LARGEST`] N that a network solved, which needs no look at its τ.

use super::{Claim, FALLS, Part, RISES, of, slopes};
use crate::evidence::Network;
use tau_analysis::{Estimate, TauStatistics};

pub(super) const CLAIM: Claim = Claim {
    id: "1",
    title: "single-head: mean and spread of τ rise once N is large; multi-head: mean τ falls",
    figure: "tau-vs-n",
    parts,
};

/// How many of the solved N count as large.
const LARGEST: usize = 4;

fn parts(networks: &[Network]) -> Vec<Part> {
    // Relative changes: a spread, and τ itself, is a scale, and networks differ by factors.
    let mean = |network: &Network| logarithms(network, |tau| tau.mean);
    let spread = |network: &Network| logarithms(network, |tau| tau.standard_deviation);
    let large = |n: usize, largest: usize| n + LARGEST > largest;
    let all = |_: usize, _: usize| true;
    let single_mean = slopes(of(networks, "single-head"), mean, large);
    let single_spread = slopes(of(networks, "single-head"), spread, large);
    let multi_mean = slopes(of(networks, "multi-head"), mean, all);
    vec![
        Part::new(
            "single-head: relative slope of mean τ over the four largest solved N (1 per N)",
            Estimate::mean(&single_mean),
            RISES,
        )
        .with_at_least(single_mean.len()),
        Part::new(
            "single-head: relative slope of the spread of τ over the same N (1 per N)",
            Estimate::mean(&single_spread),
            RISES,
        )
        .with_at_least(single_spread.len()),
        Part::new(
            "multi-head: relative slope of mean τ over all solved N (1 per N)",
            Estimate::mean(&multi_mean),
            FALLS,
        )
        .with_at_least(multi_mean.len()),
    ]
}

/// (N, ln of a statistic of τ); where the statistic is 0 (a fixed τ has no spread) there is none.
fn logarithms(network: &Network, of: impl Fn(&TauStatistics) -> f64) -> Vec<(usize, f64)> {
    let values = network.tau.iter().map(|(n, tau)| (*n, of(tau)));
    values.filter(|(_, value)| *value > 0.0).map(|(n, value)| (n, value.ln())).collect()
}
