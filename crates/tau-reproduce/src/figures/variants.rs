//! Training progress and τ with the nonlinearity elsewhere, and with smaller steps of time.

use super::{Figure, Point, progress};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "variants",
    central: false,
    series: &[
        "single-head",
        "multi-head",
        "single-head drive",
        "multi-head drive",
        "single-head continuous",
        "multi-head continuous",
    ],
    needs: &[],
    points,
    published: Vec::new,
};

fn points(networks: &[Network]) -> Vec<Point> {
    // Panels of progress and of τ, by the end of the series' name.
    let panels = |network: &Network| match network.series.split(' ').next_back() {
        Some("drive") => ("drive-largest-n", "drive-tau"),
        Some("continuous") => ("continuous-largest-n", "continuous-tau"),
        _ => ("whole-largest-n", "whole-tau"),
    };
    let mut points = progress(networks, |network| panels(network).0);
    for network in networks {
        let (_, panel) = panels(network);
        let tau = network.tau.iter();
        points.extend(tau.map(|(n, tau)| network.point(panel, *n as f64, tau.mean, "steps")));
    }
    points
}
