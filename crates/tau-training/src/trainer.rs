//! The loop, one step at a time.

use tau_curricula::Stage;
use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Batch, Losses, Readout, Real, Score, Scores};

use crate::source::{Source, Use, Which, target};
use crate::{Error, Milestone, TrainingSpec};

/// How far a run is; with parameters and optimiser memory, all that the next update depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Epochs that are over.
    pub epochs: usize,
    /// Updates of the next epoch that are over.
    pub update: usize,
    /// The losses of these updates.
    pub losses: Losses,
    /// The stage that the next epoch trains; `None` when the schedule has ended.
    pub stage: Option<Stage>,
    /// The milestone of the last solved stage; `None` before the first.
    pub reached: Option<String>,
}

/// What one epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The stage that was trained.
    pub stage: Stage,
    /// Loss summed over heads, mean over the epoch's updates: nats for classes, squared error for
    /// values; `None` for an epoch without updates.
    pub training_loss: Option<f64>,
    /// Scores of each head of the stage, means over the test batches (and all k); empty if nothing
    /// was held out.
    pub heads: Vec<Score>,
    /// Whether the stop rule holds.
    pub solved: bool,
    /// The names under which the state after this epoch is kept: none, or several.
    pub milestones: Vec<Milestone>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The last stage is solved.
    Finished,
    /// `max_epochs` are over.
    OutOfEpochs,
}

/// What a call of [`Trainer::step`] did.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// One update; training can go on from [`Trainer::settle`].
    Updated,
    /// One test batch that is not the epoch's last; training can go on from [`Trainer::settle`].
    Tested,
    /// The end of an epoch. The trainer stands behind it: its parameters are those that were scored.
    EpochEnded(EpochReport),
    /// Nothing: the run has ended.
    Ended(Outcome),
}

/// A run of training.
pub struct Trainer<R> {
    spec: TrainingSpec,
    backend: Box<dyn Backend<R>>,
    position: Position,
    /// The batches of the position's stage, once they are needed.
    source: Option<Source>,
    /// Test batches of the open epoch that are over, and the sums of their scores.
    tested: (usize, Vec<Score>),
    /// Batches that were over when the backend was made.
    batches_before: usize,
}

impl<R: Real> Trainer<R> {
    /// Starts at the beginning, with a backend that holds [`TrainingSpec::initial_params`].
    ///
    /// # Errors
    /// The errors of [`TrainingSpec::check`].
    pub fn new(spec: TrainingSpec, backend: Box<dyn Backend<R>>) -> Result<Self, Error> {
        let stage = Some(spec.first_stage()?);
        let losses = Losses::default();
        let start = Position { epochs: 0, update: 0, losses, stage, reached: None };
        Self::resume(spec, backend, start)
    }

    /// Goes on from `position`, with a backend that holds the parameters and the optimiser memory
    /// of that moment: the run ends with the same bits as one that was never interrupted.
    ///
    /// # Errors
    /// The errors of [`TrainingSpec::check`]; [`Error::Resume`] if the backend has a different network.
    pub fn resume(
        spec: TrainingSpec,
        mut backend: Box<dyn Backend<R>>,
        position: Position,
    ) -> Result<Self, Error> {
        spec.check()?;
        if *backend.config() != spec.network {
            let (found, expected) = (backend.config(), &spec.network);
            let reason =
                format!("the checkpoint's network is {found:?}, the run's is {expected:?}");
            return Err(Error::Resume { reason });
        }
        let updates = spec.updates_per_epoch();
        if position.update > updates {
            let update = position.update;
            let reason =
                format!("the checkpoint stands after update {update} of an epoch of {updates}");
            return Err(Error::Resume { reason });
        }
        backend.set_losses(position.losses)?;
        let updates_before = position.epochs * updates + position.update;
        let batches_before = updates_before * spec.batches_per_update();
        let tested = (0, Vec::new());
        Ok(Self { spec, backend, position, source: None, tested, batches_before })
    }

    /// The definition of the run.
    #[must_use]
    pub fn spec(&self) -> &TrainingSpec {
        &self.spec
    }

