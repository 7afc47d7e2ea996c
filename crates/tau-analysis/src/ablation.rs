//! Accuracy of a network without single neurons: those with the shortest and the longest τ, or each of
//! them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tau_rnn::Params;

use crate::{Error, Score, Scoring, Subject};

/// Parts of the network that are removed with a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The network that is left is the one without the neuron: its rows (of every gate) and columns
    /// of W and w_in, its biases, and its column in every head are 0.
    #[default]
    Clean,
    /// The biases of the neuron stay, and its columns in the heads after the first, as in the published
    /// code.
    Published,
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
            Self::Published => 1,
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

/// Accuracy of the whole network, and without each of its neurons (removed clean), in their order; of a
/// cell of any kind. Spread over the threads of the pool in which it is called.
///
/// `done(removed, neurons)` is called once the whole network is scored, with 0 removed, and then after
/// each neuron, by any of the threads: a neuron takes as long as the whole network did.
///
/// # Errors
/// The errors of [`Scoring::accuracy`].
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
    let accuracy = (0..neurons).into_par_iter().map(without).collect::<Result<_, Error>>()?;
    Ok((whole, accuracy))
}

/// Removes each of the neurons with the smallest and the largest τ, one at a time
/// (`docs/papers/khajehabdollahi-2024.md` §5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ablation {
    /// Number of neurons at each end (20 of 500 in the paper).
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
    /// Accuracy without it, mean over trials.
    pub accuracy: f64,
}

/// Result of an [`Ablation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AblationResult {
    /// Accuracy of the whole network.
    pub baseline: Score,
    /// Networks without one of the neurons with the smallest τ, by increasing τ.
    pub short: Vec<Ablated>,
    /// Networks without one of the neurons with the largest τ, by increasing τ.
    pub long: Vec<Ablated>,
}

impl AblationResult {
    /// Means over the ablated neurons: (accuracy without a short one, without a long one).
    #[must_use]
    pub fn means(&self) -> (f64, f64) {
        let mean = |ablated: &[Ablated]| {
            ablated.iter().map(|a| a.accuracy).sum::<f64>() / ablated.len() as f64
        };
        (mean(&self.short), mean(&self.long))
    }
}

