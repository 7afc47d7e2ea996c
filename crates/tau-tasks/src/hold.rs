//! Input in continuous time: every step of a task is shown for several small steps of a network.

use ndarray::{Array3, ArrayView3, Axis, CowArray, Ix3};

use crate::{Batch, Target};

/// `values` (time, trial, channel), each held for `steps_per_unit` = k = 1/Δt steps: (time · k, trial,
/// channel), where steps t·k … t·k + k − 1 show what stood at t. k = 1 copies nothing, and 0 counts
/// as 1.
///
/// ```
/// use ndarray::array;
/// let bits = array![[[1.0]], [[0.0]]];
/// let held = tau_tasks::hold(bits.view(), 3);
/// assert_eq!(held.into_owned().into_raw_vec_and_offset().0, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
/// ```
#[must_use]
pub fn hold(values: ArrayView3<'_, f32>, steps_per_unit: usize) -> CowArray<'_, f32, Ix3> {
    if steps_per_unit <= 1 {
        return values.into();
    }
    let (time, trials, channels) = values.dim();
    let mut held = Array3::zeros((time * steps_per_unit, trials, channels));
    let chunks = held.axis_chunks_iter_mut(Axis(0), steps_per_unit);
    chunks.zip(values.outer_iter()).for_each(|(mut steps, value)| steps.assign(&value));
    held.into()
}

impl Batch {
    /// The same batch in continuous time: every input, and every value of a target series, is held
    /// for k steps ([`hold`]). Labels stay, and belong to the last of the small steps.
    #[must_use]
    pub fn held(self, steps_per_unit: usize) -> Self {
        if steps_per_unit <= 1 {
            return self;
        }
        let target = match self.target {
            Target::Labels(labels) => Target::Labels(labels),
            Target::Series(series) => {
                Target::Series(hold(series.view(), steps_per_unit).into_owned())
            }
        };
        Self { inputs: hold(self.inputs.view(), steps_per_unit).into_owned(), target }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    fn batch(target: Target) -> Batch {
        let inputs = Array3::from_shape_fn((4, 3, 2), |(t, b, c)| (100 * t + 10 * b + c) as f32);
        Batch { inputs, target }
    }

    #[test]
    fn every_kth_small_step_is_the_task() {
        let before = batch(Target::Series(Array3::from_shape_fn((4, 3, 1), |(t, ..)| t as f32)));
        for k in [1, 2, 5] {
            let held = before.clone().held(k);
            assert_eq!(held.inputs.dim(), (4 * k, 3, 2));
            let Target::Series(series) = &held.target else { unreachable!("it was a series") };
            let Target::Series(expected) = &before.target else { unreachable!("it is a series") };
            for lane in 0..k {
                let lane = s![lane..; k as isize, .., ..];
                assert_eq!(held.inputs.slice(lane), before.inputs);
                assert_eq!(series.slice(lane), expected);
            }
        }
        assert_eq!(before.clone().held(0), before);
    }

    #[test]
    fn labels_stay() {
        let labels = Target::Labels(Array2::from_elem((3, 2), 1));
        assert_eq!(batch(labels.clone()).held(7).target, labels);
    }
}
