//! Mean and standard deviation over neurons of the trained τ against N.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::Tau;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "tau-vs-n",
    central: true,
    declaration: include_str!("tau_vs_n.toml"),
    series: CURRICULA,
    needs: &[Need::of::<Tau>()],
    points,
    published: include_str!("tau_vs_n.csv"),
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        for (n, tau) in network.get::<Tau>().into_iter().flatten() {
            for (panel, y) in [("mean", tau.mean), ("sd", tau.standard_deviation)] {
                points.push(network.point(panel, *n as f64, y, "steps"));
            }
        }
    }
    points
}
