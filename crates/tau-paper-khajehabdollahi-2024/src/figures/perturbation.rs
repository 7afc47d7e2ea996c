//! Accuracy with noise on W and on τ.

use tau_analysis::PerturbationResult;
use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::Damage;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "perturbation",
    central: true,
    declaration: include_str!("perturbation.toml"),
    series: CURRICULA,
    needs: &[Need::of::<Damage>()],
    points,
    published: include_str!("perturbation.csv"),
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let Some(damage) = network.get::<Damage>() else { continue };
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
