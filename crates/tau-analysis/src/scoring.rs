//! Accuracy of a network at every step of a long input: the score under damage.

use std::sync::atomic::AtomicBool;

use ndarray::{Array2, Array3, ArrayView2, s};
use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Config, Error as NetworkError, Params, Readout};
use tau_tasks::{Bits, Chance, NO_LABEL, Task};

use crate::Error;
use crate::simulation::{first_state, simulate};
use crate::tau_statistics::moments;

/// One long input of fair bits, answered at every step (`docs/papers/khajehabdollahi-2024.md` §5).
/// Steps are those of the task: in continuous time each has k small ones, and is answered at the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scoring {
    /// Number of steps before the first that counts (100 in the paper).
    pub warm_up: usize,
    /// Number of steps that count (1000 in the paper).
    pub steps: usize,
    /// Number of trials, each with its own input (10 in the paper).
    pub trials: usize,
    /// h(0) ~ U[0, this); a gated network begins with zeros.
    pub initial_state: f64,
    /// Root seed of the input and of h(0).
    pub seed: u64,
    /// Number of the input, among those of this seed.
    pub input: u32,
}

impl Scoring {
    /// The settings of ICLR 2024: 100 + 1000 steps, 10 trials.
    #[must_use]
    pub fn paper(seed: u64) -> Self {
        Self { warm_up: 100, steps: 1000, trials: 10, initial_state: 0.1, seed, input: 0 }
    }

    fn key(&self, purpose: Purpose) -> Key {
        Key::new(self.seed, purpose).stage(self.input)
    }

    /// Accuracy in [0, 1], (trial, N of the task): at each scored step head `heads[i]` is asked for
    /// the label of the task's i-th N as if the sequence ended there. An output that is NaN, of a
    /// network that the damage made explode, counts as a guess.
    ///
    /// # Errors
    /// [`Error::WarmUp`], [`Error::Head`], [`Error::Lengths`] if `heads` are not one for each N; a task
    /// without bits ([`Error::SeriesTask`]); sizes that task or network refuse; [`Error::Stopped`]
    /// soon after `stop` is set.
    pub fn accuracy(
        &self,
        network: &mut dyn Backend<f32>,
        task: &dyn Task,
        heads: &[usize],
        stop: &AtomicBool,
    ) -> Result<Array2<f64>, Error> {
        let readouts = network.params()?.readouts;
        self.check(task, heads, readouts.len())?;
        let inputs = self.inputs(task)?;
        let labels = task.running_labels(inputs.view())?;
        let start = self.key(Purpose::ScoringInitialState);
        let state = first_state(network.config(), self.trials, self.initial_state, start);
        let mut right = Array2::<f64>::zeros((self.trials, heads.len()));
        simulate(network, state, inputs.view(), self.warm_up, stop, |first, activity| {
            for (step, states) in activity.outer_iter().enumerate() {
                for (i, &head) in heads.iter().enumerate() {
                    let answers = answers(states, &readouts[head]);
                    let labels = labels.slice(s![first + step, .., i]);
                    for (trial, (answer, &label)) in answers.iter().zip(labels).enumerate() {
                        debug_assert_ne!(label, NO_LABEL, "the warm-up is long enough");
                        right[[trial, i]] += answer.credit(label);
                    }
                }
            }
            Ok(())
        })?;
        Ok(right / self.steps as f64)
    }

    fn check(&self, task: &dyn Task, heads: &[usize], there: usize) -> Result<(), Error> {
        if heads.len() != task.memory().len() {
            return Err(Error::Lengths { left: heads.len(), right: task.memory().len() });
        }
        if let Some(&head) = heads.iter().find(|&&head| head >= there) {
            return Err(Error::Head { head, heads: there });
        }
        let needed = task.memory().iter().max().map_or(0, |n| n - 1);
        if self.warm_up < needed {
            return Err(Error::WarmUp { warm_up: self.warm_up, needed });
        }
        if self.steps == 0 || self.trials == 0 {
            return Err(Error::TooFew { what: "scored steps and trials", found: 0, needed: 1 });
        }
        Ok(())
    }