    /// How far the run is; the losses are those of the last [`Trainer::settle`].
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Waits for the device and says how far the run is.
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

    /// Trains to the end; `told` is called with every [`Step`].
    ///
    /// # Errors
    /// [`Error::Diverged`] and whatever the backend meets.
    pub fn run(&mut self, mut told: impl FnMut(&Step)) -> Result<Outcome, Error> {
        loop {
            let step = self.step()?;
            told(&step);
            if let Step::Ended(outcome) = step {
                return Ok(outcome);
            }
        }
    }

    /// Does one update, or scores one test batch.
    ///
    /// # Errors
    /// [`Error::Diverged`] and whatever the backend meets.
    pub fn step(&mut self) -> Result<Step, Error> {
        if let Some(outcome) = self.ended() {
            return Ok(Step::Ended(outcome));
        }
        if self.position.update < self.spec.updates_per_epoch() {
            self.update().map_err(|error| self.located(error))?;
            return Ok(Step::Updated);
        }
        if self.tested.0 == 0 {
            // A device may have kept a divergence to itself until now.
            self.settle()?;
        }
        let batches = self.test_batches();
        if self.tested.0 < batches {
            self.test()?;
        }
        if self.tested.0 < batches {
            return Ok(Step::Tested);
        }
        Ok(Step::EpochEnded(self.conclude()?))
    }

    fn ended(&self) -> Option<Outcome> {
        if self.position.stage.is_none() {
            Some(Outcome::Finished)
        } else if self.position.epochs >= self.spec.max_epochs {
            Some(Outcome::OutOfEpochs)
        } else {
            None
        }
    }

    fn test_batches(&self) -> usize {
        self.spec.data.test_batches(self.spec.batch_size) * self.spec.batches_per_update()
    }

    /// Makes the source of the stage's batches and the heads that the stage needs.
    fn prepare(&mut self) -> Result<(), Error> {
        if self.source.is_some() {
            return Ok(());
        }
        let Some(stage) = &self.position.stage else { return Ok(()) };
        let source = Source::new(&self.spec, stage.task.build()?)?;
        let heads = &source.task().shape().heads;
        for head in self.backend.params()?.readouts.len()..heads.len() {
            let key = Key::new(self.spec.seed, Purpose::Readout).stage(head as u32);
            let outputs = heads[head].size;
            self.backend.add_head(Readout::init(&self.spec.network, outputs, &mut key.stream()))?;
        }
        self.source = Some(source);
        Ok(())
    }

    /// One update: a step of the optimiser for each batch of it.
    fn update(&mut self) -> Result<(), Error> {
        let batches = self.spec.batches_per_update();
        for batch in 0..batches {
            let batch = self.position.update * batches + batch;
            let which = Which { of: Use::Training, epoch: self.position.epochs, batch };
            self.optimise(which)?;
        }
        self.position.update += 1;
        Ok(())
    }

    /// One step of the optimiser.
    fn optimise(&mut self, which: Which) -> Result<(), Error> {
        self.prepare()?;
        let Self { spec, backend, source, .. } = self;
        let Some(source) = source else { return Ok(()) };
        backend.set_steps_per_unit(which.steps_per_unit(spec))?;
        if let Some(drawn) = source.drawn(spec, which)
            && backend.update_drawn(&drawn, which.initial(spec), &spec.optimiser)?.is_some()
        {
            return Ok(());
        }
        with_batch(spec, source, which, |batch| backend.update(batch, &spec.optimiser))
    }

    /// How well the network does on a batch.
    fn score(&mut self, which: Which) -> Result<Scores, Error> {
        self.prepare()?;
        let Self { spec, backend, source, .. } = self;
        let Some(source) = source else { return Ok(Scores { heads: Vec::new() }) };
        backend.set_steps_per_unit(which.steps_per_unit(spec))?;
        if let Some(drawn) = source.drawn(spec, which)
            && let Some(scores) = backend.evaluate_drawn(&drawn, which.initial(spec))?
        {
            return Ok(scores);
        }
        with_batch(spec, source, which, |batch| backend.evaluate(batch))
    }

