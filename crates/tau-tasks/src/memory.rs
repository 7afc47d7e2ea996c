//! Tasks with one label for each N: what parity and DMS share.

use std::fmt::Debug;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, ArrayViewMut2, Axis};
use tau_random::Key;

use crate::{Batch, BitRule, Bits, Chance, Coding, Draws, Error, Outputs, Target, Task};

/// The largest N of a task: its longest batch, 4·N + 1 steps, fits under one key.
pub const MAX_N: usize = 100_000;
const _: () = assert!(4 * MAX_N < Draws::MAX_WORDS);

/// Stands among running labels where a head's N bits have not yet been seen; it is no class.
pub const NO_LABEL: u8 = u8::MAX;

/// What tells one memory task from another. `inputs` are (time, trial).
pub(crate) trait Rule: Debug + Send + Sync {
    const NAME: &'static str;
    const SMALLEST_N: usize;
    /// The law of the bits under [`Coding::Bits`]; under [`Coding::Signs`] they are fair.
    const CHANCE: Chance;

    /// What the labels are, for those who draw them elsewhere.
    const BIT_RULE: BitRule;

    /// Writes the label of each N at the last step; `labels` is (trial, head), time ≥ every N.
    fn last(inputs: ArrayView2<f32>, memory: &[usize], labels: ArrayViewMut2<u8>);

    /// Writes the labels for one N from step N − 1 (from 0) on; `labels` is (time, trial).
    fn running(inputs: ArrayView2<f32>, n: usize, labels: ArrayViewMut2<u8>);
}

/// A rule with a checked set of N; head i is asked for the i-th N.
#[derive(Debug)]
pub(crate) struct MemoryTask<R> {
    _rule: R,
    memory: Vec<usize>,
    largest: usize,
    bits: Bits,
}

impl<R: Rule> MemoryTask<R> {
    pub(crate) fn new(rule: R, memory: &[usize], coding: Coding) -> Result<Self, Error> {
        let mut sorted = memory.to_vec();
        sorted.sort_unstable();
        let largest = *sorted.last().ok_or(Error::NoMemory)?;
        let (task, smallest) = (R::NAME, R::SMALLEST_N);
        if let Some(&n) = sorted.iter().find(|n| !(smallest..=MAX_N).contains(n)) {
            return Err(Error::Memory { task, n, smallest });
        }
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::RepeatedMemory { n: pair[0] });
        }
        let chance = match coding {
            Coding::Bits => R::CHANCE,
            Coding::Signs => Chance::Half,
        };
        let bits = Bits { chance, coding };
        Ok(Self { _rule: rule, memory: memory.to_vec(), largest, bits })
    }
}

impl<R: Rule> Task for MemoryTask<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn channels(&self) -> usize {
        1
    }

    fn outputs(&self) -> Outputs {
        Outputs::Heads { heads: self.memory.len(), classes: 2 }
    }

    fn memory(&self) -> &[usize] {
        &self.memory
    }

    fn bits(&self) -> Option<(Bits, BitRule)> {
        Some((self.bits, R::BIT_RULE))
    }

    fn length(&self, key: Key) -> usize {
        Draws::length(key, self.largest + 2..=4 * self.largest + 1)
    }

    fn sample(&self, length: usize, trials: usize, key: Key) -> Result<Batch, Error> {
        if length < self.largest {
            return Err(Error::TooShort { length, smallest: self.largest });
        }
        let inputs = self.bits.draw(length, trials, key)?;
        let mut labels = Array2::zeros((trials, self.memory.len()));
        R::last(inputs.index_axis(Axis(2), 0), &self.memory, labels.view_mut());
        Ok(Batch { inputs, target: Target::Labels(labels) })
    }

    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        self.bits.draw(length, trials, key)
    }

    fn running_labels(&self, inputs: ArrayView3<f32>) -> Result<Array3<u8>, Error> {
        let (length, trials, found) = inputs.dim();
        if found != self.channels() {
            return Err(Error::Channels { found, expected: self.channels() });
        }
        let mut labels = Array3::from_elem((length, trials, self.memory.len()), NO_LABEL);
        for (&n, head) in self.memory.iter().zip(labels.axis_iter_mut(Axis(2))) {
            R::running(inputs.index_axis(Axis(2), 0), n, head);
        }
        Ok(labels)
    }
}

/// Both of a rule's ways to label `bits` give `expected`, one character per step, under both
/// codings; a dot is a step without label.
#[cfg(test)]
pub(crate) fn check<R: Rule>(bits: &str, n: usize, expected: &str) {
    let expected: Vec<u8> =
        expected.chars().map(|c| c.to_digit(2).map_or(NO_LABEL, |label| label as u8)).collect();
    for [zero, one] in [Coding::Bits.values(), Coding::Signs.values()] {
        let coded = bits.chars().map(|c| if c == '1' { one } else { zero }).collect();
        let inputs = Array2::from_shape_vec((bits.len(), 1), coded).unwrap();
        let mut running = Array2::from_elem(inputs.dim(), NO_LABEL);
        R::running(inputs.view(), n, running.view_mut());
        assert_eq!(running.into_raw_vec_and_offset().0, expected, "{} {n}", R::NAME);
        if n <= bits.len() {
            let mut last = Array2::from_elem((1, 1), NO_LABEL);
            R::last(inputs.view(), &[n], last.view_mut());
            assert_eq!(last[[0, 0]], expected[bits.len() - 1], "{} {n}", R::NAME);
        }
    }
}
