//! What the numbers of a network say without running it.

use ndarray::{ArrayView, Dimension, s};
use tau_rnn::Params;

use super::{NetworkRow, NeuronRow, Portrait, State};

impl Portrait {
    /// τ and norms of weights of every neuron; nothing else.
    pub(super) fn at_rest(state: &State, params: &Params<f64>) -> Self {
        let (hidden, tau_eff) = (params.hidden_size(), params.tau_eff());
        let row = |neuron: usize| {
            // One row, or one of each gate.
            let own = s![neuron..;hidden, ..];
            let heads = params.readouts.iter().map(|head| norm(head.weight.column(neuron)));
            NeuronRow {
                milestone: state.milestone.clone(),
                n: state.n,
                neuron,
                tau_raw: params.tau.get(neuron).copied(),
                tau_eff: tau_eff.get(neuron).copied(),
                w_in_norm: Some(norm(params.w_in.slice(own))),
                w_rec_in_norm: Some(norm(params.w_rec.slice(own))),
                w_rec_out_norm: Some(norm(params.w_rec.column(neuron))),
                w_out_norm: Some(heads.map(|norm| norm * norm).sum::<f64>().sqrt()),
                ..NeuronRow::default()
            }
        };
        Self {
            neurons: (0..hidden).map(row).collect(),
            network: NetworkRow {
                milestone: state.milestone.clone(),
                n: state.n,
                accuracy: state.accuracy,
                loss: state.loss,
                neurons: hidden,
                ..NetworkRow::default()
            },
            modes: Vec::new(),
        }
    }
}

fn norm<D: Dimension>(weights: ArrayView<'_, f64, D>) -> f64 {
    weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt()
}
