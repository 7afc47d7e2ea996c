//! Fixing τ costs single-head networks much; multi-head networks do best at τ = 1.

use super::progress::further;
use super::{Claim, Part};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "4",
    title: "fixed τ costs single-head networks much of N; multi-head networks do best at τ = 1",
    figure: "fixed-tau",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let part = |pair| further(networks, pair);
    vec![
        part(["single-head", "single-head τ=1"]),
        part(["single-head", "single-head τ=2"]),
        part(["single-head", "single-head τ=3"]),
        part(["multi-head τ=1", "multi-head τ=2"]),
        part(["multi-head τ=1", "multi-head τ=3"]),
    ]
}
