//! How far networks have come: the N that they solved, epoch by epoch.

use std::collections::BTreeSet;

use tau_analysis::{Estimate, Verdict};
use tau_reproduce::{Network, Networks, Part, Point, RISES, Sample, Selector, Shown};
use tau_runs::{MetricsRow, State, milestones};

use crate::selectors::{MULTI, SINGLE};

/// The N that a network solved, in their order: those with a checkpoint.
pub(crate) fn solved(network: &Network) -> Vec<usize> {
    let reached = milestones(&network.metrics);
    reached.iter().filter_map(|reached| reached.milestone.memory()).collect()
}

/// Largest solved N; 0 for none.
pub(crate) fn solved_n(network: &Network) -> usize {
    solved_after(network, usize::MAX)
}

/// Largest solved N after `epoch`; 0 for none.
pub(crate) fn solved_after(network: &Network, epoch: usize) -> usize {
    let rows = network.metrics.iter().take_while(|row| row.epoch <= epoch);
    rows.flat_map(MetricsRow::reached).filter_map(|reached| reached.memory()).max().unwrap_or(0)
}

/// Epochs of its training.
fn epochs(network: &Network) -> usize {
    network.metrics.last().map_or(0, |row| row.epoch)
}

/// The N, in their order, at which every single-head and multi-head network (those that are compared)
/// was kept.
pub(crate) fn common_n(networks: &[Network]) -> Vec<usize> {
    let compared = |network: &&Network| {
        let meant = |selector: &Selector| selector.matches(&network.facets);
        network.is_sound() && [SINGLE, MULTI].iter().any(meant)
    };
    let sets = networks.iter().filter(compared).map(|network| BTreeSet::from_iter(solved(network)));
    sets.reduce(|common, more| &common & &more).unwrap_or_default().into_iter().collect()
}

/// The largest N that this network solved up to the largest common one of `all`, and up to `most`.
/// Networks of a window that moves by more than 1 may have left a common N out.
pub(crate) fn largest_common_n(
    network: &Network,
    all: &[Network],
    most: Option<usize>,
) -> Option<usize> {
    let common = common_n(all);
    let bound = common.into_iter().rfind(|n| most.is_none_or(|most| *n <= most))?;
    solved(network).into_iter().filter(|n| *n <= bound).max()
}

/// The largest solved N of every network after every epoch, in the panel of the network. A run that has
/// reached its last N stays there, so that its mean with slower ones goes on; any other ends where it
/// ended.
pub(crate) fn points(
    networks: &[Shown<'_>],
    panel: impl Fn(&Network) -> &'static str,
) -> Vec<Point> {
    let longest = networks.iter().map(|network| epochs(network)).max().unwrap_or(0);
    let mut points = Vec::new();
    for network in networks.iter().filter(|network| !network.metrics.is_empty()) {
        let last = if network.state == State::Finished { longest } else { epochs(network) };
        for epoch in 1..=last {
            let n = solved_after(network, epoch) as f64;
            points.push(network.point(panel(network), epoch as f64, n, "N"));
        }
    }
    points
}

/// The largest solved N after the epochs that both had, `ahead` minus `behind`.
pub(crate) fn further(networks: &Networks<'_>, pair: [&Selector; 2]) -> Part {
    let common = common_epochs(networks, pair);
    let [ahead_name, behind_name] = pair.map(Selector::name);
    let title = format!("largest solved N after {common} epochs, {ahead_name} minus {behind_name}");
    ahead(networks, pair, &title, common)
}

/// The largest solved N after `epoch` epochs, `ahead` minus `behind`.
pub(crate) fn ahead(
    networks: &Networks<'_>,
    pair: [&Selector; 2],
    title: &str,
    epoch: usize,
) -> Part {
    let solved = |selector: &Selector| {
        Sample::of(networks, selector, |network| Some(solved_after(network, epoch) as f64))
    };
    let [left, right] = pair.map(solved);
    let estimate = Estimate::difference_of_counts(&left.values, &right.values);
    let part = Part::judge(title, &[&left, &right], estimate, RISES);
    censored(part, networks, pair, epoch)
}

/// A network that had solved its last N by then would have come further: what it has is a lower bound. Of
/// those that are said to be ahead it can support the claim and never contradict it, of the others the
/// other way round.
fn censored(
    mut part: Part,
    networks: &Networks<'_>,
    [ahead, behind]: [&Selector; 2],
    epoch: usize,
) -> Part {
    let through = |network: &Network| network.state == State::Finished && epochs(network) <= epoch;
    let any = |selector| networks.of(selector).any(through);
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
pub(crate) fn common_epochs(networks: &Networks<'_>, pair: [&Selector; 2]) -> usize {
    let both = || pair.into_iter().flat_map(|selector| networks.of(selector));
    let unfinished = both().filter(|network| network.state != State::Finished);
    unfinished.map(epochs).min().or_else(|| both().map(epochs).max()).unwrap_or(0)
}

/// Whether no network of either kind solved a new N in the last third of the epochs that both had.
pub(crate) fn settled(networks: &Networks<'_>, pair: [&Selector; 2]) -> bool {
    let common = common_epochs(networks, pair);
    let stands = |network: &Network| {
        solved_after(network, common) == solved_after(network, common - common / 3)
    };
    pair.into_iter().flat_map(|selector| networks.of(selector)).all(stands)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::made_up::{facets, solving};

    fn network(selector: &Selector, state: State, n: &[usize]) -> Network {
        let mut network = Network::new("", facets(selector), 0, 0);
        (network.state, network.metrics) = (state, solving(n));
        network
    }

    #[test]
    fn networks_are_compared_at_the_n_that_all_of_them_kept() {
        let (ended, diverged) = (State::OutOfEpochs, State::Diverged);
        let networks = [
            network(&SINGLE, ended, &[2, 3, 4, 5]),
            network(&MULTI, State::Finished, &[2, 3, 4, 5, 6]),
            network(&MULTI, diverged, &[2]),
            network(&crate::selectors::SLIDING, ended, &[3, 4, 7, 9]),
        ];
        assert_eq!(common_n(&networks), [2, 3, 4, 5]);
        assert_eq!(largest_common_n(&networks[1], &networks, None), Some(5));
        assert_eq!(largest_common_n(&networks[1], &networks, Some(3)), Some(3));
        assert_eq!(largest_common_n(&networks[3], &networks, None), Some(4));
        assert_eq!(largest_common_n(&networks[3], &networks, Some(2)), None);
        assert!(common_n(&[network(&SINGLE, ended, &[])]).is_empty());
        assert!(common_n(&networks[3..]).is_empty());
    }
}
