//! Relative accuracy without single neurons: those with the shortest and those with the longest τ.

use tau_reproduce::{Figure, Need, Point, Shown};

use crate::measurements::Damage;
use crate::selectors::CURRICULA;

pub(super) const FIGURE: Figure = Figure {
    id: "ablation",
    central: true,
    declaration: include_str!("ablation.toml"),
    series: CURRICULA,
    needs: &[Need::of::<Damage>()],
    points,
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        let Some(damage) = network.get::<Damage>() else { continue };
        let found = &damage.ablation;
        // Counted from the end: 1 is the neuron with the shortest, or the longest, τ of all.
        let ends =
            [("short", Vec::from_iter(&found.short)), ("long", found.long.iter().rev().collect())];
        for (panel, ablated) in ends {
            for (rank, one) in ablated.into_iter().enumerate() {
                let measure = found.baseline.measure;
                let relative = measure.relative(one.value, damage.baseline());
                points.extend(
                    relative
                        .map(|y| network.point(panel, (rank + 1) as f64, y, "relative accuracy")),
                );
            }
        }
    }
    points
}
