//! Accuracy on larger N of networks that were trained further on them.

use super::{Figure, Point};
use crate::evidence::{Need, Network};

pub(super) const FIGURE: Figure = Figure {
    id: "retraining",
    central: false,
    series: &["single-head", "multi-head"],
    needs: &[Need::Retraining],
    points,
    published: Vec::new,
};

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let Some(retrained) = &network.retrained else { continue };
        for one in &retrained.on {
            let x = one.n as f64;
            let (before, after) =
                (retrained.relative(one.before()), retrained.relative(one.after()));
            points.extend(after.map(|y| network.point("after", x, y, "relative accuracy")));
            points.extend(before.map(|y| network.point("before", x, y, "relative accuracy")));
        }
    }
    points
}
