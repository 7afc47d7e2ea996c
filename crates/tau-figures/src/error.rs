//! Everything that can be wrong with a declaration, a table, or the two together.

use crate::COLUMNS;

/// What is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The declaration is not TOML, lacks a field, or has one that does not exist.
    #[error("the declaration is not valid: {problem}")]
    Toml {
        /// The parser's message, with line and column.
        problem: String,
    },
    /// A text or a list of the declaration is empty.
    #[error("figure {figure}: {field} is empty; write at least one")]
    Empty {
        /// The figure's id.
        figure: String,
        /// The empty field.
        field: &'static str,
    },
    /// Two panels or two series have the same name.
    #[error("figure {figure}: duplicate {what}: {value}; each needs its own")]
    Duplicate {
        /// The figure's id.
        figure: String,
        /// `panel id` or `series name`.
        what: &'static str,
        /// The name that occurs twice.
        value: String,
    },
    /// A number of the declaration is out of range.
    #[error("figure {figure}: {field} is out of range: {value}; use {low} to {high}")]
    OutOfRange {
        /// The figure's id.
        figure: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// Smallest allowed value.
        low: f64,
        /// Largest allowed value.
        high: f64,
    },
    /// Axis limits that are not two increasing numbers, a billionth apart at least.
    #[error(
        "figure {figure}, panel {panel}: limits of {axis} do not increase: [{low}, {high}]; write [low, high]"
    )]
    Limits {
        /// The figure's id.
        figure: String,
        /// The panel's id.
        panel: String,
        /// `x` or `y`.
        axis: &'static str,
        /// First limit.
        low: f64,
        /// Second limit.
        high: f64,
    },
    /// A limit or reference line that has no place on its axis.
    #[error(
        "figure {figure}, panel {panel}: the axis cannot show {value}; write a number within its limits, at most 1e100 and on a log axis at least 1e-10"
    )]
    NotShown {
        /// The figure's id.
        figure: String,
        /// The panel's id.
        panel: String,
        /// The number.
        value: f64,
    },

    /// The text is not a CSV table.
    #[error("line {line}: not a csv row: {problem}")]
    Csv {
        /// Line of the file, the header being line 1.
        line: u64,
        /// The parser's message.
        problem: String,
    },
    /// The header lacks a column.
    #[error("missing column: {column}; the columns are {}", COLUMNS.join(","))]
    MissingColumn {
        /// The column's name.
        column: &'static str,
    },
    /// The header has a column that no table has.
    #[error("unknown column: {column}; the columns are {}", COLUMNS.join(","))]
    UnknownColumn {
        /// The column's name.
        column: String,
    },
    /// A cell holds something else than its column allows.
    #[error("line {line}, column {column}: not {expected}: {value}")]
    Cell {
        /// Line of the file, the header being line 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What the cell holds.
        value: String,
        /// What the column holds.
        expected: &'static str,
    },
    /// A row with one edge of the band only.
    #[error("line {line}, column {column}: missing; a band needs both y_low and y_high")]
    HalfBand {
        /// Line of the file, the header being line 1.
        line: u64,
        /// The column that is empty.
        column: &'static str,
    },
    /// A band whose lower edge is above its upper edge.
    #[error("line {line}, column y_low: above y_high: {low} > {high}; swap them")]
    BandOrder {
        /// Line of the file, the header being line 1.
        line: u64,
        /// `y_low`.
        low: f64,
        /// `y_high`.
        high: f64,
    },

    /// A row of this figure names a panel or series that is not declared.
    #[error(
        "line {line}, column {column}: not declared by figure {figure}: {value}; it declares {declared}"
    )]
    Undeclared {
        /// Line of the file, the header being line 1.
        line: u64,
        /// `panel` or `series`.
        column: &'static str,
        /// What the cell holds.
        value: String,
        /// The figure's id.
        figure: String,
        /// The names that are declared.
        declared: String,
    },
    /// A text is longer than the room it has on the page.
    #[error("figure {figure}: no room for: {text}; shorten it, or enlarge width_mm or height_mm")]
    NoRoom {
        /// The figure's id.
        figure: String,
        /// The text, or the name of the panel whose axes have no room.
        text: String,
    },
    /// The built-in font has no glyph for a character of a label.
    #[error("the built-in font cannot write: {character} in {text}; use another character")]
    NoGlyph {
        /// The character.
        character: char,
        /// The label it is in.
        text: String,
    },
    /// A drawing library failed; the input passed every check, so this is a defect.
    #[error(
        "drawing failed in {step}: {problem}; please report this with the declaration and the table"
    )]
    Library {
        /// `font`, `svg`, `png` or `pdf`.
        step: &'static str,
        /// The library's message.
        problem: String,
    },
}
