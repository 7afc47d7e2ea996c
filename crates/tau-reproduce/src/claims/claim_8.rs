//! Single-head networks forget smaller N; multi-head networks do not.
//!
//! All networks are taken when they had solved the same N_max, frozen, and given new heads for
//! every smaller N: a head that can still be trained shows that the activity still tells.

use super::{Claim, Part, RISES, of};
use crate::evidence::Network;
use tau_analysis::Estimate;

pub(super) const CLAIM: Claim = Claim {
    id: "8",
    title: "single-head networks forget smaller N; multi-head networks do not",
    figure: "forgetting",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let smaller = |series: &str| -> Vec<f64> {
        let mean = |network: &Network| {
            let forgetting = network.forgetting.as_ref()?;
            let smaller = forgetting.accuracy.iter().filter(|(n, _)| *n < forgetting.n_max);
            let accuracy: Vec<f64> = smaller.map(|(_, accuracy)| *accuracy).collect();
            let count = accuracy.len() as f64;
            (!accuracy.is_empty()).then(|| accuracy.iter().sum::<f64>() / count)
        };
        of(networks, series).filter_map(mean).collect()
    };
    vec![Part::new(
        "accuracy of new heads for N < N_max on the frozen network, multi-head minus single-head",
        Estimate::difference(&smaller("multi-head"), &smaller("single-head")),
        RISES,
    )]
}
