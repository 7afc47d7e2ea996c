//! Synthetic tables, shaped like the real ones: smooth curves, four networks, a band.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

use tau_figures::{Declaration, Row, Source, Statistic, Table};
use tau_paper_khajehabdollahi_2024::PAPER;

/// Four networks around a curve, their mean and standard deviation.
pub(crate) struct Bundle<'a> {
    pub(crate) figure: &'a str,
    pub(crate) panel: &'a str,
    pub(crate) series: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) xs: &'a [f64],
    pub(crate) spread: f64,
}

impl Bundle<'_> {
    pub(crate) fn ours(&self, curve: impl Fn(f64) -> f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for (network, offset) in [-1.2, -0.4, 0.5, 1.1].into_iter().enumerate() {
            for &x in self.xs {
                let wobble = (x * 0.9 + network as f64 * 2.0).sin() * 0.4;
                let y = curve(x) + self.spread * (offset + wobble);
                rows.push(self.row(Source::Ours, Statistic::Network, &network.to_string(), x, y));
            }
        }
        for &x in self.xs {
            let mut row = self.row(Source::Ours, Statistic::Mean, "", x, curve(x));
            row.y_low = row.y.map(|y| y - self.spread);
            row.y_high = row.y.map(|y| y + self.spread);
            rows.push(row);
        }
        rows
    }

    pub(crate) fn published(&self, curve: impl Fn(f64) -> f64) -> Vec<Row> {
        let row = |&x: &f64| self.row(Source::Published, Statistic::Mean, "", x, curve(x));
        self.xs.iter().map(row).collect()
    }

    fn row(&self, source: Source, statistic: Statistic, network: &str, x: f64, y: f64) -> Row {
        Row {
            figure: self.figure.to_owned(),
            panel: self.panel.to_owned(),
            series: self.series.to_owned(),
            source,
            statistic,
            network: network.to_owned(),
            x: Some(x),
            y: Some(y),
            y_low: None,
            y_high: None,
            unit: self.unit.to_owned(),
            seed: "0".to_owned(),
            preset: "synthetic".to_owned(),
            commit: "0000000".to_owned(),
            device: "cpu".to_owned(),
        }
    }
}

pub(crate) fn steps(from: f64, to: f64, by: f64) -> Vec<f64> {
    let count = ((to - from) / by).round() as usize;
    (0..=count).map(|i| from + by * i as f64).collect()
}

/// A table for one of the paper's figures.
pub(crate) fn table(figure: &str) -> Table {
    let rows = match figure {
        "training-progress" => training_progress(),
        "tau-vs-n" => two_panels(figure, |x, head| match head {
            "single-head" => (1.45 + 0.0004 * (x - 14.0).powi(2), 0.30 + 0.0004 * x * x),
            "multi-head" => (1.17 + 0.33 * (-x / 30.0).exp(), 0.31 + 0.02 * (x / 20.0).sin()),
            _ => (1.42 - 0.0012 * x, 0.33 + 0.003 * x),
        }),
        "tau-net-vs-n" => two_panels(figure, |x, head| match head {
            "single-head" => (2.2 + 0.005 * x * x, 3.0 + 0.25 * x),
            "multi-head" => (2.3 + 6.0 * (1.0 - (-x / 25.0).exp()), 4.0 + 0.09 * x),
            _ => (2.3 + 0.08 * x, 3.5 + 0.15 * x),
        }),
        "forgetting" => forgetting(),
        "ablation" => damaged(figure, ["short", "long"], &steps(1.0, 6.0, 1.0)),
        "perturbation" => {
            let epsilons: Vec<f64> =
                steps(-2.0, 1.0, 0.25).iter().map(|x| 10f64.powf(*x)).collect();
            damaged(figure, ["weights", "tau"], &epsilons)
        }
        _ => everywhere(figure),
    };
    Table::new(rows).unwrap()
}

/// Every series of the declaration in every panel.
fn everywhere(figure: &str) -> Vec<Row> {
    let declaration = PAPER.figure(figure).unwrap().declaration;
    let declaration = Declaration::parse(declaration).unwrap();
    let (xs, few) = (steps(2.0, 30.0, 1.0), [30.0]);
    let mut rows = Vec::new();
    for panel in declaration.panels() {
        for (place, series) in declaration.series().iter().enumerate() {
            let slope = 0.5 / (1.0 + place as f64);
            let bundle = Bundle {
                figure,
                panel: &panel.id,
                series: &series.name,
                unit: "N",
                xs: &xs,
                spread: 0.3,
            };
            rows.extend(bundle.ours(|x| 1.0 + slope * x));
            rows.extend(Bundle { xs: &few, ..bundle }.published(|x| 1.2 + slope * x));
        }
    }
    rows
}

fn training_progress() -> Vec<Row> {
    let (figure, panel, unit) = ("training-progress", "largest-n", "N");
    let xs = steps(0.0, 100.0, 2.0);
    let bundle = |series, spread| Bundle { figure, panel, series, unit, xs: &xs, spread };
    let mut rows = bundle("single-head", 1.0).ours(|x| 2.0 + 18.0 * (1.0 - (-x / 40.0).exp()));
    rows.extend(bundle("multi-head", 2.0).ours(|x| 2.0 + 0.95 * x));
    rows.extend(bundle("sliding", 1.5).ours(|x| 2.0 + 0.5 * x));
    rows.extend(bundle("single-head", 0.0).published(|x| 2.0 + 1.8 * x.sqrt()));
    rows.extend(bundle("multi-head", 0.0).published(|x| 2.0 + 0.99 * x));
    rows
}

fn two_panels(figure: &str, curve: impl Fn(f64, &str) -> (f64, f64)) -> Vec<Row> {
    let mut rows = Vec::new();
    for (series, last) in [("single-head", 36.0), ("multi-head", 100.0), ("sliding", 60.0)] {
        let xs = steps(2.0, last, 2.0);
        let few = steps(5.0, last, 10.0);
        for panel in ["mean", "sd"] {
            let pick = |x| {
                if panel == "mean" { curve(x, series).0 } else { curve(x, series).1 }
            };
            let spread = 0.04 * pick(2.0);
            let unit = "steps";
            rows.extend(Bundle { figure, panel, series, unit, xs: &xs, spread }.ours(pick));
            if series != "sliding" {
                let bundle = Bundle { figure, panel, series, unit, xs: &few, spread };
                rows.extend(bundle.published(|x| 1.03 * pick(x)));
            }
        }
    }
    rows
}

fn damaged(figure: &str, panels: [&str; 2], xs: &[f64]) -> Vec<Row> {
    let mut rows = Vec::new();
    for panel in panels {
        for (series, scale) in [("single-head", 0.3), ("multi-head", 0.8)] {
            let bundle = Bundle { figure, panel, series, unit: "fraction", xs, spread: 0.02 };
            rows.extend(bundle.ours(|x| 0.5 + 0.5 / (1.0 + (x / scale).powi(2))));
        }
    }
    rows
}

fn forgetting() -> Vec<Row> {
    let (figure, panel, unit, xs) = ("forgetting", "accuracy", "fraction", steps(2.0, 30.0, 1.0));
    let bundle = |series, spread| Bundle { figure, panel, series, unit, xs: &xs, spread };
    let mut rows = bundle("single-head", 0.02).ours(|x| 0.5 + 0.48 / (1.0 + (26.0 - x).exp()));
    rows.extend(bundle("multi-head", 0.004).ours(|x| 0.99 - 0.0002 * x));
    rows
}
