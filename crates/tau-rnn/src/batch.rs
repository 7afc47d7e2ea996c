//! What a network is shown, what it should answer, and how well it did.

use ndarray::{Array2, Array3, ArrayBase, ArrayView2, ArrayView3, Data, Ix2, Ix3};
use tau_random::{DrawnBits, Key};

use crate::{Config, Error, Params, Real};

/// Hidden state before the first step.
#[derive(Clone, Copy, Debug)]
pub enum Initial<'a, R> {
    /// h(0) = 0.
    Zero,
    /// h(0) = scale · U[0, 1), drawn anew for each trial and neuron: number
    /// `trial · H + neuron` of the stream. A gated cell begins with zeros: for it the scale must
    /// be 0.
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
    Classes {
        /// Shape (trial, position in `heads`), numbered from 0.
        labels: ArrayView2<'a, u8>,
        /// The active heads, as indices into [`Params::readouts`].
        heads: &'a [usize],
    },
    /// Values at every step. The loss is the mean of the squared error e² over steps, trials and
    /// outputs; with weights w(t, b) it is Σ w e² / (outputs · Σ w). Where a weight is 0, nothing is
    /// read, and the value may be anything, even NaN.
    Values {
        /// Shape (time, trial, output).
        values: ArrayView3<'a, f32>,
        /// Shape (time, trial): finite, 0 or more, not all 0.
        weights: Option<ArrayView2<'a, f32>>,
        /// The head that is read, as an index into [`Params::readouts`].
        head: usize,
    },
}

impl Target<'_> {
    /// The heads that take part.
    #[must_use]
    pub fn heads(&self) -> &[usize] {
        match self {
            Self::Classes { heads, .. } => heads,
            Self::Values { head, .. } => std::slice::from_ref(head),
        }
    }

    /// Whether an answer is wanted at every step, not only at the last.
    #[must_use]
    pub fn every_step(&self) -> bool {
        matches!(self, Self::Values { .. })
    }
}

/// One batch of trials of equal length.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use tau_rnn::{Batch, Initial};
///
/// let (inputs, values) = (Array3::zeros((20, 8, 1)), Array3::zeros((20, 8, 2)));
/// // Only the last five steps count.
/// let weights = Array2::from_shape_fn((20, 8), |(t, _)| if t < 15 { 0.0 } else { 1.0 });
/// let states = Array2::zeros((8, 100));
/// let batch: Batch<'_, f32> = Batch::values(&inputs, &values)
///     .weighted(&weights)
///     .starting(Initial::Given(states.view()));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, R> {
    /// Shape (time, trial, channel).
    pub inputs: ArrayView3<'a, f32>,
    /// Hidden state before the first step.
    pub initial: Initial<'a, R>,
    /// What the readouts should answer.
    pub target: Target<'a>,
}

/// The heads of [`Batch::classes`]: as many of the first ones as there are columns of labels.
static FIRST_HEADS: [usize; 1024] = {
    let mut heads = [0; 1024];
    let mut k = 0;
    while k < heads.len() {
        heads[k] = k;
        k += 1;
    }
    heads
};

impl<'a, R> Batch<'a, R> {
    /// Inputs (time, trial, channel) whose trials have a class for each head: labels (trial, head)
    /// for heads 0, 1, … (for more than 1024 heads, name them by [`Batch::heads`]). The state before
    /// the first step is zero.
    #[must_use]
    pub fn classes(
        inputs: &'a ArrayBase<impl Data<Elem = f32>, Ix3>,
        labels: &'a ArrayBase<impl Data<Elem = u8>, Ix2>,
    ) -> Self {
        let heads = &FIRST_HEADS[..labels.ncols().min(FIRST_HEADS.len())];
        let target = Target::Classes { labels: labels.view(), heads };
        Self { inputs: inputs.view(), initial: Initial::Zero, target }
    }

