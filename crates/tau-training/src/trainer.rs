//! The loop that trains through a curriculum.

use std::ops::ControlFlow;

use tau_random::{Key, Purpose};
use tau_rnn::{
    Backend, Batch, BitRule, Drawn, HeadScore, Initial, Losses, Params, Readout, Real, Scores,
    Target,
};
use tau_tasks::{Chance, Task};

use crate::{Error, Stage, TrainingSpec};

/// How far a run is; with parameters and optimiser memory, all that the next update depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Epochs that are over.
    pub epochs: usize,
    /// Updates of the next epoch that are over.
    pub update: usize,
    /// Their losses.
    pub losses: Losses,
    /// The stage that the next epoch trains; `None` when the curriculum has ended.
    pub stage: Option<Stage>,
    /// Largest N solved so far; 0 for none.
    pub solved_n: usize,
}

/// What one epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// The stage that was trained.
    pub stage: Stage,
    /// Loss in nats (summed over heads), mean over the epoch's batches.
    pub training_loss: f64,
    /// Scores of each head on the test batches, means over all of them (and all k).
    pub heads: Vec<HeadScore>,
    /// Whether the success rule holds.
    pub solved: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The last N is solved, or the curriculum has no further stage.
    Finished,
    /// `max_epochs` are over.
    OutOfEpochs,
    /// An observer stopped it.
    Stopped,
}

/// Someone who watches a run, and may stop it by answering `Break`.
pub trait Observer<R: Real> {
    /// After every update, and between the test batches of an epoch: training can go on from
    /// [`Trainer::settle`].
    fn updated(&mut self, trainer: &mut Trainer<R>) -> ControlFlow<()> {
        let _ = trainer;
        ControlFlow::Continue(())
    }

    /// After every epoch. The trainer stands behind it: its parameters are those that were scored.
    fn epoch_ended(&mut self, report: &EpochReport, trainer: &Trainer<R>) -> ControlFlow<()> {
        let _ = (report, trainer);
        ControlFlow::Continue(())
    }
}

/// Nobody watches.
impl<R: Real> Observer<R> for () {}

/// A run of training.
pub struct Trainer<R> {
    spec: TrainingSpec,
    backend: Box<dyn Backend<R>>,
    position: Position,
    /// Batches that were over when the backend was made.
    batches_before: usize,
}

impl TrainingSpec {
    /// The parameters before training, without heads: those are added when a stage needs them.
    ///
    /// # Errors
    /// Those of [`tau_rnn::Config::check`].
    pub fn initial_params<R: Real>(&self) -> Result<Params<R>, Error> {
        let mut random = Key::new(self.seed, Purpose::Parameters).stream();
        Ok(Params::init(&self.network, &mut random)?)
    }

    /// A batch of training of an epoch; both counted from 0. Update u has batches u·K to u·K + K − 1,
    /// with K = [`TrainingSpec::batches_per_update`].
    fn training_batch(&self, epoch: usize, batch: usize) -> Drawing {
        self.drawing([Purpose::Inputs, Purpose::InitialState], epoch, batch)
    }

    /// A batch of the test after an epoch.
    fn test_batch(&self, epoch: usize, batch: usize) -> Drawing {
        self.drawing([Purpose::TestInputs, Purpose::TestInitialState], epoch, batch)
    }

    fn drawing(&self, purposes: [Purpose; 2], epoch: usize, batch: usize) -> Drawing {
        // Both counts fit: `TrainingSpec::check`.
        let key = |purpose| Key::new(self.seed, purpose).stage(epoch as u32).step(batch as u32);
        let [inputs, initial] = purposes.map(key);
        let steps_per_unit = self.time_steps()[batch % self.batches_per_update()];
        Drawing { inputs, initial, steps_per_unit }
    }
}

/// What makes a batch, besides the task.
#[derive(Clone, Copy)]
struct Drawing {
    /// Of trial input and labels.
    inputs: Key,
    /// Of the initial states.
    initial: Key,
    /// k: every input is held for so many steps.
    steps_per_unit: u32,
}

impl<R: Real> Trainer<R> {
    /// Starts at the beginning, with a backend that holds [`TrainingSpec::initial_params`].
    ///
    /// # Errors
    /// Those of [`TrainingSpec::check`].
    pub fn new(spec: TrainingSpec, backend: Box<dyn Backend<R>>) -> Result<Self, Error> {
        let stage = Some(spec.curriculum.first(spec.n_start));
        let start =
            Position { epochs: 0, update: 0, losses: Losses::default(), stage, solved_n: 0 };
        Self::resume(spec, backend, start)
    }

