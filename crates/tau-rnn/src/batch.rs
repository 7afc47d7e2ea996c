//! Batches: the input that a network is shown, and the answers that it should give.

use ndarray::{Array2, Array3, ArrayBase, ArrayView2, ArrayView3, Data, Ix2, Ix3};
use tau_random::DrawnBits;

use crate::{Config, Error, Initial, Params, Real};

/// The answers that the readouts should give.
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
    /// The answers that the readouts should give.
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

    /// This batch with a shorter lifetime: `ndarray`'s views hide from the compiler that it may have
    /// one.
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

    /// The number of answers: trials for classes; trials times steps for values, or the sum of their
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

/// Checks the arguments of [`crate::Backend::advance`] and makes room for every state; gives the
/// numbers of steps and trials.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_asks_the_first_heads_until_others_are_named() {
        let (inputs, labels) = (Array3::zeros((3, 4, 1)), Array2::zeros((4, 2)));
        let batch: Batch<'_, f32> = Batch::classes(&inputs, &labels);
        assert_eq!(batch.target.heads(), [0, 1]);
        assert_eq!(batch.heads(&[5, 2]).target.heads(), [5, 2]);
        assert!(matches!(batch.initial, Initial::Zero));
        let values = Array3::zeros((3, 4, 2));
        let batch: Batch<'_, f32> = Batch::values(&inputs, &values);
        assert_eq!(batch.target.heads(), [0]);
        assert_eq!(batch.heads(&[3]).target.heads(), [3]);
        let weights = Array2::ones((3, 4));
        assert!((batch.weighted(&weights).asked() - batch.asked()).abs() < 1e-15);
    }

    #[test]
    #[should_panic(expected = "weights of classes")]
    fn classes_have_no_weights() {
        let (inputs, labels) = (Array3::zeros((3, 4, 1)), Array2::zeros((4, 2)));
        let weights = Array2::ones((3, 4));
        let _ = Batch::<f32>::classes(&inputs, &labels).weighted(&weights);
    }

    #[test]
    #[should_panic(expected = "heads: [0, 1] (allowed for values: one)")]
    fn values_come_from_one_head() {
        let (inputs, values) = (Array3::zeros((3, 4, 1)), Array3::zeros((3, 4, 2)));
        let _ = Batch::<f32>::values(&inputs, &values).heads(&[0, 1]);
    }

    #[test]
    fn more_heads_than_have_a_default_must_be_named() {
        let config = Config::leaky(2, 1);
        let mut rng = tau_random::Key::new(1, tau_random::Purpose::Readout).stream();
        let mut params = Params::<f32>::init(&config, &mut rng).unwrap();
        params.readouts = vec![crate::Readout::init(&config, 2, &mut rng); 1025];
        let (inputs, labels) = (Array3::zeros((3, 4, 1)), Array2::zeros((4, 1025)));
        let batch = Batch::classes(&inputs, &labels);
        let error = batch.check(&config, &params).unwrap_err().to_string();
        assert_eq!(error, "shape of labels: [4, 1025] (expected: [4, 1024])");
        let heads: Vec<usize> = (0..1025).collect();
        batch.heads(&heads).check(&config, &params).unwrap();
    }

    #[test]
    fn drawn_bits_must_fit_the_network() {
        let config = Config::leaky(2, 1);
        let mut rng = tau_random::Key::new(1, tau_random::Purpose::Readout).stream();
        let mut params = Params::<f32>::init(&config, &mut rng).unwrap();
        params.readouts = vec![crate::Readout::init(&config, 2, &mut rng); 2];
        let drawn = DrawnBits {
            key: tau_random::Key::new(1, tau_random::Purpose::Inputs),
            steps: 9,
            trials: 4,
            bits: tau_random::Bits {
                chance: tau_random::Chance::Half,
                coding: tau_random::Coding::Bits,
            },
            rule: tau_random::BitRule::Parity,
            memory: &[2, 9],
        };
        let check = |drawn: DrawnBits<'_>, config: &Config| {
            check_drawn(&drawn, &Initial::Zero, config, &params).map_err(|error| error.to_string())
        };
        check(drawn, &config).unwrap();
        let refused = |drawn: DrawnBits<'_>, config: &Config, message: &str| {
            assert_eq!(check(drawn, config), Err(message.to_owned()));
        };
        let empty = "empty batch: trials is 0 (allowed: 1 or more)";
        refused(DrawnBits { trials: 0, ..drawn }, &config, empty);
        let short = "length: 8 (allowed: at least 9 steps; use longer sequences)";
        refused(DrawnBits { steps: 8, ..drawn }, &config, short);
        let heads = "head: 2 (the network has 2, numbered from 0)";
        refused(DrawnBits { memory: &[2, 3, 4], ..drawn }, &config, heads);
        let channels = "shape of inputs: [9, 4, 1] (expected: [9, 4, 2])";
        refused(drawn, &Config::leaky(2, 2), channels);
        let none = "shape of the bits asked for: [0] (expected: [9])";
        refused(DrawnBits { memory: &[0], ..drawn }, &config, none);
    }
}
