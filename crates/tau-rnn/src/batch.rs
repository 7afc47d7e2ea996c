//! What a network is shown, what it should answer, and how well it did.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};
use tau_random::Key;

use crate::{Config, Error, Params, Real};

/// Hidden state before the first step.
#[derive(Clone, Copy, Debug)]
pub enum Initial<'a, R> {
    /// h(0) = 0.
    Zero,
    /// h(0) = scale · U[0, 1), drawn anew for each trial and neuron: number
    /// `trial · H + neuron` of the stream. The paper has scale = 0.1. A gated cell begins with
    /// zeros: for it the scale must be 0.
    Uniform {
        /// Upper end of the interval.
        scale: f64,
        /// Name of the stream.
        key: Key,
    },
    /// The given states, shape (trial, neuron); of an LSTM (trial, h of all neurons and then c).
    Given(ArrayView2<'a, R>),
}

/// What the readouts should answer.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A class for each head, read from the last state; the loss is the sum over heads of the
    /// mean cross-entropy over trials.
    Labels {
        /// Shape (trial, position in `heads`), numbered from 0.
        labels: ArrayView2<'a, u8>,
        /// The active heads, as indices into [`Params::readouts`].
        heads: &'a [usize],
    },
    /// A value at every step; the loss is the mean squared error over steps, trials and outputs.
    Series {
        /// Shape (time, trial, output).
        targets: ArrayView3<'a, f32>,
        /// The head that is read, as an index into [`Params::readouts`].
        head: usize,
    },
}

impl Target<'_> {
    /// The heads that take part.
    #[must_use]
    pub fn heads(&self) -> &[usize] {
        match self {
            Self::Labels { heads, .. } => heads,
            Self::Series { head, .. } => std::slice::from_ref(head),
        }
    }

    /// Whether an answer is wanted at every step, not only at the last.
    #[must_use]
    pub fn every_step(&self) -> bool {
        matches!(self, Self::Series { .. })
    }
}

/// One batch of trials of equal length.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, R> {
    /// Shape (time, trial, channel).
    pub inputs: ArrayView3<'a, f32>,
    /// Hidden state before the first step.
    pub initial: Initial<'a, R>,
    /// What the readouts should answer.
    pub target: Target<'a>,
}

/// A batch of random bits that a device may draw itself: the same numbers as the batch that
/// `tau-tasks` draws for the key. One input channel; heads 0, 1, … answer for `memory`.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a, R> {
    /// Name of the stream.
    pub key: Key,
    /// Steps T, at least the largest N.
    pub steps: usize,
    /// Trials.
    pub trials: usize,
    /// Whether a 1 has probability 1/2; else every trial has its own, uniform in [0, 1).
    pub fair: bool,
    /// The input that stands for 0 and for 1.
    pub values: [f32; 2],
    /// What is asked of the bits.
    pub rule: BitRule,
    /// N of each head.
    pub memory: &'a [usize],
    /// Hidden state before the first step.
    pub initial: Initial<'a, R>,
}

/// What a head should answer at the last step T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRule {
    /// Whether the number of ones among the last N bits is odd.
    Parity,
    /// Whether bits T and T − N + 1 are the same.
    Match,
}

impl<R: Real> Drawn<'_, R> {
    /// The most trials and steps whose numbers one stream has (`tau_tasks::Draws`).
    const MAX_TRIALS: usize = (1 << 14) - 1;
    const MAX_STEPS: usize = 4 * ((1 << 18) - 1);

    /// Checks it against a network.
    ///
    /// # Errors
    /// A size that is 0, channels or heads that the network does not have, an N above T.
    pub fn check(&self, config: &Config, params: &Params<R>) -> Result<(), Error> {
        let Self { steps, trials, .. } = *self;
        for (what, size) in [("steps", steps), ("trials", trials), ("heads", self.memory.len())] {
            if size == 0 {
                return Err(Error::EmptyBatch { what });
            }
        }
        if config.input_size != 1 {
            let expected = [steps, trials, config.input_size];
            return Err(Error::shape("inputs", &[steps, trials, 1], &expected));
        }
        if steps > Self::MAX_STEPS || trials > Self::MAX_TRIALS {
            let most = [Self::MAX_STEPS, Self::MAX_TRIALS, 1];
            return Err(Error::shape("the numbers of one stream", &[steps, trials, 1], &most));
        }
        self.initial.check(trials, config)?;
        let heads = params.readouts.len();
        if self.memory.len() > heads {
            return Err(Error::Head { head: heads, heads });
        }
        if let Some(head) = params.readouts.iter().position(|readout| readout.outputs() < 2) {
            return Err(Error::Label { label: 1, head, classes: 1 });
        }
        match self.memory.iter().find(|&&n| n == 0 || n > steps) {
            Some(&n) => Err(Error::shape("the bits asked for", &[n], &[steps])),
            None => Ok(()),
        }
    }
}

