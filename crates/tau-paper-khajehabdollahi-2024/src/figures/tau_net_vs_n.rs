//! Mean and standard deviation over neurons of the timescale of the activity against N.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::TauNet;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "tau-net-vs-n",
    central: true,
    declaration: include_str!("tau_net_vs_n.toml"),
    series: CURRICULA,
    needs: &[Need::of::<TauNet>()],
    points,
    published: include_str!("tau_net_vs_n.csv"),
};

/// The panel for the published estimator: the only one beside which published values may stand.
const PUBLISHED: &str = "published-estimator";

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        for (at, summary) in network.all::<TauNet>() {
            let values = [
                ("mean", summary.mean),
                ("sd", summary.standard_deviation),
                (PUBLISHED, summary.published_mean),
            ];
            for (panel, y) in values {
                points.extend(y.map(|y| network.point(panel, at.n() as f64, y, "steps")));
            }
        }
    }
    points
}