    /// Inputs (time, trial, channel) with wanted values (time, trial, output) of head 0 at every
    /// step. The state before the first step is zero.
    #[must_use]
    pub fn values(
        inputs: &'a ArrayBase<impl Data<Elem = f32>, Ix3>,
        values: &'a ArrayBase<impl Data<Elem = f32>, Ix3>,
    ) -> Self {
        let target = Target::Values { values: values.view(), weights: None, head: 0 };
        Self { inputs: inputs.view(), initial: Initial::Zero, target }
    }

    /// The batch with this state before the first step.
    #[must_use]
    pub fn starting<'b>(self, initial: Initial<'b, R>) -> Batch<'b, R>
    where
        'a: 'b,
    {
        let Self { inputs, target, .. } = self;
        Batch { inputs: inputs.reborrow(), initial, target: target.reborrow() }
    }

    /// The batch for these heads: one for each column of labels, or the one that gives the values.
    ///
    /// # Panics
    /// If values are asked of another number of heads than one.
    #[must_use]
    pub fn heads<'b>(self, heads: &'b [usize]) -> Batch<'b, R>
    where
        'a: 'b,
    {
        let mut batch = self.reborrow();
        match &mut batch.target {
            Target::Classes { heads: asked, .. } => *asked = heads,
            Target::Values { head: asked, .. } => {
                let [head] = *heads else { panic!("heads: {heads:?} (allowed for values: one)") };
                *asked = head;
            }
        }
        batch
    }

    /// The batch with a weight (time, trial) for every value: see [`Target::Values`].
    ///
    /// # Panics
    /// If the target are classes, which have no weights.
    #[must_use]
    pub fn weighted<'b>(self, weights: &'b ArrayBase<impl Data<Elem = f32>, Ix2>) -> Batch<'b, R>
    where
        'a: 'b,
    {
        let mut batch = self.reborrow();
        match &mut batch.target {
            Target::Values { weights: given, .. } => *given = Some(weights.view()),
            Target::Classes { .. } => panic!("weights of classes (allowed: weights of values)"),
        }
        batch
    }

    /// The same for a shorter time, which the compiler does not see by itself through `ndarray`'s
    /// views.
    fn reborrow<'b>(self) -> Batch<'b, R>
    where
        'a: 'b,
    {
        let Self { inputs, initial, target } = self;
        let initial = match initial {
            Initial::Zero => Initial::Zero,
            Initial::Uniform { scale, key } => Initial::Uniform { scale, key },
            Initial::Given(states) => Initial::Given(states.reborrow()),
        };
        Batch { inputs: inputs.reborrow(), initial, target: target.reborrow() }
    }
}

impl<'a> Target<'a> {
    fn reborrow<'b>(self) -> Target<'b>
    where
        'a: 'b,
    {
        match self {
            Self::Classes { labels, heads } => Target::Classes { labels: labels.reborrow(), heads },
            Self::Values { values, weights, head } => {
                let weights = weights.map(ArrayView2::reborrow);
                Target::Values { values: values.reborrow(), weights, head }
            }
        }
    }
}

/// Checks bits that a device is to draw against a network.
///
/// # Errors
/// A size that is 0 or too large, channels or heads that the network does not have, an N above T.
pub(crate) fn check_drawn<R: Real>(
    drawn: &DrawnBits<'_>,
    initial: &Initial<'_, R>,
    config: &Config,
    params: &Params<R>,
) -> Result<(), Error> {
    let DrawnBits { steps, trials, memory, .. } = *drawn;
    for (what, size) in [("steps", steps), ("trials", trials), ("heads", memory.len())] {
        if size == 0 {
            return Err(Error::EmptyBatch { what });
        }
    }
    if config.input_size != 1 {
        let expected = [steps, trials, config.input_size];
        return Err(Error::shape("inputs", &[steps, trials, 1], &expected));
    }
    drawn.draws()?;
    initial.check(trials, config)?;
    let heads = params.readouts.len();
    if memory.len() > heads {
        return Err(Error::Head { head: heads, heads });
    }
    let asked = &params.readouts[..memory.len()];
    if let Some(head) = asked.iter().position(|readout| readout.outputs() < 2) {
        return Err(Error::Label { label: 1, head, classes: 1 });
    }
    match memory.iter().find(|&&n| n == 0) {
        Some(&n) => Err(Error::shape("the bits asked for", &[n], &[steps])),
        None => Ok(()),
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
    /// A size that is 0, a shape that does not fit, an unknown head, a label that is no class, a
    /// weight that is none.
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
            Target::Classes { labels, heads } => check_labels(labels, heads, trials, params),
            Target::Values { values, weights, head } => {
                let expected = [steps, trials, params.readouts[head].outputs()];
                if values.shape() != expected {
                    return Err(Error::shape("values", values.shape(), &expected));
                }
                weights.map_or(Ok(()), |weights| check_weights(weights, [steps, trials]))
            }
        }
    }

    /// What is asked, counted: trials of classes; trials and steps of values, or the sum of their
    /// weights.
    pub(crate) fn asked(&self) -> f64 {
        match self.target {
            Target::Classes { .. } => self.trials() as f64,
            Target::Values { weights: None, .. } => (self.trials() * self.steps()) as f64,
            Target::Values { weights: Some(weights), .. } => {
                weights.iter().map(|&weight| f64::from(weight)).sum()
            }
        }
    }
}

