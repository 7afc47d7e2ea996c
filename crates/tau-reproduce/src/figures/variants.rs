//! Training progress and τ with the nonlinearity elsewhere, and with smaller steps of time.

use super::{Figure, Point, progress};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "variants",
    central: false,
    series: &[
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
    let drive = |network: &Network| network.series.ends_with("drive");
    let mut points =
        progress(
            networks,
            |network| {
                if drive(network) { "drive-largest-n" } else { "continuous-largest-n" }
            },
        );
    for network in networks {
        let panel = if drive(network) { "drive-tau" } else { "continuous-tau" };
        let tau = network.tau.iter();
        points.extend(tau.map(|(n, tau)| network.point(panel, *n as f64, tau.mean, "steps")));
    }
    points
}
