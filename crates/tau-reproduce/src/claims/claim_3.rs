//! Multi-head trains faster (largest solved N per epoch) and further (largest N at all).

use tau_analysis::{Estimate, Verdict};
use tau_runs::State;

use super::{Claim, Part, RISES, Sample, of};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "3",
    title: "multi-head trains faster and further than single-head",
    figure: "training-progress",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let common = common_epochs(networks);
    let solved = |series, epoch| {
        Sample::of(networks, series, |network| Some(network.solved_after(epoch) as f64))
    };
    let part = |title: &str, epoch| {
        let (multi, single) = (solved("multi-head", epoch), solved("single-head", epoch));
        let estimate = Estimate::difference_of_counts(&multi.values, &single.values);
        censored(Part::judge(title, &[&multi, &single], estimate, RISES), networks)
    };
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

/// A network that solved its last N would have come further: what it has is a lower bound. Of
/// multi-head networks it can support the claim and never contradict it, of single-head ones the
/// other way round.
fn censored(mut part: Part, networks: &[Network]) -> Part {
    let any = |series| of(networks, series).any(|network| network.state == State::Finished);
    let open = match part.verdict {
        Verdict::Contradicted => any("multi-head"),
        Verdict::Supported => any("single-head"),
        Verdict::Undecidable => false,
    };
    if open {
        part.verdict = Verdict::Undecidable;
    }
    part
}

/// The last epoch that can be compared: no unfinished run of either curriculum ended before it. A
/// run that solved its last N stays there, which can only understate how far it would have come.
fn common_epochs(networks: &[Network]) -> usize {
    let both = || of(networks, "single-head").chain(of(networks, "multi-head"));
    let last = |network: &Network| network.metrics.last().map_or(0, |row| row.epoch);
    let unfinished = both().filter(|network| network.state != State::Finished);
    unfinished.map(last).min().or_else(|| both().map(last).max()).unwrap_or(0)
}
