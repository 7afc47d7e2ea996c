//! What a pass is shown: a batch that was handed over, or one that the device draws.

use std::borrow::Cow;

use ndarray::{ArrayView2, ArrayView3};
use tau_random::{BitRule, Bits, DrawnBits, Key};

use crate::{Batch, Error, Initial, Real, Target};

/// One form for both.
pub(super) struct Shown<'a, R> {
    pub(super) steps: usize,
    pub(super) trials: usize,
    pub(super) heads: Cow<'a, [usize]>,
    pub(super) initial: Initial<'a, R>,
    pub(super) inputs: Inputs<'a>,
    pub(super) answers: Answers<'a>,
}

pub(super) enum Inputs<'a> {
    /// (time, trial, channel).
    Given(ArrayView3<'a, f32>),
    Drawn {
        key: Key,
        bits: Bits,
    },
}

pub(super) enum Answers<'a> {
    /// (trial, position of the head).
    Labels(ArrayView2<'a, u8>),
    /// (time, trial, output).
    Series(ArrayView3<'a, f32>),
    Drawn {
        key: Key,
        bits: Bits,
        rule: BitRule,
        memory: Vec<usize>,
    },
}

impl<'a, R: Real> Shown<'a, R> {
    pub(super) fn batch(batch: &Batch<'a, R>) -> Result<Self, Error> {
        let (heads, answers) = match batch.target {
            Target::Classes { labels, heads } => (Cow::Borrowed(heads), Answers::Labels(labels)),
            Target::Values { values, weights: None, head } => {
                (Cow::Owned(vec![head]), Answers::Series(values))
            }
            Target::Values { weights: Some(_), .. } => {
                let reason = "it does not know weights of values (use the processor)";
                return Err(Error::UnusableDevice { reason: reason.to_owned() });
            }
        };
        Ok(Self {
            steps: batch.steps(),
            trials: batch.trials(),
            heads,
            initial: batch.initial,
            inputs: Inputs::Given(batch.inputs),
            answers,
        })
    }

    pub(super) fn drawn(drawn: &DrawnBits<'_>, initial: Initial<'a, R>) -> Self {
        let DrawnBits { key, steps, trials, bits, rule, memory } = *drawn;
        Self {
            steps,
            trials,
            heads: Cow::Owned((0..memory.len()).collect()),
            initial,
            inputs: Inputs::Drawn { key, bits },
            answers: Answers::Drawn { key, bits, rule, memory: memory.to_vec() },
        }
    }

    /// Whether an answer is wanted at every step, not only at the last.
    pub(super) fn every_step(&self) -> bool {
        matches!(self.answers, Answers::Series(_))
    }

    /// From sums of losses to their mean.
    pub(super) fn loss_scale(&self, outputs: usize) -> f64 {
        let steps = if self.every_step() { self.steps * outputs } else { 1 };
        1.0 / (self.trials as f64 * steps as f64)
    }
}
