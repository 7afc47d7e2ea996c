//! Tasks with one label for each N: what parity and DMS share.

use std::fmt::Debug;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, ArrayViewMut2, Axis};
use tau_random::{BitRule, Bits, Chance, Coding, Draws, Key};

use crate::{Answer, Batch, Error, Head, MemoryTask, Shape, Steps, Targets, Task, draw_bits};

/// The largest N of a task: its longest batch, 4·N + 1 steps, fits under one key.
pub const MAX_N: usize = 100_000;
const _: () = assert!(4 * MAX_N < Draws::MAX_WORDS);

/// Stands among running labels where a head's N bits have not yet been seen; it is no class.
pub const NO_LABEL: u8 = u8::MAX;

/// What tells one ladder from another. `inputs` are (time, trial).
pub(crate) trait Rule: Debug + Send + Sync {
    const NAME: &'static str;
    const SMALLEST_N: usize;
    /// The law of the bits under [`Coding::Bits`]; under [`Coding::Signs`] they are fair.
    const CHANCE: Chance;

    /// What the labels are, for devices that draw them themselves.
    const BIT_RULE: BitRule;

    /// Writes the label of each N at the last step; `labels` is (trial, head), time ≥ every N.
    fn last(inputs: ArrayView2<f32>, memory: &[usize], labels: ArrayViewMut2<u8>);

    /// Writes the labels for one N from step N − 1 (from 0) on; `labels` is (time, trial).
    fn running(inputs: ArrayView2<f32>, n: usize, labels: ArrayViewMut2<u8>);
}

/// A rule with a checked set of N; head i is asked for the i-th N.
#[derive(Debug)]
pub(crate) struct Ladder<R> {
    _rule: std::marker::PhantomData<R>,
    memory: Vec<usize>,
    largest: usize,
    bits: Bits,
    shape: Shape,
}

impl<R: Rule> Ladder<R> {
    pub(crate) fn new(memory: &[usize], coding: Coding) -> Result<Self, Error> {
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
        let head = |&n: &usize| Head {
            label: format!("N={n}"),
            memory: Some(n),
            size: 2,
            answer: Answer::Class,
        };
        Ok(Self {
            _rule: std::marker::PhantomData,
            memory: memory.to_vec(),
            largest,
            bits: Bits { chance, coding },
            shape: Shape { channels: 1, heads: memory.iter().map(head).collect() },
        })
    }
}

impl<R: Rule> Task for Ladder<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn steps(&self) -> Steps {
        Steps::uniform(self.largest + 2, 4 * self.largest + 1)
    }

    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        self.sample(self.length(key), trials, key)
    }

    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        draw_bits(self.bits, length, trials, key)
    }

    fn ladder(&self) -> Option<&dyn MemoryTask> {
        Some(self)
    }
}

impl<R: Rule> MemoryTask for Ladder<R> {
    fn memory(&self) -> &[usize] {
        &self.memory
    }

    fn length(&self, key: Key) -> usize {
        let Steps { least, most, .. } = self.steps();
        Draws::length(key, least..=most)
    }

    fn sample(&self, length: usize, trials: usize, key: Key) -> Result<Batch, Error> {
        if length < self.largest {
            let smallest = self.largest;
            return Err(tau_random::Error::TooShort { length, smallest }.into());
        }
        let inputs = draw_bits(self.bits, length, trials, key)?;
        let mut labels = Array2::zeros((trials, self.memory.len()));
        R::last(inputs.index_axis(Axis(2), 0), &self.memory, labels.view_mut());
        Ok(Batch { inputs, targets: Targets::Classes(labels) })
    }

    fn running_labels(&self, inputs: ArrayView3<f32>) -> Result<Array3<u8>, Error> {
        let (length, trials, found) = inputs.dim();
        if found != self.shape.channels {
            return Err(Error::Channels { found, expected: self.shape.channels });
        }
        let mut labels = Array3::from_elem((length, trials, self.memory.len()), NO_LABEL);
        for (&n, head) in self.memory.iter().zip(labels.axis_iter_mut(Axis(2))) {
            R::running(inputs.index_axis(Axis(2), 0), n, head);
        }
        Ok(labels)
    }

    fn bits(&self) -> (Bits, BitRule) {
        (self.bits, R::BIT_RULE)
    }
}

/// Checks that both of a rule's ways to label `bits` give `expected`, one character per step,
/// under both codings; a dot is a step without label.
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
