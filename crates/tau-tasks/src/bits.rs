//! Random bits as network input.

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};
use tau_random::Key;

use crate::{Draws, Error};

/// Independent random bits, one per trial and step.
///
/// The tasks draw their input from it; on its own it gives bits of another law than the task's,
/// for instance the fair bits on which damaged networks are scored.
///
/// ```
/// use tau_random::{Key, Purpose};
/// use tau_tasks::{Bits, Chance, Coding};
/// let bits = Bits { chance: Chance::Half, coding: Coding::Signs };
/// let inputs = bits.draw(1100, 10, Key::new(1, Purpose::DriveInputs))?;
/// assert_eq!(inputs.dim(), (1100, 10, 1));
/// assert!(inputs.iter().all(|&x| x == -1.0 || x == 1.0));
/// # Ok::<(), tau_tasks::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// How likely a 1 is.
    pub chance: Chance,
    /// The two input values.
    pub coding: Coding,
}

/// The probability p of a 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// p = 1/2.
    Half,
    /// p ~ U[0, 1) in multiples of 2⁻³², drawn once for each sequence.
    Uniform,
}

/// What a head should answer at the last step T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRule {
    /// Whether the number of ones among the last N bits is odd.
    Parity,
    /// Whether bits T and T − N + 1 are the same.
    Match,
}

/// How a bit is shown to the network (paper section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// 0 and 1: the τ-RNN. Spelled `bits`.
    #[default]
    Bits,
    /// −1 and +1, and p = 1/2 in every task: the LSTM and GRU baselines. Spelled `signs`.
    Signs,
}

impl Bits {
    /// `trials` sequences of `length` bits, (time, trial, 1).
    ///
    /// With [`Draws`] of one word per step, the bit of trial b at step t is 1 if the trial's word
    /// t is below p·2³²: below 2³¹, or below the trial's own word 0.
    ///
    /// # Errors
    /// [`Error::Trials`], [`Error::TooShort`] and [`Error::TooLong`] as [`Draws::new`].
    pub fn draw(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        let draws = Draws::new(key, length, trials, 1)?;
        let limits: Vec<u32> = (0..trials).map(|trial| self.limit(&draws, trial)).collect();
        let levels = self.coding.values();
        let mut inputs = Array2::zeros((length, trials));
        let mut values = vec![[0.0; 4]; trials];
        // Four steps of all trials at a time: a block is used whole, rows are written in order.
        for (index, mut steps) in inputs.axis_chunks_iter_mut(Axis(0), 4).enumerate() {
            for ((trial, values), &limit) in values.iter_mut().enumerate().zip(&limits) {
                // Without a branch: fair bits cannot be predicted.
                let value = |word| levels[usize::from(word < limit)];
                *values = draws.block(trial, index).map(value);
            }
            for (lane, mut row) in steps.outer_iter_mut().enumerate() {
                row.iter_mut().zip(&values).for_each(|(input, values)| *input = values[lane]);
            }
        }
        Ok(inputs.insert_axis(Axis(2)))
    }

    /// Words below it are ones: p·2³².
    fn limit(&self, draws: &Draws, trial: usize) -> u32 {
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

/// The bit that an input value stands for, under either coding.
#[inline]
pub(crate) fn bit(input: f32) -> u8 {
    u8::from(input > 0.0)
}
