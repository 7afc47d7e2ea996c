//! The figures: which table each one is drawn from. How it is drawn is declared in `tau-figures`.
//! A new figure is one file here, one declaration there, and one line in each list.

mod ablation;
mod fixed_tau;
mod forgetting;
mod gated_cells;
mod n_dms;
mod perturbation;
mod retraining;
mod tau_net_vs_n;
mod tau_vs_n;
mod training_progress;
mod variants;

use std::collections::BTreeMap;

use tau_figures::{Row, Source, Statistic};
use tau_runs::{Provenance, State};

use crate::evidence::{Need, Network};
use crate::{Compat, Preset};

/// A figure.
pub struct Figure {
    /// Its id: the name of its files and of its declaration.
    pub id: &'static str,
    /// Whether it belongs to the central ones, which are there within minutes.
    pub central: bool,
    /// Whose networks it shows, and the claims that are judged beside it.
    pub series: &'static [&'static str],
    /// What must be measured on them, besides their training.
    pub needs: &'static [Need],
    /// Its values, of these networks.
    pub points: fn(&[Network]) -> Vec<Point>,
    /// Published values, for networks of the published scale.
    pub published: fn() -> Vec<Point>,
}

/// Every figure.
pub const FIGURES: &[Figure] = &[
    training_progress::FIGURE,
    tau_vs_n::FIGURE,
    tau_net_vs_n::FIGURE,
    forgetting::FIGURE,
    ablation::FIGURE,
    perturbation::FIGURE,
    retraining::FIGURE,
    fixed_tau::FIGURE,
    n_dms::FIGURE,
    gated_cells::FIGURE,
    variants::FIGURE,
];

/// The curricula whose networks most figures show.
const CURRICULA: &[&str] = &["single-head", "multi-head", "sliding"];

/// One value of one network (or of a publication).
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Id of the panel.
    pub panel: &'static str,
    /// The condition's name.
    pub series: String,
    /// Seed of the network; `None` for published means.
    pub seed: Option<u64>,
    /// Position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Unit of the value.
    pub unit: &'static str,
}

impl Figure {
    /// The figure of that id.
    #[must_use]
    pub fn named(id: &str) -> Option<&'static Self> {
        FIGURES.iter().find(|figure| figure.id == id)
    }

    /// Whether it shows the networks of this series.
    #[must_use]
    pub fn shows(&self, series: &str) -> bool {
        self.series.contains(&series)
    }

    /// The rows of its table: every network, then mean ± standard deviation over networks where at
    /// least half of them (and two) have a value, then what was published. A network whose run diverged is not in it.
    /// A network's rows name the program and machine that trained it; means and published values
    /// those of this `call`.
    #[must_use]
    pub fn rows(&self, networks: &[Network], preset: &Preset, call: &Provenance) -> Vec<Row> {
        let shown = |network: &&Network| network.is_sound() && self.shows(&network.series);
        let networks: Vec<Network> = networks.iter().filter(shown).cloned().collect();
        let points = (self.points)(&networks);
        let trained_by: BTreeMap<(&str, u64), &Provenance> = networks
            .iter()
            .map(|network| ((&*network.series, network.seed), &network.provenance))
            .collect();
        let row = |point: &Point, source, statistic| {
            let key = point.seed.map(|seed| (&*point.series, seed));
            let provenance = key.and_then(|key| trained_by.get(&key)).copied();
            self.row(point, source, statistic, preset, provenance.unwrap_or(call))
        };
        let mut rows: Vec<Row> =
            points.iter().map(|point| row(point, Source::Ours, Statistic::Network)).collect();
        for group in groups(&points).into_iter().filter(|group| speaks_for_all(group, &networks)) {
            let count = group.len() as f64;
            let mean = group.iter().map(|point| point.y).sum::<f64>() / count;
            let square = group.iter().map(|point| (point.y - mean).powi(2)).sum::<f64>();
            let spread = (square / (count - 1.0)).sqrt();
            let summary = Point { seed: None, y: mean, ..group[0].clone() };
            rows.push(Row {
                y_low: Some(mean - spread),
                y_high: Some(mean + spread),
                ..row(&summary, Source::Ours, Statistic::Mean)
            });
        }
        if preset.is_published_scale() {
            let published = (self.published)();
            rows.extend(published.iter().map(|p| row(p, Source::Published, Statistic::Mean)));
        }
        rows
    }

    fn row(
        &self,
        point: &Point,
        source: Source,
        statistic: Statistic,
        preset: &Preset,
        provenance: &Provenance,
    ) -> Row {
        Row {
            figure: self.id.to_owned(),
            panel: point.panel.to_owned(),
            series: point.series.clone(),
            source,
            statistic,
            network: point.seed.map_or_else(String::new, |seed| format!("seed {seed}")),
            x: Some(point.x),
            y: Some(point.y),
            y_low: None,
            y_high: None,
            unit: point.unit.to_owned(),
            seed: point.seed.map_or_else(String::new, |seed| seed.to_string()),
            preset: match preset.compat {
                Compat::Clean => preset.id.clone(),
                Compat::Iclr2024 => format!("{} {}", preset.id, preset.compat.name()),
            },
            commit: provenance.commit.clone(),
            device: provenance.device.clone(),
        }
    }
}

/// Whether the mean of these points may stand for their series: there are at least two, and at least
/// half of the networks have one. The few that get furthest are not like the others.
fn speaks_for_all(group: &[&Point], networks: &[Network]) -> bool {
    let all = networks.iter().filter(|network| network.series == group[0].series).count();
    group.len() >= 2 && 2 * group.len() >= all
}

/// Points of different networks at the same place, in the order in which the places first appear.
fn groups(points: &[Point]) -> Vec<Vec<&Point>> {
    let mut order = Vec::new();
    let mut groups: BTreeMap<(&str, &str, u64), Vec<&Point>> = BTreeMap::new();
    for point in points {
        let key = (point.panel, point.series.as_str(), point.x.to_bits());
        let group = groups.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(point);
    }
    order.iter().filter_map(|key| groups.get(key).cloned()).collect()
}

/// The largest solved N of every network after every epoch. A run that has reached its last N stays
/// there, so that its mean with slower ones goes on; any other ends where it ended.
fn progress(networks: &[Network], panel: impl Fn(&Network) -> &'static str) -> Vec<Point> {
    let longest =
        networks.iter().filter_map(|network| network.metrics.last()).map(|row| row.epoch).max();
    let mut points = Vec::new();
    for network in networks.iter().filter(|network| !network.metrics.is_empty()) {
        let own = network.metrics.last().map(|row| row.epoch);
        let last = if network.state == State::Finished { longest } else { own };
        for epoch in 1..=last.unwrap_or(0) {
            points.push(network.point(
                panel(network),
                epoch as f64,
                network.solved_after(epoch) as f64,
                "N",
            ));
        }
    }
    points
}

impl Network {
    /// A value of this network.
    fn point(&self, panel: &'static str, x: f64, y: f64, unit: &'static str) -> Point {
        Point { panel, series: self.series.clone(), seed: Some(self.seed), x, y, unit }
    }
}

/// Published values: (x, y) of one series.
fn published(
    panel: &'static str,
    series: &str,
    unit: &'static str,
    values: &[(f64, f64)],
) -> Vec<Point> {
    let point =
        |&(x, y): &(f64, f64)| Point { panel, series: series.to_owned(), seed: None, x, y, unit };
    values.iter().map(point).collect()
}
