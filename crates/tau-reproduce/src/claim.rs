//! A claim of a paper and what our networks say about it.
//!
//! A claim is a conjunction of parts, each an effect over networks with a 95 % interval. It is
//! supported if all parts are, contradicted if any is, undecidable otherwise.

use serde::{Deserialize, Serialize};
use tau_analysis::{Estimate, Prediction, Verdict};

use crate::{Facets, Need, Network, Networks, Selector};

/// A claim of a paper.
#[derive(Debug)]
pub struct Claim {
    /// Its name: mostly a number.
    pub id: &'static str,
    /// What it says.
    pub title: &'static str,
    /// The figure that shows it.
    pub figure: &'static str,
    /// The networks that it is about: its parts ask for no others.
    pub networks: &'static [Selector],
    /// What is measured on them for it.
    pub needs: &'static [Need],
    /// The facet that would not matter if the claim were about nothing: networks of the claim that are
    /// alike in all other facets could have each other's conditions.
    pub exchanged: &'static str,
    /// Its parts; the first is the headline.
    pub parts: fn(&Networks<'_>) -> Vec<Part>,
}

impl Claim {
    /// Whether it is judged on networks with these facets.
    #[must_use]
    pub fn is_about(&self, facets: &Facets) -> bool {
        self.networks.iter().any(|selector| selector.matches(facets))
    }
}

/// One part of a claim, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What is claimed, with the unit of the effect.
    pub title: String,
    /// What the interval says.
    pub verdict: Verdict,
    /// The effect; `None` if no network could be measured.
    pub effect: Option<f64>,
    /// 95 % interval; `None` if there are too few networks for one.
    pub interval: Option<[f64; 2]>,
    /// Number of networks behind it.
    pub networks: usize,
    /// Sound networks of its conditions that have no value: their training did not get far enough, or
    /// the preset does not measure them.
    pub left_out: usize,
}

impl Part {
    /// Judges the mean over networks.
    #[must_use]
    pub fn mean(title: &str, sample: &Sample, prediction: Prediction) -> Self {
        Self::judge(title, &[sample], Estimate::mean(&sample.values), prediction)
    }

    /// Judges the mean of `left` less that of `right`.
    #[must_use]
    pub fn difference(title: &str, left: &Sample, right: &Sample, prediction: Prediction) -> Self {
        let estimate = Estimate::difference(&left.values, &right.values);
        Self::judge(title, &[left, right], estimate, prediction)
    }

    /// Judges an estimate that was made from these samples. Where none could be made, or a sample has
    /// fewer than [`FEWEST`] networks, nothing is decided.
    #[must_use]
    pub fn judge(
        title: &str,
        samples: &[&Sample],
        estimate: Result<Estimate, tau_analysis::Error>,
        prediction: Prediction,
    ) -> Self {
        let estimate = estimate.ok();
        let enough = samples.iter().all(|sample| sample.values.len() >= FEWEST);
        Self {
            title: title.to_owned(),
            verdict: match estimate {
                Some(estimate) if enough => estimate.verdict(prediction),
                _ => Verdict::Undecidable,
            },
            effect: estimate.map(|estimate| estimate.effect),
            interval: estimate.and_then(|estimate| estimate.interval),
            networks: samples.iter().map(|sample| sample.values.len()).sum(),
            left_out: samples.iter().map(|sample| sample.left_out).sum(),
        }
    }

    /// The same part, but undecidable where it is contradicted and these networks are not `fair` to it.
    #[must_use]
    pub fn contradicted_only_if(mut self, fair: bool) -> Self {
        if self.verdict == Verdict::Contradicted && !fair {
            self.verdict = Verdict::Undecidable;
        }
        self
    }
}

/// The verdict on the conjunction of all parts.
#[must_use]
pub fn conclude(parts: &[Part]) -> Verdict {
    if parts.iter().any(|part| part.verdict == Verdict::Contradicted) {
        Verdict::Contradicted
    } else if !parts.is_empty() && parts.iter().all(|part| part.verdict == Verdict::Supported) {
        Verdict::Supported
    } else {
        Verdict::Undecidable
    }
}

/// Fewest networks of each condition with which anything is decided, whatever their interval.
pub const FEWEST: usize = 3;

/// Any effect above 0 counts.
pub const RISES: Prediction = Prediction::Positive { beyond: 0.0 };
/// Any effect below 0 counts.
pub const FALLS: Prediction = Prediction::Negative { beyond: 0.0 };

/// One value for each sound network of a condition that has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The values, in the order of the networks.
    pub values: Vec<f64>,
    /// Number of networks without a value.
    pub left_out: usize,
}

impl Sample {
    /// Asks each network that a selector means for its value.
    #[must_use]
    pub fn of(
        networks: &Networks<'_>,
        selector: &Selector,
        value: impl Fn(&Network) -> Option<f64>,
    ) -> Self {
        let found: Vec<Option<f64>> = networks.of(selector).map(value).collect();
        let left_out = found.iter().filter(|value| value.is_none()).count();
        Self { values: found.into_iter().flatten().collect(), left_out }
    }
}

/// The slope of y against x in one network; `None` for fewer than three points.
#[must_use]
pub fn slope(points: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    if x.len() < 3 { None } else { tau_analysis::effect::slope(&x, &y).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Contradicted, Supported, Undecidable};

    #[test]
    fn a_claim_needs_all_its_parts() {
        check(&[Supported, Supported], Supported);
        check(&[Supported, Undecidable], Undecidable);
        check(&[Undecidable, Contradicted, Supported], Contradicted);
        check(&[], Undecidable);
        fn check(parts: &[Verdict], expected: Verdict) {
            let part = |&verdict: &Verdict| Part {
                title: String::new(),
                verdict,
                effect: None,
                interval: None,
                networks: 0,
                left_out: 0,
            };
            let parts: Vec<Part> = parts.iter().map(part).collect();
            assert_eq!(conclude(&parts), expected);
        }
    }

    #[test]
    fn two_networks_decide_nothing_and_three_do() {
        let sample = |values: &[f64]| Sample { values: values.to_vec(), left_out: 1 };
        let two = Part::mean("", &sample(&[1.0, 1.0]), RISES);
        assert_eq!((two.verdict, two.effect, two.networks), (Undecidable, Some(1.0), 2));
        let three = Part::mean("", &sample(&[1.0, 1.01, 0.99]), RISES);
        assert_eq!((three.verdict, three.left_out), (Supported, 1));
        let against = Part::mean("", &sample(&[1.0, 1.01, 0.99]), FALLS);
        assert_eq!(against.clone().contradicted_only_if(true).verdict, Contradicted);
        assert_eq!(against.contradicted_only_if(false).verdict, Undecidable);
        let none = Part::difference("", &sample(&[]), &sample(&[1.0]), RISES);
        assert_eq!((none.verdict, none.effect, none.left_out), (Undecidable, None, 2));
    }

    #[test]
    fn a_slope_needs_three_points() {
        assert_eq!(slope([(1.0, 2.0), (2.0, 4.0)]), None);
        assert_eq!(slope([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]), Some(2.0));
    }
}
