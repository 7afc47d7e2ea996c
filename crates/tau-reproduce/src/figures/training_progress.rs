//! Largest solved N against epoch.

use super::{Figure, Point, published};
use crate::evidence::Network;
use tau_runs::State;

pub(super) const FIGURE: Figure =
    Figure { id: "training-progress", needs: &[], points, published: published_values };

const PANEL: &str = "largest-n";
const UNIT: &str = "N";

fn points(networks: &[Network]) -> Vec<Point> {
    let longest =
        networks.iter().filter_map(|network| network.metrics.last()).map(|r| r.epoch).max();
    let mut points = Vec::new();
    for network in networks.iter().filter(|network| !network.metrics.is_empty()) {
        // A run that has reached its last N stays there: its mean with slower ones goes on. Any
        // other run ends where it ended.
        let own = network.metrics.last().map(|row| row.epoch);
        let last = if network.state == State::Finished { longest } else { own };
        for epoch in 1..=last.unwrap_or(0) {
            points.push(Point {
                panel: PANEL,
                series: network.series.clone(),
                seed: Some(network.seed),
                x: epoch as f64,
                y: network.solved_after(epoch) as f64,
                unit: UNIT,
            });
        }
    }
    points
}

/// The published networks with seed 0: multi-head has solved N = 12 after 12 epochs; single-head
/// 11 after 20, 20 after 99, 28 after 242.
fn published_values() -> Vec<Point> {
    let multi = [(12.0, 12.0)];
    let single = [(20.0, 11.0), (99.0, 20.0), (242.0, 28.0)];
    let mut points = published(PANEL, "multi-head", UNIT, &multi);
    points.extend(published(PANEL, "single-head", UNIT, &single));
    points
}