impl Ablation {
    /// Scores the network whole and without each of these neurons, over the threads of the pool in
    /// which it is called. Equal τ are taken in the order of the neurons.
    ///
    /// # Errors
    /// [`Error::NoTau`]; [`Error::Ablated`]; those of [`Scoring::accuracy`].
    pub fn run(&self, subject: &Subject, stop: &AtomicBool) -> Result<AblationResult, Error> {
        subject.check_tau()?;
        let tau = &subject.params.tau;
        let half = tau.len() / 2;
        if self.neurons == 0 || self.neurons > half {
            return Err(Error::Ablated { value: self.neurons, neurons: half });
        }
        let mut order: Vec<usize> = (0..tau.len()).collect();
        order.sort_by(|&a, &b| tau[a].total_cmp(&tau[b]));
        let ends = [&order[..self.neurons], &order[tau.len() - self.neurons..]].concat();
        let baseline = subject.score(subject.params.clone(), &self.scoring, stop)?;
        let without = |&neuron: &usize| -> Result<Ablated, Error> {
            let accuracy =
                subject.score(self.removal.of(subject.params, neuron), &self.scoring, stop)?.mean;
            Ok(Ablated { neuron, tau_raw: f64::from(tau[neuron]), accuracy })
        };
        let mut short = ends.par_iter().map(without).collect::<Result<Vec<Ablated>, Error>>()?;
        let long = short.split_off(self.neurons);
        Ok(AblationResult { baseline, short, long })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::tests::{delay_line, on_cpu};
    use crate::{Perturbation, Perturbed};
    use ndarray::{Array2, Axis};
    use tau_random::{Key, Purpose};
    use tau_rnn::{Cell, Config, Readout};
    use tau_tasks::TaskKind;

    fn run(removal: Removal, n: usize, head: usize, neurons: usize) -> AblationResult {
        let (config, mut params) = delay_line();
        // Neuron 0 has the smallest τ_raw, which acts as 1.
        params.tau[0] = 0.5;
        let task = TaskKind::Parity.with_memory(&[n]).unwrap();
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, head, make: &on_cpu };
        let ablation = Ablation { neurons, removal, scoring: Scoring::paper(4) };
        ablation.run(&subject, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn a_delay_line_loses_everything_with_its_first_neuron_and_nothing_with_one_beside_it() {
        let found = run(Removal::Clean, 1, 0, 1);
        assert_eq!(found.baseline, Score { mean: 1.0, standard_deviation: 0.0, best: 1.0 });
        let [first, beside] = [found.short[0], found.long[0]];
        assert_eq!((first.neuron, first.tau_raw), (0, 0.5));
        assert_eq!((beside.neuron, beside.tau_raw, beside.accuracy), (5, 8.0, 1.0));
        // Four standard errors of 10 000 fair coins.
        assert!((first.accuracy - 0.5).abs() < 0.02, "{first:?}");
        assert_eq!(found.means(), (first.accuracy, 1.0));
    }

    #[test]
    fn each_neuron_of_a_delay_line_is_needed_up_to_the_one_that_is_read() {
        let (config, params) = delay_line();
        let task = TaskKind::Parity.with_memory(&[1]).unwrap();
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, head: 0, make: &on_cpu };
        let calls = std::sync::Mutex::new(Vec::new());
        let done = |removed, of| calls.lock().unwrap().push((removed, of));
        let stop = AtomicBool::new(false);
        let (whole, left) = ablate_each(&subject, &Scoring::paper(4), &stop, &done).unwrap();
        assert_eq!(whole.mean, 1.0);
        // Head 0 reads neuron 0, the last bit; four standard errors of 10 000 fair coins.
        assert!((left[0] - 0.5).abs() < 0.02, "{left:?}");
        assert_eq!(left[1..], [1.0; 5]);
        let mut seen = calls.lock().unwrap().clone();
        assert_eq!(seen[0], (0, 6));
        seen.sort_unstable();
        assert_eq!(seen, Vec::from_iter((0..=6).map(|removed| (removed, 6))));
        let stopped = ablate_each(&subject, &Scoring::paper(4), &AtomicBool::new(true), &done);
        assert_eq!(stopped.unwrap_err(), Error::Stopped);
    }

    #[test]
    fn equal_tau_are_taken_in_the_order_of_the_neurons() {
        let found = run(Removal::Clean, 1, 0, 3);
        let order: Vec<usize> =
            found.short.iter().chain(&found.long).map(|ablated| ablated.neuron).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5]);
    }

    /// A network with a neuron that ablation reaches only in its clean form: the neuron lives on its
    /// bias, and head 1 reads it.
    #[test]
    fn the_published_removal_leaves_biases_and_later_heads() {
        let (_, params) = delay_line();
        let mut params = params;
        params.b_rec[5] = 1.0;
        params.b_in[5] = 1.0;
        params.readouts[1].weight[[0, 5]] = 2.0;
        let mut published = params.clone();
        Removal::Published.take(&mut published, 5);
        let left = [published.b_rec[5], published.b_in[5], published.readouts[1].weight[[0, 5]]];
        assert_eq!(left, [1.0, 1.0, 2.0]);
        assert_eq!((published.w_in[[5, 0]], published.readouts[0].weight[[0, 5]]), (0.0, 0.0));
        Removal::Clean.take(&mut params, 5);
        let left = [params.b_rec[5], params.b_in[5], params.readouts[1].weight[[0, 5]]];
        assert_eq!(left, [0.0; 3]);
    }

    /// The clean removal is the network that never had the neuron.
    #[test]
    fn a_clean_removal_equals_a_smaller_network() {
        Cell::ALL.into_iter().for_each(clean_removal);
    }

    fn clean_removal(cell: Cell) {
        let config = Config { cell, ..Config::paper(7) };
        let mut random = Key::new(9, Purpose::Parameters).stream();
        let mut params = Params::<f32>::init(&config, &mut random).unwrap();
        params.readouts.push(Readout::init(2, 7, &mut random));
        let gone = 2;
        let keep: Vec<usize> = (0..7).filter(|&neuron| neuron != gone).collect();
        let rows: Vec<usize> = (0..config.gate_rows()).filter(|row| row % 7 != gone).collect();
        let tau = if cell.gated() { &[] } else { &keep[..] };
        let small = Params {
            tau: params.tau.select(Axis(0), tau),
            w_rec: params.w_rec.select(Axis(0), &rows).select(Axis(1), &keep),
            b_rec: params.b_rec.select(Axis(0), &rows),
            w_in: params.w_in.select(Axis(0), &rows),
            b_in: params.b_in.select(Axis(0), &rows),
            readouts: vec![Readout {
                weight: params.readouts[0].weight.select(Axis(1), &keep),
                ..params.readouts[0].clone()
            }],
        };
        Removal::Clean.take(&mut params, gone);
        let inputs =
            tau_tasks::Bits { chance: tau_tasks::Chance::Half, coding: Default::default() };
        let inputs = inputs.draw(40, 3, Key::new(1, Purpose::ScoringInputs)).unwrap();
        let run = |config: Config, params: Params<f32>| {
            let mut network = on_cpu(config.clone(), params).unwrap();
            let mut state = Array2::zeros((3, config.state_size()));
            let mut activity = ndarray::Array3::zeros((0, 0, 0));
            network.advance(&mut state, inputs.view(), &mut activity).unwrap();
            activity
        };
        let smaller = Config { cell, ..Config::paper(6) };
        let (whole, small) = (run(config, params), run(smaller, small));
        for (whole, small) in whole.select(Axis(2), &keep).iter().zip(&small) {
            approx::assert_abs_diff_eq!(whole, small, epsilon = 1e-6);
        }
    }

    #[test]
    fn neurons_without_tau_are_not_sorted_by_it() {
        let config = Config { cell: Cell::Gru, ..Config::paper(6) };
        let mut random = Key::new(9, Purpose::Parameters).stream();
        let mut params = Params::<f32>::init(&config, &mut random).unwrap();
        params.readouts.push(Readout::init(2, 6, &mut random));
        let task = TaskKind::Parity.with_memory(&[1]).unwrap();
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, head: 0, make: &on_cpu };
        let (scoring, go_on) = (Scoring::paper(1), AtomicBool::new(false));
        let ablation = Ablation { neurons: 2, removal: Removal::Clean, scoring };
        let refused = ablation.run(&subject, &go_on).unwrap_err().to_string();
        let expected =
            "tau: none (the cell is gru; allowed: leaky, which alone has time constants)";
        assert_eq!(refused, expected);
        let noise = |perturbed| Perturbation { perturbed, epsilons: vec![0.1], draws: 1, scoring };
        let refused = noise(Perturbed::Tau).run(&subject, &go_on).unwrap_err().to_string();
        assert_eq!(refused, expected);
        // W is there, and is scored from a state of zeros.
        assert_eq!(noise(Perturbed::Weights).run(&subject, &go_on).unwrap().len(), 1);
    }

    #[test]
    fn more_than_half_of_the_network_is_refused() {
        let (config, params) = delay_line();
        let task = TaskKind::Parity.with_memory(&[1]).unwrap();
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, head: 0, make: &on_cpu };
        let ablation =
            |neurons| Ablation { neurons, removal: Removal::Clean, scoring: Scoring::paper(1) };
        let error = ablation(4).run(&subject, &AtomicBool::new(false)).unwrap_err().to_string();
        assert_eq!(
            error,
            "neurons to ablate at each end: 4 (allowed: 1 to 3, half of the network)"
        );
        let stopped = ablation(3).run(&subject, &AtomicBool::new(true));
        assert_eq!(stopped, Err(Error::Stopped));
    }
}
