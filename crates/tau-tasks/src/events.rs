//! What the series tasks of Jarne & Laje (arXiv 1906.01094) share: smoothed pulses, and where the
//! random numbers of a step stand.
//!
//! Every step has a block of four words of its own: word 0 decides what happens at this step (if
//! something does), words 2 and 3 make two normal numbers of noise. So a long drive begins with the
//! same numbers as a batch.

use serde::{Deserialize, Serialize};
use tau_random::{Draws, Key};

use crate::Error;

/// Which of the two published sets of parameters a task has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterSet {
    /// The set of the generators in the root folder of the published code.
    Root,
    /// The set of the folder `code_paper_rep`, which drew the figures of the paper.
    #[default]
    Paper,
}

/// The random numbers of a batch whose steps have a block each.
pub(crate) struct Events(Draws);

impl Events {
    pub(crate) fn new(key: Key, length: usize, trials: usize) -> Result<Self, Error> {
        Ok(Self(Draws::new(key, length, trials, 4)?))
    }

    /// A fair coin for what happens at a step.
    pub(crate) fn coin(&self, trial: usize, step: usize) -> bool {
        self.0.block(trial, step)[0] >= 1 << 31
    }

    /// Two standard normal numbers of a step.
    pub(crate) fn noise(&self, trial: usize, step: usize) -> [f32; 2] {
        self.0.normal_f32(trial, 2 * step + 1)
    }
}

/// A box of `width` ones, convolved with `kernel` and cut to its centre of `width` numbers: scipy's
/// mode `same` for a kernel that is not longer than the box.
pub(crate) fn smoothed_box(width: usize, kernel: &[f64]) -> Vec<f32> {
    let centre = (kernel.len() - 1) / 2;
    let number = |i: usize| {
        let at = i + centre;
        (0..kernel.len()).filter(|&j| j <= at && at - j < width).map(|j| kernel[j]).sum::<f64>()
    };
    (0..width).map(|i| number(i) as f32).collect()
}

/// A Gaussian window of `points` numbers with a maximum of 1 between the two in the middle, as
/// `scipy.signal.gaussian`, times `factor`.
pub(crate) fn gaussian(points: usize, standard_deviation: f64, factor: f64) -> Vec<f64> {
    let middle = (points - 1) as f64 / 2.0;
    let number = |n: usize| {
        let distance = (n as f64 - middle) / standard_deviation;
        factor * libm::exp(-0.5 * distance * distance)
    };
    (0..points).map(number).collect()
}

/// A symmetric Hann window of `points` ≥ 2 numbers whose sum is 1.
pub(crate) fn hann(points: usize) -> Vec<f64> {
    let turn = std::f64::consts::TAU / (points - 1) as f64;
    let window: Vec<f64> = (0..points).map(|n| 0.5 - 0.5 * libm::cos(turn * n as f64)).collect();
    let sum: f64 = window.iter().sum();
    window.iter().map(|w| w / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the box 1 1 1 and the kernel 1 2 give 1 3 3 2, of which the first three are kept.
    #[test]
    fn smoothing_keeps_the_centre() {
        assert_eq!(smoothed_box(3, &[1.0, 2.0]), [1.0, 3.0, 3.0]);
        assert_eq!(smoothed_box(3, &[1.0, 2.0, 4.0]), [3.0, 7.0, 6.0]);
    }

    #[test]
    fn windows_are_symmetric() {
        let gaussian = gaussian(20, 12.0, 1.0);
        let hann = hann(10);
        assert!((hann.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!((hann[0], hann[9].abs() < 1e-16), (0.0, true));
        for (window, points) in [(&gaussian, 20), (&hann, 10)] {
            for n in 0..points {
                assert!((window[n] - window[points - 1 - n]).abs() < 1e-15);
            }
        }
    }
}
