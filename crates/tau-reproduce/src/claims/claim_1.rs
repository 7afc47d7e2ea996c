//! Single-head: mean and spread of τ rise with N once N is large; multi-head: mean τ falls.
//!
//! "Large" depends on the size of the network (paper: from about 15 on with 500 neurons). It is
//! taken as the last [`LARGEST`] N that a network solved, which needs no look at its τ. Before mean τ
//! rises it falls, in the paper too: where networks did not get far enough a fall is no contradiction.

use tau_analysis::TauStatistics;

use super::{Claim, FALLS, Part, RISES, Sample, curricula, of, slope};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "1",
    title: "single-head: mean and spread of τ rise once N is large; multi-head: mean τ falls",
    figure: "tau-vs-n",
    exchanged: curricula,
    parts,
};

/// How many of the solved N count as large.
pub(super) const LARGEST: usize = 4;
/// From this N on mean τ of the paper's single-head networks rises (they have 500 neurons; smaller ones
/// rise earlier).
const FAR: usize = 20;
pub(super) const ALL: usize = usize::MAX;

fn parts(networks: &[Network]) -> Vec<Part> {
    let slopes = |series, last, of| slope_of_ln(networks, series, last, of);
    vec![
        rise(networks, "single-head"),
        Part::mean(
            "single-head: relative slope of the spread of τ over the same N (1 per N)",
            &slopes("single-head", LARGEST, spread),
            RISES,
        ),
        Part::mean(
            "multi-head: relative slope of mean τ over all solved N (1 per N)",
            &slopes("multi-head", ALL, mean),
            FALLS,
        ),
    ]
}

/// Mean τ of single-head networks over the last N.
pub(super) fn rise(networks: &[Network], series: &str) -> Part {
    let far = of(networks, series).all(|network| network.solved_n() >= FAR);
    Part::mean(
        &format!("{series}: relative slope of mean τ over the four largest solved N (1 per N)"),
        &slope_of_ln(networks, series, LARGEST, mean),
        RISES,
    )
    .contradicted_only_if(far)
}

pub(super) fn mean(tau: &TauStatistics) -> f64 {
    tau.mean
}

fn spread(tau: &TauStatistics) -> f64 {
    tau.standard_deviation
}

/// In each network of a series: the slope of the logarithm of a statistic of τ over the `last` N.
pub(super) fn slope_of_ln(
    networks: &[Network],
    series: &str,
    last: usize,
    of: fn(&TauStatistics) -> f64,
) -> Sample {
    Sample::of(networks, series, |network| slope(logarithms(network, last, of)))
}

/// (N, ln of a statistic of τ) for the `last` N up to the largest solved one; where the statistic
/// is 0 (a fixed τ has no spread) there is none. Logarithms because a spread, and τ itself, is a
/// scale, and networks differ by factors.
fn logarithms(
    network: &Network,
    last: usize,
    of: fn(&TauStatistics) -> f64,
) -> impl Iterator<Item = (usize, f64)> {
    let largest = network.solved_n();
    let large = network.tau.iter().filter(move |(n, _)| n.saturating_add(last) > largest);
    large.map(move |(n, tau)| (*n, of(tau))).filter(|(_, y)| *y > 0.0).map(|(n, y)| (n, y.ln()))
}
