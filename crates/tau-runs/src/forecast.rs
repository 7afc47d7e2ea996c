//! What runs will need, before they begin.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Array3};
use rayon::ThreadPool;
use tau_curricula::TrainingSpec;
use tau_random::{Key, Purpose};
use tau_rnn::{Batch, Initial, Readout, Rule, Target, thread_pool};

use crate::{Error, Run, State};

/// Memory, disk, time of some runs, and how best to share out the threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Largest work space of the networks in flight, in bytes.
    pub memory_bytes: usize,
    /// Files of all runs at their end, in bytes.
    pub disk_bytes: usize,
    /// Seconds of training if every run used all its epochs while N grew evenly to its end.
    pub about_s: f64,
    /// Runs side by side that take the least time in all.
    pub jobs: usize,
}

/// Steps of a batch, on average: T ~ U{N + 2, …, 4 N + 1}.
fn mean_steps(n: f64) -> f64 {
    (5.0 * n + 3.0) / 2.0
}

impl Forecast {
    /// Times a few updates, for `probe_s` seconds or so, of one unfinished run of each size, alone on a
    /// thread and on all of them, and scales by the work of all.
    ///
    /// # Errors
    /// Those of the core.
    pub fn of(runs: &[&Run], threads: usize, probe_s: f64) -> Result<Self, Error> {
        let left = |run: &&&Run| {
            let status = run.status().ok().flatten();
            status.is_none_or(|status| status.state == State::Unfinished)
        };
        let unfinished: Vec<&Run> = runs.iter().filter(left).copied().collect();
        // The largest work first: it decides how the threads are shared out.
        let mut sizes: BTreeMap<(usize, usize), (f64, &Run)> = BTreeMap::new();
        for run in &unfinished {
            let spec = run.spec();
            let size = (spec.network.hidden_size, spec.batch_size);
            sizes.entry(size).or_insert((0.0, run)).0 += step_count(spec) * per_step(spec);
        }
        let mut sizes: Vec<(f64, &Run)> = sizes.into_values().collect();
        sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let Some((_, first)) = sizes.first() else {
            return Ok(Self { memory_bytes: 0, disk_bytes: 0, about_s: 0.0, jobs: 1 });
        };
        let probe_s = probe_s / (2 * sizes.len().min(MOST_PROBES)) as f64;
        let side_by_side = threads.min(unfinished.len()).max(1);
        let share = thread_pool(Some((threads / side_by_side).max(1)))?;
        let all = thread_pool(Some(threads))?;
        let mut jobs = side_by_side;
        let mut seconds = seconds_per_step(first, &share, probe_s)? / side_by_side as f64;
        if side_by_side > 1 {
            let together = seconds_per_step(first, &all, probe_s)?;
            // Side by side unless it is clearly slower: who waits for nobody wins in the long run.
            if together < 0.9 * seconds {
                (jobs, seconds) = (1, together);
            }
        }
        let pool = if jobs == 1 { &all } else { &share };
        // Seconds by unit of work; a size that is not timed is taken for one like the last that was.
        let mut pace = seconds / per_step(first.spec());
        let mut about_s = 0.0;
        for (index, (work, run)) in sizes.iter().enumerate() {
            if (1..MOST_PROBES).contains(&index) {
                let seconds = seconds_per_step(run, pool, probe_s)? / jobs as f64;
                pace = seconds / per_step(run.spec());
            }
            about_s += work * pace;
        }
        let mut memory: Vec<usize> = unfinished.iter().map(|run| workspace(run)).collect();
        memory.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Self {
            memory_bytes: memory.iter().take(jobs).sum(),
            disk_bytes: unfinished.iter().map(|run| disk(run.spec())).sum(),
            about_s,
            jobs,
        })
    }
}

/// Sizes that are timed, at most.
const MOST_PROBES: usize = 8;

