//! The sliding window lies between single-head and multi-head.

use super::progress::further;
use super::{Claim, Part};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "11",
    title: "the sliding window lies between single-head and multi-head",
    figure: "training-progress",
    exchanged: any,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let part = |pair| further(networks, pair);
    vec![part(["sliding", "single-head"]), part(["multi-head", "sliding"])]
}

fn any(_: &str) -> Option<&str> {
    Some("curriculum")
}
