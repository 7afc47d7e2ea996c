//! Largest solved N against epoch with trained and with fixed τ.

use super::{Figure, Point, progress, published};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "fixed-tau",
    central: false,
    series: &[
        "single-head",
        "single-head τ=1",
        "single-head τ=2",
        "single-head τ=3",
        "multi-head",
        "multi-head τ=1",
        "multi-head τ=2",
        "multi-head τ=3",
    ],
    needs: &[],
    points,
    published: published_values,
};

fn points(networks: &[Network]) -> Vec<Point> {
    let single = |network: &Network| network.series.starts_with("single-head");
    progress(networks, |network| if single(network) { "single-head" } else { "multi-head" })
}

/// The largest N within the budget of 1000 epochs, means over the published networks.
fn published_values() -> Vec<Point> {
    let at_the_end = |panel, series, n| published(panel, series, "N", &[(1000.0, n)]);
    [
        at_the_end("single-head", "single-head", 35.0),
        at_the_end("single-head", "single-head τ=1", 24.75),
        at_the_end("single-head", "single-head τ=2", 25.75),
        at_the_end("single-head", "single-head τ=3", 24.25),
        at_the_end("multi-head", "multi-head", 100.5),
        at_the_end("multi-head", "multi-head τ=1", 101.0),
        at_the_end("multi-head", "multi-head τ=2", 87.25),
        at_the_end("multi-head", "multi-head τ=3", 69.5),
    ]
    .concat()
}
