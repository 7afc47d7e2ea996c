//! Mean and standard deviation over neurons of the timescale of the activity against N.

use super::{CURRICULA, Figure, Point, published};
use crate::evidence::{Need, Network};

pub(super) const FIGURE: Figure = Figure {
    id: "tau-net-vs-n",
    central: true,
    series: CURRICULA,
    needs: &[Need::TauNet],
    points,
    published: published_values,
};

const UNIT: &str = "steps";
/// The panel for the published estimator: the only one beside which published values may stand.
const PUBLISHED: &str = "published-estimator";

fn points(networks: &[Network]) -> Vec<Point> {
    let mut points = Vec::new();
    for network in networks {
        for summary in &network.tau_net {
            let values = [
                ("mean", summary.mean),
                ("sd", summary.standard_deviation),
                (PUBLISHED, summary.published_mean),
            ];
            for (panel, y) in values {
                points.extend(y.map(|y| network.point(panel, summary.n as f64, y, UNIT)));
            }
        }
    }
    points
}

/// Read off the published figures (mean over four networks, ±0.5).
fn published_values() -> Vec<Point> {
    let single = [(5.0, 2.6), (10.0, 3.3), (20.0, 4.2), (30.0, 7.2)];
    let multi = [(5.0, 2.5), (20.0, 5.0), (30.0, 6.5)];
    let mut points = published(PUBLISHED, "single-head", UNIT, &single);
    points.extend(published(PUBLISHED, "multi-head", UNIT, &multi));
    points
}
