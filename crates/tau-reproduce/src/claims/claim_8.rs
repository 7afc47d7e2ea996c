//! Single-head networks forget smaller N; multi-head networks do not.
//!
//! All networks are taken when they had solved the same N_max, frozen, and given new heads for
//! every smaller N: a head that can still be trained shows that the activity still tells.

use super::{Claim, Part, of};
use crate::evidence::Network;
use tau_analysis::{Estimate, Prediction};

pub(super) const CLAIM: Claim = Claim {
    id: "8",
    title: "single-head networks forget smaller N; multi-head networks do not",
    figure: "forgetting",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let (multi, single) = (lost(networks, "multi-head"), lost(networks, "single-head"));
    let fewest = multi.len().min(single.len());
    vec![
        Part::new(
            "error of new heads for N < N_max on the frozen network, single-head minus multi-head",
            Estimate::difference(&single, &multi),
            Prediction::Positive { beyond: NEGLIGIBLE },
        )
        .with_at_least(fewest),
        Part::new(
            "multi-head: the same error (share of trials)",
            Estimate::mean(&multi),
            Prediction::Negligible { within: NEGLIGIBLE },
        )
        .with_at_least(multi.len()),
    ]
}

/// Error (1 − accuracy) that does not matter.
const NEGLIGIBLE: f64 = 0.05;

/// Mean error of the new heads for N < N_max in each network.
fn lost(networks: &[Network], series: &str) -> Vec<f64> {
    let mean = |network: &Network| {
        let forgetting = network.forgetting.as_ref()?;
        let smaller = forgetting.accuracy.iter().filter(|(n, _)| *n < forgetting.n_max);
        let errors: Vec<f64> = smaller.map(|(_, accuracy)| 1.0 - accuracy).collect();
        let count = errors.len() as f64;
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / count)
    };
    of(networks, series).filter_map(mean).collect()
}
