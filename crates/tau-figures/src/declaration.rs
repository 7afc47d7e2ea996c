//! What a figure looks like: panels, axes, series, size. Written as TOML.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::Error;
use crate::axis::is_range;

/// A checked declaration. The only way to make one is [`Declaration::parse`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    id: String,
    title: String,
    #[serde(default)]
    caption: String,
    width_mm: f64,
    height_mm: f64,
    #[serde(default = "print_dpi")]
    dpi: f64,
    columns: Option<usize>,
    #[serde(default)]
    legend: LegendPlacement,
    #[serde(default = "published")]
    published_label: String,
    panels: Vec<Panel>,
    series: Vec<Series>,
}

/// One pair of axes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Panel {
    /// Name that the table's `panel` column uses.
    pub id: String,
    /// Bold letter at the upper left; `a`, `b`, … by position if there are several panels.
    pub letter: Option<String>,
    /// Words beside the letter; may be empty.
    #[serde(default)]
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Lines keep a value until the next one, for quantities that jump.
    #[serde(default)]
    pub steps: bool,
    /// Grey horizontal line, e.g. chance level.
    pub reference: Option<Reference>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Axis {
    /// Quantity with its unit in parentheses, e.g. `mean τ (steps)`.
    pub label: String,
    /// `[low, high]`, shown exactly; the range of the data with a margin if absent.
    pub limits: Option<[f64; 2]>,
    /// Lower end of an axis without limits; what lies below it is cut off.
    pub low: Option<f64>,
    /// Linear unless said otherwise.
    #[serde(default)]
    pub scale: Scale,
    /// Ticks at whole numbers only, for counts such as N or epochs.
    #[serde(default)]
    pub integer: bool,
}

/// How an axis maps numbers to the page. Numbers beyond ±1e100 count as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal differences are equally long.
    #[default]
    Linear,
    /// Equal ratios are equally long; numbers below 1e-10 count as missing, too.
    Log,
}

impl Scale {
    /// Whether an axis of this scale has a place for the number.
    pub(crate) fn shows(self, value: f64) -> bool {
        value.abs() <= 1e100 && (self == Scale::Linear || value >= 1e-10)
    }
}

/// A horizontal line that helps to read the panel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reference {
    /// Where, in the unit of the y axis.
    pub y: f64,
    /// Words in the legend; not in the legend if empty.
    #[serde(default)]
    pub label: String,
}

/// A set of lines of one colour. The legend lists series in the order of the declaration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Series {
    /// Name that the table's `series` column uses.
    pub name: String,
    /// Words in the legend.
    pub label: String,
    /// Colour of lines and bands.
    pub colour: Colour,
}

/// An opaque colour, written `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(String);

/// Where the legend stands; always outside the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegendPlacement {
    /// In rows above the panels.
    #[default]
    Top,
    /// In rows below the panels.
    Bottom,
    /// In a column to the right of the panels.
    Right,
    /// Not drawn.
    None,
}

impl Declaration {
    /// Reads and checks a declaration.
    ///
    /// # Errors
    /// [`Error::Toml`], [`Error::Empty`], [`Error::Duplicate`], [`Error::OutOfRange`],
    /// [`Error::Limits`] and [`Error::NotShown`].
    pub fn parse(toml: &str) -> Result<Self, Error> {
        let parsed: Self =
            toml::from_str(toml).map_err(|error| Error::Toml { problem: error.to_string() })?;
        parsed.check()?;
        Ok(parsed)
    }

    /// Id, as the table's `figure` column and file names use it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Title for lists and document properties; not drawn, a paper has it in the caption.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Caption to print under the figure; not drawn.
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// Width and height in millimetres.
    pub fn size_mm(&self) -> (f64, f64) {
        (self.width_mm, self.height_mm)
    }

    /// Pixels per inch of the PNG.
    pub fn dpi(&self) -> f64 {
        self.dpi
    }

    /// The panels, in reading order.
    pub fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// Panels per row: as declared, else two.
    pub fn columns(&self) -> usize {
        self.columns.unwrap_or(2).min(self.panels.len())
    }

    /// The series, in the order of the legend.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Where the legend stands.
    pub fn legend(&self) -> LegendPlacement {
        self.legend
    }

    /// Words for published series in the legend; `published` unless declared.
    pub fn published_label(&self) -> &str {
        &self.published_label
    }

    fn check(&self) -> Result<(), Error> {
        let figure = || self.id.clone();
        let filled = |field, is_empty: bool| match is_empty {
            true => Err(Error::Empty { figure: figure(), field }),
            false => Ok(()),
        };
        filled("id", self.id.is_empty())?;
        filled("title", self.title.is_empty())?;
        filled("panels", self.panels.is_empty())?;
        filled("series", self.series.is_empty())?;
        filled("a series label", self.series.iter().any(|series| series.label.is_empty()))?;
        self.distinct("panel id", self.panels.iter().map(|panel| panel.id.as_str()))?;
        self.distinct("series name", self.series.iter().map(|series| series.name.as_str()))?;
        self.between("width_mm", self.width_mm, 40.0, 400.0)?;
        self.between("height_mm", self.height_mm, 30.0, 400.0)?;
        self.between("dpi", self.dpi, 72.0, 1200.0)?;
        self.between("columns", self.columns() as f64, 1.0, 6.0)?;
        self.panels.iter().try_for_each(|panel| self.check_panel(panel))
    }

    fn distinct<'a>(
        &self,
        what: &'static str,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        match names.into_iter().find(|name| !seen.insert(*name)) {
            None => Ok(()),
            Some(name) => {
                Err(Error::Duplicate { figure: self.id.clone(), what, value: name.to_owned() })
            }
        }
    }

    fn between(&self, field: &'static str, value: f64, low: f64, high: f64) -> Result<(), Error> {
        match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(Error::OutOfRange { figure: self.id.clone(), field, value, low, high }),
        }
    }

    fn check_panel(&self, panel: &Panel) -> Result<(), Error> {
        let not_shown =
            |value| Error::NotShown { figure: self.id.clone(), panel: panel.id.clone(), value };
        for (name, axis) in [("x", &panel.x), ("y", &panel.y)] {
            if axis.label.is_empty() {
                return Err(Error::Empty { figure: self.id.clone(), field: "an axis label" });
            }
            let Some([low, high]) = axis.limits else {
                continue;
            };
            if !is_range(low, high) {
                let (figure, panel) = (self.id.clone(), panel.id.clone());
                return Err(Error::Limits { figure, panel, axis: name, low, high });
            }
            if let Some(limit) = [low, high].into_iter().find(|limit| !axis.scale.shows(*limit)) {
                return Err(not_shown(limit));
            }
        }
        let Some(line) = &panel.reference else { return Ok(()) };
        let [low, high] = panel.y.limits.unwrap_or([f64::MIN, f64::MAX]);
        match panel.y.scale.shows(line.y) && (low..=high).contains(&line.y) {
            true => Ok(()),
            false => Err(not_shown(line.y)),
        }
    }
}

impl Colour {
    /// The colour as `#rrggbb`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        match digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Self(text)),
            false => Err(format!("unknown colour: {text}; write #rrggbb")),
        }
    }
}

fn print_dpi() -> f64 {
    300.0
}

fn published() -> String {
    "published".to_owned()
}
