//! The timescales of one run, neuron by neuron.

use std::sync::atomic::AtomicBool;

use serde::Serialize;
use tau_analysis::{Drive, FitConfig, Quality};
use tau_rnn::thread_pool;
use tau_runs::Run;

use crate::{Error, TauNetSettings};

/// One neuron of the network that had solved N.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NeuronRow {
    /// The N.
    pub n: usize,
    /// Counted from 0.
    pub neuron: usize,
    /// The trained parameter, in steps.
    pub tau_raw: f64,
    /// What acts, max(τ_raw, 1), in steps.
    pub tau_eff: f64,
    /// Decay time of the activity's autocorrelation, in steps; `None` for a neuron without one.
    pub tau_net: Option<f64>,
    /// Standard error of `tau_net`, in steps.
    pub tau_net_error: Option<f64>,
    /// Whether `tau_net` measures a timescale.
    pub quality: Quality,
}

/// Measures the networks that the run kept for these N, on the pool in which it is called.
/// `measured` is told each N that is done.
///
/// # Errors
/// [`Error::Interrupted`] once `stop` is set; a checkpoint that is not there; settings that the
/// estimator refuses.
pub fn measure(
    run: &Run,
    memory: &[usize],
    settings: &TauNetSettings,
    stop: &AtomicBool,
    mut measured: impl FnMut(usize),
) -> Result<Vec<NeuronRow>, Error> {
    let spec = run.spec();
    let drive = Drive {
        steps: settings.steps,
        burn_in: settings.burn_in,
        trials: settings.trials,
        max_lag: settings.fit_lags,
        initial_state: spec.initial_state,
        seed: spec.seed,
    };
    let mut rows = Vec::new();
    for &n in memory {
        let checkpoint = run.checkpoint(n)?;
        let params = checkpoint.params.cast::<f64>();
        let pool = thread_pool(Some(1))?;
        let mut network = run.hardware().network(checkpoint.config, checkpoint.params, pool)?;
        let task = spec.task.with_memory(&[n]).map_err(tau_curricula::Error::from)?;
        let found = drive.autocorrelation(&mut *network, &*task, stop)?;
        let fits = tau_analysis::tau_net(&found, &FitConfig { lags: settings.fit_lags })?;
        let tau_eff = params.tau_eff();
        rows.extend(fits.units.iter().enumerate().map(|(neuron, fit)| NeuronRow {
            n,
            neuron,
            tau_raw: params.tau[neuron],
            tau_eff: tau_eff[neuron],
            tau_net: Some(fit.tau).filter(|tau| tau.is_finite()),
            tau_net_error: fit.standard_error,
            quality: fit.quality,
        }));
        measured(n);
    }
    Ok(rows)
}
