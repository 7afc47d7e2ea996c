//! What a pass is shown: a batch that was handed over, or one that the device draws.

use std::borrow::Cow;

use ndarray::{ArrayView2, ArrayView3};
use tau_random::{BitRule, Bits, DrawnBits, Key};

use crate::{Batch, Initial, Real, Target};

/// A batch in one form, whether handed over or drawn by the device.
pub(super) struct Shown<'a, R> {
    pub(super) steps: usize,
    pub(super) trials: usize,
    pub(super) heads: Cow<'a, [usize]>,
    pub(super) initial: Initial<'a, R>,
    pub(super) inputs: Inputs<'a>,
    pub(super) answers: Answers<'a>,
    /// What is asked, counted: see [`Batch::asked`].
    asked: f64,
}

pub(super) enum Inputs<'a> {
    /// Numbers of the host, shape (time, trial, channel).
    Given(ArrayView3<'a, f32>),
    /// Bits that the device draws.
    Drawn { key: Key, bits: Bits },
}

pub(super) enum Answers<'a> {
    /// A class for each head, shape (trial, position of the head).
    Classes(ArrayView2<'a, u8>),
    /// Values of one head at every step.
    Values {
        /// Shape (time, trial, output).
        values: ArrayView3<'a, f32>,
        /// Shape (time, trial); `None` if all weights are 1.
        weights: Option<ArrayView2<'a, f32>>,
    },
    /// Classes that the device finds in the bits that it draws.
    Drawn(DrawnLabels),
}

/// What is asked of drawn bits.
pub(super) struct DrawnLabels {
    pub(super) key: Key,
    pub(super) bits: Bits,
    pub(super) rule: BitRule,
    /// N of each head.
    pub(super) memory: Vec<i32>,
}

impl<'a, R: Real> Shown<'a, R> {
    pub(super) fn batch(batch: &Batch<'a, R>) -> Self {
        let (heads, answers) = match batch.target {
            Target::Classes { labels, heads } => (Cow::Borrowed(heads), Answers::Classes(labels)),
            Target::Values { values, weights, head } => {
                (Cow::Owned(vec![head]), Answers::Values { values, weights })
            }
        };
        Self {
            steps: batch.steps(),
            trials: batch.trials(),
            heads,
            initial: batch.initial,
            inputs: Inputs::Given(batch.inputs),
            answers,
            asked: batch.asked(),
        }
    }

    pub(super) fn drawn(drawn: &DrawnBits<'_>, initial: Initial<'a, R>) -> Self {
        let DrawnBits { key, steps, trials, bits, rule, memory } = *drawn;
        let heads = Cow::Owned((0..memory.len()).collect());
        // No N exceeds the number of steps, which fits.
        let memory = memory.iter().map(|&n| n as i32).collect();
        Self {
            steps,
            trials,
            heads,
            initial,
            inputs: Inputs::Drawn { key, bits },
            answers: Answers::Drawn(DrawnLabels { key, bits, rule, memory }),
            asked: trials as f64,
        }
    }

    /// Whether an answer is wanted at every step, not only at the last.
    pub(super) fn every_step(&self) -> bool {
        matches!(self.answers, Answers::Values { .. })
    }

    /// Number of steps whose outputs are read.
    pub(super) fn read_steps(&self) -> usize {
        if self.every_step() { self.steps } else { 1 }
    }

    /// The factor that turns a sum of losses into the loss, for heads with so many outputs.
    pub(super) fn share(&self, outputs: usize) -> f64 {
        1.0 / if self.every_step() { self.asked * outputs as f64 } else { self.asked }
    }
}
