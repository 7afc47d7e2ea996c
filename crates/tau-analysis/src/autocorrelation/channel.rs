//! The autocovariance sums of one activity trace, block by block.
//!
//! With y = x − shift, m the mean of y over the trial and Rₖ = Σₜ yₜ yₜ₊ₖ,
//!
//!   Σₜ (yₜ − m)(yₜ₊ₖ − m) = Rₖ − m (Σₜ₌₀ⁿ⁻ᵏ⁻¹ yₜ + Σₜ₌ₖⁿ⁻¹ yₜ) + (n − k) m²,
//!
//! and the two partial sums are the total less its last, and less its first, k steps. The shift
//! (the mean of the trial's first block) keeps Rₖ from being a small difference of large numbers.
//!
//! Rₖ is a sum over blocks of cross-correlations: of the block (padded by max_lag zeros in front)
//! with the block and the max_lag steps before it. Both have the length of the transform and no
//! pair of steps at a lag up to max_lag wraps round. Spectra add up over blocks, so a trial needs
//! one inverse transform.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Shortest transform: both inputs, both spectra and the sum fit in a 512 KiB cache.
const SHORTEST: usize = 2048;

/// Largest lag and transforms, which all channels share.
pub(super) struct Plan {
    max_lag: usize,
    /// Whether the autocovariance of every trial is kept beside their sum.
    keep: bool,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

/// Working memory of one thread.
pub(super) struct Scratch {
    time: Vec<f64>,
    block: Vec<Complex<f64>>,
    whole: Vec<Complex<f64>>,
    forward: Vec<Complex<f64>>,
    inverse: Vec<Complex<f64>>,
}

impl Plan {
    pub(super) fn new(max_lag: usize, keep: bool) -> Self {
        // At least seven parts new steps to one part overlap.
        let length = (8 * max_lag).next_power_of_two().max(SHORTEST);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(length);
        Self { max_lag, keep, forward, inverse: planner.plan_fft_inverse(length) }
    }

    pub(super) fn max_lag(&self) -> usize {
        self.max_lag
    }

    pub(super) fn keeps_trials(&self) -> bool {
        self.keep
    }

    /// New steps per transform.
    pub(super) fn block(&self) -> usize {
        self.forward.len() - self.max_lag
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            time: self.forward.make_input_vec(),
            block: self.forward.make_output_vec(),
            whole: self.forward.make_output_vec(),
            forward: self.forward.make_scratch_vec(),
            inverse: self.inverse.make_scratch_vec(),
        }
    }
}

/// One trace: a unit or the population.
pub(super) struct Channel {
    /// `max_lag` steps carried over from the block before, then the block.
    samples: Vec<f64>,
    /// Sum of cross-spectra over the trial's blocks.
    spectrum: Vec<Complex<f64>>,
    /// Mean of the trial's first block; `None` until that is complete.
    shift: Option<f64>,
    /// Sum of the shifted steps, and of the first k of them (k = 0..=`max_lag`).
    sum: f64,
    head: Vec<f64>,
    /// Smallest and largest raw step of the trial.
    low: f64,
    high: f64,
    /// Autocovariance, summed over the trials that have ended.
    covariance: Vec<f64>,
    /// Autocovariance of each trial that has ended, one after the other, if the plan keeps them.
    kept: Vec<f64>,
}

