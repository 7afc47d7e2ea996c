//! A figure of a paper: which table it is drawn from. How it is drawn is declared in its TOML file and
//! known by `tau-figures`.

use std::collections::BTreeMap;
use std::ops::Deref;

use tau_figures::{Declaration, Row, Source, Statistic};
use tau_runs::Provenance;

use crate::published::Published;
use crate::{Compat, Error, Facets, Need, Network, Preset, Selector};

/// A figure.
#[derive(Debug)]
pub struct Figure {
    /// Its id: the name of its files and of its declaration.
    pub id: &'static str,
    /// Whether it belongs to the central ones, which are there much sooner than all.
    pub central: bool,
    /// Panels, axes and series as TOML: see `tau-figures`.
    pub declaration: &'static str,
    /// The networks that it shows; the names of the selectors are those of the declared series.
    pub series: &'static [Selector],
    /// What must be measured on them, besides their training.
    pub needs: &'static [Need],
    /// Its values, of these networks.
    pub points: fn(&[Shown<'_>]) -> Vec<Point>,
    /// Published values, for networks of the published scale: a table `panel,series,x,y,unit`; empty if
    /// there are none.
    pub published: &'static str,
}

/// A network in a series of a figure.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The series.
    pub series: &'static str,
    /// The network.
    pub network: &'a Network,
}

impl Deref for Shown<'_> {
    type Target = Network;

    fn deref(&self) -> &Network {
        self.network
    }
}

impl Shown<'_> {
    /// A value of this network.
    #[must_use]
    pub fn point(&self, panel: &'static str, x: f64, y: f64, unit: &'static str) -> Point {
        Point { panel, series: self.series, seed: self.seed, x, y, unit }
    }
}

/// One value of one network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Id of the panel.
    pub panel: &'static str,
    /// Name of the series.
    pub series: &'static str,
    /// Seed of the network.
    pub seed: u64,
    /// Position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Unit of the value.
    pub unit: &'static str,
}

impl Figure {
    /// The series in which it shows networks with these facets.
    #[must_use]
    pub fn series_of(&self, facets: &Facets) -> Option<&'static str> {
        self.series.iter().find(|selector| selector.matches(facets)).map(Selector::name)
    }

    /// Whether it shows networks with these facets.
    #[must_use]
    pub fn shows(&self, facets: &Facets) -> bool {
        self.series_of(facets).is_some()
    }
}

/// A figure whose declaration and published values are read and checked.
#[derive(Debug)]
pub struct Ready {
    /// The figure.
    pub figure: &'static Figure,
    /// How it is drawn.
    pub declaration: Declaration,
    /// Published values; none if there are none.
    pub published: Vec<Published>,
}

impl Ready {
    pub(crate) fn new(figure: &'static Figure) -> Result<Self, Error> {
        let fault = |reason: String| Error::Paper(format!("figure {}: {reason}", figure.id));
        let declaration = Declaration::parse(figure.declaration)?;
        if declaration.id() != figure.id {
            return Err(fault(format!("its declaration is that of {}", declaration.id())));
        }
        let mut declared: Vec<&str> =
            declaration.series().iter().map(|series| series.name.as_str()).collect();
        let mut shown: Vec<&str> = figure.series.iter().map(Selector::name).collect();
        declared.sort_unstable();
        shown.sort_unstable();
        if declared != shown {
            return Err(fault(format!("it declares the series {declared:?} and shows {shown:?}")));
        }
        let published = Published::read(figure.published).map_err(fault)?;
        for value in &published {
            let panels: Vec<&str> =
                declaration.panels().iter().map(|panel| panel.id.as_str()).collect();
            for (column, name, known) in
                [("panel", &*value.panel, &panels), ("series", &*value.series, &declared)]
            {
                if !known.contains(&name) {
                    return Err(fault(format!("published values: no such {column}: {name}")));
                }
            }
        }
        Ok(Self { figure, declaration, published })
    }

