//! Trains many runs, several side by side.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tau_curricula::{EpochReport, Outcome, Position};
use tau_rnn::thread_pool;

use crate::queue::{lock, share_out};
use crate::{Error, Every, Provenance, Run, Watch};

/// Who shows how the training goes. Calls come from several threads, one at a time.
pub trait Progress: Send {
    /// After some updates of run `index`: fraction of the current epoch, in [0, 1].
    fn updated(&mut self, index: usize, position: &Position, fraction: f64);
    /// After an epoch of run `index`, `wall_s` seconds of training in.
    fn epoch_ended(&mut self, index: usize, report: &EpochReport, wall_s: f64);
    /// Run `index` has ended: how, or why it failed.
    fn run_ended(&mut self, index: usize, outcome: Result<Outcome, &Error>);
}

/// Nobody watches.
impl Progress for () {
    fn updated(&mut self, _: usize, _: &Position, _: f64) {}
    fn epoch_ended(&mut self, _: usize, _: &EpochReport, _: f64) {}
    fn run_ended(&mut self, _: usize, _: Result<Outcome, &Error>) {}
}

/// Those who train: how many at once, with how many threads, until when.
#[derive(Clone, Copy, Debug)]
pub struct Crew<'a> {
    /// Threads of all of them.
    pub threads: usize,
    /// Runs side by side; the threads are shared out evenly among them.
    pub jobs: usize,
    /// Written into every run.
    pub provenance: &'a Provenance,
    /// How often a run is kept within an epoch.
    pub every: Every,
    /// Once set, every run in flight is kept and left.
    pub stop: &'a AtomicBool,
}

impl Crew<'_> {
    /// Trains every run to its end. A run that diverged, that another process trains, or whose files
    /// are damaged does not stop the others: its error is in the result, in the order of `runs`.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once `stop` is set; the first error of another kind, after the runs in
    /// flight were kept.
    pub fn train(
        &self,
        runs: &[&Run],
        progress: &Mutex<&mut dyn Progress>,
    ) -> Result<Vec<Result<Outcome, Error>>, Error> {
        let failed = AtomicBool::new(false);
        let jobs = self.jobs.min(self.threads).min(runs.len()).max(1);
        let mut pools = Vec::new();
        for _ in 0..jobs {
            pools.push(thread_pool(Some((self.threads / jobs).max(1)))?);
        }
        let results = share_out(pools, runs, |pool, index, run| {
            let mut watch = Forward { index, stop: [self.stop, &failed], progress };
            if watch.go_on().is_break() {
                return None;
            }
            let result = run.train(Arc::clone(pool), self.provenance, self.every, &mut watch);
            failed.fetch_or(result.as_ref().is_err_and(Error::is_fatal), Ordering::Relaxed);
            lock(progress).run_ended(index, result.as_ref().copied());
            Some(result)
        });
        let mut ended = Vec::new();
        for result in results.into_iter().flatten() {
            match result {
                Err(error) if error.is_fatal() => return Err(error),
                result => ended.push(result),
            }
        }
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(ended) }
    }
}

/// Passes what happens in one run on to the common progress.
struct Forward<'a, 'b> {
    index: usize,
    stop: [&'a AtomicBool; 2],
    progress: &'a Mutex<&'b mut dyn Progress>,
}

impl Forward<'_, '_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.stop.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Watch for Forward<'_, '_> {
    fn updated(&mut self, position: &Position, updates: usize) -> ControlFlow<()> {
        // A bar needs no more than a few steps an epoch.
        if position.update.is_multiple_of(updates.div_ceil(20)) {
            let fraction = position.update as f64 / updates as f64;
            lock(self.progress).updated(self.index, position, fraction);
        }
        self.go_on()
    }

    fn epoch_ended(&mut self, report: &EpochReport, wall_s: f64) -> ControlFlow<()> {
        lock(self.progress).epoch_ended(self.index, report, wall_s);
        self.go_on()
    }
}
