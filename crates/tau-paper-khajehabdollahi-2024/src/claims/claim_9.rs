//! N-delayed match to sample: the same mechanisms, and single-head networks get much further.

use tau_reproduce::{Claim, Need, Networks, Part, RISES};

use crate::measurements::{Tau, TauNet};
use crate::progress::{ahead, common_epochs};
use crate::selectors::{MULTI_DMS, SINGLE, SINGLE_DMS};
use crate::slopes::{fall, of_tau_net, rise};

pub(super) const CLAIM: Claim = Claim {
    id: "9",
    title: "N-DMS: the same mechanisms; single-head networks reach a larger N than on N-parity",
    figure: "n-dms",
    networks: &[SINGLE_DMS, MULTI_DMS, SINGLE],
    needs: &[Need::of::<Tau>(), Need::of::<TauNet>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let pair = [&SINGLE_DMS, &SINGLE];
    let common = common_epochs(networks, pair);
    vec![
        rise(networks, &SINGLE_DMS),
        fall(networks, &MULTI_DMS, "multi-head"),
        Part::mean(
            "multi-head: slope of mean τ_net (steps per N)",
            &of_tau_net(networks, &MULTI_DMS),
            RISES,
        ),
        ahead(
            networks,
            pair,
            &format!("largest solved N after {common} epochs, single-head, N-DMS minus N-parity"),
            common,
        ),
    ]
}