    /// Goes on from `position`, with a backend that holds the parameters and the optimiser memory
    /// of that moment: the run ends with the same bits as one that was never interrupted.
    ///
    /// # Errors
    /// Those of [`TrainingSpec::check`]; [`Error::Resume`] if the backend has another network.
    pub fn resume(
        spec: TrainingSpec,
        mut backend: Box<dyn Backend<R>>,
        position: Position,
    ) -> Result<Self, Error> {
        spec.check()?;
        if *backend.config() != spec.network {
            let reason = format!(
                "the checkpoint's network is {:?}, the run's is {:?}",
                backend.config(),
                spec.network
            );
            return Err(Error::Resume { reason });
        }
        if position.update > spec.updates_per_epoch {
            let reason = format!(
                "the checkpoint stands after update {} of an epoch of {}",
                position.update, spec.updates_per_epoch
            );
            return Err(Error::Resume { reason });
        }
        backend.set_losses(position.losses)?;
        let updates_before = position.epochs * spec.updates_per_epoch + position.update;
        let batches_before = updates_before * spec.batches_per_update();
        Ok(Self { spec, backend, position, batches_before })
    }

    /// The definition of the run.
    #[must_use]
    pub fn spec(&self) -> &TrainingSpec {
        &self.spec
    }

    /// How far it is; the losses are those of the last [`Trainer::settle`].
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Waits for the device and says how far it is.
    ///
    /// # Errors
    /// [`Error::Diverged`], if the device kept one to itself, and whatever else it meets.
    pub fn settle(&mut self) -> Result<&Position, Error> {
        self.position.losses = self.backend.losses().map_err(|error| self.located(error.into()))?;
        Ok(&self.position)
    }

