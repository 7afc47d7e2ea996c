//! Single-head networks need their neurons with long τ, multi-head networks those with short τ.
//!
//! Single neurons are taken out of networks that had just solved the same N. What counts is the
//! loss, 1 − (accuracy − ½) / (accuracy of the whole network − ½).

use tau_analysis::Prediction;

use super::{Claim, Part, RISES, Sample, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "5",
    title: "without neurons with long τ single-head networks fail and multi-head networks do not",
    figure: "ablation",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let lost = |series, what: fn(f64, f64) -> f64| {
        Sample::of(networks, series, |network| {
            let (short, long) = network.damage.as_ref()?.without_short_and_long()?;
            Some(what(1.0 - short, 1.0 - long))
        })
    };
    let long = |_, long| long;
    vec![
        Part::mean(
            "single-head: relative accuracy lost without a neuron with long τ",
            &lost("single-head", long),
            Prediction::Positive { beyond: NEGLIGIBLE },
        ),
        Part::mean(
            "multi-head: the same",
            &lost("multi-head", long),
            Prediction::Negligible { within: NEGLIGIBLE },
        ),
        Part::mean(
            "multi-head: lost without a neuron with short τ, minus without one with long τ",
            &lost("multi-head", |short, long| short - long),
            RISES,
        ),
    ]
}

/// A loss that does not matter.
const NEGLIGIBLE: f64 = 0.05;
