//! The legend: one entry per series that has data, one for what is published, and one per
//! reference line. A reference is named here and not beside its line, where data may be.

use std::collections::BTreeSet;

use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene};

use crate::curve::{Content, Curve};
use crate::font::Face;
use crate::style::{AXIS, BAND_OPACITY, DASHES, DOTS, GREY, MARKER, MEAN, SMALL, THIN, text};
use crate::{Declaration, Error, Source};

/// Entries in the order they are drawn.
pub(crate) struct Legend {
    entries: Vec<Entry>,
}

struct Entry {
    label: String,
    width: f64,
    mark: Mark,
}

/// What stands before the words.
enum Mark {
    Series { colour: String, band: bool },
    Published,
    Reference,
}

const ROW: f64 = 20.0;
/// Three dashes and two gaps of a published line.
const SWATCH: f64 = 26.0;
const SPACE: f64 = 6.0;
const BETWEEN: f64 = 16.0;

impl Legend {
    /// Collects what the panels hold.
    pub(crate) fn of(figure: &Declaration, contents: &[Content]) -> Result<Self, Error> {
        let curves = || contents.iter().flat_map(|content| &content.curves);
        let mut entries = Vec::new();
        for series in figure.series() {
            let of_series = |curve: &&Curve| curve.series.name == series.name;
            if curves().any(|curve| of_series(&curve)) {
                let band = curves().filter(of_series).any(|curve| !curve.bands().is_empty());
                let colour = series.colour.as_str().to_owned();
                entries.push(Entry::new(&series.label, Mark::Series { colour, band })?);
            }
        }
        if curves().any(|curve| curve.source == Source::Published) {
            entries.push(Entry::new(figure.published_label(), Mark::Published)?);
        }
        let references = contents.iter().filter_map(Content::reference);
        let labels: BTreeSet<&str> = references.map(|line| line.label.as_str()).collect();
        for label in labels.into_iter().filter(|label| !label.is_empty()) {
            entries.push(Entry::new(label, Mark::Reference)?);
        }
        Ok(Self { entries })
    }

    /// Width of a column that holds every entry.
    pub(crate) fn widest(&self) -> f64 {
        self.entries.iter().map(|entry| entry.width + BETWEEN).fold(0.0, f64::max)
    }

    /// Height of the rows that the entries need at that width.
    pub(crate) fn height(&self, width: f64) -> f64 {
        self.places(width).last().map_or(0.0, |(_, row)| (row + 1) as f64 * ROW)
    }

    /// Draws rows that start at `(x, y)`; returns where they end.
    pub(crate) fn draw(
        &self,
        scene: &mut Scene,
        figure: &Declaration,
        x: f64,
        y: f64,
        width: f64,
    ) -> Result<f64, Error> {
        for (entry, (dx, row)) in self.entries.iter().zip(self.places(width)) {
            if entry.width > width {
                let (figure, text) = (figure.id().to_owned(), entry.label.clone());
                return Err(Error::NoRoom { figure, text });
            }
            entry.draw(scene, x + dx, y + (row as f64 + 0.5) * ROW);
        }
        Ok(y + self.height(width))
    }

    /// `(offset, row)` of every entry, a new row whenever the width is used up.
    fn places(&self, width: f64) -> Vec<(f64, usize)> {
        let (mut x, mut row) = (0.0, 0);
        let mut place = |entry: &Entry| {
            if x > 0.0 && x + entry.width > width {
                (x, row) = (0.0, row + 1);
            }
            let here = (x, row);
            x += entry.width + BETWEEN;
            here
        };
        self.entries.iter().map(&mut place).collect()
    }
}

impl Entry {
    fn new(label: &str, mark: Mark) -> Result<Self, Error> {
        let width = SWATCH + SPACE + Face::Regular.width(label, f64::from(SMALL))?;
        Ok(Self { label: label.to_owned(), width, mark })
    }

    fn draw(&self, scene: &mut Scene, x: f64, middle: f64) {
        match &self.mark {
            Mark::Series { colour, band } => {
                if *band {
                    scene.add(swatch(x, middle, colour));
                }
                scene.add(line(x, middle, colour, MEAN, None));
            }
            Mark::Published => {
                scene.add(line(x, middle, GREY, THIN, Some(DASHES)));
                scene.add(Primitive::Circle {
                    cx: x + SWATCH / 2.0,
                    cy: middle,
                    r: MARKER,
                    fill: Color::from("white"),
                    fill_opacity: None,
                    stroke: Some(Color::from(GREY)),
                    stroke_width: Some(THIN),
                });
            }
            Mark::Reference => scene.add(line(x, middle, GREY, AXIS, Some(DOTS))),
        }
        // Capitals of DejaVu Sans are 0.73 of the size high: this centres them.
        let baseline = middle + 0.365 * f64::from(SMALL);
        scene.add(text(x + SWATCH + SPACE, baseline, SMALL, &self.label));
    }
}

fn line(x: f64, y: f64, colour: &str, stroke_width: f64, dashes: Option<&str>) -> Primitive {
    Primitive::Line {
        x1: x,
        y1: y,
        x2: x + SWATCH,
        y2: y,
        stroke: Color::from(colour),
        stroke_width,
        stroke_dasharray: dashes.map(str::to_owned),
    }
}

fn swatch(x: f64, middle: f64, colour: &str) -> Primitive {
    Primitive::Path(Box::new(PathData {
        d: format!("M {x} {} h {SWATCH} v 12 h -{SWATCH} Z", middle - 6.0),
        fill: Some(Color::from(colour)),
        stroke: Color::None,
        stroke_width: 0.0,
        opacity: Some(BAND_OPACITY),
        stroke_dasharray: None,
    }))
}
