//! From rows to curves: which rows belong to one line, in which order, where it breaks.

use std::collections::BTreeMap;

use crate::axis::Reach;
use crate::{Declaration, Error, Panel, Reference, Row, Series, Source, Statistic, Table};

/// What the table holds for one panel.
pub(crate) struct Content<'a> {
    pub(crate) panel: &'a Panel,
    /// Curves in the order of the declared series; within one, ours before published.
    pub(crate) curves: Vec<Curve<'a>>,
}

/// The rows of one line, sorted by x.
pub(crate) struct Curve<'a> {
    pub(crate) series: &'a Series,
    pub(crate) source: Source,
    pub(crate) statistic: Statistic,
    points: Vec<Point>,
}

/// A point that can be drawn: numbers a log axis cannot show are missing.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: Option<f64>,
    pub(crate) band: Option<(f64, f64)>,
}

/// Sorts the rows of the figure into its panels.
pub(crate) fn contents<'a>(
    figure: &'a Declaration,
    table: &Table,
) -> Result<Vec<Content<'a>>, Error> {
    for (line, row) in (2..).zip(table.rows()).filter(|(_, row)| row.figure == figure.id()) {
        let panels = figure.panels().iter().map(|panel| panel.id.as_str());
        declared(figure, line, "panel", &row.panel, panels)?;
        let series = figure.series().iter().map(|series| series.name.as_str());
        declared(figure, line, "series", &row.series, series)?;
    }
    let content = |panel| Content { panel, curves: curves(figure, panel, table) };
    Ok(figure.panels().iter().map(content).collect())
}

impl<'a> Content<'a> {
    /// The reference line, unless there is nothing to compare with it.
    pub(crate) fn reference(&self) -> Option<&'a Reference> {
        self.panel.reference.as_ref().filter(|_| !self.curves.is_empty())
    }

    /// Moves points that are far off the axes closer.
    pub(crate) fn hold(&mut self, x: &Reach, y: &Reach) {
        for point in self.curves.iter_mut().flat_map(|curve| &mut curve.points) {
            point.x = x.hold(point.x);
            point.y = point.y.map(|value| y.hold(value));
            point.band = point.band.map(|(low, high)| (y.hold(low), y.hold(high)));
        }
    }
}

impl Curve<'_> {
    /// Unbroken runs of points with a value.
    pub(crate) fn lines(&self) -> Vec<Vec<(f64, f64)>> {
        runs(&self.points, |point| point.y.map(|y| (point.x, y)))
    }

    /// Unbroken runs of points with a band: `(x, low, high)`.
    pub(crate) fn bands(&self) -> Vec<Vec<(f64, f64, f64)>> {
        runs(&self.points, |point| point.band.map(|(low, high)| (point.x, low, high)))
    }

    /// Every x with something to show there.
    pub(crate) fn xs(&self) -> impl Iterator<Item = f64> + '_ {
        let shown = self.points.iter().filter(|point| point.y.is_some() || point.band.is_some());
        shown.map(|point| point.x)
    }

    /// Every value and band edge.
    pub(crate) fn ys(&self) -> impl Iterator<Item = f64> + '_ {
        self.points.iter().flat_map(|point| {
            point.y.into_iter().chain(point.band.into_iter().flat_map(|(low, high)| [low, high]))
        })
    }
}

fn declared<'a>(
    figure: &Declaration,
    line: u64,
    column: &'static str,
    value: &str,
    mut names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Error> {
    let all = names.clone();
    match names.any(|name| name == value) {
        true => Ok(()),
        false => Err(Error::Undeclared {
            line,
            column,
            value: value.to_owned(),
            figure: figure.id().to_owned(),
            declared: all.collect::<Vec<_>>().join(", "),
        }),
    }
}

fn curves<'a>(figure: &'a Declaration, panel: &Panel, table: &Table) -> Vec<Curve<'a>> {
    // A BTreeMap, so that the drawing does not depend on the order of the rows.
    let mut lines: BTreeMap<(usize, Source, Statistic, &str), Vec<Point>> = BTreeMap::new();
    let of_panel = |row: &&Row| row.figure == figure.id() && row.panel == panel.id;
    for row in table.rows().iter().filter(of_panel) {
        let order = figure.series().iter().position(|series| series.name == row.series);
        if let (Some(order), Some(point)) = (order, point(panel, row)) {
            let network = match row.statistic {
                Statistic::Network => row.network.as_str(),
                Statistic::Mean => "",
            };
            lines.entry((order, row.source, row.statistic, network)).or_default().push(point);
        }
    }
    let curve = |((order, source, statistic, _), mut points): ((usize, _, _, _), Vec<Point>)| {
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Curve { series: &figure.series()[order], source, statistic, points }
    };
    let drawable = |curve: &Curve| curve.xs().next().is_some();
    lines.into_iter().map(curve).filter(drawable).collect()
}

fn point(panel: &Panel, row: &Row) -> Option<Point> {
    let on_x = |value: &f64| panel.x.scale.shows(*value);
    let on_y = |value: &f64| panel.y.scale.shows(*value);
    Some(Point {
        x: row.x.filter(on_x)?,
        y: row.y.filter(on_y),
        band: row.y_low.filter(on_y).zip(row.y_high.filter(on_y)),
    })
}

fn runs<T>(points: &[Point], pick: impl Fn(&Point) -> Option<T>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (pick(point), runs.last_mut()) {
            (Some(value), Some(run)) => run.push(value),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
