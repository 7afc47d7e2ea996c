//! What a pass is shown: a batch that was handed over, or one that the device draws.

use std::borrow::Cow;

use ndarray::{ArrayView2, ArrayView3};
use tau_random::Key;

use crate::{Batch, BitRule, Drawn, Initial, Real, Target};

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
        fair: bool,
        values: [f32; 2],
    },
}

pub(super) enum Answers<'a> {
    /// (trial, position of the head).
    Labels(ArrayView2<'a, u8>),
    /// (time, trial, output).
    Series(ArrayView3<'a, f32>),
    Drawn {
        key: Key,
        fair: bool,
        rule: BitRule,
        memory: &'a [usize],
    },
}

impl<'a, R: Real> Shown<'a, R> {
    pub(super) fn batch(batch: &Batch<'a, R>) -> Self {
        let (heads, answers) = match batch.target {
            Target::Labels { labels, heads } => (Cow::Borrowed(heads), Answers::Labels(labels)),
            Target::Series { targets, head } => (Cow::Owned(vec![head]), Answers::Series(targets)),
        };
        Self {
            steps: batch.steps(),
            trials: batch.trials(),
            heads,
            initial: batch.initial,
            inputs: Inputs::Given(batch.inputs),
            answers,
        }
    }

    pub(super) fn drawn(drawn: &Drawn<'a, R>) -> Self {
        let Drawn { key, steps, trials, fair, values, rule, memory, initial } = *drawn;
        Self {
            steps,
            trials,
            heads: Cow::Owned((0..memory.len()).collect()),
            initial,
            inputs: Inputs::Drawn { key, fair, values },
            answers: Answers::Drawn { key, fair, rule, memory },
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
