//! Training a run in its folder: from wherever it stands, writing as it goes.

use std::sync::Arc;
use std::time::Instant;

use rayon::ThreadPool;
use tau_rnn::Checkpoint;
use tau_training::{EpochReport, Milestone, Outcome, Position, Step, Trainer};

use crate::event::{Event, Sink};
use crate::files::{remove_unfinished, write_atomically};
use crate::manifest::Provenance;
use crate::metrics::{MetricsRow, rows_of, to_table};
use crate::position::SavedPosition;
use crate::run::{LATEST, METRICS, MOVE_AWAY, Run};
use crate::{Error, Lock, State, Status, StopToken};

/// How often the state is kept within an epoch (at its end it always is). Never a matter of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After so many updates of an epoch.
    Updates(usize),
    /// As soon as so many seconds are over.
    Seconds(u64),
}

impl Default for Every {
    /// Half a minute: to write a state of 500 neurons takes some ten milliseconds.
    fn default() -> Self {
        Self::Seconds(30)
    }
}

impl Run {
    /// Trains to the end, from wherever it stands; nothing is done for a run that has ended. `sink`
    /// receives what happens, as of run 0.
    ///
    /// # Errors
    /// [`Error::is_interrupted`] once `stop` is set: the state is kept, and the run goes on from there;
    /// [`Error::is_diverged`], also for a run that diverged earlier; [`Error::is_locked`] if another
    /// process trains it; files that cannot be read or written; a run without a device.
    pub fn train(
        &self,
        pool: Arc<ThreadPool>,
        provenance: &Provenance,
        every: Every,
        stop: &StopToken,
        sink: &mut Sink<'_>,
    ) -> Result<Outcome, Error> {
        // An ended run does not change any more: nothing is to be locked for it.
        if let Some(ended) = self.ended()? {
            return ended;
        }
        self.create()?;
        // Before it is known where the run stands: someone else may be changing that.
        let lock = Lock::take(self.folder())?;
        for folder in ["", "checkpoints", "measures"] {
            remove_unfinished(&self.folder().join(folder));
        }
        if let Some(ended) = self.ended()? {
            return ended;
        }
        self.write_manifest(provenance, None)?;
        let mut keeper = Keeper::new(self, lock, every)?;
        let mut trainer = self.trainer(pool, &mut keeper.rows)?;
        keeper.begin(self.status()?.map_or(0.0, |status| status.wall_s));
        let ended = keeper.train(&mut trainer, stop, sink);
        keeper.conclude(&mut trainer, ended, provenance)
    }

    /// How the run ended; `None` if it can go on.
    fn ended(&self) -> Result<Option<Result<Outcome, Error>>, Error> {
        let Some(status) = self.status()? else { return Ok(None) };
        Ok(match status.state {
            State::Finished => Some(Ok(Outcome::Finished)),
            State::OutOfEpochs => Some(Ok(Outcome::OutOfEpochs)),
            State::Diverged => {
                let reason = status.reason.unwrap_or_default();
                Some(Err(Error::diverged(self.name(), reason)))
            }
            State::Unfinished => None,
        })
    }

    /// A trainer that stands where the run stands, and the rows so far.
    fn trainer(
        &self,
        pool: Arc<ThreadPool>,
        rows: &mut Vec<MetricsRow>,
    ) -> Result<Trainer<f32>, Error> {
        let path = self.folder().join(LATEST);
        let remedy = "delete it to train the run anew from its beginning";
        let (hardware, spec) = (self.known_hardware()?, self.spec().clone());
        let network = spec.network.clone();
        let Some(mut latest) = self.read_checkpoint(&path, remedy)? else {
            rows.clear();
            let backend = hardware.network(network, spec.initial_params()?, pool)?;
            return Ok(Trainer::new(spec, backend)?);
        };
        let unusable = |reason: &str| Error::contents(&path, reason, remedy);
        let position = latest.metadata.remove("position");
        let (Some(position), Some(momentum)) = (position, latest.momentum) else {
            return Err(unusable("it is no state that training could go on from"));
        };
        let position: SavedPosition =
            serde_json::from_str(&position).map_err(|error| unusable(&error.to_string()))?;
        rows.retain(|row| row.epoch <= position.epochs);
        if rows.last().map_or(0, |row| row.epoch) != position.epochs {
            let epochs = position.epochs;
            let reason = format!("it ends before epoch {epochs}, up to which the run has come");
            return Err(Error::contents(&self.folder().join(METRICS), reason, MOVE_AWAY));
        }
        let mut backend = hardware.network(network, latest.params, pool)?;
        backend.set_momentum(momentum)?;
        let position = position.of(&spec);
        Ok(Trainer::resume(spec, backend, position)?)
    }

