//! A long simulation, and the timescales of its activity.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Result, ensure};
use ndarray::{Array2, Array3, Axis};
use safetensors::tensor::Dtype;
use serde_json::json;
use tau_analysis::{Drive, FitConfig, tau_net};
use tau_random::{Key, Purpose};
use tau_rnn::{Activation, Backend, Config, Cpu, Hardware, Params, thread_pool};
use tau_tasks::{Task, TaskSpec};

use crate::files::{arrays, bytes, write};
use crate::machine;
use crate::peer::Peer;
use crate::row::{Row, quartiles};
use crate::update::network;

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
    let config = Config::leaky(case.hidden, 1);
    let mut params = network(&config, true)?;
    let pool = thread_pool(Some(case.threads))?;
    let task = TaskSpec::parity(&[30]).build()?;
    let key = Key::new(1, Purpose::DriveInputs);
    let inputs = task.drive(BURN_IN + case.steps, case.trials, key)?;
    let theirs = match peer {
        Some(peer) => Some(Theirs::ask(peer, &params, &inputs, with_tau_net)?),
        None => None,
    };
    params.readouts.clear();
    let mut ours = Cpu::new(config, params, Arc::clone(&pool))?;
    let mut rows = vec![simulation(case, &mut ours, &inputs, theirs.as_ref())?];
    if with_tau_net {
        let measured = pool.install(|| timescales(case, &mut ours, &*task, theirs.as_ref()));
        rows.push(measured?);
    }
    Ok(rows)
}

/// What the peer took and found.
struct Theirs {
    simulate_s: f64,
    mean: f64,
    /// Seconds of the fit, and the median τ_net, if it was asked for them.
    tau_net: Option<[f64; 2]>,
}

impl Theirs {
    fn ask(
        peer: &mut Peer,
        params: &Params<f32>,
        inputs: &Array3<f32>,
        with_tau_net: bool,
    ) -> Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        let mut arrays = arrays(params);
        let shape = inputs.shape().to_vec();
        arrays.insert("inputs".to_owned(), (shape, Dtype::F32, bytes(inputs.iter())));
        write(file.path(), &arrays)?;
        let answer = peer.ask(&json!({
            "do": "simulate", "file": file.path(), "slope": Activation::NEGATIVE_SLOPE,
            "burn_in": BURN_IN
        }))?;
        let (simulate_s, mean) =
            (Peer::number(&answer, "seconds")?, Peer::number(&answer, "mean")?);
        let mut tau_net = None;
        if with_tau_net {
            let answer = peer.ask(&json!({ "do": "tau_net", "lags": LAGS }))?;
            tau_net = Some([Peer::number(&answer, "seconds")?, Peer::number(&answer, "median")?]);
        }
        Ok(Self { simulate_s, mean, tau_net })
    }
}

/// Simulates in pieces; the mean activity must be the peer's.
fn simulation(
    case: &Case,
    ours: &mut Cpu<f32>,
    inputs: &Array3<f32>,
    theirs: Option<&Theirs>,
) -> Result<Row> {
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
    let seconds = start.elapsed().as_secs_f64();
    let mean = sum / (case.steps * case.trials * case.hidden) as f64;
    if let Some(Theirs { mean: theirs, .. }) = theirs {
        ensure!(
            (mean - theirs).abs() <= 0.01 * mean.abs(),
            "the peer simulates something else: mean activity {theirs} (ours: {mean})"
        );
    }
    let flops = 2.0 * ((BURN_IN + case.steps) * case.trials * case.hidden * case.hidden) as f64;
    let peak = machine::fma_peak_gflops(Hardware::Cpu, case.threads)?;
    let peak_share = Some(flops / seconds / 1e9 / peak);
    Ok(Row { peak_share, ..row(case, "simulate", seconds, theirs.map(|theirs| theirs.simulate_s)) })
}

/// Goes from the network to τ_net; the median must be the peer's.
fn timescales(
    case: &Case,
    ours: &mut Cpu<f32>,
    task: &dyn Task,
    theirs: Option<&Theirs>,
) -> Result<Row> {
    let drive = Drive {
        steps: case.steps,
        burn_in: BURN_IN,
        trials: case.trials,
        max_lag: LAGS,
        initial_state: 0.0,
        seed: 1,
    };
    machine::forget_peak_rss();
    let start = Instant::now();
    let found = drive.autocorrelation(ours, task, &AtomicBool::new(false))?;
    let fits = tau_net(&found, &FitConfig { lags: LAGS })?;
    let seconds = start.elapsed().as_secs_f64();
    let found: Vec<f64> =
        fits.units.iter().map(|fit| fit.tau).filter(|tau| !tau.is_nan()).collect();
    let median = quartiles(&found).map_or(f64::NAN, |[_, median, _]| median);
    let mut theirs_s = None;
    if let Some(Theirs { simulate_s, tau_net: Some([fit_s, theirs]), .. }) = theirs {
        ensure!(
            (median - theirs).abs() <= 0.1 * theirs,
            "the peer measures something else: median τ_net {theirs} (ours: {median})"
        );
        // Both from the network to τ_net: the peer's simulation counts too.
        theirs_s = Some(simulate_s + fit_s);
    }
    Ok(row(case, "tau_net", seconds, theirs_s))
}

fn row(case: &Case, what: &'static str, seconds: f64, peer_s: Option<f64>) -> Row {
    Row {
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
        peer: peer_s.map(|_| "numpy and scipy".to_owned()),
        peer_ms: peer_s.map(|s| s * 1e3),
        peer_quartiles_ms: None,
        ratio: peer_s.map(|s| s / seconds),
        peak_gflops: None,
        peak_share: None,
        peak_rss_mb: machine::peak_rss_mb(),
    }
}