impl<R: Real> Batch<'_, R> {
    /// Number of steps T.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.inputs.shape()[0]
    }

    /// Number of trials.
    #[must_use]
    pub fn trials(&self) -> usize {
        self.inputs.shape()[1]
    }

    /// Checks the batch against a network, once, before anything is computed.
    ///
    /// # Errors
    /// A size that is 0, a shape that does not fit, an unknown head, a label that is no class.
    pub fn check(&self, config: &Config, params: &Params<R>) -> Result<(), Error> {
        let [steps, trials, channels] = [0, 1, 2].map(|axis| self.inputs.shape()[axis]);
        for (what, size) in [("steps", steps), ("trials", trials)] {
            if size == 0 {
                return Err(Error::EmptyBatch { what });
            }
        }
        if channels != config.input_size {
            let expected = [steps, trials, config.input_size];
            return Err(Error::shape("inputs", self.inputs.shape(), &expected));
        }
        self.initial.check(trials, config)?;
        self.target.heads().iter().try_for_each(|&head| params.check_head(head))?;
        match self.target {
            Target::Labels { labels, heads } => check_labels(labels, heads, trials, params),
            Target::Series { targets, head } => {
                let expected = [steps, trials, params.readouts[head].outputs()];
                if targets.shape() == expected {
                    Ok(())
                } else {
                    Err(Error::shape("targets", targets.shape(), &expected))
                }
            }
        }
    }
}

impl<R: Real> Initial<'_, R> {
    pub(crate) fn check(&self, trials: usize, config: &Config) -> Result<(), Error> {
        let expected = [trials, config.state_size()];
        match *self {
            Initial::Given(state) if state.shape() != expected => {
                Err(Error::shape("initial state", state.shape(), &expected))
            }
            Initial::Uniform { scale, .. } if config.cell.gated() && scale != 0.0 => {
                Err(Error::GatedInitial { cell: config.cell, scale })
            }
            _ => Ok(()),
        }
    }

    /// Writes h(0) of one trial (of given states as many as fit).
    pub(crate) fn fill(&self, trial: usize, state: &mut [R]) {
        match self {
            Initial::Zero => state.fill(R::ZERO),
            Initial::Given(given) => {
                for (value, &given) in state.iter_mut().zip(given.row(trial)) {
                    *value = given;
                }
            }
            Initial::Uniform { scale, key } => {
                let scale = R::from_f64(*scale);
                let first = (trial * state.len()) as u64;
                let mut numbers = [0.0; 64];
                for (k, values) in state.chunks_mut(numbers.len()).enumerate() {
                    let start = first + (k * numbers.len()) as u64;
                    key.fill_unit_f32(start, &mut numbers[..values.len()]);
                    for (value, &number) in values.iter_mut().zip(&numbers) {
                        *value = scale * R::from_f32(number);
                    }
                }
            }
        }
    }
}

/// Checks what [`crate::Backend::advance`] is given, and makes room for every state; steps and
/// trials.
pub(crate) fn prepare_simulation<R: Real>(
    config: &Config,
    state: &Array2<R>,
    inputs: ArrayView3<'_, f32>,
    activity: &mut Array3<R>,
) -> Result<[usize; 2], Error> {
    let [steps, trials, channels] = [0, 1, 2].map(|axis| inputs.shape()[axis]);
    let hidden = config.hidden_size;
    if channels != config.input_size {
        let expected = [steps, trials, config.input_size];
        return Err(Error::shape("inputs", inputs.shape(), &expected));
    }
    Initial::Given(state.view()).check(trials, config)?;
    if activity.dim() != (steps, trials, hidden) {
        *activity = Array3::from_elem((steps, trials, hidden), R::ZERO);
    }
    Ok([steps, trials])
}

fn check_labels<R: Real>(
    labels: ArrayView2<'_, u8>,
    heads: &[usize],
    trials: usize,
    params: &Params<R>,
) -> Result<(), Error> {
    if heads.is_empty() {
        return Err(Error::EmptyBatch { what: "heads" });
    }
    if labels.shape() != [trials, heads.len()] {
        return Err(Error::shape("labels", labels.shape(), &[trials, heads.len()]));
    }
    for (column, &head) in labels.columns().into_iter().zip(heads) {
        let classes = params.readouts[head].outputs();
        if let Some(label) = column.iter().map(|&x| usize::from(x)).find(|&x| x >= classes) {
            return Err(Error::Label { label, head, classes });
        }
    }
    Ok(())
}

/// How well one head did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadScore {
    /// Mean cross-entropy over trials in nats, or mean squared error over trials and steps.
    pub loss: f64,
    /// Share of trials whose largest output is that of the label, in [0, 1]; NaN for a series.
    pub accuracy: f64,
}

/// How well a network did on one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// One for each active head, in the order of the batch.
    pub heads: Vec<HeadScore>,
}

impl Scores {
    /// The loss: the sum over heads.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.heads.iter().map(|head| head.loss).sum()
    }

    /// Mean accuracy over heads, in [0, 1].
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.heads.iter().map(|head| head.accuracy).sum::<f64>() / self.heads.len() as f64
    }
}