    /// The rows of its table: every network, then mean ± standard deviation over networks where at
    /// least half of them (and two) have a value, then what was published. A network whose run diverged
    /// is not in it. A network's rows name the program and machine that trained it; means and published
    /// values those of this `call`.
    pub(crate) fn rows(
        &self,
        networks: &[Network],
        preset: &Preset,
        call: &Provenance,
    ) -> Vec<Row> {
        let shown: Vec<Shown> = networks
            .iter()
            .filter(|network| network.is_sound())
            .filter_map(|network| {
                self.figure.series_of(&network.facets).map(|series| Shown { series, network })
            })
            .collect();
        let points = (self.figure.points)(&shown);
        let trained_by: BTreeMap<(&str, u64), &Provenance> =
            shown.iter().map(|one| ((one.series, one.seed), &one.provenance)).collect();
        let columns = |by: &Provenance| Columns { figure: self.figure.id, preset, by: by.clone() };
        let mut rows: Vec<Row> = points
            .iter()
            .map(|point| {
                let by = trained_by.get(&(point.series, point.seed)).copied().unwrap_or(call);
                columns(by).network(point)
            })
            .collect();
        let by_call = columns(call);
        for group in groups(&points).into_iter().filter(|group| speaks_for_all(group, &shown)) {
            rows.push(by_call.mean(&group));
        }
        if preset.published_scale {
            rows.extend(self.published.iter().map(|value| by_call.published(value)));
        }
        rows
    }
}

/// What the rows of a figure have in common.
struct Columns<'a> {
    figure: &'static str,
    preset: &'a Preset,
    by: Provenance,
}

impl Columns<'_> {
    fn network(&self, point: &Point) -> Row {
        Row {
            network: format!("seed {}", point.seed),
            seed: point.seed.to_string(),
            y: Some(point.y),
            ..self.row(point.panel, point.series, point.x, point.unit)
        }
    }

    /// The mean over the networks of a group, with a band of one standard deviation.
    fn mean(&self, group: &[&Point]) -> Row {
        let count = group.len() as f64;
        let mean = group.iter().map(|point| point.y).sum::<f64>() / count;
        let square = group.iter().map(|point| (point.y - mean).powi(2)).sum::<f64>();
        let spread = (square / (count - 1.0)).sqrt();
        let first = group[0];
        Row {
            statistic: Statistic::Mean,
            y: Some(mean),
            y_low: Some(mean - spread),
            y_high: Some(mean + spread),
            ..self.row(first.panel, first.series, first.x, first.unit)
        }
    }

    fn published(&self, value: &Published) -> Row {
        Row {
            source: Source::Published,
            statistic: Statistic::Mean,
            y: Some(value.y),
            ..self.row(&value.panel, &value.series, value.x, &value.unit)
        }
    }

    /// A row without a value and a network.
    fn row(&self, panel: &str, series: &str, x: f64, unit: &str) -> Row {
        let Preset { id, compat, .. } = self.preset;
        Row {
            figure: self.figure.to_owned(),
            panel: panel.to_owned(),
            series: series.to_owned(),
            source: Source::Ours,
            statistic: Statistic::Network,
            network: String::new(),
            x: Some(x),
            y: None,
            y_low: None,
            y_high: None,
            unit: unit.to_owned(),
            seed: String::new(),
            preset: match *compat {
                Compat::CLEAN => id.clone(),
                compat => format!("{id} {}", compat.name()),
            },
            commit: self.by.commit.clone(),
            device: self.by.device.clone(),
        }
    }
}

/// Whether the mean of these points may stand for their series: there are at least two, and at least
/// half of the networks have one. The few that get furthest are not like the others.
fn speaks_for_all(group: &[&Point], shown: &[Shown]) -> bool {
    let all = shown.iter().filter(|one| one.series == group[0].series).count();
    group.len() >= 2 && 2 * group.len() >= all
}

/// Points of different networks at the same place, in the order in which the places first appear.
fn groups(points: &[Point]) -> Vec<Vec<&Point>> {
    let mut order = Vec::new();
    let mut groups: BTreeMap<(&str, &str, u64), Vec<&Point>> = BTreeMap::new();
    for point in points {
        let key = (point.panel, point.series, point.x.to_bits());
        let group = groups.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(point);
    }
    order.iter().filter_map(|key| groups.get(key).cloned()).collect()
}
