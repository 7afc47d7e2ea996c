//! What heads say, and how right it is.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1};
use tau_rnn::Readout;

use crate::Error;
use crate::error::refuse;

/// Outputs (trial, output) of a head for states (trial, neuron).
fn outputs(states: ArrayView2<'_, f32>, readout: &Readout<f32>) -> Array2<f32> {
    states.dot(&readout.weight.t()) + &readout.bias
}

/// Adds 1 for each trial whose largest output (the first of equal ones) is that of its label. An
/// output that is NaN is a guess, and adds 1 / classes.
pub(super) fn credit(
    states: ArrayView2<'_, f32>,
    readout: &Readout<f32>,
    labels: ArrayView1<'_, u8>,
    mut right: ArrayViewMut1<'_, f64>,
) {
    let outputs = outputs(states, readout);
    for ((row, &label), right) in outputs.outer_iter().zip(labels).zip(&mut right) {
        *right += match class(row) {
            Some(class) => f64::from(u8::from(class == usize::from(label))),
            None => 1.0 / row.len() as f64,
        };
    }
}

/// The first of the largest outputs; `None` if one is NaN.
fn class(outputs: ArrayView1<'_, f32>) -> Option<usize> {
    if outputs.iter().any(|output| output.is_nan()) {
        return None;
    }
    let mut best = 0;
    for (class, output) in outputs.iter().enumerate() {
        if *output > outputs[best] {
            best = class;
        }
    }
    Some(best)
}

/// The sum of weighted squared errors, and of their weights.
#[derive(Clone, Debug, Default)]
pub(super) struct SquaredError {
    sum: f64,
    weights: f64,
}

impl SquaredError {
    /// Adds one step: wanted values (trial, output), and a weight for each trial. Where the weight is
    /// 0 nothing is read.
    pub(super) fn add(
        &mut self,
        states: ArrayView2<'_, f32>,
        readout: &Readout<f32>,
        wanted: ArrayView2<'_, f32>,
        weights: Option<ArrayView1<'_, f32>>,
    ) {
        let outputs = outputs(states, readout);
        for (trial, (row, wanted)) in outputs.outer_iter().zip(wanted.outer_iter()).enumerate() {
            let weight = weights.map_or(1.0, |weights| f64::from(weights[trial]));
            if weight == 0.0 {
                continue;
            }
            for (&output, &wanted) in row.iter().zip(&wanted) {
                let error = f64::from(output) - f64::from(wanted);
                self.sum += weight * error * error;
                self.weights += weight;
            }
        }
    }

    /// The weighted mean; infinite if it is not finite.
    ///
    /// # Errors
    /// [`Error::Value`] if no step counts.
    pub(super) fn mean(&self) -> Result<f64, Error> {
        if self.weights == 0.0 {
            return refuse("weights of the task", "all 0", "at least one above 0 in a batch");
        }
        let mean = self.sum / self.weights;
        Ok(if mean.is_finite() { mean } else { f64::INFINITY })
    }
}
