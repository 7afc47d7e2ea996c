//! Training a run in its folder: from wherever it stands, writing as it goes.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use tau_curricula::{EpochReport, Observer, Outcome, Position, Stage, Trainer, TrainingSpec};
use tau_rnn::{Checkpoint, Losses};

use crate::files::{remove_unfinished, write_atomically};
use crate::manifest::Provenance;
use crate::run::{MetricsRow, Run, State, Status, json};
use crate::{Error, Lock};

/// Someone who watches runs and may stop them by answering `Break`.
pub trait Watch {
    /// After every update, and between test batches: `position.update` of `updates` of the epoch
    /// are over. After `Break` the state is kept: the run goes on from there.
    fn updated(&mut self, position: &Position, updates: usize) -> ControlFlow<()> {
        let _ = (position, updates);
        ControlFlow::Continue(())
    }

    /// After every epoch, when its files are written.
    fn epoch_ended(&mut self, report: &EpochReport, wall_s: f64) -> ControlFlow<()> {
        let _ = (report, wall_s);
        ControlFlow::Continue(())
    }
}

/// Nobody watches.
impl Watch for () {}

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
    /// Trains to the end, from wherever it stands; nothing is done for a run that has ended.
    ///
    /// # Errors
    /// [`Error::Diverged`], also for a run that diverged earlier; [`Error::Locked`] if another
    /// process trains it; files that cannot be read or written.
    pub fn train(
        &self,
        pool: Arc<ThreadPool>,
        provenance: &Provenance,
        every: Every,
        watch: &mut dyn Watch,
    ) -> Result<Outcome, Error> {
        self.create()?;
        // Before it is known where the run stands: someone else may be changing that.
        let lock = Lock::take(self.folder())?;
        remove_unfinished(self.folder());
        remove_unfinished(&self.folder().join("checkpoints"));
        remove_unfinished(&self.folder().join("measures"));
        let status = self.status()?;
        match status.as_ref().map(|status| status.state) {
            Some(State::Finished) => return Ok(Outcome::Finished),
            Some(State::OutOfEpochs) => return Ok(Outcome::OutOfEpochs),
            Some(State::Diverged) => {
                let reason = status.and_then(|status| status.reason).unwrap_or_default();
                return Err(Error::Diverged { name: self.name(), reason });
            }
            Some(State::Unfinished) | None => {}
        }
        self.write_manifest(provenance, None)?;
        let rows_there = self.metrics()?.len();
        let (mut trainer, rows) = self.trainer(pool)?;
        // The table may know of an epoch that the status does not, and the status of updates since.
        let table_s = rows.last().map_or(0.0, |row| row.wall_s);
        let wall_s = status.map_or(0.0, |status| status.wall_s).max(table_s);
        let (started, kept) = (Instant::now(), Instant::now());
        let (late, error) = (None, None);
        let mut keeper = Keeper {
            run: self,
            lock,
            rows,
            rows_there,
            wall_s,
            started,
            every,
            kept,
            watch,
            late,
            error,
        };
        let mut outcome = trainer.run(&mut keeper);
        if let Some(error) = keeper.error {
            return Err(error);
        }
        keeper.lock.check()?;
        let wall_s = keeper.wall();
        // A device may have said late that it diverged, or say it only now.
        match (keeper.late, &outcome) {
            (Some(late), _) => outcome = Err(late),
            (None, Ok(Outcome::Stopped)) => outcome = trainer.settle().map(|_| Outcome::Stopped),
            (None, _) => {}
        }
        let state = match &outcome {
            Ok(Outcome::Finished) => State::Finished,
            Ok(Outcome::OutOfEpochs) => State::OutOfEpochs,
            Err(tau_curricula::Error::Diverged { .. }) => State::Diverged,
            Ok(Outcome::Stopped) | Err(_) => State::Unfinished,
        };
        let reason = outcome.as_ref().err().map(ToString::to_string);
        if matches!(outcome, Ok(Outcome::Stopped)) {
            self.write_state("latest.safetensors", &trainer)?;
        }
        if let (State::Diverged, Err(error)) = (state, &outcome) {
            self.write_state("diverged.safetensors", &trainer)?;
            if let Some(autopsy) = trainer.autopsy(error)? {
                self.write_json("autopsy.json", &autopsy)?;
            }
        }
        self.write_status(trainer.position(), state, wall_s, reason.clone())?;
        self.write_manifest(provenance, Some(wall_s))?;
        match (outcome, reason) {
            (Ok(outcome), _) => Ok(outcome),
            (Err(tau_curricula::Error::Diverged { .. }), Some(reason)) => {
                Err(Error::Diverged { name: self.name(), reason })
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// A trainer that stands where the run stands, and the rows so far.
    fn trainer(&self, pool: Arc<ThreadPool>) -> Result<(Trainer<f32>, Vec<MetricsRow>), Error> {
        let path = self.folder().join("latest.safetensors");
        let remedy = "delete it to train the run anew from its beginning";
        let network = self.spec().network.clone();
        let Some(mut latest) = self.read_checkpoint(&path, remedy)? else {
            let params = self.spec().initial_params()?;
            let backend = self.hardware().network(network, params, pool)?;
            return Ok((Trainer::new(self.spec().clone(), backend)?, Vec::new()));
        };
        let unusable = |reason: String| Error::Contents { path: path.clone(), reason, remedy };
        let position = latest.metadata.remove("position");
        let (Some(position), Some(momentum)) = (position, latest.momentum) else {
            return Err(unusable("it is no state that training could go on from".to_owned()));
        };
        let position: SavedPosition =
            serde_json::from_str(&position).map_err(|error| unusable(error.to_string()))?;
        let mut rows = self.metrics()?;
        rows.retain(|row| row.epoch <= position.epochs);
        if rows.last().map_or(0, |row| row.epoch) != position.epochs {
            let path = self.folder().join("metrics.csv");
            let epochs = position.epochs;
            let reason = format!("it ends before epoch {epochs}, up to which the run has come");
            let remedy = "move the run's folder away to train it anew";
            return Err(Error::Contents { path, reason, remedy });
        }
        let mut backend = self.hardware().network(network, latest.params, pool)?;
        backend.set_momentum(momentum)?;
        let position = position.of(self.spec());
        let trainer = Trainer::resume(self.spec().clone(), backend, position)?;
        Ok((trainer, rows))
    }

    /// Writes the state of a trainer; with `momentum` training can go on from it.
    fn write_state(&self, name: &str, trainer: &Trainer<f32>) -> Result<(), Error> {
        let position = SavedPosition::from(trainer.position().clone());
        let backend = trainer.backend();
        let checkpoint = Checkpoint {
            config: self.spec().network.clone(),
            params: backend.params()?,
            momentum: Some(backend.momentum()?),
            metadata: [("position".to_owned(), json(&position))].into(),
        };
        write_atomically(&self.folder().join(name), &checkpoint.to_bytes()?)
    }

    fn write_solved(&self, report: &EpochReport, trainer: &Trainer<f32>) -> Result<(), Error> {
        let entry = |key: &str, value: String| (key.to_owned(), value);
        let checkpoint = Checkpoint {
            config: self.spec().network.clone(),
            params: trainer.backend().params()?,
            momentum: None,
            metadata: [
                entry("task", self.spec().task.to_string()),
                entry("curriculum", self.spec().curriculum.to_string()),
                entry("seed", self.spec().seed.to_string()),
                entry("epoch", report.epoch.to_string()),
                entry("memory", json(&report.stage.memory)),
            ]
            .into(),
        };
        write_atomically(&self.checkpoint_path(report.stage.n_max()), &checkpoint.to_bytes()?)
    }

    fn write_status(
        &self,
        position: &Position,
        state: State,
        wall_s: f64,
        reason: Option<String>,
    ) -> Result<(), Error> {
        let Position { epochs, solved_n, .. } = *position;
        self.write_json("status.json", &Status { state, epochs, solved_n, wall_s, reason })
    }
}

/// [`Position`] as it is written.
#[derive(Serialize, Deserialize)]
struct SavedPosition {
    epochs: usize,
    /// Updates of the next epoch that are over. Files of version 0.1 were written at epochs only.
    #[serde(default)]
    update: usize,
    /// The bits of the sum of their losses: as text a number may come back as its neighbour.
    #[serde(default)]
    loss_bits: u64,
    stage: Option<Stage>,
    solved_n: usize,
}

impl From<Position> for SavedPosition {
    fn from(Position { epochs, update, losses, stage, solved_n }: Position) -> Self {
        Self { epochs, update, loss_bits: losses.sum.to_bits(), stage, solved_n }
    }
}

impl SavedPosition {
    /// In a run of this spec, which knows how many losses an update has.
    fn of(self, spec: &TrainingSpec) -> Position {
        let Self { epochs, update, loss_bits, stage, solved_n } = self;
        let count = (update * spec.batches_per_update()) as u64;
        let losses = Losses { sum: f64::from_bits(loss_bits), count };
        Position { epochs, update, losses, stage, solved_n }
    }
}

/// Writes the files of a run while it trains.
struct Keeper<'a> {
    run: &'a Run,
    lock: Lock,
    rows: Vec<MetricsRow>,
    /// Of the table when this start began: it may have been ahead of the state.
    rows_there: usize,
    /// Seconds of earlier starts.
    wall_s: f64,
    started: Instant,
    every: Every,
    /// When the state was kept last.
    kept: Instant,
    watch: &'a mut dyn Watch,
    /// What the device said when it was asked in mid-epoch.
    late: Option<tau_curricula::Error>,
    /// What went wrong with the files.
    error: Option<Error>,
}

impl Keeper<'_> {
    fn wall(&self) -> f64 {
        self.wall_s + self.started.elapsed().as_secs_f64()
    }

    /// The order matters: `latest` last, so that it never knows more than the other files.
    fn keep(&mut self, report: &EpochReport, trainer: &Trainer<f32>) -> Result<(), Error> {
        self.lock.check()?;
        let wall_s = self.wall();
        let heads = report.heads.iter().zip(&report.stage.memory).enumerate();
        self.rows.extend(heads.map(|(head, (score, &n))| MetricsRow {
            epoch: report.epoch,
            head,
            n,
            accuracy: score.accuracy,
            test_loss: score.loss,
            training_loss: report.training_loss,
            solved: report.solved,
            solved_n: trainer.position().solved_n,
            wall_s: (wall_s * 1e3).round() / 1e3,
        }));
        if report.solved {
            self.run.write_solved(report, trainer)?;
        }
        let mut table = csv::Writer::from_writer(Vec::new());
        let path = self.run.folder().join("metrics.csv");
        let fault = |reason: String| Error::Contents {
            path: path.clone(),
            reason,
            remedy: "this is a fault of the program; please report it",
        };
        for row in &self.rows {
            table.serialize(row).map_err(|error| fault(error.to_string()))?;
        }
        let table = table.into_inner().map_err(|error| fault(error.to_string()))?;
        // A table that is ahead begins with the same rows: it is not replaced by one with fewer.
        if self.rows.len() >= self.rows_there {
            write_atomically(&path, &table)?;
        }
        self.keep_state(trainer)
    }

    fn keep_state(&mut self, trainer: &Trainer<f32>) -> Result<(), Error> {
        self.lock.check()?;
        self.run.write_status(trainer.position(), State::Unfinished, self.wall(), None)?;
        self.run.write_state("latest.safetensors", trainer)?;
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
}

impl Observer<f32> for Keeper<'_> {
    fn updated(&mut self, trainer: &mut Trainer<f32>) -> ControlFlow<()> {
        let updates = trainer.spec().updates_per_epoch;
        if self.is_due(trainer.position(), updates) {
            if let Err(late) = trainer.settle() {
                self.late = Some(late);
                return ControlFlow::Break(());
            }
            if let Err(error) = self.keep_state(trainer) {
                self.error = Some(error);
                return ControlFlow::Break(());
            }
        }
        self.watch.updated(trainer.position(), updates)
    }

    fn epoch_ended(&mut self, report: &EpochReport, trainer: &Trainer<f32>) -> ControlFlow<()> {
        if let Err(error) = self.keep(report, trainer) {
            self.error = Some(error);
            return ControlFlow::Break(());
        }
        self.watch.epoch_ended(report, self.wall())
    }
}
