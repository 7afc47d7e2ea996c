//! What every task is: a shape, lengths, an input, targets.

use std::fmt::Debug;

use ndarray::{Array2, Array3, ArrayView3};
use tau_random::{BitRule, Bits, Key};

use crate::{Error, Shape, Steps};

/// A task: random input sequences and what a network should answer to them.
///
/// Everything a task draws is a pure function of the key, the trial and the step: the first
/// trials and the first input steps are the same however many follow. The caller names the batch
/// by the key's stage and step (for instance epoch and update) and uses no key twice.
pub trait Task: Debug + Send + Sync {
    /// The task's name in specifications and tables, for instance `parity`.
    fn name(&self) -> &'static str;

    /// Input channels and heads.
    fn shape(&self) -> &Shape;

    /// The lengths of the task's batches.
    fn steps(&self) -> Steps;

    /// `trials` sequences of one length, with their targets: the batch named by `key`.
    ///
    /// # Errors
    /// [`Error::Draws`] outside the capacity of a key.
    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error>;

    /// Random task input of any length ≥ 1 in steps, shape (time, trial, channel): to measure
    /// activity.
    ///
    /// # Errors
    /// [`Error::Draws`] outside the capacity of a key.
    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error>;

    /// The task as a ladder over the memory N; `None` for a task that has no N.
    fn ladder(&self) -> Option<&dyn MemoryTask> {
        None
    }
}

/// What only ladders over the memory N know.
pub trait MemoryTask: Task {
    /// N of every head, in the order of the heads.
    fn memory(&self) -> &[usize];

    /// The number of steps of the batch named by `key`: one length for all its trials.
    fn length(&self, key: Key) -> usize;

    /// `trials` sequences of an explicit `length` in steps, with their targets.
    ///
    /// # Errors
    /// [`Error::Draws`] if the largest N does not fit into `length`, and beyond the capacity of a
    /// key.
    fn sample(&self, length: usize, trials: usize, key: Key) -> Result<Batch, Error>;

    /// The label of every head at every step, shape (time, trial, head), as if the sequence ended
    /// there.
    ///
    /// `inputs` is (time, trial, channel). Where a head's N bits have not yet been seen (t < N − 1,
    /// steps counted from 0) stands [`NO_LABEL`](crate::NO_LABEL), which is no class: skip those
    /// steps when scoring.
    ///
    /// # Errors
    /// [`Error::Channels`] if `inputs` does not have the task's channels.
    fn running_labels(&self, inputs: ArrayView3<f32>) -> Result<Array3<u8>, Error>;

    /// The law of the bits and the question that is asked of them, for a device that draws the
    /// task's batches itself.
    fn bits(&self) -> (Bits, BitRule);
}

/// Sequences of one length and what a network should answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Input, shape (time, trial, channel).
    pub inputs: Array3<f32>,
    /// The answers, one entry per trial of `inputs`.
    pub targets: Targets,
}

/// What a network should answer to a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// The class of each head at the last step, shape (trial, head).
    Classes(Array2<u8>),
    /// Values at every step.
    Values {
        /// The values, shape (time, trial, output).
        values: Array3<f32>,
        /// How much each step counts in the loss, shape (time, trial), at least 0; `None` where all
        /// steps count alike.
        weights: Option<Array2<f32>>,
    },
}
