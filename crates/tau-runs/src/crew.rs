//! Trains many runs, several side by side.

use std::sync::{Arc, Mutex};

use tau_rnn::thread_pool;
use tau_training::Outcome;

use crate::queue::{lock, share_out};
use crate::{Error, Event, Every, Provenance, Run, Sink, StopToken};

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
    /// Once stopped, every run in flight is kept and left.
    pub stop: &'a StopToken,
}

impl Crew<'_> {
    /// Trains every run to its end. A run that diverged, that another process trains, or whose files
    /// are damaged does not stop the others: its error is in the result, in the order of `runs`.
    ///
    /// # Errors
    /// [`Error::is_interrupted`] once `stop` is set; the first error of another kind, after the runs in
    /// flight were kept.
    pub fn train(
        &self,
        runs: &[&Run],
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Result<Outcome, Error>>, Error> {
        let jobs = self.jobs.min(self.threads).min(runs.len()).max(1);
        let mut pools = Vec::new();
        for _ in 0..jobs {
            pools.push(thread_pool(Some((self.threads / jobs).max(1)))?);
        }
        // Stopped by whoever stops the crew, and by a run that fails for all of them.
        let stop = self.stop.child();
        let sink = Mutex::new(sink);
        let results = share_out(pools, runs, |pool, index, run| {
            if stop.is_stopped() {
                return None;
            }
            let mut numbered = |event: &Event<'_>| {
                if is_worth_telling(event) {
                    lock(&sink)(&of_run(index, event));
                }
            };
            let pool = Arc::clone(pool);
            let result = run.train(pool, self.provenance, self.every, &stop, &mut numbered);
            if result.as_ref().is_err_and(|error| error.is_fatal() && !error.is_interrupted()) {
                stop.stop();
            }
            let outcome = result.as_ref().copied();
            lock(&sink)(&Event::RunEnded { run: index, outcome });
            Some(result)
        });
        let mut ended = Vec::new();
        for result in results.into_iter().flatten() {
            match result {
                // The run that was stopped may have been so because of another one's error.
                Err(error) if error.is_interrupted() => {}
                Err(error) if error.is_fatal() => return Err(error),
                result => ended.push(result),
            }
        }
        if self.stop.is_stopped() { Err(Error::interrupted()) } else { Ok(ended) }
    }
}

/// Whether all of a crew should wait for the sink: a bar needs no more than a few updates of an epoch.
fn is_worth_telling(event: &Event<'_>) -> bool {
    match event {
        Event::Updated { position, updates, .. } => {
            position.update.is_multiple_of(updates.div_ceil(20))
        }
        _ => true,
    }
}

/// What a lone run tells, told of the run with this number.
fn of_run<'a>(run: usize, event: &Event<'a>) -> Event<'a> {
    match *event {
        Event::Updated { position, updates, .. } => Event::Updated { run, position, updates },
        Event::EpochEnded { report, wall_s, .. } => Event::EpochEnded { run, report, wall_s },
        Event::RunEnded { outcome, .. } => Event::RunEnded { run, outcome },
        other => other,
    }
}
