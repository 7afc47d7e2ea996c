//! Accuracy on larger N of networks that were trained further on them.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::{Retrained, Retraining};
use crate::selectors::{MULTI, SINGLE};

pub(super) const FIGURE: Figure = Figure {
    id: "retraining",
    central: false,
    declaration: include_str!("retraining.toml"),
    series: &[SINGLE, MULTI],
    needs: &[Need::of::<Retraining>()],
    points,
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let Some(retrained) = Retrained::of(network) else { continue };
        for (n, before, after) in retrained.relative() {
            let x = n as f64;
            points.extend(after.map(|y| network.point("after", x, y, "relative accuracy")));
            points.extend(before.map(|y| network.point("before", x, y, "relative accuracy")));
        }
    }
    points
}
