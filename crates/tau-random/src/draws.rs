//! Where the random numbers of a batch stand in a key's stream. This layout is part of the format.

use std::ops::RangeInclusive;

use crate::normal::normals_of_words;
use crate::{Error, Key};

/// The random numbers of one batch: a pure function of key, trial and step.
///
/// A [`Key`] has 2³² blocks of four 32-bit words. They are divided into 2¹⁴ regions of 2¹⁸ blocks:
///
/// | block | words |
/// |---|---|
/// | 0 | the batch's own: words 0 and 1 draw its length, 2 and 3 are free |
/// | (b + 1)·2¹⁸ | trial b's own: what holds for its whole sequence (bits: p·2³² in word 0) |
/// | (b + 1)·2¹⁸ + 1 + i | trial b's words 4i … 4i + 3 |
///
/// A task that needs `w` words per step uses words t·w … t·w + w − 1 of the trial for step t
/// (from 0). So a number depends neither on how many trials there are nor on how long they are,
/// and any part can be made without the rest.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    key: Key,
}

impl Draws {
    /// The most trials under one key, 16 383.
    pub const MAX_TRIALS: usize = (1 << (32 - REGION_BITS)) - 1;

    /// The most words of one trial for its steps, 1 048 572.
    pub const MAX_WORDS: usize = 4 * ((1 << REGION_BITS) - 1);

    /// The numbers for `trials` sequences of `length` steps with `words_per_step` ≥ 1 words each.
    ///
    /// # Errors
    /// [`Error::Trials`] outside 1..=[`MAX_TRIALS`](Self::MAX_TRIALS), [`Error::TooShort`] for
    /// length 0, [`Error::TooLong`] beyond [`MAX_WORDS`](Self::MAX_WORDS) words.
    pub fn new(
        key: Key,
        length: usize,
        trials: usize,
        words_per_step: usize,
    ) -> Result<Self, Error> {
        let largest = Self::MAX_WORDS / words_per_step.max(1);
        if !(1..=Self::MAX_TRIALS).contains(&trials) {
            Err(Error::Trials { trials })
        } else if length == 0 {
            Err(Error::TooShort { length, smallest: 1 })
        } else if length > largest {
            Err(Error::TooLong { length, largest })
        } else {
            Ok(Self { key })
        }
    }

    /// The length of the batch named by `key`, uniform over `lengths` (bias below 2⁻⁴³).
    #[must_use]
    pub fn length(key: Key, lengths: RangeInclusive<usize>) -> usize {
        let [low, high, ..] = key.block(0);
        let number = u128::from(low) | u128::from(high) << 32;
        let count = lengths.end().saturating_sub(*lengths.start()) as u128 + 1;
        lengths.start() + ((number * count) >> 64) as usize
    }

    /// The four words that hold for the whole sequence of `trial`.
    ///
    /// Trials, here and below, are those that [`new`](Self::new) was asked for; others have no
    /// numbers of their own.
    #[must_use]
    #[inline]
    pub fn of_trial(&self, trial: usize) -> [u32; 4] {
        self.key.block(region(trial))
    }

    /// Words 4·`index` … 4·`index` + 3 of `trial`.
    #[must_use]
    #[inline]
    pub fn block(&self, trial: usize, index: usize) -> [u32; 4] {
        self.key.block(region(trial) + 1 + index as u32)
    }

    /// Word `word` of `trial` as a number in [0, 1), a multiple of 2⁻²⁴.
    #[must_use]
    #[inline]
    pub fn unit_f32(&self, trial: usize, word: usize) -> f32 {
        self.key.unit_f32(4 * (u64::from(region(trial)) + 1) + word as u64)
    }

    /// Two independent standard normal numbers from words 2·`pair` and 2·`pair` + 1 of `trial`, with
    /// the same bits on every machine (Box and Muller in double precision, rounded).
    #[must_use]
    pub fn normal_f32(&self, trial: usize, pair: usize) -> [f32; 2] {
        let words = self.block(trial, pair / 2);
        let first = 2 * (pair % 2);
        normals_of_words([words[first], words[first + 1]])
    }
}

/// Each trial owns 2¹⁸ blocks, so up to 2²⁰ words: long drives need the length, batches the rest.
const REGION_BITS: u32 = 18;

/// The first block of a trial.
#[inline]
const fn region(trial: usize) -> u32 {
    (trial as u32 + 1) << REGION_BITS
}
