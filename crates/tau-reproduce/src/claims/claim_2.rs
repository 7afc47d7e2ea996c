//! τ_net rises with N in both; in multi-head networks it rises while τ falls, other than in single-head
//! ones, whose τ rises with it once N is large.

use super::claim_1::{LARGEST, mean, slope_of_ln};
use super::{Claim, FALLS, Part, RISES, Sample, curricula, slope};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "2",
    title: "τ_net rises with N in both; in multi-head networks it rises while τ falls",
    figure: "tau-net-vs-n",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let tau = |network: &Network| slope(network.tau.iter().map(|(n, tau)| (*n, tau.mean)));
    vec![
        Part::mean(
            "multi-head: slope of mean τ_net (steps per N)",
            &slope_of_tau_net(networks, "multi-head"),
            RISES,
        ),
        Part::mean(
            "single-head: slope of mean τ_net (steps per N)",
            &slope_of_tau_net(networks, "single-head"),
            RISES,
        ),
        Part::mean(
            "multi-head: slope of mean τ (steps per N)",
            &Sample::of(networks, "multi-head", tau),
            FALLS,
        ),
        Part::difference(
            "relative slope of mean τ over the four largest solved N, multi-head minus single-head",
            &slope_of_ln(networks, "multi-head", LARGEST, mean),
            &slope_of_ln(networks, "single-head", LARGEST, mean),
            FALLS,
        ),
    ]
}

/// In each network of a series: the slope of mean τ_net, in steps per N.
pub(super) fn slope_of_tau_net(networks: &[Network], series: &str) -> Sample {
    Sample::of(networks, series, |network| {
        let values = network.tau_net.iter().map(|summary| (summary.n, summary.mean));
        slope(values.filter_map(|(n, mean)| Some((n, mean?))))
    })
}
