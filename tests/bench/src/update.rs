//! One training update: forward, back-propagation, clipping, SGD.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use ndarray::{Array1, Array2, Array3, Axis};
use rayon::ThreadPool;
use serde_json::json;
use tau_random::{Key, Purpose};
use tau_rnn::bench::KernelTime;
use tau_rnn::cuda::{Cuda, Gpu};
use tau_rnn::{
    Activation, Backend, Batch, Config, Hardware, Optimiser, Params, Readout, Rule, thread_pool,
};

use crate::files::save;
use crate::peer::Peer;
use crate::row::{Kernel, Parts, Rounds, Row, Times, quartiles};
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
    let work = Work::new(case)?;
    machine::forget_peak_rss();
    let mut theirs = None;
    if let Some((peer, mode, tf32)) = &mut peer {
        theirs = Some(load(&work, peer, *mode, *tf32)?);
    }
    let once = work.time_of_one()?;
    // Enough updates a round for the clock.
    let count = (0.05 / once.as_secs_f64()).ceil().clamp(1.0, 100.0) as usize;
    // A long update is its own warm-up: the one that does not count.
    let warm_up = if once < WARM_UP { WARM_UP } else { Duration::ZERO };
    let peak = || machine::fma_peak_gflops(case.device, case.threads);
    let before = peak()?;
    let times = rounds.run(
        || work.round(warm_up, count),
        || {
            let Some((peer, ..)) = &mut peer else { return Ok(None) };
            let warm_up = warm_up.as_secs_f64();
            let answer =
                peer.ask(&json!({ "do": "update", "count": count, "warm_up": warm_up }))?;
            Ok(Some(Peer::number(&answer, "seconds")? * 1e3 / count as f64))
        },
    )?;
    Ok(row(case, &times, theirs.and_then(|theirs| theirs.name), [before, peak()?]))
}

/// A peer that has read what an update works on.
struct Loaded {
    name: Option<String>,
    /// The peer reads it again in every round.
    _file: tempfile::NamedTempFile,
}

/// Hands the work to the peer, and makes sure that it finds the same loss at once and after some updates.
fn load(work: &Work<'_>, peer: &mut Peer, mode: Mode, tf32: bool) -> Result<Loaded> {
    let batch = work.batch();
    let device = match work.case.device {
        Hardware::Cpu => "cpu".to_owned(),
        Hardware::Cuda { number } => format!("cuda:{number}"),
    };
    let file = tempfile::NamedTempFile::new()?;
    save(file.path(), &work.params, &work.inputs, &work.labels)?;
    let Rule::Sgd { learning_rate, momentum } = work.optimiser.rule else {
        bail!("the peer knows only SGD")
    };
    let answer = peer.ask(&json!({
        "do": "load", "file": file.path(), "slope": Activation::NEGATIVE_SLOPE,
        "learning_rate": learning_rate, "momentum": momentum, "clip": work.optimiser.clip_norm,
        "device": device, "mode": mode.name(), "tf32": tf32,
    }))?;
    // TF32 has 11 bits.
    let rough = if tf32 { 100.0 } else { 1.0 };
    let mut network = work.network()?;
    let (loss, theirs) = (network.evaluate(&batch)?.loss(), Peer::number(&answer, "loss")?);
    for _ in 0..UPDATES_BEFORE_SECOND_LOOK {
        network.update(&batch, &work.optimiser)?;
    }
    let (after, theirs_after) =
        (network.evaluate(&batch)?.loss(), Peer::number(&answer, "loss_after")?);
    ensure!(
        !mode.is_ours() || (loss - theirs).abs() <= SAME_LOSS * rough * loss,
        "the peer finds another loss: {theirs} (ours: {loss}); nothing can be compared"
    );
    ensure!(
        !mode.is_ours() || (after - theirs_after).abs() <= SAME_LATER * rough * after,
        "the peer trains otherwise: its loss is {theirs_after} after \
         {UPDATES_BEFORE_SECOND_LOOK} updates (ours: {after}); nothing can be compared"
    );
    Ok(Loaded { name: answer["peer"].as_str().map(str::to_owned), _file: file })
}

