//! The law of random bits, for whoever draws them.

use serde::{Deserialize, Serialize};

use crate::{Draws, Error, Key};

/// Independent random bits, one per trial and step.
///
/// With [`Draws`] of one word per step, the bit of trial b at step t is 1 if the trial's word t is
/// below [`Bits::limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits {
    /// How likely a 1 is.
    pub chance: Chance,
    /// The two input values.
    pub coding: Coding,
}

/// The probability p of a 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chance {
    /// p = 1/2.
    Half,
    /// p ~ U[0, 1) in multiples of 2⁻³², drawn once for each sequence.
    Uniform,
}

/// What a head should answer at the last step T.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitRule {
    /// Whether the number of ones among the last N bits is odd.
    Parity,
    /// Whether bits T and T − N + 1 are the same.
    Match,
}

/// How a bit is shown to a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// 0 and 1. Spelled `bits`.
    #[default]
    Bits,
    /// −1 and +1. Spelled `signs`.
    Signs,
}

/// A batch of random bits by its law: a task draws it on the host, a device may draw it itself.
///
/// There is one input channel; heads 0, 1, … answer for `memory[0]`, `memory[1]`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnBits<'a> {
    /// Name of the stream.
    pub key: Key,
    /// Steps T, at least the largest N.
    pub steps: usize,
    /// Number of trials.
    pub trials: usize,
    /// The law of the bits.
    pub bits: Bits,
    /// What is asked of the bits.
    pub rule: BitRule,
    /// N of each head, in steps.
    pub memory: &'a [usize],
}

impl Bits {
    /// Words of `trial` below this number are ones: p·2³².
    #[must_use]
    pub fn limit(&self, draws: &Draws, trial: usize) -> u32 {
        match self.chance {
            Chance::Half => 1 << 31,
            Chance::Uniform => draws.of_trial(trial)[0],
        }
    }
}

impl Coding {
    /// The input values of bit 0 and bit 1.
    #[must_use]
    pub const fn values(self) -> [f32; 2] {
        match self {
            Self::Bits => [0.0, 1.0],
            Self::Signs => [-1.0, 1.0],
        }
    }
}

impl DrawnBits<'_> {
    /// The numbers of the batch.
    ///
    /// # Errors
    /// The errors of [`Draws::new`]; [`Error::TooShort`] for sequences shorter than an N.
    pub fn draws(&self) -> Result<Draws, Error> {
        let draws = Draws::new(self.key, self.steps, self.trials, 1)?;
        let smallest = self.memory.iter().copied().max().unwrap_or(1);
        if self.steps < smallest {
            return Err(Error::TooShort { length: self.steps, smallest });
        }
        Ok(draws)
    }
}
