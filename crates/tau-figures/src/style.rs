//! What page, panels and legend have in common: sizes of text, strokes, marks.

use kuva::render::render::{Primitive, TextAnchor};

/// Size of axis labels and titles, 8 pt.
pub(crate) const LABEL: u32 = 16;
/// Size of tick labels and of the legend, 7 pt.
pub(crate) const SMALL: u32 = 14;
/// Stroke of a mean: 1.4 pt.
pub(crate) const MEAN: f64 = 2.8;
/// Stroke of what is published, 0.9 pt.
pub(crate) const THIN: f64 = 1.8;
/// Radius of a hollow marker.
pub(crate) const MARKER: f64 = 3.6;
pub(crate) const DASHES: &str = "6 4";
pub(crate) const DOTS: &str = "2 3";
pub(crate) const BAND_OPACITY: f64 = 0.25;
/// References and what stands for no series in particular.
pub(crate) const GREY: &str = "#7a7a7a";
/// Stroke of axes and of reference lines.
pub(crate) const AXIS: f64 = 1.2;

/// A rectangle of the page, in units.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A line of text that starts at `(x, y)`, the y being its baseline.
pub(crate) fn text(x: f64, y: f64, size: u32, content: &str) -> Primitive {
    Primitive::Text {
        x,
        y,
        content: content.to_owned(),
        size,
        anchor: TextAnchor::Start,
        rotate: None,
        bold: false,
        color: None,
    }
}
