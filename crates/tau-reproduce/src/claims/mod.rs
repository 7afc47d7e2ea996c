//! The published claims and what our networks say about them. A new claim is one file here and
//! one line in the list.
//!
//! A claim is a conjunction of parts, each an effect over networks with a 95 % interval. It is
//! supported if all parts are, contradicted if any is, undecidable otherwise.

mod claim_1;
mod claim_10;
mod claim_11;
mod claim_12;
mod claim_2;
mod claim_3;
mod claim_4;
mod claim_5;
mod claim_6;
mod claim_7;
mod claim_8;
mod claim_9;
pub mod placebo;
mod progress;

use serde::{Deserialize, Serialize};
use tau_analysis::{Estimate, Prediction, Verdict};

use crate::evidence::Network;

/// A claim of the paper.
pub struct Claim {
    /// Its number among the twelve.
    pub id: &'static str,
    /// What it says.
    pub title: &'static str,
    /// The figure that shows it.
    pub figure: &'static str,
    /// Which networks could have each other's conditions if the claim were about nothing: those of series
    /// with the same name here. Networks of a series without one stay where they are.
    pub exchanged: fn(&str) -> Option<&str>,
    /// Its parts; the first is the headline.
    pub parts: fn(&[Network]) -> Vec<Part>,
}

/// Single-head and multi-head networks that are alike otherwise: `n-dms` for both of N-DMS.
fn curricula(series: &str) -> Option<&str> {
    series.strip_prefix("single-head").or_else(|| series.strip_prefix("multi-head"))
}

/// The twelve claims.
pub const CLAIMS: &[Claim] = &[
    claim_1::CLAIM,
    claim_2::CLAIM,
    claim_3::CLAIM,
    claim_4::CLAIM,
    claim_5::CLAIM,
    claim_6::CLAIM,
    claim_7::CLAIM,
    claim_8::CLAIM,
    claim_9::CLAIM,
    claim_10::CLAIM,
    claim_11::CLAIM,
    claim_12::CLAIM,
];

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
    /// Sound networks of its conditions that have no value: they solved too few N, or the preset does
    /// not measure them.
    pub left_out: usize,
}

impl Part {
    /// Judges the mean over networks.
    fn mean(title: &str, sample: &Sample, prediction: Prediction) -> Self {
        Self::judge(title, &[sample], Estimate::mean(&sample.values), prediction)
    }

    /// Judges the mean of `left` less that of `right`.
    fn difference(title: &str, left: &Sample, right: &Sample, prediction: Prediction) -> Self {
        let estimate = Estimate::difference(&left.values, &right.values);
        Self::judge(title, &[left, right], estimate, prediction)
    }

    fn judge(
        title: &str,
        samples: &[&Sample],
        estimate: Result<Estimate, tau_analysis::Error>,
        prediction: Prediction,
    ) -> Self {
        // Where nothing could be measured nothing is decided.
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
}

/// The verdict on the conjunction.
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

impl Part {
    /// The same, but for a contradiction, which `fair` says whether these networks can carry.
    fn contradicted_only_if(mut self, fair: bool) -> Self {
        if self.verdict == Verdict::Contradicted && !fair {
            self.verdict = Verdict::Undecidable;
        }
        self
    }
}

/// Fewest networks of each condition with which anything is decided, whatever their interval.
pub(crate) const FEWEST: usize = 3;

/// Any effect above 0 counts.
const RISES: Prediction = Prediction::Positive { beyond: 0.0 };
/// Any effect below 0 counts.
const FALLS: Prediction = Prediction::Negative { beyond: 0.0 };

/// Sound networks of a condition.
fn of<'a>(networks: &'a [Network], series: &'a str) -> impl Iterator<Item = &'a Network> {
    let ours = move |network: &&Network| network.is_sound() && network.series == series;
    networks.iter().filter(ours)
}

/// One value for each sound network of a condition, as far as it has one.
struct Sample {
    values: Vec<f64>,
    left_out: usize,
}

impl Sample {
    fn of(networks: &[Network], series: &str, value: impl Fn(&Network) -> Option<f64>) -> Self {
        let found: Vec<Option<f64>> = of(networks, series).map(value).collect();
        let left_out = found.iter().filter(|value| value.is_none()).count();
        Self { values: found.into_iter().flatten().collect(), left_out }
    }
}

/// The slope of a quantity against N in one network; `None` for fewer than three points.
fn slope(points: impl IntoIterator<Item = (usize, f64)>) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().map(|(n, y)| (n as f64, y)).unzip();
    if x.len() < 3 { None } else { tau_analysis::effect::slope(&x, &y).ok() }
}

#[cfg(test)]
mod tests;
