//! Single-head networks forget smaller N; multi-head networks do not.
//!
//! All networks are taken when they had solved the same N_max, frozen, and given new heads for
//! every smaller N: a head that can still be trained shows that the activity still tells.

use tau_analysis::Prediction;

use super::{Claim, Part, Sample, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "8",
    title: "single-head networks forget smaller N; multi-head networks do not",
    figure: "forgetting",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let lost = |series| Sample::of(networks, series, lost);
    let (multi, single) = (lost("multi-head"), lost("single-head"));
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

/// Mean error of the new heads for N < N_max; `None` if there are none.
fn lost(network: &Network) -> Option<f64> {
    let forgetting = network.forgetting.as_ref()?;
    let smaller = forgetting.accuracy.iter().filter(|(n, _)| *n < forgetting.n_max);
    let errors: Vec<f64> = smaller.map(|(_, accuracy)| 1.0 - accuracy).collect();
    let count = errors.len() as f64;
    (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / count)
}
