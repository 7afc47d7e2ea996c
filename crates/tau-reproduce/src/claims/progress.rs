//! Which of two curricula has solved the larger N after the same epochs.

use tau_analysis::{Estimate, Verdict};
use tau_runs::State;

use super::{Part, RISES, Sample, of};
use crate::evidence::Network;

/// The largest solved N after the epochs that both had, `ahead` minus `behind`.
pub(super) fn further(networks: &[Network], pair: [&str; 2]) -> Part {
    let common = common_epochs(networks, pair);
    let title = format!("largest solved N after {common} epochs, {} minus {}", pair[0], pair[1]);
    ahead(networks, pair, &title, common)
}

/// The largest solved N after `epoch` epochs, `ahead` minus `behind`.
pub(super) fn ahead(
    networks: &[Network],
    [ahead, behind]: [&str; 2],
    title: &str,
    epoch: usize,
) -> Part {
    let solved =
        |series| Sample::of(networks, series, |network| Some(network.solved_after(epoch) as f64));
    let (left, right) = (solved(ahead), solved(behind));
    let estimate = Estimate::difference_of_counts(&left.values, &right.values);
    let part = Part::judge(title, &[&left, &right], estimate, RISES);
    censored(part, networks, [ahead, behind], epoch)
}

/// A network that had solved its last N by then would have come further: what it has is a lower bound. Of those
/// that are said to be ahead it can support the claim and never contradict it, of the others the
/// other way round.
fn censored(
    mut part: Part,
    networks: &[Network],
    [ahead, behind]: [&str; 2],
    epoch: usize,
) -> Part {
    let through = |network: &Network| {
        let last = network.metrics.last().map_or(0, |row| row.epoch);
        network.state == State::Finished && last <= epoch
    };
    let any = |series| of(networks, series).any(through);
    let open = match part.verdict {
        Verdict::Contradicted => any(ahead),
        Verdict::Supported => any(behind),
        Verdict::Undecidable => false,
    };
    if open {
        part.verdict = Verdict::Undecidable;
    }
    part
}

/// The last epoch that can be compared: no unfinished run of either curriculum ended before it. A
/// run that solved its last N stays there, which can only understate how far it would have come.
pub(super) fn common_epochs(networks: &[Network], [left, right]: [&str; 2]) -> usize {
    let both = || of(networks, left).chain(of(networks, right));
    let last = |network: &Network| network.metrics.last().map_or(0, |row| row.epoch);
    let unfinished = both().filter(|network| network.state != State::Finished);
    unfinished.map(last).min().or_else(|| both().map(last).max()).unwrap_or(0)
}

/// Whether no network of either series solved a new N in the last third of the epochs that both had.
pub(super) fn settled(networks: &[Network], [left, right]: [&str; 2]) -> bool {
    let common = common_epochs(networks, [left, right]);
    let stands = |network: &Network| {
        network.solved_after(common) == network.solved_after(common - common / 3)
    };
    of(networks, left).chain(of(networks, right)).all(stands)
}
