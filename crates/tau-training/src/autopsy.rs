//! What a network that diverged was like, just before.

use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};
use tau_rnn::{Initial, Params, Real, Tensor, spectral_radius};

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
    /// N of each head.
    pub memory: Vec<usize>,
    /// Loss of the batch in the last good state, in nats.
    pub loss: Option<f64>,
    /// Of W_rec; `None` for a gated cell, whose W_rec is several matrices.
    pub spectral_radius: Option<f64>,
    /// Of one step without the nonlinearity, 1 − 1/τ + W_rec/τ (τ·k for τ in continuous time): above
    /// 1 activity can grow. `None` for a gated cell.
    pub step_spectral_radius: Option<f64>,
    /// Every array of the network.
    pub arrays: Vec<ArrayReport>,
    /// The neuron whose activity goes furthest on the batch.
    pub worst_neuron: Option<NeuronReport>,
}

/// One array of the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayReport {
    /// As in checkpoints, e. g. `w_rec`.
    pub name: String,
    /// Euclidean norm.
    pub norm: Option<f64>,
    /// Largest absolute value.
    pub largest: Option<f64>,
    /// Norm of the batch's gradient, before clipping.
    pub gradient_norm: Option<f64>,
}

/// One neuron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuronReport {
    /// Counted from 0.
    pub neuron: usize,
    /// Its effective τ, in steps; `None` for a gated cell.
    pub tau: Option<f64>,
    /// Largest absolute activity on the batch; `None` if it is not finite.
    pub largest_activity: Option<f64>,
    /// Norm of its recurrent input weights, those of all its gates.
    pub input_norm: Option<f64>,
    /// Norm of its recurrent output weights.
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
        let (scores, gradients, largest) =
            self.with_training_batch(&stage, total - 1, |backend, batch| {
                let (scores, gradients) = backend.gradients(batch)?;
                let columns = backend.config().state_size();
                let mut state = Array2::from_elem((batch.trials(), columns), R::ZERO);
                if let Initial::Uniform { scale, key } = batch.initial {
                    for (k, h) in state.iter_mut().enumerate() {
                        *h = R::from_f64(scale * f64::from(key.unit_f32(k as u64)));
                    }
                }
                let mut largest = vec![0.0_f64; params.hidden_size()];
                let mut activity = Array3::from_elem((0, 0, 0), R::ZERO);
                backend.advance(&mut state, batch.inputs, &mut activity)?;
                for row in activity.rows() {
                    for (largest, h) in largest.iter_mut().zip(row) {
                        let h = h.to_f64().abs();
                        // Whatever is no number is as large as can be.
                        *largest = if h <= *largest { *largest } else { h };
                        *largest = if largest.is_nan() { f64::INFINITY } else { *largest };
                    }
                }
                Ok((scores, gradients, largest))
            })?;
        let gradient = gradients.values.cast::<f64>();
        let report =
            |((tensor, values), (_, slope)): ((Tensor, &[f64]), (_, &[f64]))| ArrayReport {
                name: tensor.to_string(),
                norm: norm(values.iter().copied()),
                largest: finite(values.iter().fold(0.0, |a: f64, x| a.max(x.abs()))),
                gradient_norm: norm(slope.iter().copied()),
            };
        let arrays = params.tensors().zip(gradient.tensors()).map(report).collect();
        let worst = (0..largest.len()).max_by(|&a, &b| largest[a].total_cmp(&largest[b]));
        let tau = params.tau_eff();
        let hidden = params.hidden_size();
        let gates = |neuron: usize| (neuron..params.w_rec.nrows()).step_by(hidden);
        let worst_neuron = worst.map(|neuron| NeuronReport {
            neuron,
            tau: tau.get(neuron).and_then(|&tau| finite(tau)),
            largest_activity: finite(largest[neuron]),
            input_norm: norm(gates(neuron).flat_map(|row| params.w_rec.row(row)).copied()),
            output_norm: norm(params.w_rec.column(neuron).iter().copied()),
        });
        // In small steps, in continuous time.
        let tau = tau * f64::from(self.backend().config().placement.steps_per_unit());
        let mut step = params.w_rec.clone();
        for (mut row, tau) in step.outer_iter_mut().zip(&tau) {
            row /= *tau;
        }
        for (own, tau) in step.diag_mut().iter_mut().zip(&tau) {
            *own += 1.0 - 1.0 / tau;
        }
        let gated = self.spec().network.cell.gated();
        let radius = |matrix| if gated { None } else { finite(spectral_radius(matrix)) };
        Ok(Some(Autopsy {
            epoch,
            update,
            what: what.to_owned(),
            memory: stage.memory,
            loss: finite(scores.loss()),
            spectral_radius: radius(&params.w_rec),
            step_spectral_radius: radius(&step),
            arrays,
            worst_neuron,
        }))
    }
}
