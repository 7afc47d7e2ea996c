//! One training update: forward, back-propagation, clipping, SGD.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use ndarray::{Array1, Array2, Array3, Axis};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Activation, Backend, Batch, Config, Hardware, Initial, Optimiser, Params, Readout, Rule,
    Target, thread_pool,
};

use tau_rnn::bench::KernelTime;
use tau_rnn::cuda::{Cuda, Gpu};

use crate::peer::Peer;
use crate::row::{Kernel, Parts, Rounds, Row, quartiles};
use crate::{Mode, machine};

pub(crate) struct Case {
    pub(crate) hidden: usize,
    pub(crate) n: usize,
    pub(crate) batch: usize,
    pub(crate) device: Hardware,
    pub(crate) threads: usize,
    pub(crate) trained: bool,
}

impl Case {
    fn weights(&self) -> &'static str {
        if self.trained { "trained" } else { "fresh" }
    }
}

/// Losses of two programs on the same numbers in f32 agree at least so far.
const SAME_LOSS: f64 = 1e-4;

/// After a few updates: units on the other side of a kink have had time to matter.
const SAME_LATER: f64 = 1e-2;

/// As `FIVE` in peer.py.
const UPDATES_BEFORE_SECOND_LOOK: usize = 5;

/// Both sides work this long before each round: after a pause the system may leave two threads on
/// one processor for tens of milliseconds, and how soon it parts them is not what is asked.
const WARM_UP: Duration = Duration::from_millis(200);

/// Times one row.
pub(crate) fn time(
    case: &Case,
    rounds: Rounds,
    mut peer: Option<(&mut Peer, Mode, bool)>,
) -> Result<Row> {
    let steps = steps(case.n);
    let Work { config, params, inputs, labels } = Work::new(case)?;
    let batch = batch(&inputs, &labels);
    machine::forget_peak_rss();
    let pool = thread_pool(Some(case.threads))?;
    let optimiser = Optimiser::paper();
    // Every round begins with the same weights and an update that does not count.
    let new = || case.device.network(config.clone(), params.clone(), Arc::clone(&pool));
    let begin = || -> Result<Box<dyn Backend<f32>>> {
        let mut network = new()?;
        network.update(&batch, &optimiser)?;
        // A GPU has only then done it.
        network.take_mean_loss()?;
        Ok(network)
    };
    let mut name = None;
    // The peer reads it again in every round.
    let mut kept = None;
    if let Some((peer, mode, tf32)) = &mut peer {
        let loss = new()?.evaluate(&batch)?.loss();
        let device = match case.device {
            Hardware::Cpu => "cpu".to_owned(),
            Hardware::Cuda { number } => format!("cuda:{number}"),
        };
        let file = tempfile::NamedTempFile::new()?;
        save(file.path(), &params, &inputs, &labels)?;
        let Rule::Sgd { learning_rate, momentum } = optimiser.rule else {
            bail!("the peer knows only SGD")
        };
        let answer = peer.ask(&json!({
            "do": "load", "file": file.path(), "slope": Activation::NEGATIVE_SLOPE,
            "learning_rate": learning_rate, "momentum": momentum, "clip": optimiser.clip_norm,
            "device": device, "mode": mode.name(), "tf32": tf32,
        }))?;
        let theirs = Peer::number(&answer, "loss")?;
        // TF32 has 11 bits.
        let rough = if *tf32 { 100.0 } else { 1.0 };
        let mut network = new()?;
        for _ in 0..UPDATES_BEFORE_SECOND_LOOK {
            network.update(&batch, &optimiser)?;
        }
        let after = network.evaluate(&batch)?.loss();
        let theirs_after = Peer::number(&answer, "loss_after")?;
        ensure!(
            !mode.is_ours() || (loss - theirs).abs() <= SAME_LOSS * rough * loss,
            "the peer finds another loss: {theirs} (ours: {loss}); nothing can be compared"
        );
        ensure!(
            !mode.is_ours() || (after - theirs_after).abs() <= SAME_LATER * rough * after,
            "the peer trains otherwise: its loss is {theirs_after} after \
             {UPDATES_BEFORE_SECOND_LOOK} updates (ours: {after}); nothing can be compared"
        );
        name = answer["peer"].as_str().map(str::to_owned);
        kept = Some(file);
    }
    // Enough updates a round for the clock.
    let mut network = begin()?;
    let start = Instant::now();
    network.update(&batch, &optimiser)?;
    network.take_mean_loss()?;
    let once = start.elapsed();
    // Its memory is not to count beside that of a round's network.
    drop(network);
    let count = (0.05 / once.as_secs_f64()).ceil().clamp(1.0, 100.0) as usize;
    // A long update is its own warm-up: the one that does not count.
    let warm_up = if once < WARM_UP { WARM_UP } else { Duration::ZERO };
    let peak = || machine::fma_peak_gflops(case.device, case.threads);
    let before = peak()?;
    let times = rounds.run(
        || {
            if warm_up > Duration::ZERO {
                // Gone before the next one is there: its memory counts once.
                let (mut network, start) = (begin()?, Instant::now());
                while start.elapsed() < warm_up {
                    network.update(&batch, &optimiser)?;
                    network.take_mean_loss()?;
                }
            }
            let (mut network, start) = (begin()?, Instant::now());
            for _ in 0..count {
                network.update(&batch, &optimiser)?;
            }
            network.take_mean_loss()?;
            Ok(start.elapsed().as_secs_f64() * 1e3 / count as f64)
        },
        || {
            let Some((peer, ..)) = &mut peer else { return Ok(None) };
            let warm_up = warm_up.as_secs_f64();
            let answer =
                peer.ask(&json!({ "do": "update", "count": count, "warm_up": warm_up }))?;
            Ok(Some(Peer::number(&answer, "seconds")? * 1e3 / count as f64))
        },
    )?;
    drop(kept);
    let flops = 6.0 * (steps * case.batch * case.hidden * case.hidden) as f64;
    let [low, ours_ms, high] = quartiles(&times.ours).unwrap_or_default();
    let theirs = quartiles(&times.peer);
    let peaks = [before, peak()?];
    Ok(Row {
        what: "update",
        device: if case.device == Hardware::Cpu { "cpu" } else { "cuda" },
        threads: case.threads,
        hidden: case.hidden,
        batch: case.batch,
        n: Some(case.n),
        steps,
        weights: case.weights(),
        ours_ms,
        rounds: Some(times.ours.len()),
        ours_quartiles_ms: Some([low, high]),
        peer: name,
        peer_ms: theirs.map(|[_, median, _]| median),
        peer_quartiles_ms: theirs.map(|[low, _, high]| [low, high]),
        ratio: theirs.map(|[_, median, _]| median / ours_ms),
        peak_gflops: Some(peaks),
        peak_share: Some(flops / (ours_ms * 1e6) / peaks[0].max(peaks[1])),
        peak_rss_mb: machine::peak_rss_mb(),
    })
}

