//! Accuracy of new heads for every smaller N on frozen networks.

use super::{CURRICULA, Figure, Point};
use crate::evidence::{Need, Network};

pub(super) const FIGURE: Figure = Figure {
    id: "forgetting",
    central: true,
    series: CURRICULA,
    needs: &[Need::Forgetting],
    points,
    published: Vec::new,
};

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let accuracy = network.forgetting.iter().flat_map(|forgetting| &forgetting.accuracy);
        points.extend(accuracy.map(|&(n, y)| network.point("accuracy", n as f64, y, "fraction")));
    }
    points
}
