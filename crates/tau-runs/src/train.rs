//! Training a run in its folder: from wherever it stands, writing after every epoch.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use tau_curricula::{EpochReport, Observer, Outcome, Position, Stage, Trainer};
use tau_rnn::Checkpoint;

use crate::Error;
use crate::files::write_atomically;
use crate::run::{MetricsRow, Provenance, Run, State, Status, json};

/// Someone who watches runs and may stop them by answering `Break`.
pub trait Watch {
    /// After every update.
    fn updated(&mut self, position: &Position, update: usize, updates: usize) -> ControlFlow<()> {
        let _ = (position, update, updates);
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

impl Run {
    /// Trains to the end, from wherever it stands; nothing is done for a run that has ended.
    ///
    /// # Errors
    /// [`Error::Diverged`], also for a run that diverged earlier; files that cannot be read or
    /// written.
    pub fn train(
        &self,
        pool: Arc<ThreadPool>,
        provenance: &Provenance,
        watch: &mut dyn Watch,
    ) -> Result<Outcome, Error> {
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
        self.write_json("manifest.json", provenance)?;
        let (mut trainer, rows) = self.trainer(pool)?;
        let wall_s = rows.last().map_or(0.0, |row| row.wall_s);
        let mut keeper =
            Keeper { run: self, rows, wall_s, started: Instant::now(), watch, error: None };
        let outcome = trainer.run(&mut keeper);
        if let Some(error) = keeper.error {
            return Err(error);
        }
        let wall_s = keeper.wall();
        let state = match &outcome {
            Ok(Outcome::Finished) => State::Finished,
            Ok(Outcome::OutOfEpochs) => State::OutOfEpochs,
            Err(tau_curricula::Error::Diverged { .. }) => State::Diverged,
            Ok(Outcome::Stopped) | Err(_) => State::Unfinished,
        };
        let reason = outcome.as_ref().err().map(ToString::to_string);
        if state == State::Diverged {
            self.write_state("diverged.safetensors", &trainer)?;
        }
        self.write_status(trainer.position(), state, wall_s, reason.clone())?;
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
        let trainer = Trainer::resume(self.spec().clone(), backend, position.into())?;
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
    stage: Option<Stage>,
    solved_n: usize,
}

impl From<Position> for SavedPosition {
    fn from(Position { epochs, stage, solved_n }: Position) -> Self {
        Self { epochs, stage, solved_n }
    }
}

impl From<SavedPosition> for Position {
    fn from(SavedPosition { epochs, stage, solved_n }: SavedPosition) -> Self {
        Self { epochs, stage, solved_n }
    }
}

/// Writes the files of a run while it trains.
struct Keeper<'a> {
    run: &'a Run,
    rows: Vec<MetricsRow>,
    /// Seconds of earlier starts.
    wall_s: f64,
    started: Instant,
    watch: &'a mut dyn Watch,
    error: Option<Error>,
}

impl Keeper<'_> {
    fn wall(&self) -> f64 {
        self.wall_s + self.started.elapsed().as_secs_f64()
    }

    /// The order matters: `latest` last, so that it never knows more than the other files.
    fn keep(&mut self, report: &EpochReport, trainer: &Trainer<f32>) -> Result<(), Error> {
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
        write_atomically(&path, &table)?;
        self.run.write_status(trainer.position(), State::Unfinished, wall_s, None)?;
        self.run.write_state("latest.safetensors", trainer)
    }
}

impl Observer<f32> for Keeper<'_> {
    fn updated(&mut self, position: &Position, update: usize, updates: usize) -> ControlFlow<()> {
        self.watch.updated(position, update, updates)
    }

    fn epoch_ended(&mut self, report: &EpochReport, trainer: &Trainer<f32>) -> ControlFlow<()> {
        if let Err(error) = self.keep(report, trainer) {
            self.error = Some(error);
            return ControlFlow::Break(());
        }
        self.watch.epoch_ended(report, self.wall())
    }
}