    /// The network. After an error it holds the last good parameters; in continuous time its k is
    /// the last that it was shown a batch at.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend<R> {
        &*self.backend
    }

    /// Trains to the end, or until the observer stops it.
    ///
    /// # Errors
    /// [`Error::Diverged`] and whatever the backend meets.
    pub fn run(&mut self, observer: &mut dyn Observer<R>) -> Result<Outcome, Error> {
        loop {
            let Some(stage) = self.position.stage.clone() else {
                return Ok(Outcome::Finished);
            };
            if self.position.epochs >= self.spec.max_epochs {
                return Ok(Outcome::OutOfEpochs);
            }
            self.add_missing_heads(&stage)?;
            let task = self.spec.task.with_coding(&stage.memory, self.spec.coding)?;
            if self.train_epoch(&*task, &stage, observer)?.is_break() {
                return Ok(Outcome::Stopped);
            }
            // A device may have kept a divergence to itself until now.
            self.settle()?;
            let Some(heads) = self.test(&*task, &stage, observer)? else {
                return Ok(Outcome::Stopped);
            };
            let report = self.conclude(stage, heads)?;
            if observer.epoch_ended(&report, self).is_break() {
                return Ok(Outcome::Stopped);
            }
        }
    }

    /// Hands a training batch (counted from 0 since the start of the run) to `look`.
    pub(crate) fn with_training_batch<T>(
        &mut self,
        stage: &Stage,
        batch: usize,
        look: impl FnOnce(&mut dyn Backend<R>, &Batch<'_, R>) -> Result<T, tau_rnn::Error>,
    ) -> Result<T, Error> {
        let task = self.spec.task.with_coding(&stage.memory, self.spec.coding)?;
        let epoch_batches = self.spec.updates_per_epoch * self.spec.batches_per_update();
        let drawing = self.spec.training_batch(batch / epoch_batches, batch % epoch_batches);
        let backend = &mut *self.backend;
        backend.set_steps_per_unit(drawing.steps_per_unit)?;
        with_batch(&self.spec, &*task, stage, drawing, |batch| look(backend, batch))
    }

    fn add_missing_heads(&mut self, stage: &Stage) -> Result<(), Error> {
        for head in self.backend.params()?.readouts.len()..stage.memory.len() {
            let key = Key::new(self.spec.seed, Purpose::Readout).stage(head as u32);
            let hidden = self.spec.network.hidden_size;
            self.backend.add_head(Readout::init(2, hidden, &mut key.stream()))?;
        }
        Ok(())
    }

    fn train_epoch(
        &mut self,
        task: &dyn Task,
        stage: &Stage,
        observer: &mut dyn Observer<R>,
    ) -> Result<ControlFlow<()>, Error> {
        let batches = self.spec.batches_per_update();
        while self.position.update < self.spec.updates_per_epoch {
            for batch in 0..batches {
                let batch = self.position.update * batches + batch;
                let drawing = self.spec.training_batch(self.position.epochs, batch);
                self.step(task, stage, drawing).map_err(|error| self.located(error))?;
            }
            self.position.update += 1;
            if observer.updated(self).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// One step of the optimiser.
    fn step(&mut self, task: &dyn Task, stage: &Stage, drawing: Drawing) -> Result<(), Error> {
        let (backend, optimiser) = (&mut self.backend, self.spec.optimiser);
        backend.set_steps_per_unit(drawing.steps_per_unit)?;
        if let Some(drawn) = drawn(&self.spec, task, stage, drawing)
            && backend.update_drawn(&drawn, &optimiser)?.is_some()
        {
            return Ok(());
        }
        with_batch(&self.spec, task, stage, drawing, |batch| backend.update(batch, &optimiser))
    }

    /// How well it does on a batch.
    fn score(&mut self, task: &dyn Task, stage: &Stage, drawing: Drawing) -> Result<Scores, Error> {
        let backend = &mut self.backend;
        backend.set_steps_per_unit(drawing.steps_per_unit)?;
        if let Some(drawn) = drawn(&self.spec, task, stage, drawing)
            && let Some(scores) = backend.evaluate_drawn(&drawn)?
        {
            return Ok(scores);
        }
        with_batch(&self.spec, task, stage, drawing, |batch| backend.evaluate(batch))
    }

    /// Scores of each head over the test batches; `None` if the observer stopped it.
    fn test(
        &mut self,
        task: &dyn Task,
        stage: &Stage,
        observer: &mut dyn Observer<R>,
    ) -> Result<Option<Vec<HeadScore>>, Error> {
        let batches = self.spec.test_batches * self.spec.batches_per_update();
        let mut mean = vec![HeadScore::default(); stage.memory.len()];
        for batch in 0..batches {
            let drawing = self.spec.test_batch(self.position.epochs, batch);
            let scores = self.score(task, stage, drawing)?;
            for (mean, score) in mean.iter_mut().zip(scores.heads) {
                mean.loss += score.loss;
                mean.accuracy += score.accuracy;
            }
            if batch + 1 < batches && observer.updated(self).is_break() {
                return Ok(None);
            }
        }
        // Divided once: a mean of ones is one, not a little more.
        for mean in &mut mean {
            mean.loss /= batches as f64;
            mean.accuracy /= batches as f64;
        }
        Ok(Some(mean))
    }

    /// Says where in the run it diverged; other errors stay as they are.
    fn located(&self, error: Error) -> Error {
        match error {
            Error::Network(tau_rnn::Error::Diverged { update, what, value }) => {
                let updates = self.spec.updates_per_epoch;
                let batches = self.batches_before + update as usize;
                let before = batches / self.spec.batches_per_update();
                let (epoch, update) = (before / updates + 1, before % updates + 1);
                Error::Diverged { epoch, update, total: batches + 1, what, value }
            }
            other => other,
        }
    }

    /// Applies the success rule (paper, section 3) and moves on.
    fn conclude(&mut self, stage: Stage, heads: Vec<HeadScore>) -> Result<EpochReport, Error> {
        let mean = heads.iter().map(|head| head.accuracy).sum::<f64>() / heads.len() as f64;
        let newest = heads.last().map_or(0.0, |head| head.accuracy);
        let required = self.spec.success_accuracy;
        let solved = mean > required && newest > required;
        let training_loss = self.position.losses.mean();
        self.backend.set_losses(Losses::default())?;
        self.position.losses = Losses::default();
        self.position.update = 0;
        self.position.epochs += 1;
        if solved {
            self.position.solved_n = stage.n_max();
            let end = stage.n_max() >= self.spec.n_end;
            self.position.stage = if end { None } else { self.spec.curriculum.next(&stage) };
        }
        Ok(EpochReport { epoch: self.position.epochs, stage, training_loss, heads, solved })
    }
}

/// The batch as a device may draw it itself, if no input is held.
fn drawn<'a, R>(
    spec: &TrainingSpec,
    task: &dyn Task,
    stage: &'a Stage,
    drawing: Drawing,
) -> Option<Drawn<'a, R>> {
    let (bits, rule) = task.bits().filter(|_| drawing.steps_per_unit == 1)?;
    Some(Drawn {
        key: drawing.inputs,
        steps: task.length(drawing.inputs),
        trials: spec.batch_size,
        fair: bits.chance == Chance::Half,
        values: bits.coding.values(),
        rule: match rule {
            tau_tasks::BitRule::Parity => BitRule::Parity,
            tau_tasks::BitRule::Match => BitRule::Match,
        },
        memory: &stage.memory,
        initial: Initial::Uniform { scale: spec.initial_state, key: drawing.initial },
    })
}

/// Draws a batch of the task and hands it over in the form that the core reads.
fn with_batch<R: Real, T>(
    spec: &TrainingSpec,
    task: &dyn Task,
    stage: &Stage,
    drawing: Drawing,
    consume: impl FnOnce(&Batch<'_, R>) -> Result<T, tau_rnn::Error>,
) -> Result<T, Error> {
    let drawn = task.batch(spec.batch_size, drawing.inputs)?;
    let drawn = drawn.held(drawing.steps_per_unit as usize);
    let heads: Vec<usize> = (0..stage.memory.len()).collect();
    let target = match &drawn.target {
        tau_tasks::Target::Labels(labels) => {
            Target::Labels { labels: labels.view(), heads: &heads }
        }
        tau_tasks::Target::Series(targets) => Target::Series { targets: targets.view(), head: 0 },
    };
    let initial = Initial::Uniform { scale: spec.initial_state, key: drawing.initial };
    Ok(consume(&Batch { inputs: drawn.inputs.view(), initial, target })?)
}
