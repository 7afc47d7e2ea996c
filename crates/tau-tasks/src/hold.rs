//! Input in continuous time: every step of a task is shown for several small steps of a network.

use ndarray::{Array3, ArrayView3, Axis, CowArray, Ix3};

use crate::{Batch, Targets};

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
    /// The same batch in continuous time: every input, and every value and weight of the targets, is
    /// held for k steps ([`hold`]). Classes stay, and belong to the last of the small steps.
    #[must_use]
    pub fn held(self, steps_per_unit: usize) -> Self {
        if steps_per_unit <= 1 {
            return self;
        }
        let targets = match self.targets {
            Targets::Classes(labels) => Targets::Classes(labels),
            Targets::Values { values, weights } => Targets::Values {
                values: hold(values.view(), steps_per_unit).into_owned(),
                weights: weights.map(|weights| {
                    let weights = weights.insert_axis(Axis(2));
                    hold(weights.view(), steps_per_unit).into_owned().remove_axis(Axis(2))
                }),
            },
        };
        Self { inputs: hold(self.inputs.view(), steps_per_unit).into_owned(), targets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    fn batch(targets: Targets) -> Batch {
        let inputs = Array3::from_shape_fn((4, 3, 2), |(t, b, c)| (100 * t + 10 * b + c) as f32);
        Batch { inputs, targets }
    }

    #[test]
    fn every_kth_small_step_is_the_task() {
        let values = Array3::from_shape_fn((4, 3, 1), |(t, ..)| t as f32);
        let weights = Array2::from_shape_fn((4, 3), |(t, b)| (t * b) as f32);
        let before =
            batch(Targets::Values { values: values.clone(), weights: Some(weights.clone()) });
        for k in [1, 2, 5] {
            let held = before.clone().held(k);
            assert_eq!(held.inputs.dim(), (4 * k, 3, 2));
            let Targets::Values { values: held_values, weights: Some(held_weights) } =
                &held.targets
            else {
                unreachable!("they were values with weights")
            };
            for lane in 0..k {
                let small = s![lane..; k as isize, .., ..];
                assert_eq!(held.inputs.slice(small), before.inputs);
                assert_eq!(held_values.slice(small), values);
                assert_eq!(held_weights.slice(s![lane..; k as isize, ..]), weights);
            }
        }
        assert_eq!(before.clone().held(0), before);
    }

    #[test]
    fn classes_stay() {
        let labels = Targets::Classes(Array2::from_elem((3, 2), 1));
        assert_eq!(batch(labels.clone()).held(7).targets, labels);
    }
}
