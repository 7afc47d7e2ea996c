//! The engine of reproductions: plan, train, measure, judge, draw, report.
//!
//! A [`Paper`] is data and a few functions, in a crate of its own: presets, what their conditions
//! mean, measurements, figures, claims. [`Paper::load`] compares all of it with itself; a
//! [`Reproduction`] of the [`Loaded`] paper trains what is missing, takes the measurements that the
//! chosen figures and claims need, draws and judges. Networks trained once serve every figure and
//! every later call.
//!
//! ```no_run
//! use tau_reproduce::{Compat, Error, Paper, Reproduction, Which};
//! use tau_rnn::Hardware;
//! use tau_runs::{Provenance, StopToken};
//!
//! fn reproduce(paper: &'static Paper) -> Result<(), Error> {
//!     let loaded = paper.load()?;
//!     let reproduction = Reproduction::new(
//!         &loaded,
//!         loaded.preset(paper.default_preset, Compat::CLEAN)?,
//!         Which::Central,
//!         "reproduction".as_ref(),
//!         Hardware::Cpu,
//!         Provenance { threads: 2, ..Provenance::default() },
//!     )?;
//!     let report = reproduction.run(&StopToken::new(), &mut |_| {})?;
//!     for claim in report.claims {
//!         println!("claim {}: {:?}", claim.id, claim.verdict);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A claim is a conjunction of effects over networks with intervals ([`Claim`], [`Part`]). It selects
//! networks by facets ([`Selector`]), never by names. A measurement is a type ([`Measurement`]); a
//! network gives back what it found by that type ([`Network::get`]).
//!
//! What it does not know: any paper, so no preset, figure or claim and no quantity that one of them
//! measures; the terminal (what happens is told as an
//! [`Event`](tau_runs::Event)); the command line.

mod cache;
mod claim;
mod error;
mod facets;
mod figure;
mod gather;
mod load;
mod measurement;
mod network;
mod page;
mod paper;
mod placebo;
mod preset;
mod published;
mod report;
mod reproduction;
#[cfg(test)]
mod test_paper;

pub use claim::{Claim, FALLS, FEWEST, Part, RISES, Sample, conclude, slope};
pub use error::Error;
pub use facets::{Facets, Selector};
pub use figure::{Figure, Point, Ready, Shown};
pub use load::Loaded;
pub use measurement::{Measurement, Need, NoSettings, Trained};
pub use network::{Network, Networks};
pub use paper::{Citation, Compat, Meaning, Paper, Quirk};
pub use placebo::{EXCHANGES, LARGEST_SHARE, placebo};
pub use preset::{Condition, Entry, Preset};
pub use published::Published;
pub use report::{Judged, Report};
pub use reproduction::{Planned, Reproduction, Which};
