//! The sliding window lies between single-head and multi-head.

use tau_reproduce::{Claim, Networks, Part};

use crate::progress::further;
use crate::selectors::{MULTI, SINGLE, SLIDING};

pub(super) const CLAIM: Claim = Claim {
    id: "11",
    title: "the sliding window lies between single-head and multi-head",
    figure: "training-progress",
    networks: &[SINGLE, MULTI, SLIDING],
    needs: &[],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    vec![further(networks, [&SLIDING, &SINGLE]), further(networks, [&MULTI, &SLIDING])]
}
