//! Largest solved N against epoch of LSTM and GRU networks.

use super::{Figure, Point, progress};
use crate::evidence::Network;

pub(super) const FIGURE: Figure = Figure {
    id: "gated-cells",
    central: false,
    series: &["single-head lstm", "multi-head lstm", "single-head gru", "multi-head gru"],
    needs: &[],
    points,
    published: Vec::new,
};

fn points(networks: &[Network]) -> Vec<Point> {
    progress(networks, |network| if network.series.ends_with("lstm") { "lstm" } else { "gru" })
}
