//! What is measured on the networks of one run: a row for each neuron, one for each network.

mod at_rest;
mod dynamics;
mod rows;
#[cfg(test)]
mod tests;
mod timescales;

use std::sync::atomic::AtomicBool;

use tau_analysis::{Drive, FitConfig, Scoring, Subject, TauNets, ablate_each, relative_accuracy};
use tau_rnn::{Backend, Checkpoint, thread_pool};
use tau_runs::Run;
use tau_tasks::{Task, TaskKind};

use crate::{Compat, Error, TauNetSettings};
pub use rows::{Measured, ModeRow, NetworkRow, NeuronRow};

/// Largest lag of the autocorrelation, in steps: five times the largest τ_net.
const LAGS: usize = 500;

/// What is measured; each part fills columns of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// τ_net with its interval and the estimates beside it, of a long simulation.
    Timescales,
    /// Accuracy without each neuron.
    Ablation,
    /// Principal components of the same simulation, eigenvalues, Lyapunov exponents.
    Dynamics,
}

/// How networks are measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Steps of each trial that count, 100 or more.
    pub steps: usize,
    /// Steps before those.
    pub burn_in: usize,
    /// Trials.
    pub trials: usize,
    /// The parts.
    pub parts: Vec<Part>,
    /// Whether every τ_net is checked against recordings simulated from its fit: one simulates 100
    /// recordings a neuron, by far the longest work.
    pub bias_check: bool,
}

impl Measurement {
    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn drive(&self, run: &Run) -> Drive {
        Drive {
            steps: self.steps,
            burn_in: self.burn_in,
            trials: self.trials,
            max_lag: LAGS.min(self.steps / 2),
            initial_state: run.spec().initial_state,
            seed: run.spec().seed,
        }
    }
}

/// Who is told how far a measurement is: what is done for each neuron, for how many it is done (0 as it
/// begins) and how many there are. Called by any thread.
pub type Told<'a> = dyn Fn(&'static str, usize, usize) + Sync + 'a;

/// Measures the network that the run kept for this N, on the run's device and on the pool in which it is
/// called; the number of threads changes nothing. Columns of parts that are not measured are those of
/// `before`, unless they come from a simulation of another length than the one that is made now.
///
/// Memory: that of [`Drive::activity`], then that of a copy of the network for each thread.
///
/// # Errors
/// [`Error::Interrupted`] soon after `stop` is set; a checkpoint that is not there; settings that an
/// estimator refuses.
pub fn measure(
    run: &Run,
    n: usize,
    how: &Measurement,
    before: Option<Measured>,
    stop: &AtomicBool,
    told: &Told,
) -> Result<Measured, Error> {
    let checkpoint = run.checkpoint(n)?;
    let mut found = Measured::at_rest(n, &checkpoint.params.cast());
    let simulates = how.has(Part::Timescales) || how.has(Part::Dynamics);
    if let Some(before) = before {
        found.take_over(before, simulates.then_some((how.steps, how.trials)));
    }
    if simulates {
        let task = task(run, n)?;
        let activity = how.drive(run).activity(&mut *backend(run, n)?, &*task, stop)?;
        for row in &mut found.neurons {
            (row.steps, row.trials) = (Some(how.steps), Some(how.trials));
        }
        if how.has(Part::Timescales) {
            found.timescales(&activity, how.bias_check, run.spec().seed, stop, told)?;
        }
        if how.has(Part::Dynamics) {
            found.components(&activity)?;
        }
    }
    if how.has(Part::Dynamics) && !checkpoint.config.cell.gated() {
        found.step(&checkpoint)?;
        found.exponents(&checkpoint, &*task(run, n)?, how, run.spec().seed)?;
    }
    if how.has(Part::Ablation) {
        found.ablate(run, &checkpoint, stop, told)?;
    }
    found.summarise(&run.metrics()?);
    Ok(found)
}

impl Measured {
    /// Takes out each neuron alone. As in the paper: the newest head is asked at every step.
    fn ablate(
        &mut self,
        run: &Run,
        checkpoint: &Checkpoint<f32>,
        stop: &AtomicBool,
        told: &Told,
    ) -> Result<(), Error> {
        let (n, spec) = (self.network.n, run.spec());
        let pool = thread_pool(Some(1))?;
        let subject = Subject {
            config: &checkpoint.config,
            params: &checkpoint.params,
            task: &*task(run, n)?,
            head: checkpoint.params.readouts.len().saturating_sub(1),
            make: &|config, params| run.hardware().network(config, params, pool.clone()),
        };
        let paper = Scoring::paper(spec.seed);
        let initial_state = spec.initial_state;
        let scoring = Scoring { warm_up: paper.warm_up.max(n), initial_state, ..paper };
        let done = |removed, of| told("taken out, one by one", removed, of);
        let (whole, without) = ablate_each(&subject, &scoring, stop, &done)?;
        self.network.ablation_baseline = Some(whole.mean);
        for (row, accuracy) in self.neurons.iter_mut().zip(without) {
            row.ablation_effect = relative_accuracy(accuracy, whole.mean).map(|left| 1.0 - left);
        }
        Ok(())
    }
}

fn task(run: &Run, n: usize) -> Result<Box<dyn Task>, Error> {
    let spec = run.spec();
    Ok(spec.task.with_coding(&[n], spec.coding).map_err(tau_curricula::Error::from)?)
}

/// Drives the network that the run kept for this N with random input, on the run's device, and fits
/// τ_net to the activity of each neuron and of all.
///
/// # Errors
/// Those of [`measure()`].
pub(crate) fn tau_nets(
    run: &Run,
    n: usize,
    settings: &TauNetSettings,
    compat: Compat,
    stop: &AtomicBool,
) -> Result<TauNets, Error> {
    let spec = run.spec();
    let drive = Drive {
        steps: settings.steps,
        burn_in: settings.burn_in,
        trials: settings.trials,
        max_lag: settings.fit_lags,
        initial_state: spec.initial_state,
        seed: spec.seed,
    };
    let driven_by = match compat {
        Compat::Clean => spec.task,
        // The published code drives every network with parity's input.
        Compat::Iclr2024 => TaskKind::Parity,
    };
    let task = driven_by.with_coding(&[n], spec.coding).map_err(tau_curricula::Error::from)?;
    let found = drive.autocorrelation(&mut *backend(run, n)?, &*task, stop)?;
    Ok(tau_analysis::tau_net(&found, &FitConfig { lags: settings.fit_lags })?)
}

/// The network when it had solved N, on the run's device; on the processor on one thread: the
/// networks, not the batch, are what is spread over the threads.
pub(crate) fn backend(run: &Run, n: usize) -> Result<Box<dyn Backend<f32>>, Error> {
    let checkpoint = run.checkpoint(n)?;
    let (config, params) = (checkpoint.config, checkpoint.params);
    Ok(run.hardware().network(config, params, thread_pool(Some(1))?)?)
}
