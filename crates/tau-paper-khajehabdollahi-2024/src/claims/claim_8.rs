//! Single-head networks forget smaller N; multi-head networks do not.
//!
//! All networks are taken when they had solved the same N_max, frozen, and given new heads for
//! every smaller N: a head that can still be trained shows that the activity still tells.

use tau_analysis::Prediction;
use tau_reproduce::{Claim, Need, Networks, Part, Sample};

use crate::measurements::{Forgetting, Forgotten};
use crate::selectors::{MULTI, SINGLE};

pub(super) const CLAIM: Claim = Claim {
    id: "8",
    title: "single-head networks forget smaller N; multi-head networks do not",
    figure: "forgetting",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Forgetting>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let error = |selector| {
        Sample::of(networks, selector, |one| one.get::<Forgetting>().and_then(Forgotten::error))
    };
    let [multi, single] = [&MULTI, &SINGLE].map(error);
    vec![
        Part::difference(
            "error of new heads for N < N_max on the frozen network, single-head minus multi-head",
            &single,
            &multi,
            Prediction::Positive { beyond: NEGLIGIBLE },
        ),
        Part::mean(
            "multi-head: the same error (share of trials)",
            &multi,
            Prediction::Negligible { within: NEGLIGIBLE },
        ),
    ]
}

/// Error (1 − accuracy) that does not matter.
const NEGLIGIBLE: f64 = 0.05;
