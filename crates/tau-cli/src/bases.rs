//! Trainings with a name that specs may begin from.

use tau_rnn::Cell;
use tau_runs::Base;
use tau_tasks::TaskSpec;

/// The bases of all papers, in the order in which a spec without `base` looks for one that fits its
/// task. The bases of a paper are one line here.
const OF_PAPERS: &[&[Base]] = &[tau_paper_khajehabdollahi_2024::published::BASES];

/// The bases of all papers.
pub(crate) fn bases() -> Vec<Base> {
    OF_PAPERS.concat()
}

/// The name of the first base that fits a task and a kind of cell.
pub(crate) fn fitting(task: &TaskSpec, cell: Cell) -> Option<&'static str> {
    let alike = |base: &&Base| {
        let own = (base.spec)().network.cell;
        (base.fits)(task) && std::mem::discriminant(&own) == std::mem::discriminant(&cell)
    };
    OF_PAPERS.iter().copied().flatten().find(alike).map(|base| base.name)
}
