//! Multi-head trains faster (largest solved N per epoch) and further (largest N at all).

use super::{Claim, Part, RISES, of};
use crate::evidence::Network;
use tau_analysis::Estimate;

pub(super) const CLAIM: Claim = Claim {
    id: "3",
    title: "multi-head trains faster and further than single-head",
    figure: "training-progress",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let epochs = |series| {
        let last = |network: &Network| network.metrics.last().map_or(0, |row| row.epoch);
        of(networks, series).map(last).max().unwrap_or(0)
    };
    // Both had this many epochs, or ended before it with nothing left to learn.
    let common = epochs("single-head").min(epochs("multi-head"));
    let solved = |series: &str, epoch: usize| -> Vec<f64> {
        of(networks, series).map(|network| network.solved_after(epoch) as f64).collect()
    };
    let difference =
        |epoch| Estimate::difference(&solved("multi-head", epoch), &solved("single-head", epoch));
    vec![
        Part::new(
            &format!(
                "further: largest solved N after {common} epochs, multi-head minus single-head"
            ),
            difference(common),
            RISES,
        ),
        Part::new(
            &format!("faster: largest solved N after {} epochs, the same", common / 3),
            difference(common / 3),
            RISES,
        ),
    ]
}
