//! What happens while runs are trained, and what is made of them.

use std::path::Path;

use tau_training::{EpochReport, Outcome, Position};

use crate::{Error, Forecast, Run};

/// Something that happened. Runs are numbered as in the list that was given; a run that is trained
/// alone has the number 0.
///
/// Training tells of updates, epochs and ends. The other events are for those who do more with runs
/// than train them, so that one sink shows all of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// These runs are to be trained.
    Planned {
        /// The runs, in their order.
        runs: &'a [&'a Run],
        /// A short name for each.
        names: &'a [String],
        /// What they will need.
        forecast: &'a Forecast,
    },
    /// An update of an epoch, or one of the test batches after the last update, is over.
    Updated {
        /// Number of the run.
        run: usize,
        /// Where it stands; the losses are those of the last state that was kept.
        position: &'a Position,
        /// Updates of an epoch.
        updates: usize,
    },
    /// An epoch is over and its files are written.
    EpochEnded {
        /// Number of the run.
        run: usize,
        /// What the epoch came to.
        report: &'a EpochReport,
        /// Seconds of training so far, over all starts.
        wall_s: f64,
    },
    /// A run has ended: how, or why it failed or was left.
    RunEnded {
        /// Number of the run.
        run: usize,
        /// How it ended.
        outcome: Result<Outcome, &'a Error>,
    },
    /// Networks begin to be measured.
    Measuring,
    /// A measurement is done.
    Measured {
        /// What was measured, for a person.
        what: &'a str,
    },
    /// A file of results is written.
    Written {
        /// The file.
        path: &'a Path,
    },
}

/// Receives what happens. Calls may come from several threads, one at a time.
pub type Sink<'a> = dyn FnMut(&Event<'_>) + Send + 'a;