    /// Fair bits, whatever the task is trained on.
    fn inputs(&self, task: &dyn Task) -> Result<Array3<f32>, Error> {
        let (bits, _) = task.bits().ok_or(Error::SeriesTask { task: task.name() })?;
        let fair = Bits { chance: Chance::Half, ..bits };
        let key = self.key(Purpose::ScoringInputs);
        Ok(fair.draw(self.warm_up + self.steps, self.trials, key)?)
    }
}

/// Answer of a head in a trial.
enum Answer {
    Class(u8),
    /// The output is NaN: a guess among so many classes.
    Guess(usize),
}

impl Answer {
    fn credit(&self, label: u8) -> f64 {
        match *self {
            Self::Class(class) => f64::from(u8::from(class == label)),
            Self::Guess(classes) => 1.0 / classes as f64,
        }
    }
}

/// The largest output of each trial; the first of equal ones. `states` are (trial, neuron).
fn answers(states: ArrayView2<f32>, readout: &Readout<f32>) -> Vec<Answer> {
    let outputs = states.dot(&readout.weight.t()) + &readout.bias;
    let answer = |row: ndarray::ArrayView1<f32>| {
        if row.iter().any(|output| output.is_nan()) {
            return Answer::Guess(row.len());
        }
        let mut best = 0;
        for (class, output) in row.iter().enumerate() {
            if *output > row[best] {
                best = class;
            }
        }
        Answer::Class(best as u8)
    };
    outputs.outer_iter().map(answer).collect()
}

/// A trained network that protocols damage: each damaged copy is made anew.
pub struct Subject<'a> {
    /// Equations of the network.
    pub config: &'a Config,
    /// Parameters of the network.
    pub params: &'a Params<f32>,
    /// Task that the network answers.
    pub task: &'a dyn Task,
    /// The head that answers for the task's only N.
    pub head: usize,
    /// Function that puts a network on a device. Several may be made at the same time.
    pub make: &'a Make<'a>,
}

/// Function that makes a network of its equations and parameters.
pub type Make<'a> =
    dyn Fn(Config, Params<f32>) -> Result<Box<dyn Backend<f32>>, NetworkError> + Sync + 'a;

impl Subject<'_> {
    /// Refuses a cell without time constants.
    pub(crate) fn check_tau(&self) -> Result<(), Error> {
        let cell = self.config.cell;
        if cell.gated() { Err(Error::NoTau { cell }) } else { Ok(()) }
    }

    /// Accuracy with these parameters in place of its own.
    pub(crate) fn score(
        &self,
        params: Params<f32>,
        scoring: &Scoring,
        stop: &AtomicBool,
    ) -> Result<Score, Error> {
        let mut network = (self.make)(self.config.clone(), params)?;
        let accuracy = scoring.accuracy(&mut *network, self.task, &[self.head], stop)?;
        Ok(Score::of(&accuracy.into_raw_vec_and_offset().0))
    }
}

/// Accuracy over trials.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Mean over trials, in [0, 1].
    pub mean: f64,
    /// Standard deviation over trials (divided by their number).
    pub standard_deviation: f64,
    /// Accuracy of the best trial, which the published code calls the baseline.
    pub best: f64,
}

impl Score {
    pub(crate) fn of(accuracy: &[f64]) -> Self {
        let (mean, standard_deviation) = moments(accuracy);
        let best = accuracy.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { mean, standard_deviation, best }
    }
}

