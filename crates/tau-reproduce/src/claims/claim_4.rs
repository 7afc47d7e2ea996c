//! Fixing τ costs single-head networks much; multi-head networks do best at τ = 1.
//!
//! The claim is about how far networks get at all, so that networks that still solve new N when they are
//! compared can support it (they are ahead) and cannot contradict it.

use super::progress::{further, settled};
use super::{Claim, Part};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "4",
    title: "fixed τ costs single-head networks much of N; multi-head networks do best at τ = 1",
    figure: "fixed-tau",
    exchanged: same_curriculum,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let part = |pair| further(networks, pair).contradicted_only_if(settled(networks, pair));
    vec![
        part(["single-head", "single-head τ=1"]),
        part(["single-head", "single-head τ=2"]),
        part(["single-head", "single-head τ=3"]),
        part(["multi-head τ=1", "multi-head τ=2"]),
        part(["multi-head τ=1", "multi-head τ=3"]),
    ]
}

/// What is compared is τ, within a curriculum.
fn same_curriculum(series: &str) -> Option<&str> {
    series.split(' ').next()
}
