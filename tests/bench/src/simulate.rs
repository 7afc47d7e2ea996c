//! A long simulation, and the timescales of its activity.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Result, ensure};
use ndarray::{Array2, Array3, Axis};
use safetensors::tensor::Dtype;
use serde_json::json;
use tau_analysis::{Drive, FitConfig, tau_net};
use tau_random::{Key, Purpose};
use tau_rnn::{Activation, Backend, Config, Cpu, Hardware, thread_pool};
use tau_tasks::TaskKind;

use crate::machine;
use crate::peer::Peer;
use crate::row::{Row, quartiles};
use crate::update::{arrays, bytes, network, write};

pub(crate) struct Case {
    pub(crate) hidden: usize,
    pub(crate) trials: usize,
    pub(crate) steps: usize,
    pub(crate) threads: usize,
}

const BURN_IN: usize = 500;
/// Largest lag of the fit.
const LAGS: usize = 30;
/// Steps that are simulated at a time.
const CHUNK: usize = 1000;

/// Times a simulation alone and, if asked, the whole way to τ_net. Once each: they are long.
pub(crate) fn time(case: &Case, with_tau_net: bool, peer: Option<&mut Peer>) -> Result<Vec<Row>> {
    let config = Config::paper(case.hidden);
    let mut params = network(&config, true)?;
    let pool = thread_pool(Some(case.threads))?;
    let task = TaskKind::Parity.with_memory(&[30])?;
    let drive = Drive {
        steps: case.steps,
        burn_in: BURN_IN,
        trials: case.trials,
        max_lag: LAGS,
        initial_state: 0.0,
        seed: 1,
    };
    let inputs =
        task.drive(BURN_IN + case.steps, case.trials, Key::new(1, Purpose::DriveInputs))?;
    let (mut theirs_s, mut name) = ([None, None], None);
    let (mut theirs_mean, mut theirs_tau) = (None, None);
    if let Some(peer) = peer {
        let file = tempfile::NamedTempFile::new()?;
        let mut arrays = arrays(&params);
        let shape = inputs.shape().to_vec();
        arrays.insert("inputs".to_owned(), (shape, Dtype::F32, bytes(inputs.iter())));
        write(file.path(), &arrays)?;
        let path = file.path();
        let question = json!({
            "do": "simulate", "file": path, "slope": Activation::NEGATIVE_SLOPE, "burn_in": BURN_IN
        });
        let answer = peer.ask(&question)?;
        theirs_s[0] = Some(Peer::number(&answer, "seconds")?);
        theirs_mean = Some(Peer::number(&answer, "mean")?);
        if with_tau_net {
            let answer = peer.ask(&json!({ "do": "tau_net", "lags": LAGS }))?;
            theirs_s[1] = Some(Peer::number(&answer, "seconds")?);
            theirs_tau = Some(Peer::number(&answer, "median")?);
        }
        name = Some("numpy and scipy".to_owned());
    }
    params.readouts.clear();
    let mut ours = Cpu::new(config, params, std::sync::Arc::clone(&pool))?;
    machine::forget_peak_rss();
    let start = Instant::now();
    let (mut state, mut activity) =
        (Array2::zeros((case.trials, case.hidden)), Array3::zeros((0, 0, 0)));
    let (mut sum, mut steps) = (0.0, 0);
    for inputs in inputs.axis_chunks_iter(Axis(0), CHUNK) {
        ours.advance(&mut state, inputs, &mut activity)?;
        let skipped = BURN_IN.saturating_sub(steps).min(inputs.len_of(Axis(0)));
        steps += inputs.len_of(Axis(0));
        let counted = activity.slice(ndarray::s![skipped.., .., ..]);
        sum += counted.iter().map(|&x| f64::from(x)).sum::<f64>();
    }
    let simulate_s = start.elapsed().as_secs_f64();
    let mean = sum / (case.steps * case.trials * case.hidden) as f64;
    if let Some(theirs) = theirs_mean {
        ensure!(
            (mean - theirs).abs() <= 0.01 * mean.abs(),
            "the peer simulates something else: mean activity {theirs} (ours: {mean})"
        );
    }
    let flops = 2.0 * ((BURN_IN + case.steps) * case.trials * case.hidden * case.hidden) as f64;
    let peak = machine::fma_peak_gflops(Hardware::Cpu, case.threads)?;
    let row = |what, seconds: f64, peer_s: Option<f64>| Row {
        what,
        device: "cpu",
        threads: case.threads,
        hidden: case.hidden,
        batch: case.trials,
        n: None,
        steps: case.steps,
        weights: "trained",
        ours_ms: seconds * 1e3,
        rounds: None,
        ours_quartiles_ms: None,
        peer: name.clone(),
        peer_ms: peer_s.map(|s| s * 1e3),
        peer_quartiles_ms: None,
        ratio: peer_s.map(|s| s / seconds),
        peak_gflops: None,
        peak_share: None,
        peak_rss_mb: machine::peak_rss_mb(),
    };
    let mut simulated = row("simulate", simulate_s, theirs_s[0]);
    simulated.peak_share = Some(flops / simulate_s / 1e9 / peak);
    let mut rows = vec![simulated];
    if with_tau_net {
        machine::forget_peak_rss();
        let start = Instant::now();
        let fits = pool.install(|| {
            let found = drive.autocorrelation(&mut ours, &*task, &AtomicBool::new(false))?;
            tau_net(&found, &FitConfig { lags: LAGS })
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let found: Vec<f64> =
            fits.units.iter().map(|fit| fit.tau).filter(|tau| !tau.is_nan()).collect();
        let median = quartiles(&found).map_or(f64::NAN, |[_, median, _]| median);
        if let Some(theirs) = theirs_tau {
            ensure!(
                (median - theirs).abs() <= 0.1 * theirs,
                "the peer measures something else: median τ_net {theirs} (ours: {median})"
            );
        }
        // Both from the network to τ_net: the peer's simulation counts too.
        let theirs = theirs_s[1].zip(theirs_s[0]).map(|(fit, simulation)| fit + simulation);
        rows.push(row("tau_net", seconds, theirs));
    }
    Ok(rows)
}
