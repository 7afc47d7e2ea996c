//! Accuracy of new heads for every smaller N on frozen networks.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::Forgetting;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "forgetting",
    central: true,
    declaration: include_str!("forgetting.toml"),
    series: CURRICULA,
    needs: &[Need::of::<Forgetting>()],
    points,
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let accuracy = network.get::<Forgetting>().into_iter().flat_map(|found| &found.accuracy);
        points.extend(accuracy.map(|&(n, y)| network.point("accuracy", n as f64, y, "fraction")));
    }
    points
}
