//! Single-head: mean and spread of τ rise with N once N is large; multi-head: mean τ falls.
//!
//! "Large" depends on the size of the network (paper: from about 15 on with 500 neurons). It is
//! taken as the upper half of the N that a network solved, which needs no look at its τ.

use super::{Claim, FALLS, Part, RISES, of, slopes};
use crate::evidence::Network;
use tau_analysis::Estimate;

pub(super) const CLAIM: Claim = Claim {
    id: "1",
    title: "single-head: mean and spread of τ rise once N is large; multi-head: mean τ falls",
    figure: "tau-vs-n",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let mean = |network: &Network| network.tau.iter().map(|(n, tau)| (*n, tau.mean)).collect();
    let spread = |network: &Network| {
        network.tau.iter().map(|(n, tau)| (*n, tau.standard_deviation)).collect()
    };
    let upper_half = |n: usize, largest: usize| 2 * n > largest;
    let all = |_: usize, _: usize| true;
    let single_mean = slopes(of(networks, "single-head"), mean, upper_half);
    let single_spread = slopes(of(networks, "single-head"), spread, upper_half);
    let multi_mean = slopes(of(networks, "multi-head"), mean, all);
    vec![
        Part::new(
            "single-head: slope of mean τ over the upper half of the solved N (steps per N)",
            Estimate::mean(&single_mean),
            RISES,
        ),
        Part::new(
            "single-head: slope of the spread of τ over the same N (steps per N)",
            Estimate::mean(&single_spread),
            RISES,
        ),
        Part::new(
            "multi-head: slope of mean τ over all solved N (steps per N)",
            Estimate::mean(&multi_mean),
            FALLS,
        ),
    ]
}