    /// Writes the state of a trainer with its momentum, so that training can go on from it.
    fn write_state(&self, name: &str, trainer: &Trainer<f32>) -> Result<(), Error> {
        let position = SavedPosition::from(trainer.position().clone());
        let position = serde_json::to_string(&position).unwrap_or_default();
        let backend = trainer.backend();
        let checkpoint = Checkpoint {
            config: self.spec().network.clone(),
            params: backend.params()?,
            momentum: Some(backend.momentum()?),
            metadata: [("position".to_owned(), position)].into(),
        };
        write_atomically(&self.folder().join(name), &checkpoint.to_bytes()?)
    }

    /// Writes the network of a milestone.
    fn write_milestone(
        &self,
        milestone: &Milestone,
        report: &EpochReport,
        trainer: &Trainer<f32>,
    ) -> Result<(), Error> {
        let entry = |key: &str, value: String| (key.to_owned(), value);
        let task = serde_json::to_string(&report.stage.task).unwrap_or_default();
        let checkpoint = Checkpoint {
            config: self.spec().network.clone(),
            params: trainer.backend().params()?,
            momentum: None,
            metadata: [
                entry("task", task),
                entry("schedule", self.spec().schedule.to_string()),
                entry("seed", self.spec().seed.to_string()),
                entry("epoch", report.epoch.to_string()),
                entry("milestone", milestone.to_string()),
            ]
            .into(),
        };
        write_atomically(&self.checkpoint_path(milestone), &checkpoint.to_bytes()?)
    }

    fn write_status(
        &self,
        position: &Position,
        state: State,
        wall_s: f64,
        reason: Option<String>,
    ) -> Result<(), Error> {
        let (epochs, reached) = (position.epochs, position.reached.clone());
        self.write_json("status.json", &Status { state, epochs, reached, wall_s, reason })
    }
}

/// How a training was left.
enum Left {
    Ended(Outcome),
    Stopped,
    Failed(tau_training::Error),
}

/// Writes the files of a run while it trains.
struct Keeper<'a> {
    run: &'a Run,
    lock: Lock,
    rows: Vec<MetricsRow>,
    /// Rows of the table when this start began: it may have been ahead of the state.
    rows_there: usize,
    /// Seconds of earlier starts.
    wall_s: f64,
    started: Instant,
    every: Every,
    /// When the state was kept last.
    kept: Instant,
}

impl<'a> Keeper<'a> {
    fn new(run: &'a Run, lock: Lock, every: Every) -> Result<Self, Error> {
        let rows = run.metrics()?;
        let now = Instant::now();
        let rows_there = rows.len();
        Ok(Self { run, lock, rows, rows_there, wall_s: 0.0, started: now, every, kept: now })
    }

    /// The clock begins to run. The table may know of an epoch that the status does not, and the status
    /// of updates since.
    fn begin(&mut self, status_s: f64) {
        self.wall_s = self.rows.last().map_or(0.0, |row| row.wall_s).max(status_s);
        (self.started, self.kept) = (Instant::now(), Instant::now());
    }

    fn wall(&self) -> f64 {
        self.wall_s + self.started.elapsed().as_secs_f64()
    }

