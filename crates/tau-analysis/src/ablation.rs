//! Score of a network without single neurons: those with the shortest and the longest τ, or each of
//! them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tau_rnn::Params;

use crate::error::refuse;
use crate::measure::infinite;
use crate::{Error, Score, Scoring, Subject};

/// Parts of the network that are removed with a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The network that is left is the one without the neuron: its rows (of every gate) and columns
    /// of W and w_in, its biases, and its column in every head are 0.
    #[default]
    Clean,
    /// The neuron's rows and columns of W and w_in and its column in head 0 are 0; its biases stay,
    /// and its columns in the heads after the first. A neuron then still says what its biases make
    /// it say.
    WeightsAndFirstHead,
}

impl Removal {
    /// Removes a neuron.
    ///
    /// # Panics
    /// If there is no such neuron.
    pub fn take(self, params: &mut Params<f32>, neuron: usize) {
        params.w_rec.column_mut(neuron).fill(0.0);
        // One row, or one of each gate.
        for row in (neuron..params.w_rec.nrows()).step_by(params.hidden_size()) {
            params.w_rec.row_mut(row).fill(0.0);
            params.w_in.row_mut(row).fill(0.0);
            if self == Self::Clean {
                params.b_rec[row] = 0.0;
                params.b_in[row] = 0.0;
            }
        }
        let heads = match self {
            Self::Clean => params.readouts.len(),
            Self::WeightsAndFirstHead => 1,
        };
        for readout in params.readouts.iter_mut().take(heads) {
            readout.weight.column_mut(neuron).fill(0.0);
        }
    }

    /// Parameters without the neuron.
    fn of(self, params: &Params<f32>, neuron: usize) -> Params<f32> {
        let mut left = params.clone();
        self.take(&mut left, neuron);
        left
    }
}

/// Score of the whole network, and accuracy or loss (the mean over repeats) without each of its
/// neurons (removed clean), in their order; of a cell of any kind. Spread over the threads of the pool
/// in which it is called.
///
/// `done(removed, neurons)` is called once the whole network is scored, with 0 removed, and then after
/// each neuron, by any of the threads: a neuron takes as long as the whole network did.
///
/// # Errors
/// The errors of [`Scoring::score`].
pub fn ablate_each(
    subject: &Subject,
    scoring: &Scoring,
    stop: &AtomicBool,
    done: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Score, Vec<f64>), Error> {
    let neurons = subject.config.hidden_size;
    let whole = subject.score(subject.params.clone(), scoring, stop)?;
    done(0, neurons);
    let removed = AtomicUsize::new(0);
    let without = |neuron| -> Result<f64, Error> {
        let score = subject.score(Removal::Clean.of(subject.params, neuron), scoring, stop)?;
        done(removed.fetch_add(1, Ordering::Relaxed) + 1, neurons);
        Ok(score.mean)
    };
    let left = (0..neurons).into_par_iter().map(without).collect::<Result<_, Error>>()?;
    Ok((whole, left))
}

/// Removes each of the neurons with the smallest and the largest τ, one at a time
/// (`docs/papers/khajehabdollahi-2024.md` §5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ablation {
    /// Number of neurons at each end, 1 to half of the network.
    pub neurons: usize,
    /// Parts that are removed with a neuron.
    pub removal: Removal,
    /// Scoring of the damaged network; every one gets the same input.
    pub scoring: Scoring,
}

/// A network without one neuron.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ablated {
    /// The neuron, counted from 0.
    pub neuron: usize,
    /// τ_raw of the neuron, in steps.
    pub tau_raw: f64,
    /// Accuracy or loss without it, mean over repeats; [`AblationResult::baseline`] says which.
    #[serde(with = "infinite")]
    pub value: f64,
}

/// Result of an [`Ablation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AblationResult {
    /// Score of the whole network.
    pub baseline: Score,
    /// Networks without one of the neurons with the smallest τ, by increasing τ.
    pub short: Vec<Ablated>,
    /// Networks without one of the neurons with the largest τ, by increasing τ.
    pub long: Vec<Ablated>,
}

impl AblationResult {
    /// Means over the ablated neurons: (accuracy or loss without a short one, without a long one).
    #[must_use]
    pub fn means(&self) -> (f64, f64) {
        let mean = |ablated: &[Ablated]| {
            ablated.iter().map(|a| a.value).sum::<f64>() / ablated.len() as f64
        };
        (mean(&self.short), mean(&self.long))
    }
}

impl Ablation {
    /// Scores the network whole and without each of these neurons, over the threads of the pool in
    /// which it is called. Equal τ are taken in the order of the neurons.
    ///
    /// # Errors
    /// [`Error::NoTau`]; [`Error::Value`] for a number of neurons out of range; those of
    /// [`Scoring::score`].
    pub fn run(&self, subject: &Subject, stop: &AtomicBool) -> Result<AblationResult, Error> {
        subject.check_tau()?;
        let tau = &subject.params.tau;
        let half = tau.len() / 2;
        if self.neurons == 0 || self.neurons > half {
            let allowed = format!("1 to {half}, half of the network");
            return refuse("neurons to ablate at each end", self.neurons, allowed);
        }
        let mut order: Vec<usize> = (0..tau.len()).collect();
        order.sort_by(|&a, &b| tau[a].total_cmp(&tau[b]));
        let ends = [&order[..self.neurons], &order[tau.len() - self.neurons..]].concat();
        let baseline = subject.score(subject.params.clone(), &self.scoring, stop)?;
        let without = |&neuron: &usize| -> Result<Ablated, Error> {
            let left = self.removal.of(subject.params, neuron);
            let value = subject.score(left, &self.scoring, stop)?.mean;
            Ok(Ablated { neuron, tau_raw: f64::from(tau[neuron]), value })
        };
        let mut short = ends.par_iter().map(without).collect::<Result<Vec<Ablated>, Error>>()?;
        let long = short.split_off(self.neurons);
        Ok(AblationResult { baseline, short, long })
    }
}

#[cfg(test)]
mod tests;
