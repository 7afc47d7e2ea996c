//! The sliding window lies between single-head and multi-head.

use super::progress::{ahead, common_epochs};
use super::{Claim, Part};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "11",
    title: "the sliding window lies between single-head and multi-head",
    figure: "training-progress",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let part = |pair: [&str; 2]| {
        let common = common_epochs(networks, pair);
        let title =
            format!("largest solved N after {common} epochs, {} minus {}", pair[0], pair[1]);
        ahead(networks, pair, &title, common)
    };
    vec![part(["sliding", "single-head"]), part(["multi-head", "sliding"])]
}
