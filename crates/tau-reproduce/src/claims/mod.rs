//! The published claims and what our networks say about them. A new claim is one file here and
//! one line in the list.
//!
//! A claim is a conjunction of parts, each an effect over networks with a 95 % interval. It is
//! supported if all parts are, contradicted if any is, undecidable otherwise.

mod claim_1;
mod claim_2;
mod claim_3;
mod claim_8;

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
    /// Its parts; the first is the headline.
    pub parts: fn(&[Network]) -> Vec<Part>,
}

/// Every claim that is judged.
pub const CLAIMS: &[Claim] = &[claim_1::CLAIM, claim_2::CLAIM, claim_3::CLAIM, claim_8::CLAIM];

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
}

impl Part {
    /// Judges an estimate, or what there is instead of one.
    fn new(
        title: &str,
        estimate: Result<Estimate, tau_analysis::Error>,
        prediction: Prediction,
    ) -> Self {
        let title = title.to_owned();
        match estimate {
            Ok(estimate) => Self {
                title,
                verdict: estimate.verdict(prediction),
                effect: Some(estimate.effect),
                interval: estimate.interval,
                networks: estimate.networks,
            },
            // Nothing could be measured: that decides nothing.
            Err(_) => Self {
                title,
                verdict: Verdict::Undecidable,
                effect: None,
                interval: None,
                networks: 0,
            },
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

/// Fewest networks of each condition with which anything is decided.
const FEWEST: usize = 3;

impl Part {
    /// Takes the verdict back if a condition has too few networks, whatever their interval.
    fn with_at_least(mut self, networks: usize) -> Self {
        if networks < FEWEST {
            self.verdict = Verdict::Undecidable;
        }
        self
    }
}

/// Any effect above 0 counts.
const RISES: Prediction = Prediction::Positive { beyond: 0.0 };
/// Any effect below 0 counts.
const FALLS: Prediction = Prediction::Negative { beyond: 0.0 };

/// Networks of a condition whose training was sound: a run that diverged is shown and counted in
/// the report, and never averaged over.
fn of<'a>(networks: &'a [Network], series: &'a str) -> impl Iterator<Item = &'a Network> {
    let sound = |network: &&Network| network.state != tau_runs::State::Diverged;
    networks.iter().filter(sound).filter(move |network| network.series == series)
}

/// The slope of a quantity against N in each network, over the solved N that `keep` accepts, given
/// the largest; networks with fewer than three such N have none.
fn slopes<'a>(
    networks: impl Iterator<Item = &'a Network>,
    points: impl Fn(&Network) -> Vec<(usize, f64)>,
    keep: impl Fn(usize, usize) -> bool,
) -> Vec<f64> {
    let slope = |network: &Network| {
        let largest = network.solved_n();
        let kept = points(network).into_iter().filter(|(n, _)| keep(*n, largest));
        let (x, y): (Vec<f64>, Vec<f64>) = kept.map(|(n, y)| (n as f64, y)).unzip();
        if x.len() < 3 { None } else { tau_analysis::effect::slope(&x, &y).ok() }
    };
    networks.filter_map(slope).collect()
}

#[cfg(test)]
mod tests;
