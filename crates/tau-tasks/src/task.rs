//! What every task is: a length law, an input, a target.

use std::fmt::Debug;

use ndarray::{Array2, Array3, ArrayView3};
use tau_random::Key;

use crate::{BitRule, Bits, Error};

/// A task: random input sequences and what a network should answer to them.
///
/// Everything a task draws is a pure function of the key, the trial and the step: the first
/// trials and the first input steps are the same however many follow. The caller names the batch
/// by the key's stage and step (for instance epoch and update) and uses no key twice.
pub trait Task: Debug + Send + Sync {
    /// The task's name in specifications and tables, for instance `parity`.
    fn name(&self) -> &'static str;

    /// Input channels.
    fn channels(&self) -> usize;

    /// What a network must read out.
    fn outputs(&self) -> Outputs;

    /// The memory that each head needs, in steps: N of every head, or the reply delay (`gap`) of
    /// a task with a target series.
    fn memory(&self) -> &[usize];

    /// The number of steps of the batch named by `key`: one length for all its trials.
    fn length(&self, key: Key) -> usize;

    /// `trials` sequences of an explicit `length` in steps, with their target.
    ///
    /// # Errors
    /// [`Error::TooShort`] if the task's memory does not fit, [`Error::TooLong`] and
    /// [`Error::Trials`] beyond the capacity of a key.
    fn sample(&self, length: usize, trials: usize, key: Key) -> Result<Batch, Error>;

    /// Random task input of any length ≥ 1, (time, trial, channel): to measure activity.
    ///
    /// # Errors
    /// [`Error::TooShort`], [`Error::TooLong`] and [`Error::Trials`] outside the capacity of a
    /// key.
    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error>;

    /// The batch named by `key`: a [`sample`](Task::sample) of the length that
    /// [`length`](Task::length) gives.
    ///
    /// # Errors
    /// [`Error::Trials`] outside the capacity of a key.
    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        self.sample(self.length(key), trials, key)
    }

    /// The law of the bits and what is asked of them, for a device that draws the task's batches
    /// itself; `None` for a task that is more than that.
    fn bits(&self) -> Option<(Bits, BitRule)> {
        None
    }

    /// The label of every head at every step, (time, trial, head), as if the sequence ended there.
    ///
    /// `inputs` is (time, trial, channel). Where a head's N bits have not yet been seen (t < N − 1,
    /// steps counted from 0) stands [`NO_LABEL`](crate::NO_LABEL), which is no class: skip those
    /// steps when scoring.
    ///
    /// # Errors
    /// [`Error::Channels`] if `inputs` does not have the task's channels,
    /// [`Error::NoRunningLabels`] for a task with a target series.
    fn running_labels(&self, inputs: ArrayView3<f32>) -> Result<Array3<u8>, Error> {
        let _ = inputs;
        Err(Error::NoRunningLabels { task: self.name() })
    }
}

/// Sequences of one length and what a network should answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// (time, trial, channel)
    pub inputs: Array3<f32>,
    /// One entry per trial of `inputs`.
    pub target: Target,
}

/// What a network should answer to a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// (trial, head): the class of each head at the last step.
    Labels(Array2<u8>),
    /// (time, trial, output): a value at every step.
    Series(Array3<f32>),
}

/// What a network must read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Heads that each choose a class at the last step.
    Heads {
        /// Number of heads.
        heads: usize,
        /// Classes of every head.
        classes: usize,
    },
    /// Values at every step.
    Series {
        /// Number of values per step.
        outputs: usize,
    },
}
