//! Multi-head trains faster (largest solved N per epoch) and further (largest N at all).

use super::progress::{ahead, common_epochs};
use super::{Claim, Part, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "3",
    title: "multi-head trains faster and further than single-head",
    figure: "training-progress",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let pair = ["multi-head", "single-head"];
    let common = common_epochs(networks, pair);
    let part = |title: &str, epoch| ahead(networks, pair, title, epoch);
    vec![
        part(
            &format!(
                "further: largest solved N after {common} epochs, multi-head minus single-head \
                 (at least this, where multi-head solved its last N)"
            ),
            common,
        ),
        part(
            &format!("faster: largest solved N after {} epochs, the same", common / 3),
            common / 3,
        ),
    ]
}
