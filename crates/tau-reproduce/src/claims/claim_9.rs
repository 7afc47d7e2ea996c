//! N-delayed match to sample: the same mechanisms, and single-head networks get much further.

use super::claim_1::{ALL, mean, rise, slope_of_ln};
use super::claim_2::slope_of_tau_net;
use super::progress::{ahead, common_epochs};
use super::{Claim, FALLS, Part, RISES, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "9",
    title: "N-DMS: the same mechanisms; single-head networks reach a larger N than on N-parity",
    figure: "n-dms",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let (single, multi) = ("single-head n-dms", "multi-head n-dms");
    let pair = [single, "single-head"];
    let common = common_epochs(networks, pair);
    vec![
        rise(networks, single),
        Part::mean(
            "multi-head: relative slope of mean τ over all solved N (1 per N)",
            &slope_of_ln(networks, multi, ALL, mean),
            FALLS,
        ),
        Part::mean(
            "multi-head: slope of mean τ_net (steps per N)",
            &slope_of_tau_net(networks, multi),
            RISES,
        ),
        ahead(
            networks,
            pair,
            &format!("largest solved N after {common} epochs, single-head, N-DMS minus N-parity"),
            common,
        ),
    ]
}
