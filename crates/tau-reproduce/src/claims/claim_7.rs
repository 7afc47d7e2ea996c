//! Trained further on larger N, multi-head networks get further than single-head ones.
//!
//! All networks start from where they had solved the same N, and keep the head for that N alone.

use super::{Claim, Part, RISES, Sample, curricula};
use crate::evidence::Network;

pub(super) const CLAIM: Claim = Claim {
    id: "7",
    title: "trained further on larger N, multi-head networks degrade later",
    figure: "retraining",
    exchanged: curricula,
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let left = |series, which: fn(&crate::Retrained) -> Option<f64>| {
        Sample::of(networks, series, |network| which(network.retrained.as_ref()?))
    };
    let part = |title: &str, which: fn(&crate::Retrained) -> Option<f64>| {
        Part::difference(title, &left("multi-head", which), &left("single-head", which), RISES)
    };
    vec![
        part(
            "relative accuracy after it, mean over the larger N, multi-head minus single-head",
            crate::Retrained::mean_after,
        ),
        part("the same for the largest N", |retrained| {
            retrained.relative(retrained.on.last()?.after())
        }),
    ]
}
