//! Effects over networks with 95 % t intervals, and verdicts on claims.
//!
//! The unit of observation is the network: many neurons of one network are one value here.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::Error;
use crate::error::refuse;

/// Probability with which every interval covers the true effect.
pub const LEVEL: f64 = 0.95;

/// An effect and the interval that covers the true one with probability [`LEVEL`], if the values
/// are independent and about normal over networks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The effect, in the unit of the values.
    pub effect: f64,
    /// Lower and upper end, in the unit of the values. `None` is the whole line: one network says
    /// nothing about different ones. Values that are all equal give an interval of width 0.
    pub interval: Option<[f64; 2]>,
    /// Number of networks behind the effect.
    pub networks: usize,
}

impl Estimate {
    /// Mean of one value per network, with the one-sample t interval (n − 1 degrees of freedom).
    ///
    /// Also for slopes: give the [`slope`] of each network.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a value, [`Error::NotFinite`] for NaN or infinity.
    pub fn mean(values: &[f64]) -> Result<Self, Error> {
        let sample = Sample::of(values)?;
        let error = (sample.variance / sample.count).sqrt();
        let spread = half_width(error, sample.count - 1.0);
        Ok(Self::around(sample.mean, spread, values.len()))
    }

    /// Mean of `left` less mean of `right`, two independent groups of networks that may differ in
    /// size and variance: Welch's t interval (Welch 1947).
    ///
    /// # Errors
    /// [`Error::TooFew`] if a group is empty, [`Error::NotFinite`] for NaN or infinity.
    pub fn difference(left: &[f64], right: &[f64]) -> Result<Self, Error> {
        Ok(Self::welch(&Sample::of(left)?, &Sample::of(right)?))
    }

    fn welch(a: &Sample, b: &Sample) -> Self {
        let (a_part, b_part) = (a.variance / a.count, b.variance / b.count);
        let square = a_part + b_part;
        let freedom = if a.count < 2.0 || b.count < 2.0 {
            0.0
        } else if square > 0.0 {
            square.powi(2) / (a_part.powi(2) / (a.count - 1.0) + b_part.powi(2) / (b.count - 1.0))
        } else {
            a.count + b.count - 2.0
        };
        let spread = half_width(square.sqrt(), freedom);
        Self::around(a.mean - b.mean, spread, (a.count + b.count) as usize)
    }

    /// [`Estimate::difference`] of counts (largest solved N). The variance of each group is raised by
    /// 1/12, that of a number anywhere between two counts: a floor, so that groups of equal counts do
    /// not pass for certainty. It makes every interval wider than 95 % asks for.
    ///
    /// # Errors
    /// The errors of [`Estimate::difference`].
    pub fn difference_of_counts(left: &[f64], right: &[f64]) -> Result<Self, Error> {
        let mut groups = [Sample::of(left)?, Sample::of(right)?];
        for group in &mut groups {
            group.variance += 1.0 / 12.0;
        }
        let [a, b] = groups;
        Ok(Self::welch(&a, &b))
    }

    /// Mean over networks of `left` less `right`, where both values of a pair come from the same
    /// network: the paired t interval.
    ///
    /// # Errors
    /// [`Error::Lengths`] unless both have the same length, [`Error::TooFew`] without a pair,
    /// [`Error::NotFinite`] for NaN or infinity.
    pub fn paired(left: &[f64], right: &[f64]) -> Result<Self, Error> {
        if left.len() != right.len() {
            return Err(Error::Lengths { left: left.len(), right: right.len() });
        }
        Self::mean(&left.iter().zip(right).map(|(a, b)| a - b).collect::<Vec<_>>())
    }

    /// Verdict of the interval on `prediction`.
    #[must_use]
    pub fn verdict(&self, prediction: Prediction) -> Verdict {
        let Some([low, high]) = self.interval else {
            return Verdict::Undecidable;
        };
        let (supported, contradicted) = match prediction {
            Prediction::Positive { beyond } => (low > beyond, high < beyond),
            Prediction::Negative { beyond } => (high < -beyond, low > -beyond),
            Prediction::Negligible { within } => {
                (-within <= low && high <= within, low > within || high < -within)
            }
        };
        if supported {
            Verdict::Supported
        } else if contradicted {
            Verdict::Contradicted
        } else {
            Verdict::Undecidable
        }
    }

    fn around(effect: f64, spread: Option<f64>, networks: usize) -> Self {
        let interval = spread.map(|spread| [effect - spread, effect + spread]);
        Self { effect, interval, networks }
    }
}

/// Prediction of a claim about an effect. Bounds are in the effect's unit and at least 0; an effect
/// up to the bound is too small to count for the claim, and to have shown that it is so small counts
/// against it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prediction {
    /// The effect lies above 0. Supported if the whole interval lies above `beyond`, contradicted if below.
    Positive {
        /// Smallest effect that counts (0: any).
        beyond: f64,
    },
    /// The effect lies below 0: the mirror image.
    Negative {
        /// Smallest effect that counts (0: any).
        beyond: f64,
    },
    /// The effect is too small to matter. Supported if the whole interval lies within ±`within`,
    /// contradicted if it lies wholly outside: not having found an effect supports nothing.
    Negligible {
        /// Largest effect that does not matter.
        within: f64,
    },
}

/// The outcome for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The interval lies where the claim says.
    Supported,
    /// The interval lies where the claim says it cannot.
    Contradicted,
    /// The interval allows both.
    Undecidable,
}

/// Least-squares slope of `y` against `x`, for instance of mean τ against N over the checkpoints
/// of one network. Unit: that of y per that of x.
///
/// # Errors
/// [`Error::Lengths`] unless both have the same length, [`Error::TooFew`] below two points,
/// [`Error::NotFinite`] for NaN or infinity, [`Error::Value`] if x never changes.
pub fn slope(x: &[f64], y: &[f64]) -> Result<f64, Error> {
    if x.len() != y.len() {
        return Err(Error::Lengths { left: x.len(), right: y.len() });
    }
    if x.len() < 2 {
        return Err(Error::TooFew { what: "a slope", found: x.len(), needed: 2 });
    }
    let (x_mean, y_mean) = (Sample::of(x)?.mean, Sample::of(y)?.mean);
    if x.iter().all(|value| *value == x[0]) {
        return refuse("x", format!("{} everywhere", x[0]), "at least two different values");
    }
    let products = x.iter().zip(y).map(|(x, y)| (x - x_mean) * (y - y_mean));
    let squares = x.iter().map(|x| (x - x_mean).powi(2));
    Ok(products.sum::<f64>() / squares.sum::<f64>())
}

/// Moments of one group.
struct Sample {
    count: f64,
    mean: f64,
    /// Divided by n − 1; 0 for a single value.
    variance: f64,
}

impl Sample {
    fn of(values: &[f64]) -> Result<Self, Error> {
        if values.is_empty() {
            return Err(Error::TooFew { what: "an effect", found: 0, needed: 1 });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "value", index, value: values[index] });
        }
        let count = values.len() as f64;
        // Equal values have no variance, which a rounded mean would spoil.
        if values.iter().all(|value| *value == values[0]) {
            return Ok(Self { count, mean: values[0], variance: 0.0 });
        }
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Ok(Self { count, mean, variance: squares / (count - 1.0) })
    }
}

/// Half the width of the interval; `None` without degrees of freedom.
fn half_width(standard_error: f64, freedom: f64) -> Option<f64> {
    let law = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(law.inverse_cdf(0.5 + LEVEL / 2.0) * standard_error)
}
