//! Long simulations, whose states are handed back a piece at a time.

use ndarray::{Array2, ArrayView3, Axis};

use crate::{Error, Initial, Real};

use super::Cuda;
use super::arguments::Collect;
use super::device::{Device, THREADS};
use super::pass::Keep;
use super::shown::Inputs;

/// Number of steps in a piece of a simulation. Memory and graphs are those of one piece.
const SIMULATED_STEPS: usize = 1024;

impl<R: Real, D: Device> Cuda<R, D> {
    /// Runs on from `state`. Every h goes to `activity` (time, trial, neuron), and the last c to `state`.
    pub(super) fn simulate(
        &mut self,
        state: &mut Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut [R],
    ) -> Result<(), Error> {
        let [steps, trials, _] = [0, 1, 2].map(|axis| inputs.shape()[axis]);
        let at_once = steps.min(SIMULATED_STEPS);
        let mut shape = self.shape(at_once, trials);
        self.pack_cell(shape)?;
        self.make_room(shape, at_once, Keep::Last)?;
        self.start(shape, &Initial::Given(state.view()))?;
        let per_step = trials * self.config.hidden_size;
        let pieces =
            activity.chunks_mut(at_once * per_step).zip(inputs.axis_chunks_iter(Axis(0), at_once));
        for (k, (activity, inputs)) in pieces.enumerate() {
            if k > 0 {
                // Only the last piece is shorter than the others.
                self.go_on(shape, at_once)?;
            }
            shape = self.shape(inputs.len_of(Axis(0)), trials);
            let inputs = Inputs::Given(inputs);
            self.put_inputs(&inputs)?;
            self.run(shape, &inputs, 0, Keep::Last)?;
            let to = self.work.states.room(&self.device, activity.len())?;
            let collect = Collect { shape, h: self.h_at(shape, 1), to };
            self.launch([activity.len().div_ceil(THREADS), 1, 1], collect)?;
            self.work.states.get(&self.device, 0, activity)?;
        }
        self.hand_over(shape, shape.steps as usize, state)
    }
}
