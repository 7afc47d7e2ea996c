//! The table a figure is drawn from: long and tidy, one row per observation.

use serde::{Deserialize, Serialize};

use crate::Error;

/// The columns of every table, in the order they are written.
pub const COLUMNS: [&str; 15] = [
    "figure",
    "panel",
    "series",
    "source",
    "statistic",
    "network",
    "x",
    "y",
    "y_low",
    "y_high",
    "unit",
    "seed",
    "preset",
    "commit",
    "device",
];

/// A checked table: what [`crate::draw`] reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// One observation, or one summary over networks, with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Id of the figure; rows of other figures are skipped when drawing.
    pub figure: String,
    /// Id of the panel.
    pub panel: String,
    /// Name of the series, as the declaration spells it.
    pub series: String,
    /// Computed here, or taken from a publication.
    pub source: Source,
    /// One network, or a summary over networks.
    pub statistic: Statistic,
    /// Which network (any text); rows that share it form one line. Empty for a summary.
    pub network: String,
    /// Position, in the unit of the panel's x label. A row without it is not drawn.
    pub x: Option<f64>,
    /// Value, in `unit`. Missing breaks the line.
    pub y: Option<f64>,
    /// Lower edge of the band, in `unit`.
    pub y_low: Option<f64>,
    /// Upper edge of the band, in `unit`.
    pub y_high: Option<f64>,
    /// Unit of `y`, `y_low` and `y_high`, e.g. `steps`.
    pub unit: String,
    /// Root seed of the run.
    pub seed: String,
    /// Preset the run was made from.
    pub preset: String,
    /// Commit of the code that made the run.
    pub commit: String,
    /// Device the run was made on.
    pub device: String,
}

/// The program and the machine that computed a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Computed by this project: solid lines.
    Ours,
    /// Read from a publication or its data: dashed lines with hollow markers.
    Published,
}

/// What a row summarises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// A single network: thin translucent line.
    Network,
    /// A summary over networks: thick line, with a band where `y_low` and `y_high` are given.
    Mean,
}

impl Table {
    /// Checks the rows. Non-finite numbers become missing.
    ///
    /// # Errors
    /// [`Error::HalfBand`] and [`Error::BandOrder`], with the line that the row has in
    /// [`Table::to_csv`].
    pub fn new(rows: Vec<Row>) -> Result<Self, Error> {
        let rows = (2..).zip(rows).map(|(line, row)| checked(line, row));
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }

    /// Reads CSV text with a header that has every name of [`COLUMNS`], in any order. An
    /// empty cell is a missing number, as are `NaN` and `inf`.
    ///
    /// # Errors
    /// [`Error::Csv`], [`Error::MissingColumn`], [`Error::UnknownColumn`], [`Error::Cell`],
    /// [`Error::HalfBand`] and [`Error::BandOrder`], each with line and column.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let columns = Columns::find(reader.headers().map_err(csv_error)?)?;
        let rows = reader.records().map(|record| {
            let record = record.map_err(csv_error)?;
            let line = record.position().map_or(0, csv::Position::line);
            checked(line, Cells { columns: &columns, record: &record, line }.row()?)
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }

    /// Writes the table as CSV text, the columns in the order of [`COLUMNS`]. Numbers are
    /// written so that [`Table::parse`] reads back the same bits.
    ///
    /// # Errors
    /// [`Error::Library`] if the CSV writer fails, which no table makes it do.
    pub fn to_csv(&self) -> Result<String, Error> {
        let failed = |problem: String| Error::Library { step: "csv", problem };
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(|e| failed(e.to_string()))?;
        for row in &self.rows {
            writer.serialize(row).map_err(|e| failed(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
    }

    /// The rows, in the order they were given.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

fn checked(line: u64, mut row: Row) -> Result<Row, Error> {
    for number in [&mut row.x, &mut row.y, &mut row.y_low, &mut row.y_high] {
        *number = number.filter(|value| value.is_finite());
    }
    match (row.y_low, row.y_high) {
        (Some(_), None) => Err(Error::HalfBand { line, column: "y_high" }),
        (None, Some(_)) => Err(Error::HalfBand { line, column: "y_low" }),
        (Some(low), Some(high)) if low > high => Err(Error::BandOrder { line, low, high }),
        _ => Ok(row),
    }
}

fn csv_error(error: csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    Error::Csv { line, problem: error.to_string() }
}

/// Where each of [`COLUMNS`] stands in the file.
struct Columns([usize; COLUMNS.len()]);

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, Error> {
        if let Some(column) = header.iter().find(|name| !COLUMNS.contains(name)) {
            return Err(Error::UnknownColumn { column: column.to_owned() });
        }
        let mut at = [0; COLUMNS.len()];
        for (slot, column) in at.iter_mut().zip(COLUMNS) {
            let found = header.iter().position(|name| name == column);
            *slot = found.ok_or(Error::MissingColumn { column })?;
        }
        Ok(Self(at))
    }
}

/// One line of the file. Read by hand: serde does not tell the column of a wrong word.
struct Cells<'a> {
    columns: &'a Columns,
    record: &'a csv::StringRecord,
    line: u64,
}

impl Cells<'_> {
    fn row(&self) -> Result<Row, Error> {
        Ok(Row {
            figure: self.text("figure"),
            panel: self.text("panel"),
            series: self.text("series"),
            source: self.word("source", "`ours` or `published`", |word| match word {
                "ours" => Some(Source::Ours),
                "published" => Some(Source::Published),
                _ => None,
            })?,
            statistic: self.word("statistic", "`network` or `mean`", |word| match word {
                "network" => Some(Statistic::Network),
                "mean" => Some(Statistic::Mean),
                _ => None,
            })?,
            network: self.text("network"),
            x: self.number("x")?,
            y: self.number("y")?,
            y_low: self.number("y_low")?,
            y_high: self.number("y_high")?,
            unit: self.text("unit"),
            seed: self.text("seed"),
            preset: self.text("preset"),
            commit: self.text("commit"),
            device: self.text("device"),
        })
    }

    fn cell(&self, column: &str) -> &str {
        let at = COLUMNS.iter().position(|name| *name == column).map(|i| self.columns.0[i]);
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    fn text(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    fn number(&self, column: &'static str) -> Result<Option<f64>, Error> {
        match self.cell(column) {
            "" => Ok(None),
            _ => self.word(column, "a number", |word| word.parse().ok()).map(Some),
        }
    }

    fn word<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let value = self.cell(column);
        let wrong = || Error::Cell { line: self.line, column, value: value.to_owned(), expected };
        read(value).ok_or_else(wrong)
    }
}
