//! Figures as declarations: a TOML declaration and a tidy CSV table in, the bytes of an
//! SVG, a PNG and a PDF out.
//!
//! A figure is declared, computed, then drawn. This crate holds the first and the last of
//! the three: what is declared ([`Declaration`]: panels, axes with units, series with
//! colours, size in millimetres) and how it is drawn ([`draw`]). The numbers come from a
//! [`Table`], one row per observation, which carries the preset, seed, commit and device
//! that every number came from. A change of colour therefore re-runs no simulation.
//!
//! ```
//! use tau_figures::{Declaration, Table, draw};
//!
//! let declaration = Declaration::parse(
//!     r##"
//!     id = "tau-vs-n"
//!     title = "Time constants against N"
//!     caption = "Mean over networks; band: standard deviation over networks."
//!     width_mm = 85
//!     height_mm = 60
//!
//!     [[panels]]
//!     id = "mean"
//!     x = { label = "N", integer = true }
//!     y = { label = "mean τ (steps)" }
//!     reference = { y = 1.0, label = "τ = 1" }
//!
//!     [[series]]
//!     name = "multi-head"
//!     label = "multi-head"
//!     colour = "#489174"
//!     "##,
//! )?;
//! let table = Table::parse(
//!     "figure,panel,series,source,statistic,network,x,y,y_low,y_high,unit,seed,preset,commit,device\n\
//!      tau-vs-n,mean,multi-head,ours,mean,,2,1.50,1.45,1.55,steps,,paper,d6d1f0a,cpu\n\
//!      tau-vs-n,mean,multi-head,ours,mean,,30,1.30,1.27,1.33,steps,,paper,d6d1f0a,cpu\n",
//! )?;
//! let drawing = draw(&declaration, &table)?;
//! assert!(drawing.svg.contains("mean τ (steps)"));
//! assert!(drawing.pdf.starts_with(b"%PDF"));
//! # Ok::<(), tau_figures::Error>(())
//! ```
//!
//! Its equation is the scale of print: 1 unit of the page is 1/144 inch, half a
//! typographic point, so `width_mm` is 144/25.4 units per millimetre and a picture of `dpi`
//! has `round(width_mm / 25.4 · dpi)` pixels.
//!
//! What it does not know: which figures there are (they are declared by whoever has the numbers); networks, tasks and time constants (they are names and numbers
//! here); statistics (means and bands arrive computed); files (bytes in, bytes out); the
//! machine (text is set in the DejaVu Sans faces inside the binary, system fonts are never
//! looked at, so the same input gives the same bytes everywhere).

mod axis;
mod curve;
mod declaration;
mod draw;
mod error;
mod font;
mod legend;
mod page;
mod panel;
mod style;
mod svg;
mod table;

pub use declaration::{
    Axis, Colour, Declaration, LegendPlacement, Panel, Reference, Scale, Series,
};
pub use draw::{Drawing, draw};
pub use error::Error;
pub use table::{COLUMNS, Row, Source, Statistic, Table};