/// The row of these times; the peak was measured before and after them.
fn row(case: &Case, times: &Times, peer: Option<String>, peaks: [f64; 2]) -> Row {
    let steps = steps(case.n);
    let flops = 6.0 * (steps * case.batch * case.hidden * case.hidden) as f64;
    let [low, ours_ms, high] = quartiles(&times.ours).unwrap_or_default();
    let theirs = quartiles(&times.peer);
    Row {
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
        peer,
        peer_ms: theirs.map(|[_, median, _]| median),
        peer_quartiles_ms: theirs.map(|[low, _, high]| [low, high]),
        ratio: theirs.map(|[_, median, _]| median / ours_ms),
        peak_gflops: Some(peaks),
        peak_share: Some(flops / (ours_ms * 1e6) / peaks[0].max(peaks[1])),
        peak_rss_mb: machine::peak_rss_mb(),
    }
}

/// Steps of a batch, on average over lengths: T ~ U{N + 2, …, 4 N + 1}, rounded up.
fn steps(n: usize) -> usize {
    (5 * n + 3).div_ceil(2)
}

/// What an update of a case works on.
struct Work<'a> {
    case: &'a Case,
    pool: Arc<ThreadPool>,
    config: Config,
    params: Params<f32>,
    inputs: Array3<f32>,
    labels: Array2<u8>,
    optimiser: Optimiser,
}

impl<'a> Work<'a> {
    fn new(case: &'a Case) -> Result<Self> {
        let config = Config::leaky(case.hidden, 1);
        let params = network(&config, case.trained)?;
        let (inputs, labels) = trials(steps(case.n), case.batch, case.n);
        let labels = labels.insert_axis(Axis(1));
        let (pool, optimiser) = (thread_pool(Some(case.threads))?, Optimiser::nesterov());
        Ok(Self { case, pool, config, params, inputs, labels, optimiser })
    }

    fn batch(&self) -> Batch<'_, f32> {
        Batch::classes(&self.inputs, &self.labels)
    }

    /// The network before any update.
    fn network(&self) -> Result<Box<dyn Backend<f32>>> {
        let (config, params) = (self.config.clone(), self.params.clone());
        Ok(self.case.device.network(config, params, Arc::clone(&self.pool))?)
    }

    /// Does so many updates and waits for them: a GPU has only then done them.
    fn train(&self, network: &mut dyn Backend<f32>, updates: usize) -> Result<Duration> {
        let (batch, start) = (self.batch(), Instant::now());
        for _ in 0..updates {
            network.update(&batch, &self.optimiser)?;
        }
        network.take_mean_loss()?;
        Ok(start.elapsed())
    }

    /// The time of one update after the first. Its network is gone when it returns: its memory is not to
    /// count beside that of a round's network.
    fn time_of_one(&self) -> Result<Duration> {
        let mut network = self.network()?;
        self.train(&mut *network, 1)?;
        self.train(&mut *network, 1)
    }

    /// Milliseconds of one of `count` updates. Every round begins with the same weights, and with an
    /// update that does not count.
    fn round(&self, warm_up: Duration, count: usize) -> Result<f64> {
        if warm_up > Duration::ZERO {
            // Gone before the next one is there: its memory counts once.
            let mut network = self.network()?;
            self.train(&mut *network, 1)?;
            let start = Instant::now();
            while start.elapsed() < warm_up {
                self.train(&mut *network, 1)?;
            }
        }
        let mut network = self.network()?;
        self.train(&mut *network, 1)?;
        Ok(self.train(&mut *network, count)?.as_secs_f64() * 1e3 / count as f64)
    }
}

/// Takes one update on a GPU apart.
pub(crate) fn parts(case: &Case, number: usize, peak: f64) -> Result<Parts> {
    let steps = steps(case.n);
    let work = Work::new(case)?;
    let (config, params) = (work.config.clone(), work.params.clone());
    let mut network = Cuda::<f32, _>::new(config, params, Gpu::open(number)?)?;
    let median = |network: &mut Cuda<f32, Gpu>| -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..21 {
            times.push(work.train(network, 1)?.as_secs_f64() * 1e3);
        }
        Ok(quartiles(&times).map_or(f64::NAN, |[_, median, _]| median))
    };
    let with_graphs_ms = median(&mut network)?;
    network.device().launch_singly();
    let singly_ms = median(&mut network)?;
    network.device().start_timing();
    network.update(&work.batch(), &work.optimiser)?;
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
    params.readouts.push(Readout::init(config, 2, &mut random));
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
