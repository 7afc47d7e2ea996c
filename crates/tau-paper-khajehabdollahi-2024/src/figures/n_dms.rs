//! N-delayed match to sample: training progress, τ and τ_net against N.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::{Tau, TauNet};
use crate::progress;
use crate::selectors::{MULTI_DMS, SINGLE, SINGLE_DMS};

pub(super) const FIGURE: Figure = Figure {
    id: "n-dms",
    central: false,
    declaration: include_str!("n_dms.toml"),
    series: &[SINGLE_DMS, MULTI_DMS, SINGLE],
    needs: &[Need::of::<Tau>(), Need::of::<TauNet>()],
    points,
    published: include_str!("n_dms.csv"),
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = progress::points(networks, |_| "largest-n");
    for network in networks {
        for (n, tau) in network.get::<Tau>().into_iter().flatten() {
            points.push(network.point("tau", *n as f64, tau.mean, "steps"));
        }
        for (at, summary) in network.all::<TauNet>() {
            let mean = summary.mean;
            points.extend(mean.map(|y| network.point("tau-net", at.n() as f64, y, "steps")));
        }
    }
    points
}
