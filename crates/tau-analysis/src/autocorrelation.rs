//! Autocorrelation of activity as it is produced, trial by trial, without keeping it.

mod channel;
mod recording;
mod trials;

use ndarray::{Array1, Array2, Array3, ArrayView2, s};
use rayon::prelude::*;

use crate::Error;
use crate::error::{check_same_units, check_units, refuse};
use channel::{Channel, Plan};
pub use recording::Recording;
pub use trials::TrialAutocovariances;
pub(crate) use trials::average;

/// Largest `max_lag` a stream accepts: memory grows with units × `max_lag`.
pub const MAX_LAG_LIMIT: usize = 1_000_000;

/// Columns of a chunk that are read together: sixteen `f32` share a cache line.
const TILE: usize = 16;

/// Mean autocorrelation of every unit and of the population (the sum over units).
#[derive(Clone, Debug, PartialEq)]
pub struct Autocorrelation {
    /// Shape (lag, unit), lags 0..=`max_lag`, dimensionless: 1 at lag 0. NaN at every lag for a
    /// unit without variance.
    pub units: Array2<f64>,
    /// Autocorrelation of the sum over units, shape (lag).
    pub population: Array1<f64>,
    /// Autocovariance at lag 0 of every unit, averaged over trials, in activity squared. Exactly
    /// 0 for a unit that is constant in every trial: one whose range is within the resolution of
    /// `f32` (2⁻²³ of its largest absolute value), so that flicker in the last bit is no activity.
    pub variance: Array1<f64>,
    /// Autocovariance at lag 0 of the sum over units.
    pub population_variance: f64,
    /// Amount of activity behind the estimate.
    pub recording: Recording,
}

/// Streaming estimator of [`Autocorrelation`].
///
/// The mean m of each trial of n steps is subtracted from each unit. The autocovariance at lag k is
/// Σₜ (xₜ − m)(xₜ₊ₖ − m) / (n − k); it is averaged over trials with equal weight and divided by its
/// value at lag 0 (`docs/papers/khajehabdollahi-2024.md` §5).
///
/// The sums of products are made by FFT over blocks that overlap by `max_lag` steps; the mean is
/// taken out at the end of the trial from the sums of its first and last steps. Agreement with
/// the definition is to rounding (about 10⁻¹² at lag 0 = 1). The blocks are cut from the trial,
/// not from the chunks pushed, so any chunking gives the same bits, and so does any number of
/// threads. Memory is some 16 bytes × units × (block + `max_lag`), with a block of about 2000
/// steps, or of seven `max_lag` if that is longer.
///
/// ```
/// use ndarray::array;
/// use tau_analysis::AutocorrelationStream;
/// let mut stream = AutocorrelationStream::new(1, 1)?;
/// stream.push(array![[0.0], [2.0]].view())?;
/// stream.push(array![[0.0], [2.0]].view())?;
/// stream.end_trial()?;
/// let found = stream.finish()?;
/// // deviations -1, 1, -1, 1: (1 + 1 + 1 + 1) / 4 at lag 0, (-1 - 1 - 1) / 3 at lag 1
/// assert!((found.units[[1, 0]] + 1.0).abs() < 1e-12);
/// # Ok::<(), tau_analysis::Error>(())
/// ```
pub struct AutocorrelationStream {
    plan: Plan,
    /// One per unit, then the population.
    channels: Vec<Channel>,
    /// Steps of the current block that the channels hold.
    filled: usize,
    /// Steps of the current trial.
    steps: usize,
    recording: Recording,
    /// Steps of each trial that has ended.
    trial_steps: Vec<usize>,
}

impl AutocorrelationStream {
    /// An estimator for `units` neurons and lags 0..=`max_lag`, in steps.
    ///
    /// # Errors
    /// [`Error::Value`] without units, or for a `max_lag` outside 1..=[`MAX_LAG_LIMIT`].
    pub fn new(units: usize, max_lag: usize) -> Result<Self, Error> {
        Self::with(units, max_lag, false)
    }

