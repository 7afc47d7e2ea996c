//! Largest solved N against epoch with trained and with fixed τ.

use tau_reproduce::{Figure, Point, Shown};

use crate::progress;
use crate::selectors::{
    MULTI, MULTI_TAU_1, MULTI_TAU_2, MULTI_TAU_3, SINGLE, SINGLE_TAU_1, SINGLE_TAU_2, SINGLE_TAU_3,
};

pub(super) const FIGURE: Figure = Figure {
    id: "fixed-tau",
    central: false,
    declaration: include_str!("fixed_tau.toml"),
    series: &[
        SINGLE,
        SINGLE_TAU_1,
        SINGLE_TAU_2,
        SINGLE_TAU_3,
        MULTI,
        MULTI_TAU_1,
        MULTI_TAU_2,
        MULTI_TAU_3,
    ],
    needs: &[],
    points,
    published: include_str!("fixed_tau.csv"),
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    progress::points(networks, |network| match network.facet("curriculum") {
        "single-head" => "single-head",
        _ => "multi-head",
    })
}
