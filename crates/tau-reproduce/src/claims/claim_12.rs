//! The conclusions do not depend on where the nonlinearity stands, nor on the step of time: claims 1
//! and 3 hold with the nonlinearity around the input only, and with smaller steps.

use super::claim_1::{ALL, LARGEST, mean, slope_of_ln};
use super::progress::further;
use super::{Claim, FALLS, Part, RISES};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "12",
    title: "the conclusions depend neither on the nonlinearity's place nor on the time step",
    figure: "variants",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let mut parts = Vec::new();
    for [single, multi] in [
        ["single-head drive", "multi-head drive"],
        ["single-head continuous", "multi-head continuous"],
    ] {
        parts.push(further(networks, [multi, single]));
        let title = format!("{multi}: relative slope of mean τ over all solved N (1 per N)");
        parts.push(Part::mean(&title, &slope_of_ln(networks, multi, ALL, mean), FALLS));
        let title =
            format!("{single}: relative slope of mean τ over the four largest solved N (1 per N)");
        parts.push(Part::mean(&title, &slope_of_ln(networks, single, LARGEST, mean), RISES));
    }
    parts
}
