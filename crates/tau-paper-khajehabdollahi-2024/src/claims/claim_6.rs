//! Multi-head networks are the more robust ones: noise on W and on τ costs them less.
//!
//! The sizes of the noise are those that the paper's text compares.

use tau_analysis::Perturbed;
use tau_reproduce::{Claim, Need, Networks, Part, RISES, Sample, Selector};

use crate::measurements::Damage;
use crate::selectors::{MULTI, SINGLE};

pub(super) const CLAIM: Claim = Claim {
    id: "6",
    title: "multi-head networks are more robust to noise on W and on τ",
    figure: "perturbation",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Damage>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let left = |selector: &Selector, perturbed, epsilon| {
        Sample::of(networks, selector, |network| {
            network.get::<Damage>()?.with_noise(perturbed, epsilon)
        })
    };
    let part = |name: &str, perturbed, epsilon| {
        let title = format!(
            "noise of {epsilon} times the norm of {name}: relative accuracy, multi-head minus \
             single-head"
        );
        let [multi, single] = [&MULTI, &SINGLE].map(|selector| left(selector, perturbed, epsilon));
        Part::difference(&title, &multi, &single, RISES)
    };
    vec![part("W", Perturbed::Weights, 0.46), part("τ", Perturbed::Tau, 0.1)]
}
