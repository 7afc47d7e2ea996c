//! Random bits as network input.

use ndarray::{Array2, Array3, Axis};
use tau_random::{Bits, Chance, Draws, Key};

use crate::Error;

/// `trials` sequences of `length` bits, shape (time, trial, 1).
///
/// With [`Draws`] of one word per step, the bit of trial b at step t is 1 if the trial's word t is
/// below p·2³²: below 2³¹, or below the trial's own word 0. The ladder tasks draw their input from
/// it; on its own it gives bits of a law that differs from the task's, for instance the fair bits
/// on which damaged networks are scored.
///
/// ```
/// use tau_random::{Bits, Chance, Coding, Key, Purpose};
/// let bits = Bits { chance: Chance::Half, coding: Coding::Signs };
/// let inputs = tau_tasks::draw_bits(bits, 1100, 10, Key::new(1, Purpose::DriveInputs))?;
/// assert_eq!(inputs.dim(), (1100, 10, 1));
/// assert!(inputs.iter().all(|&x| x == -1.0 || x == 1.0));
/// # Ok::<(), tau_tasks::Error>(())
/// ```
///
/// # Errors
/// Sizes outside the capacity of a key: those of [`Draws::new`].
pub fn draw_bits(bits: Bits, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
    let draws = Draws::new(key, length, trials, 1)?;
    let limits: Vec<u32> = (0..trials).map(|trial| limit(bits.chance, &draws, trial)).collect();
    let levels = bits.coding.values();
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

/// The limit p·2³²: words below it are ones.
fn limit(chance: Chance, draws: &Draws, trial: usize) -> u32 {
    match chance {
        Chance::Half => 1 << 31,
        Chance::Uniform => draws.of_trial(trial)[0],
    }
}

/// The bit that an input value stands for, under either coding.
#[inline]
pub(crate) fn bit(input: f32) -> u8 {
    u8::from(input > 0.0)
}
