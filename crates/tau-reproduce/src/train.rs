//! Trains all runs of a plan, as many side by side as there are threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tau_curricula::{EpochReport, Outcome, Position};
use tau_rnn::thread_pool;
use tau_runs::{Provenance, Run, Watch};

use crate::Error;
use crate::queue::{lock, share_out};

/// A run of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The condition's name in tables and figures.
    pub series: String,
    /// The run itself.
    pub run: Run,
}

/// Who shows how the training goes. Calls come from several threads, one at a time.
pub trait Progress: Send {
    /// After some updates of run `index`: fraction of the current epoch, in [0, 1].
    fn updated(&mut self, index: usize, position: &Position, fraction: f64);
    /// After an epoch of run `index`, `wall_s` seconds of training in.
    fn epoch_ended(&mut self, index: usize, report: &EpochReport, wall_s: f64);
    /// Run `index` has ended: how, or why it failed.
    fn run_ended(&mut self, index: usize, outcome: Result<Outcome, String>);
}

/// Trains every run to its end. A run that diverges is reported and does not stop the others;
/// its error is in the result, in the order of `plan`.
///
/// As many runs are in flight as there are threads; with fewer runs each gets its share of them.
///
/// # Errors
/// [`Error::Interrupted`] once `stop` is set; the first error other than divergence.
pub fn train_all(
    plan: &[Planned],
    threads: usize,
    provenance: &Provenance,
    stop: &AtomicBool,
    progress: &Mutex<&mut dyn Progress>,
) -> Result<Vec<Result<Outcome, tau_runs::Error>>, Error> {
    let failed = AtomicBool::new(false);
    let halted = || stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
    let side_by_side = threads.min(plan.len()).max(1);
    let mut pools = Vec::new();
    for _ in 0..side_by_side {
        pools.push(thread_pool(Some(threads / side_by_side))?);
    }
    let results = share_out(pools, plan, |pool, index, planned| {
        if halted() {
            return None;
        }
        let mut watch = Forward { index, stop, failed: &failed, progress };
        let result = planned.run.train(Arc::clone(pool), provenance, &mut watch);
        let fatal = matches!(&result, Err(error) if !is_divergence(error));
        failed.fetch_or(fatal, Ordering::Relaxed);
        let shown = result.as_ref().map(|outcome| *outcome).map_err(ToString::to_string);
        lock(progress).run_ended(index, shown);
        Some(result)
    });
    let mut ended = Vec::new();
    for result in results.into_iter().flatten() {
        match result {
            Err(error) if !is_divergence(&error) => return Err(error.into()),
            result => ended.push(result),
        }
    }
    if stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(ended) }
}

fn is_divergence(error: &tau_runs::Error) -> bool {
    matches!(error, tau_runs::Error::Diverged { .. })
}

/// Passes what happens in one run on to the common progress.
struct Forward<'a, 'b> {
    index: usize,
    stop: &'a AtomicBool,
    failed: &'a AtomicBool,
    progress: &'a Mutex<&'b mut dyn Progress>,
}

impl Forward<'_, '_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Watch for Forward<'_, '_> {
    fn updated(&mut self, position: &Position, update: usize, updates: usize) -> ControlFlow<()> {
        // A bar needs no more than a few steps an epoch.
        if update.is_multiple_of(updates.div_ceil(20)) {
            let fraction = update as f64 / updates as f64;
            lock(self.progress).updated(self.index, position, fraction);
        }
        self.go_on()
    }

    fn epoch_ended(&mut self, report: &EpochReport, wall_s: f64) -> ControlFlow<()> {
        lock(self.progress).epoch_ended(self.index, report, wall_s);
        self.go_on()
    }
}
