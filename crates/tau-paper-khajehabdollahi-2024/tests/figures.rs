//! The paper's figures, drawn from synthetic tables: what must be in the pictures.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

mod common;

use tau_figures::{Declaration, Drawing, draw};
use tau_paper_khajehabdollahi_2024::PAPER;

fn drawn(id: &str) -> Drawing {
    let figure = PAPER.figure(id).unwrap();
    draw(&Declaration::parse(figure.declaration).unwrap(), &common::table(id)).unwrap()
}

fn check_texts(id: &str, expected: &[&str]) {
    let svg = drawn(id).svg;
    for text in expected {
        assert!(svg.contains(&format!(">{text}</text>")), "{id} lacks: {text}");
    }
}

#[test]
fn the_svg_has_labels_with_units_ticks_letters_and_legend_as_text() {
    let legend = ["single-head", "multi-head", "sliding", "published"];
    check_texts("training-progress", &legend);
    check_texts("training-progress", &["epoch", "largest solved N", "100"]);
    check_texts("tau-vs-n", &["a", "b", "mean τ (steps)", "standard deviation of τ (steps)"]);
    check_texts("tau-vs-n", &["τ = 1", "1.4", "0.3", "20"]);
    check_texts("tau-net-vs-n", &["mean τₙₑₜ (steps)", "standard deviation of τₙₑₜ (steps)"]);
    check_texts("ablation", &["rank of the neuron, from the longest τ", "whole network"]);
    check_texts("fixed-tau", &["single-head, trained τ", "multi-head, τ = 3", "epoch"]);
    check_texts("gated-cells", &["LSTM", "GRU", "largest solved N"]);
    check_texts("variants", &["around the input only", "smaller steps of time"]);
    check_texts("perturbation", &["ε", "noise on W", "noise on τ", "0.1"]);
    check_texts("forgetting", &["N of the new head", "accuracy (fraction)", "chance", "0.6"]);
}

/// Every series has a line of its colour: that it declares.
#[test]
fn every_series_is_drawn_in_its_colour() {
    for figure in PAPER.figures {
        let svg = drawn(figure.id).svg;
        let declaration = Declaration::parse(figure.declaration).unwrap();
        let table = common::table(figure.id);
        for series in declaration.series() {
            let stroke = format!("stroke=\"{}\"", series.colour.as_str().to_lowercase());
            let has = svg.to_lowercase().contains(&stroke);
            let rows = table.rows().iter().any(|row| row.series == series.name);
            assert_eq!(has, rows, "{}: {}", figure.id, series.name);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_in_all_three_formats() {
    for figure in PAPER.figures {
        assert!(drawn(figure.id) == drawn(figure.id), "{} differs from itself", figure.id);
    }
}
