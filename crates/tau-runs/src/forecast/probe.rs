//! How long a step takes, tried on this machine.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Array3};
use rayon::ThreadPool;
use tau_random::{Key, Purpose};
use tau_rnn::{Batch, Initial, Readout, Target};

use super::outline::Outline;
use crate::{Error, Run};

/// Steps of a probe's batch, at most.
const STEPS: usize = 30;

/// Seconds of one time step of an update on these threads. An update that diverges is as much work as
/// another one, and is the training's to report.
pub(super) fn seconds_per_step(
    run: &Run,
    outline: &Outline,
    pool: &Arc<ThreadPool>,
    probe_s: f64,
) -> Result<f64, Error> {
    let spec = run.spec();
    let task = spec.first_stage()?.task.build().map_err(tau_training::Error::from)?;
    let heads = &task.shape().heads;
    let mut params = spec.initial_params::<f32>()?;
    let mut random = Key::new(0, Purpose::Readout).stream();
    for head in heads {
        params.readouts.push(Readout::init(&spec.network, head.size, &mut random));
    }
    let hardware = run.known_hardware()?;
    let mut network = hardware.network(spec.network.clone(), params, Arc::clone(pool))?;
    let (steps, trials) = (STEPS.min(outline.most_steps.max(1)), spec.batch_size);
    let inputs = task.drive(steps, trials, Key::new(0, Purpose::Inputs));
    let inputs = inputs.map_err(tau_training::Error::from)?;
    let labels = Array2::zeros((trials, heads.len()));
    let values = Array3::zeros((steps, trials, task.shape().outputs()));
    let all: Vec<usize> = (0..heads.len()).collect();
    let target = if task.shape().every_step() {
        Target::Values { values: values.view(), weights: None, head: 0 }
    } else {
        Target::Classes { labels: labels.view(), heads: &all }
    };
    let batch = Batch { inputs: inputs.view(), initial: Initial::Zero, target };
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
