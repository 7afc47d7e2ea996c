//! Training progress and τ with the nonlinearity elsewhere, and with smaller steps of time.

use tau_reproduce::{Figure, Need, Network, Point, Shown};

use crate::measurements::Tau;
use crate::progress;
use crate::selectors::{
    MULTI, MULTI_CONTINUOUS, MULTI_DRIVE, SINGLE, SINGLE_CONTINUOUS, SINGLE_DRIVE,
};

pub(super) const FIGURE: Figure = Figure {
    id: "variants",
    central: false,
    declaration: include_str!("variants.toml"),
    series: &[SINGLE, MULTI, SINGLE_DRIVE, MULTI_DRIVE, SINGLE_CONTINUOUS, MULTI_CONTINUOUS],
    needs: &[Need::of::<Tau>()],
    points,
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = progress::points(networks, |network| panels(network).0);
    for network in networks {
        let (_, panel) = panels(network);
        let tau = network.get::<Tau>().into_iter().flatten();
        points.extend(tau.map(|(n, tau)| network.point(panel, *n as f64, tau.mean, "steps")));
    }
    points
}

/// Panels of progress and of τ.
fn panels(network: &Network) -> (&'static str, &'static str) {
    match network.facet("placement") {
        "drive" => ("drive-largest-n", "drive-tau"),
        "continuous" => ("continuous-largest-n", "continuous-tau"),
        _ => ("whole-largest-n", "whole-tau"),
    }
}