/// Work of a time step of an update, in multiplications of W.
fn per_step(spec: &TrainingSpec) -> f64 {
    let hidden = spec.network.hidden_size as f64;
    // Besides W a neuron costs as much as some ten more connections.
    spec.batch_size as f64 * hidden * (hidden + 10.0)
}

fn workspace(run: &Run) -> usize {
    let (spec, hardware) = (run.spec(), run.hardware());
    let held = spec.time_steps().into_iter().max().unwrap_or(1) as usize;
    let (steps, outputs) = (held * (4 * spec.n_end + 1), 2 * spec.n_end);
    hardware.workspace_bytes(&spec.network, steps, spec.batch_size, outputs, false)
}

/// A checkpoint for each N, two states with momentum, a table.
fn disk(spec: &TrainingSpec) -> usize {
    let hidden = spec.network.hidden_size;
    let cell = spec.network.gate_rows() * (hidden + 3) + hidden;
    let (mut heads, mut numbers, mut rows) = (0, 0, 0);
    let mut stage = Some(spec.curriculum.first(spec.n_start));
    while let Some(now) = stage {
        heads = heads.max(now.memory.len());
        numbers += cell + now.memory.len() * 2 * (hidden + 1);
        rows += now.memory.len();
        stage = if now.n_max() < spec.n_end { spec.curriculum.next(&now) } else { None };
    }
    let kept = if matches!(spec.optimiser.rule, Rule::Adam { .. }) { 3 } else { 2 };
    numbers += 2 * kept * (cell + heads * 2 * (hidden + 1));
    4 * numbers + 80 * rows * spec.max_epochs / spec.n_end.max(1)
}

/// Time steps of all updates of a run whose N grows evenly, every k of it; a test batch costs a third
/// of an update.
fn step_count(spec: &TrainingSpec) -> f64 {
    let updates = spec.updates_per_epoch as f64 + spec.test_batches as f64 / 3.0;
    let middle = (spec.n_start + spec.n_end) as f64 / 2.0;
    let held: f64 = spec.time_steps().into_iter().map(f64::from).sum();
    spec.max_epochs as f64 * updates * held * mean_steps(middle)
}

/// Seconds of one time step of an update on these threads. An update that diverges is as much work as
/// another one, and is the training's to report.
fn seconds_per_step(run: &Run, pool: &Arc<ThreadPool>, probe_s: f64) -> Result<f64, Error> {
    let spec = run.spec();
    let mut params = spec.initial_params::<f32>()?;
    let mut random = Key::new(0, Purpose::Readout).stream();
    params.readouts.push(Readout::init(2, spec.network.hidden_size, &mut random));
    let mut network = run.hardware().network(spec.network.clone(), params, Arc::clone(pool))?;
    let steps = 30;
    let bits = Key::new(0, Purpose::Inputs);
    let inputs = Array3::from_shape_fn((steps, spec.batch_size, 1), |(t, trial, _)| {
        bits.unit_f32((t * spec.batch_size + trial) as u64).round()
    });
    let labels = Array2::from_shape_fn((spec.batch_size, 1), |(k, _)| (k % 2) as u8);
    let batch = Batch {
        inputs: inputs.view(),
        initial: Initial::Zero,
        target: Target::Labels { labels: labels.view(), heads: &[0] },
    };
    let tolerate = |result: Result<(), tau_rnn::Error>| match result {
        Err(tau_rnn::Error::Diverged { .. }) => Ok(()),
        other => other,
    };
    tolerate(network.gradients(&batch).map(drop))?;
    let start = Instant::now();
    let mut updates = 0;
    while updates < 3 || (start.elapsed().as_secs_f64() < probe_s && updates < 1000) {
        tolerate(network.update(&batch, &spec.optimiser))?;
        updates += 1;
    }
    // A GPU has only now done what it was asked.
    tolerate(network.take_mean_loss().map(drop))?;
    Ok(start.elapsed().as_secs_f64() / f64::from(updates * steps as u32))
}