    /// Hands a training batch (counted from 0 since the start of the run) to `look`.
    pub(crate) fn with_training_batch<T>(
        &mut self,
        batch: usize,
        look: impl FnOnce(&mut dyn Backend<R>, &Batch<'_, R>) -> Result<T, tau_rnn::Error>,
    ) -> Result<Option<T>, Error> {
        self.prepare()?;
        let Self { spec, backend, source, .. } = self;
        let Some(source) = source else { return Ok(None) };
        let epoch_batches = spec.updates_per_epoch() * spec.batches_per_update();
        let (epoch, batch) = (batch / epoch_batches, batch % epoch_batches);
        let which = Which { of: Use::Training, epoch, batch };
        backend.set_steps_per_unit(which.steps_per_unit(spec))?;
        with_batch(spec, source, which, |batch| look(&mut **backend, batch)).map(Some)
    }

    /// Scores one more test batch of the open epoch.
    fn test(&mut self) -> Result<(), Error> {
        let (batch, epoch) = (self.tested.0, self.position.epochs);
        let scores = self.score(Which { of: Use::Test, epoch, batch })?.heads;
        let (count, sums) = &mut self.tested;
        if *count == 0 {
            let zero = |score: &Score| Score { loss: 0.0, accuracy: score.accuracy.map(|_| 0.0) };
            *sums = scores.iter().map(zero).collect();
        }
        for (sum, score) in sums.iter_mut().zip(scores) {
            sum.loss += score.loss;
            sum.accuracy = sum.accuracy.zip(score.accuracy).map(|(sum, more)| sum + more);
        }
        *count += 1;
        Ok(())
    }

    /// Says where in the run it diverged; other errors stay as they are.
    fn located(&self, error: Error) -> Error {
        match error {
            Error::Network(tau_rnn::Error::Diverged { update, what, value }) => {
                let updates = self.spec.updates_per_epoch();
                let batches = self.batches_before + update as usize;
                let before = batches / self.spec.batches_per_update();
                let (epoch, update) = (before / updates + 1, before % updates + 1);
                Error::Diverged { epoch, update, total: batches + 1, what, value }
            }
            other => other,
        }
    }

    /// Applies the stop rule and moves on.
    fn conclude(&mut self) -> Result<EpochReport, Error> {
        let (count, mut heads) = std::mem::take(&mut self.tested);
        // Divided once: a mean of ones is one, not a little more.
        for head in &mut heads {
            head.loss /= count as f64;
            head.accuracy = head.accuracy.map(|sum| sum / count as f64);
        }
        let training_loss = self.position.losses.mean();
        self.backend.set_losses(Losses::default())?;
        let solved = self.spec.stop.is_some_and(|stop| stop.holds(training_loss, &heads));
        let position = &mut self.position;
        (position.losses, position.update) = (Losses::default(), 0);
        position.epochs += 1;
        let Some(stage) = position.stage.clone() else {
            unreachable!("an epoch is only trained in a stage")
        };
        let mut milestones = Vec::new();
        if solved {
            milestones.push(Milestone(stage.milestone.clone()));
            position.reached = Some(stage.milestone.clone());
            position.stage = self.spec.schedule.after(&stage);
            self.source = None;
        }
        let epoch = self.position.epochs;
        if self.spec.keep_every.is_some_and(|every| epoch.is_multiple_of(every)) {
            milestones.push(Milestone::epoch(epoch));
        }
        if self.ended().is_some() {
            milestones.push(Milestone::last());
        }
        Ok(EpochReport { epoch, stage, training_loss, heads, solved, milestones })
    }
}

/// Hands a batch over in the form that the core reads.
fn with_batch<R: Real, T>(
    spec: &TrainingSpec,
    source: &mut Source,
    which: Which,
    consume: impl FnOnce(&Batch<'_, R>) -> Result<T, tau_rnn::Error>,
) -> Result<T, Error> {
    let drawn = source.batch(spec, which)?;
    let heads: Vec<usize> = (0..source.task().shape().heads.len()).collect();
    let batch = Batch {
        inputs: drawn.inputs.view(),
        initial: which.initial(spec),
        target: target(&drawn.targets, &heads),
    };
    Ok(consume(&batch)?)
}
