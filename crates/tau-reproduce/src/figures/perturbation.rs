//! Accuracy with noise on W and on τ.

use tau_analysis::PerturbationResult;

use super::{CURRICULA, Figure, Point, published as values};
use crate::evidence::{Need, Network};

pub(super) const FIGURE: Figure = Figure {
    id: "perturbation",
    central: true,
    series: CURRICULA,
    needs: &[Need::Damage],
    points,
    published,
};

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let Some(damage) = &network.damage else { continue };
        for (panel, results) in [("weights", &damage.weights), ("tau", &damage.tau)] {
            // The axis is logarithmic: there is no place for 0 on it.
            let noisy = results.iter().filter(|result| result.epsilon > 0.0);
            points.extend(noisy.map(|&PerturbationResult { epsilon, score }| {
                network.point(panel, epsilon, score.mean, "fraction")
            }));
        }
    }
    points
}

/// N = 30, means over four networks.
fn published() -> Vec<Point> {
    let mut points = Vec::new();
    points.extend(values(
        "weights",
        "single-head",
        "fraction",
        &[
            (0.01, 0.962),
            (0.0215443, 0.959),
            (0.0464159, 0.958),
            (0.1, 0.941),
            (0.215443, 0.838),
            (0.464159, 0.577),
            (1.0, 0.496),
            (2.15443, 0.498),
            (4.64159, 0.501),
            (10.0, 0.498),
        ],
    ));
    points.extend(values(
        "weights",
        "multi-head",
        "fraction",
        &[
            (0.01, 0.993),
            (0.0215443, 0.993),
            (0.0464159, 0.994),
            (0.1, 0.991),
            (0.215443, 0.975),
            (0.464159, 0.822),
            (1.0, 0.510),
            (2.15443, 0.498),
            (4.64159, 0.502),
            (10.0, 0.499),
        ],
    ));
    points.extend(values(
        "tau",
        "single-head",
        "fraction",
        &[
            (0.001, 0.960),
            (0.00215443, 0.961),
            (0.00464159, 0.960),
            (0.01, 0.957),
            (0.0215443, 0.929),
            (0.0464159, 0.829),
            (0.1, 0.675),
            (0.215443, 0.521),
            (0.464159, 0.503),
            (1.0, 0.503),
            (2.15443, 0.506),
            (4.64159, 0.499),
            (10.0, 0.504),
        ],
    ));
    points.extend(values(
        "tau",
        "multi-head",
        "fraction",
        &[
            (0.001, 0.994),
            (0.00215443, 0.994),
            (0.00464159, 0.994),
            (0.01, 0.993),
            (0.0215443, 0.992),
            (0.0464159, 0.986),
            (0.1, 0.941),
            (0.215443, 0.705),
            (0.464159, 0.506),
            (1.0, 0.501),
            (2.15443, 0.500),
            (4.64159, 0.500),
            (10.0, 0.500),
        ],
    ));
    points
}