    /// An estimator that also keeps the autocovariance of every trial, for
    /// [`finish_trials`](Self::finish_trials). It takes 8 bytes × trials × (units + 1) × (`max_lag` + 1)
    /// more, 8 MB for ten trials of 500 units and 200 lags.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn keeping_trials(units: usize, max_lag: usize) -> Result<Self, Error> {
        Self::with(units, max_lag, true)
    }

    fn with(units: usize, max_lag: usize, keep: bool) -> Result<Self, Error> {
        check_units(units)?;
        if !(1..=MAX_LAG_LIMIT).contains(&max_lag) {
            return refuse("max_lag", max_lag, format!("1 to {MAX_LAG_LIMIT}"));
        }
        let plan = Plan::new(max_lag, keep);
        Ok(Self {
            channels: (0..=units).map(|_| Channel::new(&plan)).collect(),
            plan,
            filled: 0,
            steps: 0,
            recording: Recording::default(),
            trial_steps: Vec::new(),
        })
    }

    /// Adds the next steps of the current trial; the first chunk after [`new`](Self::new) or
    /// [`end_trial`](Self::end_trial) opens a trial. `chunk`: (time, units), any number of steps.
    ///
    /// Chunks of some hundred steps or more keep all threads busy.
    ///
    /// # Errors
    /// [`Error::Value`] for a different number of columns, [`Error::Activity`] for a value that is
    /// NaN or infinite. Nothing of a refused chunk is used.
    pub fn push(&mut self, chunk: ArrayView2<'_, f32>) -> Result<(), Error> {
        let units = self.channels.len() - 1;
        check_same_units(chunk.ncols(), units)?;
        let totals = self.totals(chunk)?;
        let mut start = 0;
        while start < chunk.nrows() {
            let count = (chunk.nrows() - start).min(self.plan.block() - self.filled);
            let end = start + count;
            self.fill(chunk.slice(s![start..end, ..]), &totals[start..end]);
            self.filled += count;
            if self.filled == self.plan.block() {
                self.close_block();
            }
            start = end;
        }
        self.steps += chunk.nrows();
        Ok(())
    }

    /// Ends the current trial and adds its autocovariance to the average.
    ///
    /// # Errors
    /// [`Error::ShortTrial`] unless the trial is longer than `max_lag`; the trial is then dropped
    /// and the stream is as it was before it.
    pub fn end_trial(&mut self) -> Result<(), Error> {
        let steps = std::mem::take(&mut self.steps);
        if steps <= self.plan.max_lag() {
            self.filled = 0;
            self.channels.iter_mut().for_each(Channel::reset);
            return Err(Error::ShortTrial { steps, max_lag: self.plan.max_lag() });
        }
        if self.filled > 0 {
            self.close_block();
        }
        let plan = &self.plan;
        self.channels
            .par_iter_mut()
            .for_each_init(|| plan.scratch(), |scratch, c| c.end_trial(plan, scratch, steps));
        self.trial_steps.push(steps);
        self.recording = Recording::of(&self.trial_steps);
        Ok(())
    }

    /// Adds the trials of `other`, as if they had come after those here: trials that run side by
    /// side each have their own stream.
    ///
    /// # Errors
    /// [`Error::OpenTrial`] if a trial is open in either; [`Error::Value`] if they
    /// differ in units or `max_lag`; [`Error::TrialsNotKept`] if only one of them keeps trials.
    pub fn absorb(&mut self, other: &Self) -> Result<(), Error> {
        let steps = self.steps.max(other.steps);
        if steps > 0 {
            return Err(Error::OpenTrial { steps });
        }
        check_same_units(other.channels.len() - 1, self.channels.len() - 1)?;
        let max_lag = self.plan.max_lag();
        if other.plan.max_lag() != max_lag {
            let allowed = format!("{max_lag}, as of the stream that absorbs");
            return refuse("max_lag", other.plan.max_lag(), allowed);
        }
        if other.plan.keeps_trials() != self.plan.keeps_trials() {
            return Err(Error::TrialsNotKept);
        }
        for (mine, theirs) in self.channels.iter_mut().zip(&other.channels) {
            mine.absorb(theirs);
        }
        self.trial_steps.extend_from_slice(&other.trial_steps);
        self.recording = Recording::of(&self.trial_steps);
        Ok(())
    }

    /// The autocorrelation over all trials that have ended.
    ///
    /// # Errors
    /// [`Error::OpenTrial`] if steps were pushed after the last trial's end, [`Error::NoTrial`]
    /// if none has ended.
    pub fn finish(self) -> Result<Autocorrelation, Error> {
        self.check_finished()?;
        let trials = self.recording.trials as f64;
        let units = self.channels.len() - 1;
        let variance = |channel: &Channel| channel.covariance()[0] / trials;
        let at = |lag: usize, channel: &Channel| {
            let covariance = channel.covariance();
            if covariance[0] > 0.0 { covariance[lag] / covariance[0] } else { f64::NAN }
        };
        let lags = self.plan.max_lag() + 1;
        Ok(Autocorrelation {
            units: Array2::from_shape_fn((lags, units), |(lag, u)| at(lag, &self.channels[u])),
            population: Array1::from_shape_fn(lags, |lag| at(lag, &self.channels[units])),
            variance: self.channels[..units].iter().map(variance).collect(),
            population_variance: variance(&self.channels[units]),
            recording: self.recording,
        })
    }

    /// The autocovariance of every trial that has ended.
    ///
    /// # Errors
    /// The errors of [`finish`](Self::finish); [`Error::TrialsNotKept`] unless the stream was made by
    /// [`keeping_trials`](Self::keeping_trials).
    pub fn finish_trials(self) -> Result<TrialAutocovariances, Error> {
        self.check_finished()?;
        if !self.plan.keeps_trials() {
            return Err(Error::TrialsNotKept);
        }
        let (lags, units) = (self.plan.max_lag() + 1, self.channels.len() - 1);
        let trials = self.trial_steps.len();
        let at = |trial, lag, channel: usize| self.channels[channel].kept(trial, lag);
        Ok(TrialAutocovariances {
            units: Array3::from_shape_fn((trials, lags, units), |(t, lag, u)| at(t, lag, u)),
            population: Array2::from_shape_fn((trials, lags), |(t, lag)| at(t, lag, units)),
            steps: self.trial_steps,
        })
    }

    fn check_finished(&self) -> Result<(), Error> {
        if self.steps > 0 {
            Err(Error::OpenTrial { steps: self.steps })
        } else if self.recording.trials == 0 {
            Err(Error::NoTrial)
        } else {
            Ok(())
        }
    }

    /// Population activity of every step. A finite sum proves every summand finite: `f64` cannot
    /// overflow on sums of `f32`.
    fn totals(&self, chunk: ArrayView2<'_, f32>) -> Result<Vec<f64>, Error> {
        let total = |row: usize| chunk.row(row).iter().map(|&x| f64::from(x)).sum::<f64>();
        let totals: Vec<f64> = (0..chunk.nrows()).into_par_iter().map(total).collect();
        let Some(row) = totals.iter().position(|total| !total.is_finite()) else {
            return Ok(totals);
        };
        let bad = chunk.row(row).iter().position(|x| !x.is_finite()).unwrap_or(0);
        Err(Error::Activity {
            unit: bad,
            step: self.steps + row,
            trial: self.recording.trials,
            value: chunk[[row, bad]],
        })
    }

    /// Copies rows into the current block of every channel.
    fn fill(&mut self, rows: ArrayView2<'_, f32>, totals: &[f64]) {
        let at = self.filled;
        let units = rows.ncols();
        self.channels[units].fill(at, totals.iter().copied());
        self.channels[..units].par_chunks_mut(TILE).enumerate().for_each(|(tile, channels)| {
            for (unit, channel) in channels.iter_mut().enumerate() {
                let column = rows.column(tile * TILE + unit);
                channel.fill(at, column.iter().map(|&x| f64::from(x)));
            }
        });
    }

    /// Adds the products of the block just filled (or of the trial's last, shorter one).
    fn close_block(&mut self) {
        let (plan, filled) = (&self.plan, std::mem::take(&mut self.filled));
        self.channels
            .par_iter_mut()
            .for_each_init(|| plan.scratch(), |scratch, c| c.close_block(plan, scratch, filled));
    }
}
