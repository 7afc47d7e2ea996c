//! Two figures and their synthetic tables: smooth curves, four networks, a band.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

use tau_figures::{Declaration, Row, Source, Statistic, Table};

/// The figures, by their ids.
pub(crate) const FIGURES: [&str; 2] = ["two-panels", "one-panel"];

pub(crate) fn declaration(id: &str) -> Declaration {
    Declaration::parse(match id {
        "two-panels" => include_str!("two-panels.toml"),
        _ => include_str!("one-panel.toml"),
    })
    .unwrap()
}

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

/// The table of a figure.
pub(crate) fn table(figure: &str) -> Table {
    let mut rows = Vec::new();
    for (series, scale) in [("slow", 1.0), ("fast", 0.5)] {
        if figure == "one-panel" {
            let xs: Vec<f64> = steps(-2.0, 1.0, 0.25).iter().map(|x| 10f64.powf(*x)).collect();
            let (panel, unit, xs) = ("accuracy", "fraction", &xs[..]);
            let bundle = Bundle { figure, panel, series, unit, xs, spread: 0.02 };
            rows.extend(bundle.ours(|x| 0.5 + 0.5 / (1.0 + (x / scale).powi(2))));
            continue;
        }
        let (xs, few) = (steps(2.0, 60.0, 2.0), steps(5.0, 60.0, 10.0));
        for panel in ["mean", "sd"] {
            let curve = |x: f64| 1.2 + scale * (-x / 30.0).exp();
            let bundle = Bundle { figure, panel, series, unit: "steps", xs: &xs, spread: 0.05 };
            rows.extend(bundle.ours(curve));
            rows.extend(Bundle { xs: &few, ..bundle }.published(|x| 1.03 * curve(x)));
        }
    }
    Table::new(rows).unwrap()
}