/// Steps of a batch, on average over lengths: T ~ U{N + 2, …, 4 N + 1}, rounded up.
fn steps(n: usize) -> usize {
    (5 * n + 3).div_ceil(2)
}

/// What a case is computed on.
struct Work {
    config: Config,
    params: Params<f32>,
    inputs: Array3<f32>,
    labels: Array2<u8>,
}

impl Work {
    fn new(case: &Case) -> Result<Self> {
        let config = Config::paper(case.hidden);
        let params = network(&config, case.trained)?;
        let (inputs, labels) = trials(steps(case.n), case.batch, case.n);
        Ok(Self { config, params, inputs, labels: labels.insert_axis(Axis(1)) })
    }
}

fn batch<'a>(inputs: &'a Array3<f32>, labels: &'a Array2<u8>) -> Batch<'a, f32> {
    Batch {
        inputs: inputs.view(),
        initial: Initial::Zero,
        target: Target::Labels { labels: labels.view(), heads: &[0] },
    }
}

/// Takes one update on a GPU apart.
pub(crate) fn parts(case: &Case, number: usize, peak: f64) -> Result<Parts> {
    let steps = steps(case.n);
    let Work { config, params, inputs, labels } = Work::new(case)?;
    let batch = batch(&inputs, &labels);
    let optimiser = Optimiser::paper();
    let mut network = Cuda::<f32, _>::new(config, params, Gpu::open(number)?)?;
    let median = |network: &mut Cuda<f32, Gpu>| -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..21 {
            let start = Instant::now();
            network.update(&batch, &optimiser)?;
            network.take_mean_loss()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(quartiles(&times).map_or(f64::NAN, |[_, median, _]| median))
    };
    let with_graphs_ms = median(&mut network)?;
    network.device().launch_singly();
    let singly_ms = median(&mut network)?;
    network.device().start_timing();
    network.update(&batch, &optimiser)?;
    let times = network.device().stop_timing();
    let is_small = times.iter().any(|(kernel, _)| *kernel == "backward_small");
    let kernel = |(kernel, KernelTime { launches, milliseconds })| {
        let flops = flops(kernel, case, steps, is_small);
        let peak_share = flops.map(|flops| flops / (milliseconds * 1e6) / peak);
        Kernel { kernel, launches, ms: milliseconds, peak_share }
    };
    Ok(Parts {
        hidden: case.hidden,
        n: case.n,
        steps,
        weights: case.weights(),
        with_graphs_ms,
        singly_ms,
        kernels: times.into_iter().map(kernel).collect(),
    })
}