/// Relative accuracy (accuracy − 1/2) / (baseline − 1/2): 1 for an undamaged network, 0 at chance. `None` if the
/// baseline itself is no better than chance.
#[must_use]
pub fn relative_accuracy(accuracy: f64, baseline: f64) -> Option<f64> {
    (baseline > 0.5).then(|| (accuracy - 0.5) / (baseline - 0.5))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ndarray::{Array1, array};
    use tau_rnn::{Activation, Cpu, TimeConstants, thread_pool};
    use tau_tasks::TaskKind;

    /// A delay line of five neurons, each the copy of the one before a step later, and a neuron 5 that
    /// nobody reads, with the longest τ. Head 0 says the last bit, head 1 the bit of three steps ago
    /// (neuron 3), head 2 always class 1.
    pub(crate) fn delay_line() -> (Config, Params<f32>) {
        let config = Config {
            activation: Activation::Relu,
            tau: TimeConstants::Trainable { start: 1.0 },
            ..Config::paper(6)
        };
        let mut w_rec = Array2::zeros((6, 6));
        for neuron in 1..5 {
            w_rec[[neuron, neuron - 1]] = 1.0;
        }
        let mut w_in = Array2::zeros((6, 1));
        w_in[[0, 0]] = 1.0;
        w_in[[5, 0]] = 1.0;
        let reads = |neuron: usize| {
            let mut weight = Array2::zeros((2, 6));
            weight[[1, neuron]] = 1.0;
            Readout { weight, bias: array![0.5, 0.0], frozen: false }
        };
        let mut readouts = vec![reads(0), reads(3), reads(4)];
        readouts[2].bias = array![0.0, 9.0];
        let params = Params {
            tau: array![1.0, 1.0, 1.0, 1.0, 1.0, 8.0],
            w_rec,
            b_rec: Array1::zeros(6),
            w_in,
            b_in: Array1::zeros(6),
            readouts,
        };
        (config, params)
    }

    pub(crate) fn on_cpu(
        config: Config,
        params: Params<f32>,
    ) -> Result<Box<dyn Backend<f32>>, NetworkError> {
        Ok(Box::new(Cpu::new(config, params, thread_pool(Some(1))?)?))
    }

    fn score(scoring: &Scoring, kind: TaskKind, n: usize, head: usize) -> Result<Vec<f64>, Error> {
        let (config, params) = delay_line();
        let task = kind.with_memory(&[n]).unwrap();
        let mut network = on_cpu(config, params)?;
        let go_on = AtomicBool::new(false);
        Ok(scoring.accuracy(&mut *network, &*task, &[head], &go_on)?.into_raw_vec_and_offset().0)
    }

    #[test]
    fn a_network_that_knows_the_answer_is_right_at_every_step() {
        // 1-parity is the last bit.
        let found = score(&Scoring::paper(1), TaskKind::Parity, 1, 0).unwrap();
        assert_eq!(found, [1.0; 10]);
    }

    #[test]
    fn one_that_does_not_is_at_chance() {
        for (n, head) in [(1, 1), (2, 0), (1, 2), (3, 2)] {
            let scoring = Scoring { steps: 4000, ..Scoring::paper(2) };
            for accuracy in score(&scoring, TaskKind::Parity, n, head).unwrap() {
                // Four standard errors of 4000 fair coins.
                assert!((accuracy - 0.5).abs() < 0.032, "N = {n}, head {head}: {accuracy}");
            }
        }
    }

    #[test]
    fn the_pieces_of_a_long_input_are_one_input() {
        let long = Scoring { warm_up: 2950, steps: 3, ..Scoring::paper(3) };
        assert_eq!(score(&long, TaskKind::Parity, 1, 0).unwrap(), [1.0; 10]);
    }

    #[test]
    fn an_exploded_network_guesses() {
        let (config, mut params) = delay_line();
        params.w_rec[[0, 1]] = 1e30;
        params.w_rec[[1, 0]] = -1e30;
        params.w_rec[[2, 1]] = -1e30;
        params.w_rec[[0, 2]] = 1e30;
        params.w_rec[[1, 2]] = 1e30;
        let task = TaskKind::Parity.with_memory(&[1]).unwrap();
        let config = Config { activation: Activation::LeakyRelu, ..config };
        let mut network = on_cpu(config, params).unwrap();
        let go_on = AtomicBool::new(false);
        let found = Scoring::paper(1).accuracy(&mut *network, &*task, &[0], &go_on).unwrap();
        assert!(found.iter().all(|accuracy| *accuracy == 0.5), "{found}");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let short = Scoring { warm_up: 3, ..Scoring::paper(1) };
        assert_eq!(
            score(&short, TaskKind::Parity, 5, 0).unwrap_err().to_string(),
            "warm_up: 3 steps (at least 4: the first scored step needs N bits before it)"
        );
        assert_eq!(
            score(&Scoring::paper(1), TaskKind::Parity, 5, 3).unwrap_err().to_string(),
            "head: 3 (the network has 3, counted from 0)"
        );
    }
}
