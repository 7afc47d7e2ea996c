//! Mean and standard deviation over neurons of the trained τ against N.

use super::{CURRICULA, Figure, Point, published};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "tau-vs-n",
    central: true,
    series: CURRICULA,
    needs: &[],
    points,
    published: published_values,
};

const UNIT: &str = "steps";

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        for (n, tau) in &network.tau {
            for (panel, y) in [("mean", tau.mean), ("sd", tau.standard_deviation)] {
                points.push(network.point(panel, *n as f64, y, UNIT));
            }
        }
    }
    points
}

/// Read off the published figures (mean over four networks, ±0.02).
fn published_values() -> Vec<Point> {
    let single_mean = [(2.0, 1.50), (14.0, 1.43), (25.0, 1.51), (31.0, 1.67)];
    let multi_mean = [(2.0, 1.50), (11.0, 1.39), (30.0, 1.30), (50.0, 1.25), (100.0, 1.175)];
    let single_spread = [(2.0, 0.30), (17.0, 0.35), (32.0, 0.95)];
    let multi_spread = [(2.0, 0.295), (20.0, 0.33), (100.0, 0.30)];
    [
        published("mean", "single-head", UNIT, &single_mean),
        published("mean", "multi-head", UNIT, &multi_mean),
        published("sd", "single-head", UNIT, &single_spread),
        published("sd", "multi-head", UNIT, &multi_spread),
    ]
    .concat()
}
