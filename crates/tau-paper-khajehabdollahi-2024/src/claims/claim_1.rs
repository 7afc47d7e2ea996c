//! Single-head: mean and spread of τ rise with N once N is large; multi-head: mean τ falls.

use tau_reproduce::{Claim, Need, Networks, Part, RISES};

use crate::measurements::Tau;
use crate::selectors::{MULTI, SINGLE};
use crate::slopes::{LARGEST, fall, of_ln, rise, spread};

pub(super) const CLAIM: Claim = Claim {
    id: "1",
    title: "single-head: mean and spread of τ rise once N is large; multi-head: mean τ falls",
    figure: "tau-vs-n",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Tau>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    vec![
        rise(networks, &SINGLE),
        Part::mean(
            "single-head: relative slope of the spread of τ over the same N (1 per N)",
            &of_ln(networks, &SINGLE, LARGEST, spread),
            RISES,
        ),
        fall(networks, &MULTI, "multi-head"),
    ]
}