/// Operations of a kernel's products in one update with a head of two outputs, padding and
/// the few columns of inputs left out; `None` for a kernel that is no product.
fn flops(kernel: &str, case: &Case, steps: usize, is_small: bool) -> Option<f64> {
    const OUTPUTS: usize = 2;
    let (all, of_a_step) = (case.batch * steps, case.hidden * case.hidden);
    let heads = case.batch * OUTPUTS * case.hidden;
    // The last step has its errors from the heads; where one kernel goes on from there, that is all
    // that `backward` does.
    let back = (all - case.batch) * of_a_step;
    let products = match kernel {
        "forward" | "forward_small" => all * of_a_step,
        "backward_small" => back,
        "backward" if is_small => heads,
        "backward" => back + heads,
        "outer" => all * of_a_step + heads,
        "outputs" => heads,
        _ => return None,
    };
    Some(2.0 * products as f64)
}

/// A network with its one head. Fresh weights let the error vanish on its way back; twice as large
/// they keep it, as the weights of a network with a long memory do.
pub(crate) fn network(config: &Config, trained: bool) -> Result<Params<f32>> {
    let mut random = Key::new(1, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(config, &mut random)?;
    params.readouts.push(Readout::init(2, config.hidden_size, &mut random));
    if trained {
        params.w_rec *= 2.0;
    }
    Ok(params)
}

/// Random bits and the parity of the last N.
fn trials(steps: usize, trials: usize, n: usize) -> (Array3<f32>, Array1<u8>) {
    let random = Key::new(1, Purpose::Inputs);
    let inputs = Array3::from_shape_fn((steps, trials, 1), |(t, trial, _)| {
        random.unit_f32((t * trials + trial) as u64).round()
    });
    let parity = |trial: usize| {
        let ones = (steps - n..steps).filter(|&t| inputs[[t, trial, 0]] > 0.5).count();
        u8::from(ones % 2 == 1)
    };
    let labels = (0..trials).map(parity).collect();
    (inputs, labels)
}

/// What the peer reads.
fn save(
    path: &Path,
    params: &Params<f32>,
    inputs: &Array3<f32>,
    labels: &Array2<u8>,
) -> Result<()> {
    let mut arrays = arrays(params);
    arrays.insert("inputs".to_owned(), (inputs.shape().to_vec(), Dtype::F32, bytes(inputs.iter())));
    let labels = (vec![labels.len()], Dtype::U8, labels.iter().copied().collect());
    arrays.insert("labels".to_owned(), labels);
    write(path, &arrays)
}

pub(crate) type Arrays = BTreeMap<String, (Vec<usize>, Dtype, Vec<u8>)>;

pub(crate) fn arrays(params: &Params<f32>) -> Arrays {
    let shape = |name: &str| match name {
        "w_rec" => params.w_rec.shape().to_vec(),
        "w_in" => params.w_in.shape().to_vec(),
        "readout.0.weight" => params.readouts[0].weight.shape().to_vec(),
        "readout.0.bias" => params.readouts[0].bias.shape().to_vec(),
        _ => vec![params.hidden_size()],
    };
    let array = |(tensor, values): (tau_rnn::Tensor, &[f32])| {
        let name = tensor.to_string();
        (name.clone(), (shape(&name), Dtype::F32, bytes(values.iter())))
    };
    params.tensors().map(array).collect()
}

pub(crate) fn bytes<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<u8> {
    values.flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn write(path: &Path, arrays: &Arrays) -> Result<()> {
    let mut views = Vec::new();
    for (name, (shape, dtype, bytes)) in arrays {
        views.push((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?));
    }
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
