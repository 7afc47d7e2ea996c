//! LSTM and GRU: multi-head reaches a larger N in the same epochs.

use tau_reproduce::{Claim, Networks, Part};

use crate::progress::further;
use crate::selectors::{MULTI_GRU, MULTI_LSTM, SINGLE_GRU, SINGLE_LSTM};

pub(super) const CLAIM: Claim = Claim {
    id: "10",
    title: "LSTM and GRU: multi-head reaches a larger N in the same epochs",
    figure: "gated-cells",
    networks: &[SINGLE_LSTM, MULTI_LSTM, SINGLE_GRU, MULTI_GRU],
    needs: &[],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    vec![
        further(networks, [&MULTI_LSTM, &SINGLE_LSTM]),
        further(networks, [&MULTI_GRU, &SINGLE_GRU]),
    ]
}
