//! Multi-head networks are the more robust ones: noise on W and on τ costs them less.
//!
//! The sizes of the noise are those that the paper's text compares.

use tau_analysis::Perturbed;

use super::{Claim, Part, RISES, Sample, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "6",
    title: "multi-head networks are more robust to noise on W and on τ",
    figure: "perturbation",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let left = |series, perturbed, epsilon| {
        Sample::of(networks, series, |network| {
            network.damage.as_ref()?.with_noise(perturbed, epsilon)
        })
    };
    let part = |name: &str, perturbed, epsilon| {
        let title = format!(
            "noise of {epsilon} times the norm of {name}: relative accuracy, multi-head minus \
             single-head"
        );
        let (multi, single) =
            (left("multi-head", perturbed, epsilon), left("single-head", perturbed, epsilon));
        Part::difference(&title, &multi, &single, RISES)
    };
    vec![part("W", Perturbed::Weights, 0.46), part("τ", Perturbed::Tau, 0.1)]
}