impl Channel {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            samples: vec![0.0; plan.forward.len()],
            spectrum: plan.forward.make_output_vec(),
            shift: None,
            sum: 0.0,
            head: vec![0.0; plan.max_lag + 1],
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            covariance: vec![0.0; plan.max_lag + 1],
            kept: Vec::new(),
        }
    }

    /// Sum over trials of the autocovariance, lags 0..=`max_lag`.
    pub(super) fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// Autocovariance of trial `trial` at `lag`, if the plan keeps trials.
    pub(super) fn kept(&self, trial: usize, lag: usize) -> f64 {
        self.kept[trial * self.head.len() + lag]
    }

    /// Forgets the current trial.
    pub(super) fn reset(&mut self) {
        self.samples.fill(0.0);
        self.spectrum.fill(Complex::ZERO);
        self.shift = None;
        self.sum = 0.0;
        (self.low, self.high) = (f64::INFINITY, f64::NEG_INFINITY);
    }

    /// Puts raw steps into the block, from its step `at` on.
    pub(super) fn fill(&mut self, at: usize, steps: impl Iterator<Item = f64>) {
        let carried = self.head.len() - 1;
        for (slot, step) in self.samples[carried + at..].iter_mut().zip(steps) {
            *slot = step;
        }
    }

    /// Adds the products of the first `filled` steps of the block with all steps up to `max_lag`
    /// before them.
    pub(super) fn close_block(&mut self, plan: &Plan, scratch: &mut Scratch, filled: usize) {
        self.shift_block(plan.max_lag, filled);
        let inputs = [(0, &mut scratch.whole), (plan.max_lag, &mut scratch.block)];
        for (zeros, spectrum) in inputs {
            scratch.time.copy_from_slice(&self.samples);
            scratch.time[..zeros].fill(0.0);
            plan.forward
                .process_with_scratch(&mut scratch.time, spectrum, &mut scratch.forward)
                .expect("all lengths come from the plan");
        }
        let pairs = scratch.block.iter().zip(&scratch.whole);
        for (sum, (block, whole)) in self.spectrum.iter_mut().zip(pairs) {
            *sum += block * whole.conj();
        }
        self.samples.copy_within(filled..filled + plan.max_lag, 0);
    }

    /// Adds the trial's autocovariance to the sum over trials and forgets the trial.
    pub(super) fn end_trial(&mut self, plan: &Plan, scratch: &mut Scratch, steps: usize) {
        if !self.is_constant() {
            // Both are sums of products of real numbers; the inverse insists on an exact 0.
            self.spectrum[0].im = 0.0;
            if let Some(nyquist) = self.spectrum.last_mut() {
                nyquist.im = 0.0;
            }
            plan.inverse
                .process_with_scratch(&mut self.spectrum, &mut scratch.time, &mut scratch.inverse)
                .expect("all lengths come from the plan");
            let (n, scale) = (steps as f64, 1.0 / plan.forward.len() as f64);
            let mean = self.sum / n;
            let mut tail = 0.0;
            for lag in 0..=plan.max_lag {
                let pairs = n - lag as f64;
                let ends = 2.0 * self.sum - self.head[lag] - tail;
                let products = scratch.time[lag] * scale - mean * ends + pairs * mean * mean;
                self.covariance[lag] += products / pairs;
                if plan.keep {
                    self.kept.push(products / pairs);
                }
                // The carried steps are the last max_lag steps of the trial.
                tail += plan.max_lag.checked_sub(lag + 1).map_or(0.0, |i| self.samples[i]);
            }
        } else if plan.keep {
            self.kept.resize(self.kept.len() + plan.max_lag + 1, 0.0);
        }
        self.reset();
    }

    /// Adds the trials that have ended in another channel.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.covariance.iter_mut().zip(&other.covariance) {
            *mine += theirs;
        }
        self.kept.extend_from_slice(&other.kept);
    }

    /// Takes the block's raw steps into the trial's sums and subtracts the shift from them.
    fn shift_block(&mut self, max_lag: usize, filled: usize) {
        let (block, rest) = self.samples[max_lag..].split_at_mut(filled);
        rest.fill(0.0);
        for &step in block.iter() {
            self.low = self.low.min(step);
            self.high = self.high.max(step);
        }
        let first = self.shift.is_none();
        let shift = *self.shift.get_or_insert_with(|| block.iter().sum::<f64>() / filled as f64);
        for (index, step) in block.iter_mut().enumerate() {
            *step -= shift;
            self.sum += *step;
            if first && index < max_lag {
                self.head[index + 1] = self.sum;
            }
        }
    }

    /// Whether the trial shows no change that activity stored as `f32` can resolve.
    fn is_constant(&self) -> bool {
        self.high - self.low <= f64::from(f32::EPSILON) * self.high.abs().max(self.low.abs())
    }
}
