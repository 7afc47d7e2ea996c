//! Autocovariance of every single trial, for resampling trials.

use ndarray::{Array1, Array2, Array3, ArrayView2};

use super::{Autocorrelation, Recording};

/// Autocovariance of every unit and of the population in every trial, in activity squared.
///
/// Each trial's mean is subtracted and its sums are divided by the number of overlapping steps, as
/// in [`AutocorrelationStream`](super::AutocorrelationStream). 0 at every lag where a unit is
/// constant in a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialAutocovariances {
    /// Shape (trial, lag, unit), lags 0..=`max_lag`.
    pub units: Array3<f64>,
    /// Autocovariance of the sum over units, shape (trial, lag).
    pub population: Array2<f64>,
    /// Steps of each trial, in the order of the first axis.
    pub steps: Vec<usize>,
}

impl TrialAutocovariances {
    /// The average over trials: what [`AutocorrelationStream::finish`] gives for the same
    /// activity, to rounding, and to the bit if the trials came one by one.
    ///
    /// [`AutocorrelationStream::finish`]: super::AutocorrelationStream::finish
    #[must_use]
    pub fn pooled(&self) -> Autocorrelation {
        let (trials, lags, units) = self.units.dim();
        let all: Vec<usize> = (0..trials).collect();
        let mut curves = Array2::zeros((lags, units));
        let mut variance = Array1::zeros(units);
        for unit in 0..units {
            let (curve, zero) = average(self.unit(unit), &all);
            curves.column_mut(unit).assign(&Array1::from_vec(curve));
            variance[unit] = zero;
        }
        let (population, population_variance) = average(self.population.view(), &all);
        Autocorrelation {
            units: curves,
            population: Array1::from_vec(population),
            variance,
            population_variance,
            recording: self.recording(),
        }
    }

    /// Amount of activity behind the estimate.
    #[must_use]
    pub fn recording(&self) -> Recording {
        Recording::of(&self.steps)
    }

    /// One unit in every trial: (trial, lag).
    pub(crate) fn unit(&self, unit: usize) -> ArrayView2<'_, f64> {
        self.units.index_axis(ndarray::Axis(2), unit)
    }
}

/// The autocorrelation over the named trials (a trial may be named more than once), and the
/// variance. NaN at every lag without variance.
pub(crate) fn average(covariances: ArrayView2<'_, f64>, trials: &[usize]) -> (Vec<f64>, f64) {
    let mut sum = vec![0.0; covariances.ncols()];
    for &trial in trials {
        for (sum, value) in sum.iter_mut().zip(covariances.row(trial)) {
            *sum += value;
        }
    }
    let zero = sum[0];
    let scale = |value: f64| if zero > 0.0 { value / zero } else { f64::NAN };
    (sum.into_iter().map(scale).collect(), zero / trials.len() as f64)
}
