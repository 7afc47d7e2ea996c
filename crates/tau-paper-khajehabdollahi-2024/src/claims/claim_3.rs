//! Multi-head trains faster (largest solved N per epoch) and further (largest N at all).

use tau_reproduce::{Claim, Networks, Part};

use crate::progress::{ahead, common_epochs};
use crate::selectors::{MULTI, SINGLE};

pub(super) const CLAIM: Claim = Claim {
    id: "3",
    title: "multi-head trains faster and further than single-head",
    figure: "training-progress",
    networks: &[SINGLE, MULTI],
    needs: &[],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let pair = [&MULTI, &SINGLE];
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
