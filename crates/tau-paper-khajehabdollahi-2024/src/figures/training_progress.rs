//! Largest solved N against epoch.

use tau_reproduce::{Figure, Point, Shown};

use crate::progress;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "training-progress",
    central: true,
    declaration: include_str!("training_progress.toml"),
    series: CURRICULA,
    needs: &[],
    points,
    published: include_str!("training_progress.csv"),
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    progress::points(networks, |_| "largest-n")
}
