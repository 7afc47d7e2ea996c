//! LSTM and GRU: multi-head reaches a larger N in the same epochs.

use super::progress::further;
use super::{Claim, Part, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "10",
    title: "LSTM and GRU: multi-head reaches a larger N in the same epochs",
    figure: "gated-cells",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let part = |pair| further(networks, pair);
    vec![part(["multi-head lstm", "single-head lstm"]), part(["multi-head gru", "single-head gru"])]
}
