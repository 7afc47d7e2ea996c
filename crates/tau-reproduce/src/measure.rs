//! The timescales of one run, neuron by neuron.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tau_analysis::{Drive, FitConfig, Quality, TauNet, TauNets};
use tau_rnn::{Backend, thread_pool};
use tau_runs::Run;
use tau_tasks::TaskKind;

use crate::{Compat, Error, TauNetSettings};

/// One neuron of the network that had solved N.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuronRow {
    /// The N.
    pub n: usize,
    /// Counted from 0.
    pub neuron: usize,
    /// The trained parameter, in steps; `None` of a gated network.
    pub tau_raw: Option<f64>,
    /// What acts, max(τ_raw, 1), in steps; `None` of a gated network.
    pub tau_eff: Option<f64>,
    /// Decay time of the activity's autocorrelation, in steps; `None` for a neuron without one.
    pub tau_net: Option<f64>,
    /// Standard error of `tau_net`, in steps.
    pub tau_net_error: Option<f64>,
    /// Whether `tau_net` measures a timescale.
    pub quality: Quality,
    /// Steps of each trial that were measured.
    pub steps: usize,
    /// Trials.
    pub trials: usize,
}

/// Measures the network that the run kept for this N, on the pool in which it is called.
///
/// # Errors
/// [`Error::Interrupted`] once `stop` is set; a checkpoint that is not there; settings that the
/// estimator refuses.
pub fn measure(
    run: &Run,
    n: usize,
    settings: &TauNetSettings,
    stop: &AtomicBool,
) -> Result<Vec<NeuronRow>, Error> {
    let params = run.checkpoint(n)?.params.cast::<f64>();
    let fits = tau_nets(run, n, settings, Compat::Clean, stop)?;
    let tau_eff = params.tau_eff();
    let row = |(neuron, fit): (usize, &TauNet)| NeuronRow {
        n,
        neuron,
        tau_raw: params.tau.get(neuron).copied(),
        tau_eff: tau_eff.get(neuron).copied(),
        tau_net: Some(fit.tau).filter(|tau| tau.is_finite()),
        tau_net_error: fit.standard_error,
        quality: fit.quality,
        steps: settings.steps,
        trials: settings.trials,
    };
    Ok(fits.units.iter().enumerate().map(row).collect())
}

/// Drives the network that the run kept for this N with random input, on the run's device, and fits
/// τ_net to the activity of each neuron and of all.
///
/// # Errors
/// Those of [`measure`].
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