impl Target<'_> {
    /// The number by which the sum of the losses of a head with so many outputs is divided, given
    /// [`Batch::asked`].
    pub(crate) fn loss_count(&self, asked: f64, outputs: usize) -> f64 {
        match self {
            Self::Classes { .. } => asked,
            Self::Values { .. } => asked * outputs as f64,
        }
    }
}

impl<R: Real> Initial<'_, R> {
    /// The states before the first step of so many trials: (trial, [`Config::state_size`]).
    ///
    /// # Errors
    /// Given states of another shape; random states of a cell that begins with zeros.
    pub fn states(&self, trials: usize, config: &Config) -> Result<Array2<R>, Error> {
        self.check(trials, config)?;
        let mut states = Array2::from_elem((trials, config.state_size()), R::ZERO);
        match self {
            Initial::Given(given) => states.assign(given),
            Initial::Zero | Initial::Uniform { .. } => {
                for (trial, mut state) in states.outer_iter_mut().enumerate() {
                    let state = state.as_slice_mut().expect("row-major");
                    self.fill(trial, &mut state[..config.hidden_size]);
                }
            }
        }
        Ok(states)
    }

    pub(crate) fn check(&self, trials: usize, config: &Config) -> Result<(), Error> {
        let expected = [trials, config.state_size()];
        match *self {
            Initial::Given(state) if state.shape() != expected => {
                Err(Error::shape("initial state", state.shape(), &expected))
            }
            Initial::Uniform { scale, .. } if config.leaky_cell().is_none() && scale != 0.0 => {
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

fn check_weights(weights: ArrayView2<'_, f32>, expected: [usize; 2]) -> Result<(), Error> {
    if weights.shape() != expected {
        return Err(Error::shape("weights", weights.shape(), &expected));
    }
    let bad = |(_, weight): &(_, &f32)| !(weight.is_finite() && **weight >= 0.0);
    if let Some(((step, trial), &value)) = weights.indexed_iter().find(bad) {
        return Err(Error::Weight { value, step, trial });
    }
    if weights.iter().all(|&weight| weight == 0.0) { Err(Error::NoWeight) } else { Ok(()) }
}

/// How well one head did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Mean cross-entropy over trials in nats, or (weighted) mean squared error over trials, steps
    /// and outputs.
    pub loss: f64,
    /// Share of trials whose largest output is that of the label, in [0, 1]; `None` for values.
    pub accuracy: Option<f64>,
}

/// How well a network did on one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// One for each active head, in the order of the batch.
    pub heads: Vec<Score>,
}

impl Scores {
    /// The loss: the sum over heads.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.heads.iter().map(|head| head.loss).sum()
    }

    /// Mean accuracy over heads, in [0, 1]; `None` if the batch wanted values.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let sum = self.heads.iter().map(|head| head.accuracy).sum::<Option<f64>>()?;
        (!self.heads.is_empty()).then(|| sum / self.heads.len() as f64)
    }
}
