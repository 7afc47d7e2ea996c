//! Runs a network through a long input, piece by piece.

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Array3, ArrayView3, Axis, s};
use tau_random::Key;
use tau_rnn::{Backend, Config, Initial};
use tau_tasks::hold;

use crate::{Error, go_on};

/// Steps that are simulated before they are looked at: enough to keep estimators' transforms busy.
const CHUNK_STEPS: usize = 1000;

/// Steps times trials at most: 32 MB of activity for 500 neurons.
const CHUNK_STATES: usize = 16_000;

/// State before the first step: h(0) ~ U[0, scale), and zeros for a gated network, as they were
/// trained.
pub(crate) fn initial<'a>(config: &Config, scale: f64, key: Key) -> Initial<'a, f32> {
    if config.leaky_cell().is_some() { Initial::Uniform { scale, key } } else { Initial::Zero }
}

/// That state of each trial: (trial, its state).
///
/// # Errors
/// The error for a state or input that the network refuses.
pub(crate) fn first_state(
    config: &Config,
    trials: usize,
    scale: f64,
    key: Key,
) -> Result<Array2<f32>, Error> {
    Ok(initial(config, scale, key).states(trials, config)?)
}

/// Runs from `state` (trial, its state) through `inputs` (time, trial, channel) and hands over the
/// activity as it is produced: `visit(t, chunk)` with `chunk` (time, trial, neuron), whose first step is
/// t. The first `skipped` steps are left out.
///
/// Steps are those of the task. In continuous time every input is held for the k steps of the
/// network's configuration, and its activity at the last of them, where heads read it, is that step's.
///
/// # Errors
/// Shapes that do not fit, what `visit` refuses, [`Error::Stopped`] soon after `stop` is set.
pub(crate) fn simulate(
    network: &mut dyn Backend<f32>,
    mut state: Array2<f32>,
    inputs: ArrayView3<'_, f32>,
    skipped: usize,
    stop: &AtomicBool,
    mut visit: impl FnMut(usize, ArrayView3<'_, f32>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut activity = Array3::zeros((0, 0, 0));
    let mut first = 0;
    let k = network.config().steps_per_unit() as usize;
    let steps = CHUNK_STEPS.min(CHUNK_STATES / inputs.len_of(Axis(1)).max(1));
    for inputs in inputs.axis_chunks_iter(Axis(0), (steps / k).max(1)) {
        go_on(stop)?;
        network.advance(&mut state, hold(inputs, k).view(), &mut activity)?;
        let read = activity.slice(s![k - 1..; k as isize, .., ..]);
        let steps = read.len_of(Axis(0));
        let out = skipped.saturating_sub(first).min(steps);
        visit(first + out, read.slice(s![out.., .., ..]))?;
        first += steps;
    }
    Ok(())
}
