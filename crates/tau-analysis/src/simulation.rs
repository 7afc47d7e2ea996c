//! Runs a network through a long input, piece by piece.

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Array3, ArrayView3, Axis, s};
use tau_random::Key;
use tau_rnn::{Backend, Config};
use tau_tasks::hold;

use crate::{Error, go_on};

/// Steps that are simulated before they are looked at: enough to keep estimators' transforms busy,
/// 20 MB of activity for 500 neurons and 10 trials.
const CHUNK_STEPS: usize = 1000;

/// State of each trial before the first step: h(0) ~ U[0, scale), and zeros for a gated network, as
/// they were trained.
pub(crate) fn first_state(config: &Config, trials: usize, scale: f64, key: Key) -> Array2<f32> {
    let (units, scale) = (config.state_size(), scale as f32);
    if config.cell.gated() {
        return Array2::zeros((trials, units));
    }
    Array2::from_shape_fn((trials, units), |(trial, unit)| {
        scale * key.unit_f32((trial * units + unit) as u64)
    })
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
    let k = network.config().placement.steps_per_unit() as usize;
    for inputs in inputs.axis_chunks_iter(Axis(0), (CHUNK_STEPS / k).max(1)) {
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
