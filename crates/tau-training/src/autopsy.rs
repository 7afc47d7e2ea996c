//! The state of a network just before it diverged.

use ndarray::{Array3, Axis};
use serde::{Deserialize, Serialize};
use tau_curricula::Stage;
use tau_rnn::{Backend, Batch, Cell, Params, Real, Tensor, spectral_radius};

use crate::{Error, Trainer};

/// The last good state, and what the batch that ended it makes of it. Numbers that are not finite
/// are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autopsy {
    /// Epoch of the update that was refused, counted from 1.
    pub epoch: usize,
    /// The update within it, counted from 1.
    pub update: usize,
    /// What was not finite: `loss`, `gradient norm` or `step`.
    pub what: String,
    /// The stage that was trained.
    pub stage: Stage,
    /// Loss of the batch in the last good state: nats for classes, squared error for values.
    pub loss: Option<f64>,
    /// Spectral radius of W_rec; `None` for a gated cell, whose W_rec is several matrices.
    pub spectral_radius: Option<f64>,
    /// Spectral radius of one step without the nonlinearity, 1 − 1/τ + W_rec/τ (τ·k for τ in
    /// continuous time): above 1 activity can grow. `None` for a gated cell.
    pub step_spectral_radius: Option<f64>,
    /// Every array of the network.
    pub arrays: Vec<ArrayReport>,
    /// The neuron whose activity goes furthest on the batch.
    pub worst_neuron: Option<NeuronReport>,
}

/// One array of the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayReport {
    /// The array's name in checkpoints, e. g. `w_rec`.
    pub name: String,
    /// Euclidean norm.
    pub norm: Option<f64>,
    /// Largest absolute value.
    pub largest: Option<f64>,
    /// Euclidean norm of the batch's gradient, before clipping.
    pub gradient_norm: Option<f64>,
}

/// One neuron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuronReport {
    /// The neuron's number, counted from 0.
    pub neuron: usize,
    /// The neuron's effective τ, in steps; `None` for a gated cell.
    pub tau: Option<f64>,
    /// Largest absolute activity on the batch; `None` if it is not finite.
    pub largest_activity: Option<f64>,
    /// Euclidean norm of the neuron's recurrent input weights, those of all its gates.
    pub input_norm: Option<f64>,
    /// Euclidean norm of the neuron's recurrent output weights.
    pub output_norm: Option<f64>,
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn norm(values: impl Iterator<Item = f64>) -> Option<f64> {
    finite(values.map(|x| x * x).sum::<f64>().sqrt())
}

impl<R: Real> Trainer<R> {
    /// Looks at the last good state after [`Error::Diverged`]; `None` after any other error.
    ///
    /// # Errors
    /// Whatever the backend meets.
    pub fn autopsy(&mut self, error: &Error) -> Result<Option<Autopsy>, Error> {
        let Error::Diverged { epoch, update, total, what, .. } = *error else { return Ok(None) };
        let Some(stage) = self.position().stage.clone() else { return Ok(None) };
        let params: Params<f64> = self.backend().params()?.cast();
        let looked = self.with_training_batch(total - 1, |backend, batch| {
            let (scores, gradients) = backend.gradients(batch)?;
            let largest = largest_activity(backend, batch)?;
            Ok((scores, gradients, largest))
        })?;
        let Some((scores, gradients, largest)) = looked else { return Ok(None) };
        let gradient = gradients.values.cast::<f64>();
        let arrays = params.tensors().zip(gradient.tensors());
        let arrays =
            arrays.map(|((array, values), (_, slope))| report(array, values, slope)).collect();
        let steps_per_unit = f64::from(self.backend().config().steps_per_unit());
        let leaky = matches!(self.spec().network.cell, Cell::Leaky(_));
        let radius = |matrix| if leaky { finite(spectral_radius(matrix)) } else { None };
        Ok(Some(Autopsy {
            epoch,
            update,
            what: what.to_owned(),
            stage,
            loss: finite(scores.loss()),
            spectral_radius: radius(&params.w_rec),
            step_spectral_radius: radius(&one_step(&params, steps_per_unit)),
            arrays,
            worst_neuron: worst_neuron(&params, &largest),
        }))
    }
}

/// Largest absolute activity of each neuron on a batch; infinite where it is no number.
fn largest_activity<R: Real>(
    backend: &mut dyn Backend<R>,
    batch: &Batch<'_, R>,
) -> Result<Vec<f64>, tau_rnn::Error> {
    let mut state = batch.initial.states(batch.trials(), backend.config())?;
    let mut activity = Array3::from_elem((0, 0, 0), R::ZERO);
    backend.advance(&mut state, batch.inputs, &mut activity)?;
    let largest = |values: ndarray::ArrayView2<'_, R>| {
        values
            .iter()
            .map(|h| h.to_f64().abs())
            .fold(0.0, |largest: f64, h| if h.is_nan() { f64::INFINITY } else { largest.max(h) })
    };
    Ok(activity.axis_iter(Axis(2)).map(largest).collect())
}

/// What one array and its gradient are like.
fn report(tensor: Tensor, values: &[f64], slope: &[f64]) -> ArrayReport {
    ArrayReport {
        name: tensor.to_string(),
        norm: norm(values.iter().copied()),
        largest: finite(values.iter().fold(0.0, |a: f64, x| a.max(x.abs()))),
        gradient_norm: norm(slope.iter().copied()),
    }
}

/// The neuron whose activity goes furthest.
fn worst_neuron(params: &Params<f64>, largest: &[f64]) -> Option<NeuronReport> {
    let neuron = (0..largest.len()).max_by(|&a, &b| largest[a].total_cmp(&largest[b]))?;
    let gates = (neuron..params.w_rec.nrows()).step_by(params.hidden_size());
    Some(NeuronReport {
        neuron,
        tau: params.tau_eff().get(neuron).and_then(|&tau| finite(tau)),
        largest_activity: finite(largest[neuron]),
        input_norm: norm(gates.flat_map(|row| params.w_rec.row(row)).copied()),
        output_norm: norm(params.w_rec.column(neuron).iter().copied()),
    })
}

/// The matrix of one step of a leaky network without its nonlinearity.
fn one_step(params: &Params<f64>, steps_per_unit: f64) -> ndarray::Array2<f64> {
    let tau = params.tau_eff() * steps_per_unit;
    let mut step = params.w_rec.clone();
    for (mut row, tau) in step.outer_iter_mut().zip(&tau) {
        row /= *tau;
    }
    for (own, tau) in step.diag_mut().iter_mut().zip(&tau) {
        *own += 1.0 - 1.0 / tau;
    }
    step
}
