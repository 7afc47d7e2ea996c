//! Single-head networks need their neurons with long τ, multi-head networks those with short τ.
//!
//! Single neurons are taken out of networks that had just solved the same N. What counts is the
//! loss, 1 − (accuracy − ½) / (accuracy of the whole network − ½).

use tau_analysis::Prediction;
use tau_reproduce::{Claim, Need, Networks, Part, RISES, Sample, Selector};

use crate::measurements::Damage;
use crate::selectors::{MULTI, SINGLE};

pub(super) const CLAIM: Claim = Claim {
    id: "5",
    title: "without neurons with long τ single-head networks fail and multi-head networks do not",
    figure: "ablation",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Damage>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let lost = |selector: &Selector, what: fn(f64, f64) -> f64| {
        Sample::of(networks, selector, |network| {
            let (short, long) = network.get::<Damage>()?.without_short_and_long()?;
            Some(what(1.0 - short, 1.0 - long))
        })
    };
    let long = |_, long| long;
    vec![
        Part::mean(
            "single-head: relative accuracy lost without a neuron with long τ",
            &lost(&SINGLE, long),
            Prediction::Positive { beyond: NEGLIGIBLE },
        ),
        Part::mean(
            "multi-head: the same",
            &lost(&MULTI, long),
            Prediction::Negligible { within: NEGLIGIBLE },
        ),
        Part::mean(
            "multi-head: lost without a neuron with short τ, minus without one with long τ",
            &lost(&MULTI, |short, long| short - long),
            RISES,
        ),
    ]
}

/// A loss that does not matter.
const NEGLIGIBLE: f64 = 0.05;
