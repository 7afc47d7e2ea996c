//! What a plan will need, before it begins.

use std::time::Instant;

use ndarray::{Array2, Array3};
use tau_curricula::TrainingSpec;
use tau_random::{Key, Purpose};
use tau_rnn::{Batch, Initial, Readout, Target, thread_pool};
use tau_runs::Run;

use crate::Error;
use crate::train::Planned;

/// Memory and time of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Largest work space of the networks in flight, in bytes.
    pub memory_bytes: usize,
    /// Seconds of training if every run used all its epochs while N grew evenly to its end.
    pub about_s: f64,
}

/// Steps of a batch, on average: T ~ U{N + 2, …, 4 N + 1}.
fn mean_steps(n: f64) -> f64 {
    (5.0 * n + 3.0) / 2.0
}

/// Times a few updates of the middle of the first run and scales by the work of all.
///
/// # Errors
/// Those of the core.
pub(crate) fn forecast(plan: &[Planned], threads: usize) -> Result<Forecast, Error> {
    let mut memory: Vec<usize> = plan.iter().map(|planned| workspace(&planned.run)).collect();
    memory.sort_unstable_by(|a, b| b.cmp(a));
    let left = |planned: &&Planned| {
        let ended = planned.run.status().ok().flatten();
        ended.is_none_or(|status| status.state == tau_runs::State::Unfinished)
    };
    let unfinished: Vec<&Planned> = plan.iter().filter(left).collect();
    let Some(first) = unfinished.first() else {
        return Ok(Forecast { memory_bytes: 0, about_s: 0.0 });
    };
    let per_step = seconds_per_step(&first.run)?;
    let work: f64 = unfinished.iter().map(|planned| step_count(planned.run.spec())).sum();
    Ok(Forecast {
        memory_bytes: memory.iter().take(threads).sum(),
        about_s: work * per_step / threads as f64,
    })
}

fn workspace(run: &Run) -> usize {
    let (spec, hardware) = (run.spec(), run.hardware());
    let (steps, outputs) = (4 * spec.n_end + 1, 2 * spec.n_end);
    hardware.workspace_bytes(&spec.network, steps, spec.batch_size, outputs, false)
}

/// Time steps of all updates of a run whose N grows evenly; a test batch costs a third of an
/// update.
fn step_count(spec: &TrainingSpec) -> f64 {
    let updates = spec.updates_per_epoch as f64 + spec.test_batches as f64 / 3.0;
    let middle = (spec.n_start + spec.n_end) as f64 / 2.0;
    spec.max_epochs as f64 * updates * mean_steps(middle)
}

/// Seconds of one time step of an update on one thread.
fn seconds_per_step(run: &Run) -> Result<f64, Error> {
    let spec = run.spec();
    let mut params = spec.initial_params::<f32>()?;
    let mut random = Key::new(0, Purpose::Readout).stream();
    params.readouts.push(Readout::init(2, spec.network.hidden_size, &mut random));
    let pool = thread_pool(Some(1))?;
    let mut network = run.hardware().network(spec.network.clone(), params, pool)?;
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
    network.gradients(&batch)?;
    let start = Instant::now();
    let mut updates = 0;
    while updates < 3 || (start.elapsed().as_secs_f64() < 0.3 && updates < 100) {
        network.update(&batch, &spec.optimiser)?;
        updates += 1;
    }
    // A GPU has only now done what it was asked.
    network.take_mean_loss()?;
    Ok(start.elapsed().as_secs_f64() / f64::from(updates * steps as u32))
}
