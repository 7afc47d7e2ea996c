//! The conclusions do not depend on where the nonlinearity stands, nor on the step of time: those of
//! claims 1 and 3 hold as in the main results with the nonlinearity around the input only, and with
//! smaller steps.

use super::claim_1::{ALL, mean, rise, slope_of_ln};
use super::progress::further;
use super::{Claim, FALLS, Part, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "12",
    title: "the conclusions depend neither on the nonlinearity's place nor on the time step",
    figure: "variants",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let mut parts = Vec::new();
    for [single, multi] in [
        ["single-head", "multi-head"],
        ["single-head drive", "multi-head drive"],
        ["single-head continuous", "multi-head continuous"],
    ] {
        parts.push(further(networks, [multi, single]));
        let title = format!("{multi}: relative slope of mean τ over all solved N (1 per N)");
        parts.push(Part::mean(&title, &slope_of_ln(networks, multi, ALL, mean), FALLS));
        parts.push(rise(networks, single));
    }
    parts
}
