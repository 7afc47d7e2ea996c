//! N-delayed match to sample: training progress, τ and τ_net against N.

use super::{Figure, Point, progress, published};
use crate::evidence::{Need, Network};

pub(super) const FIGURE: Figure = Figure {
    id: "n-dms",
    central: false,
    series: &["single-head n-dms", "multi-head n-dms", "single-head"],
    needs: &[Need::TauNet],
    points,
    published: published_values,
};

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = progress(networks, |_| "largest-n");
    for network in networks {
        for (n, tau) in &network.tau {
            points.push(network.point("tau", *n as f64, tau.mean, "steps"));
        }
        for summary in &network.tau_net {
            let mean = summary.mean;
            points.extend(mean.map(|y| network.point("tau-net", summary.n as f64, y, "steps")));
        }
    }
    points
}

/// The largest N within the budget of 1000 epochs, as the paper's text has it.
fn published_values() -> Vec<Point> {
    published("largest-n", "single-head n-dms", "N", &[(1000.0, 93.0)])
}
