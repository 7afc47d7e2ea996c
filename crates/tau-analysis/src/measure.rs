//! What scores measure: accuracy of classes beside its chance, loss of values.

use serde::{Deserialize, Serialize};

use crate::tau_statistics::moments;

/// The meaning of a score: an accuracy beside its chance, or a loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// Share of right answers of heads with classes, in [0, 1]; 1 is perfect.
    Accuracy {
        /// Accuracy of a guess ([`ChanceLevel`](crate::ChanceLevel)), in [0, 1].
        chance: f64,
    },
    /// Mean squared error over steps, trials and outputs of a head with values, weighted as the
    /// task weights its steps; 0 is perfect. Infinite for a network whose outputs overflow.
    Loss,
}

impl Measure {
    /// Accuracy of a guess; `None` for a loss.
    #[must_use]
    pub fn chance(&self) -> Option<f64> {
        match *self {
            Self::Accuracy { chance } => Some(chance),
            Self::Loss => None,
        }
    }

    /// A value relative to that of an undamaged network: [`relative_accuracy`] or
    /// [`relative_loss`]. Both are 1 for an undamaged network; damage takes accuracy down to 0, and
    /// loss up without limit.
    #[must_use]
    pub fn relative(&self, value: f64, baseline: f64) -> Option<f64> {
        match *self {
            Self::Accuracy { chance } => relative_accuracy(value, baseline, chance),
            Self::Loss => relative_loss(value, baseline),
        }
    }

    /// The measure of a mean over values with these measures, which are of one kind.
    pub(crate) fn mean(measures: &[Self]) -> Self {
        let [first, rest @ ..] = measures else { return Self::Loss };
        // Equal ones stay as they are, to the last bit.
        if rest.iter().all(|other| other == first) {
            return *first;
        }
        let chances = measures.iter().map(Self::chance);
        match chances.sum::<Option<f64>>() {
            Some(sum) => Self::Accuracy { chance: sum / measures.len() as f64 },
            None => Self::Loss,
        }
    }
}

/// Relative accuracy (accuracy − chance) / (baseline − chance): 1 for an undamaged network, 0 at
/// chance. `None` if the baseline itself is no better than chance.
#[must_use]
pub fn relative_accuracy(accuracy: f64, baseline: f64, chance: f64) -> Option<f64> {
    (baseline > chance).then(|| (accuracy - chance) / (baseline - chance))
}

/// Relative loss, loss / baseline: 1 for an undamaged network, more for one that does worse. `None`
/// if the baseline is 0, or not finite.
#[must_use]
pub fn relative_loss(loss: f64, baseline: f64) -> Option<f64> {
    (baseline > 0.0 && baseline.is_finite()).then(|| loss / baseline)
}

/// How well a head did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// The accuracy or the loss.
    #[serde(with = "infinite")]
    pub value: f64,
    /// Which of the two, and the chance of the accuracy.
    pub measure: Measure,
}

/// How well a network did over the repeats of a [`Scoring`](crate::Scoring).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean over repeats.
    #[serde(with = "infinite")]
    pub mean: f64,
    /// Standard deviation over repeats (divided by their number).
    #[serde(with = "infinite")]
    pub standard_deviation: f64,
    /// The best repeat: the largest accuracy, or the smallest loss.
    #[serde(with = "infinite")]
    pub best: f64,
    /// Whether the numbers are accuracies or losses.
    pub measure: Measure,
}

impl Score {
    pub(crate) fn of(values: &[f64], measure: Measure) -> Self {
        let best = match measure {
            Measure::Accuracy { .. } => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Measure::Loss => values.iter().copied().fold(f64::INFINITY, f64::min),
        };
        // The spread around an infinite mean is not NaN.
        let (mean, standard_deviation) = if values.contains(&f64::INFINITY) {
            (f64::INFINITY, f64::INFINITY)
        } else {
            moments(values)
        };
        Self { mean, standard_deviation, best, measure }
    }

    /// A value relative to the mean of this score, the baseline ([`Measure::relative`]).
    #[must_use]
    pub fn relative(&self, value: f64) -> Option<f64> {
        self.measure.relative(value, self.mean)
    }
}

/// An infinite loss in files: JSON has no such number, so it is `null` there.
pub(crate) mod infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    // By reference: serde asks so.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_numbers_are_worked_by_hand() {
        let three = Measure::Accuracy { chance: 1.0 / 3.0 };
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-15;
        assert!(near(three.relative(2.0 / 3.0, 1.0), 0.5));
        assert!(near(three.relative(1.0 / 3.0, 0.8), 0.0));
        assert_eq!(three.relative(0.5, 1.0 / 3.0), None);
        assert_eq!(Measure::Loss.relative(0.75, 0.25), Some(3.0));
        assert_eq!(Measure::Loss.relative(0.75, 0.0), None);
        assert_eq!(Measure::Loss.relative(f64::INFINITY, 0.25), Some(f64::INFINITY));
        assert_eq!(Measure::Loss.relative(f64::INFINITY, f64::INFINITY), None);
    }

    #[test]
    fn the_best_repeat_has_the_largest_accuracy_or_the_smallest_loss() {
        let accuracy = Score::of(&[0.25, 0.75], Measure::Accuracy { chance: 0.5 });
        assert_eq!((accuracy.mean, accuracy.standard_deviation, accuracy.best), (0.5, 0.25, 0.75));
        let loss = Score::of(&[0.25, 0.75], Measure::Loss);
        assert_eq!((loss.mean, loss.best), (0.5, 0.25));
        assert_eq!(loss.relative(1.0), Some(2.0));
    }

    #[test]
    fn means_over_heads_keep_equal_chances_to_the_last_bit() {
        let chance = |chance| Measure::Accuracy { chance };
        assert_eq!(Measure::mean(&[chance(1.0 / 3.0); 6]), chance(1.0 / 3.0));
        assert_eq!(Measure::mean(&[chance(0.5), chance(0.25)]), chance(0.375));
        assert_eq!(Measure::mean(&[Measure::Loss; 2]), Measure::Loss);
    }

    #[test]
    fn an_infinite_loss_survives_a_file() {
        let exploded = Score::of(&[f64::INFINITY, 2.0], Measure::Loss);
        let text = serde_json::to_string(&exploded).unwrap();
        let expected =
            r#"{"mean":null,"standard_deviation":null,"best":2.0,"measure":{"kind":"loss"}}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), exploded);
        let good = Score::of(&[1.0], Measure::Accuracy { chance: 0.5 });
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), good);
    }
}
