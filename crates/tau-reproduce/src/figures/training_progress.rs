//! Largest solved N against epoch.

use super::{CURRICULA, Figure, Point, progress, published};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "training-progress",
    central: true,
    series: CURRICULA,
    needs: &[],
    points,
    published: published_values,
};

const PANEL: &str = "largest-n";
const UNIT: &str = "N";

fn points(networks: &[Network]) -> Vec<Point> {
    progress(networks, |_| PANEL)
}

/// The published networks with seed 0: multi-head has solved N = 12 after 12 epochs; single-head
/// 11 after 20, 20 after 99, 28 after 242.
fn published_values() -> Vec<Point> {
    let multi = [(12.0, 12.0)];
    let single = [(20.0, 11.0), (99.0, 20.0), (242.0, 28.0)];
    let mut points = published(PANEL, "multi-head", UNIT, &multi);
    points.extend(published(PANEL, "single-head", UNIT, &single));
    points
}
