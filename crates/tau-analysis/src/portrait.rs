//! A portrait of one trained network: a row for each neuron, one for the network, one for each
//! eigenvalue of its step.
//!
//! Numbers in, numbers out: the network and the task that drives it are a [`Subject`], the rows are
//! plain data that a caller may write as tables (`tau measure` does).

mod at_rest;
mod dynamics;
mod rows;
#[cfg(test)]
mod tests;
mod timescales;

use std::sync::atomic::AtomicBool;

use crate::{Drive, Error, Measure, Scoring, Subject, ablate_each};

pub use rows::{ModeRow, NetworkRow, NeuronRow, Portrait};

/// Largest lag of the autocorrelation, in steps: five times the largest τ_net.
const LAGS: usize = 500;

/// A part of a portrait; each fills columns of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// τ_net with its interval and the estimates beside it, of a long simulation.
    Timescales,
    /// Accuracy, or loss, without each neuron.
    Ablation,
    /// Principal components of the same simulation, eigenvalues, Lyapunov exponents.
    Dynamics,
}

/// How a network is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct PortraitConfig {
    /// Steps of each trial that count, 100 or more.
    pub steps: usize,
    /// Steps before those.
    pub burn_in: usize,
    /// Number of trials.
    pub trials: usize,
    /// h(0) ~ U[0, this).
    pub initial_state: f64,
    /// Root of the random streams.
    pub seed: u64,
    /// The parts that are measured.
    pub parts: Vec<Part>,
    /// Whether every τ_net is checked against recordings simulated from its fit: one simulates 100
    /// recordings a neuron, by far the longest work.
    pub bias_check: bool,
}

/// The state of a training whose network is portrayed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The name of the state: `N005`, `epoch-020`, `final`.
    pub milestone: String,
    /// The N that the network had just solved; `None` for a state that solved none.
    pub n: Option<usize>,
    /// Accuracy of the newest head on the test batches of that epoch, in [0, 1]; `None` for values.
    pub accuracy: Option<f64>,
    /// Loss of the newest head on the same batches: nats for classes, squared error for values.
    pub loss: Option<f64>,
}

/// Receives how far a measurement is: what is done for each neuron, for how many it is done (0 as it
/// begins) and how many there are. Called by any thread.
pub type Told<'a> = dyn Fn(&'static str, usize, usize) + Sync + 'a;

impl PortraitConfig {
    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn drive(&self) -> Drive {
        Drive {
            steps: self.steps,
            burn_in: self.burn_in,
            trials: self.trials,
            max_lag: LAGS.min(self.steps / 2),
            initial_state: self.initial_state,
            seed: self.seed,
        }
    }

    /// Measures a network on the pool in which it is called; the number of threads changes nothing.
    /// Columns of parts that are not measured are those of `before`, unless they come from a simulation
    /// of another length than the one that is made now.
    ///
    /// Memory: that of [`Drive::activity`], then that of a copy of the network for each thread.
    ///
    /// # Errors
    /// [`Error::Stopped`] soon after `stop` is set; settings that an estimator refuses.
    pub fn measure(
        &self,
        subject: &Subject<'_>,
        state: &State,
        before: Option<Portrait>,
        stop: &AtomicBool,
        told: &Told<'_>,
    ) -> Result<Portrait, Error> {
        let mut found = Portrait::at_rest(state, &subject.params.cast());
        let simulates = self.has(Part::Timescales) || self.has(Part::Dynamics);
        if let Some(before) = before {
            found.take_over(before, simulates.then_some((self.steps, self.trials)));
        }
        if simulates {
            let mut network = (subject.make)(subject.config.clone(), subject.params.clone())?;
            let activity = self.drive().activity(&mut *network, subject.task, stop)?;
            for row in &mut found.neurons {
                (row.steps, row.trials) = (Some(self.steps), Some(self.trials));
            }
            if self.has(Part::Timescales) {
                found.timescales(&activity, self.bias_check, self.seed, stop, told)?;
            }
            if self.has(Part::Dynamics) {
                found.components(&activity)?;
            }
        }
        if self.has(Part::Dynamics) && subject.config.leaky_cell().is_some() {
            found.step(subject)?;
            found.exponents(subject, self)?;
        }
        if self.has(Part::Ablation) {
            found.ablate(subject, self, stop, told)?;
        }
        found.summarise();
        Ok(found)
    }
}

impl Portrait {
    /// Takes out each neuron alone. Of a ladder the newest head is asked at every step (ICLR 2024), any
    /// other task is asked as it asks in training ([`Scoring::of`]).
    fn ablate(
        &mut self,
        subject: &Subject<'_>,
        how: &PortraitConfig,
        stop: &AtomicBool,
        told: &Told<'_>,
    ) -> Result<(), Error> {
        let initial_state = how.initial_state;
        let scoring = Scoring { initial_state, ..Scoring::of(subject.task, how.seed) };
        let done = |removed, of| told("taken out, one by one", removed, of);
        let (whole, without) = ablate_each(subject, &scoring, stop, &done)?;
        self.network.ablation_baseline = Some(whole.mean);
        for (row, value) in self.neurons.iter_mut().zip(without) {
            row.ablation_effect = whole.relative(value).map(|left| match whole.measure {
                Measure::Accuracy { .. } => 1.0 - left,
                Measure::Loss => left - 1.0,
            });
        }
        Ok(())
    }
}
