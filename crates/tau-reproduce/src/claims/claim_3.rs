//! Multi-head trains faster (largest solved N per epoch) and further (largest N at all).

use super::{Claim, Part, RISES, of};
use crate::evidence::Network;
use tau_analysis::Estimate;
use tau_runs::State;

pub(super) const CLAIM: Claim = Claim {
    id: "3",
    title: "multi-head trains faster and further than single-head",
    figure: "training-progress",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let common = common_epochs(networks);
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

/// The last epoch that can be compared: no unfinished run of either curriculum ended before it. A
/// run that solved its last N stays there, which can only understate how far it would have come.
fn common_epochs(networks: &[Network]) -> usize {
    let both = || of(networks, "single-head").chain(of(networks, "multi-head"));
    let last = |network: &Network| network.metrics.last().map_or(0, |row| row.epoch);
    let unfinished = both().filter(|network| network.state != State::Finished);
    unfinished.map(last).min().or_else(|| both().map(last).max()).unwrap_or(0)
}