    /// Trains until it ends, fails or is stopped.
    ///
    /// # Errors
    /// Files that cannot be written.
    fn train(
        &mut self,
        trainer: &mut Trainer<f32>,
        stop: &StopToken,
        sink: &mut Sink<'_>,
    ) -> Result<Left, Error> {
        let updates = trainer.spec().updates_per_epoch();
        loop {
            match trainer.step() {
                Err(error) => return Ok(Left::Failed(error)),
                Ok(Step::Ended(outcome)) => return Ok(Left::Ended(outcome)),
                Ok(Step::Updated | Step::Tested) => {
                    if self.is_due(trainer.position(), updates) {
                        // A device may say late that it diverged.
                        if let Err(late) = trainer.settle() {
                            return Ok(Left::Failed(late));
                        }
                        self.keep_state(trainer)?;
                    }
                    let position = trainer.position();
                    sink(&Event::Updated { run: 0, position, updates });
                    if stop.is_stopped() {
                        if let Err(late) = trainer.settle() {
                            return Ok(Left::Failed(late));
                        }
                        self.keep_state(trainer)?;
                        return Ok(Left::Stopped);
                    }
                }
                Ok(Step::EpochEnded(report)) => {
                    let wall_s = self.keep_epoch(&report, trainer)?;
                    sink(&Event::EpochEnded { run: 0, report: &report, wall_s });
                    if stop.is_stopped() {
                        return Ok(Left::Stopped);
                    }
                }
            }
        }
    }

    /// Writes what an epoch came to; the seconds so far. The order matters: the state last, so that it
    /// never knows more than the other files.
    fn keep_epoch(&mut self, report: &EpochReport, trainer: &Trainer<f32>) -> Result<f64, Error> {
        self.lock.check()?;
        let wall_s = self.wall();
        self.rows.extend(rows_of(report, wall_s)?);
        for milestone in &report.milestones {
            self.run.write_milestone(milestone, report, trainer)?;
        }
        let path = self.run.folder().join(METRICS);
        let remedy = "this is a fault of the program; please report it";
        let table =
            to_table(&self.rows).map_err(|reason| Error::contents(&path, reason, remedy))?;
        // A table that is ahead begins with the same rows: it is not replaced by one with fewer.
        if self.rows.len() >= self.rows_there {
            write_atomically(&path, &table)?;
        }
        self.keep_state(trainer)?;
        Ok(wall_s)
    }

    fn keep_state(&mut self, trainer: &Trainer<f32>) -> Result<(), Error> {
        self.lock.check()?;
        self.run.write_status(trainer.position(), State::Unfinished, self.wall(), None)?;
        self.run.write_state(LATEST, trainer)?;
        self.kept = Instant::now();
        Ok(())
    }

    /// Whether the state is to be kept now, in mid-epoch.
    fn is_due(&self, position: &Position, updates: usize) -> bool {
        match self.every {
            // The last one is the epoch's own; test batches follow it.
            Every::Updates(every) => {
                position.update < updates && position.update.is_multiple_of(every.max(1))
            }
            Every::Seconds(seconds) => self.kept.elapsed().as_secs() >= seconds,
        }
    }

    /// Writes how the training was left.
    fn conclude(
        self,
        trainer: &mut Trainer<f32>,
        left: Result<Left, Error>,
        provenance: &Provenance,
    ) -> Result<Outcome, Error> {
        let left = left?;
        self.lock.check()?;
        let (run, wall_s) = (self.run, self.wall());
        let (state, reason) = match &left {
            Left::Ended(Outcome::Finished) => (State::Finished, None),
            Left::Ended(Outcome::OutOfEpochs) => (State::OutOfEpochs, None),
            Left::Stopped => (State::Unfinished, None),
            Left::Failed(error) if error.is_diverged() => {
                run.write_state("diverged.safetensors", trainer)?;
                if let Some(autopsy) = trainer.autopsy(error)? {
                    run.write_json("autopsy.json", &autopsy)?;
                }
                (State::Diverged, Some(error.to_string()))
            }
            Left::Failed(error) => (State::Unfinished, Some(error.to_string())),
        };
        run.write_status(trainer.position(), state, wall_s, reason)?;
        run.write_manifest(provenance, Some(wall_s))?;
        match left {
            Left::Ended(outcome) => Ok(outcome),
            Left::Stopped => Err(Error::interrupted()),
            Left::Failed(error) if error.is_diverged() => {
                Err(Error::diverged(run.name(), error.to_string()))
            }
            Left::Failed(error) => Err(error.into()),
        }
    }
}
