//! Fixing τ costs single-head networks much; multi-head networks do best at τ = 1.
//!
//! The claim is about how far networks get at all, so that networks that still solve new N when they are
//! compared can support it (they are ahead) and cannot contradict it.

use tau_reproduce::{Claim, Networks, Part, Selector};

use crate::progress::{further, settled};
use crate::selectors::{
    MULTI_TAU_1, MULTI_TAU_2, MULTI_TAU_3, SINGLE, SINGLE_TAU_1, SINGLE_TAU_2, SINGLE_TAU_3,
};

pub(super) const CLAIM: Claim = Claim {
    id: "4",
    title: "fixed τ costs single-head networks much of N; multi-head networks do best at τ = 1",
    figure: "fixed-tau",
    networks: &[
        SINGLE,
        SINGLE_TAU_1,
        SINGLE_TAU_2,
        SINGLE_TAU_3,
        MULTI_TAU_1,
        MULTI_TAU_2,
        MULTI_TAU_3,
    ],
    needs: &[],
    exchanged: "tau",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let part = |pair: [&Selector; 2]| {
        further(networks, pair).contradicted_only_if(settled(networks, pair))
    };
    vec![
        part([&SINGLE, &SINGLE_TAU_1]),
        part([&SINGLE, &SINGLE_TAU_2]),
        part([&SINGLE, &SINGLE_TAU_3]),
        part([&MULTI_TAU_1, &MULTI_TAU_2]),
        part([&MULTI_TAU_1, &MULTI_TAU_3]),
    ]
}
