//! Largest solved N against epoch of LSTM and GRU networks.

use tau_reproduce::{Figure, Point, Shown};

use crate::progress;
use crate::selectors::{MULTI_GRU, MULTI_LSTM, SINGLE_GRU, SINGLE_LSTM};

pub(super) const FIGURE: Figure = Figure {
    id: "gated-cells",
    central: false,
    declaration: include_str!("gated_cells.toml"),
    series: &[SINGLE_LSTM, MULTI_LSTM, SINGLE_GRU, MULTI_GRU],
    needs: &[],
    points,
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<Point> {
    progress::points(networks, |network| match network.facet("cell") {
        "lstm" => "lstm",
        _ => "gru",
    })
}
