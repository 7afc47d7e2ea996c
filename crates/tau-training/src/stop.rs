//! When a stage is solved.

use serde::{Deserialize, Serialize};
use tau_rnn::Score;

use crate::spec::refuse;
use crate::{Data, Error};

/// The rule by which a stage is solved, looked at after every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The mean loss over the epoch's updates is below this value (nats for classes, squared error
    /// for values), above 0.
    LossBelow(f64),
    /// The mean accuracy over heads and the accuracy of the newest head, both on the test batches,
    /// are above this fraction, in [0, 1) (ICLR 2024, §3: 0.98).
    AccuracyAbove(f64),
}

impl Stop {
    /// Whether an epoch with these scores solves its stage. A loss or an accuracy that was not
    /// measured solves nothing.
    pub(crate) fn holds(self, training_loss: Option<f64>, heads: &[Score]) -> bool {
        match self {
            Self::LossBelow(limit) => training_loss.is_some_and(|loss| loss < limit),
            Self::AccuracyAbove(limit) => {
                let accuracies: Option<Vec<f64>> = heads.iter().map(|h| h.accuracy).collect();
                let Some(accuracies) = accuracies else { return false };
                let Some(&newest) = accuracies.last() else { return false };
                let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
                mean > limit && newest > limit
            }
        }
    }

    /// Checks the limit, and that what it limits is measured.
    pub(crate) fn check(self, every_step: bool, data: &Data) -> Result<(), Error> {
        match self {
            Self::LossBelow(limit) if !(limit.is_finite() && limit > 0.0) => {
                refuse("stop.loss_below", limit, "above 0, finite")
            }
            Self::AccuracyAbove(limit) if !(0.0..1.0).contains(&limit) => {
                refuse("stop.accuracy_above", limit, "0 or more, below 1")
            }
            Self::AccuracyAbove(limit) if every_step => {
                let allowed = "for a task with values: stop.loss_below; values have no accuracy";
                refuse("stop.accuracy_above", limit, allowed)
            }
            Self::AccuracyAbove(limit) if !data.tests() => {
                let allowed = "with held-out trials: data.fixed.held_out of 1 or more";
                refuse("stop.accuracy_above", limit, allowed)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_heads_and_the_newest_must_be_good() {
        let heads = |accuracies: &[Option<f64>]| -> Vec<Score> {
            accuracies.iter().map(|&accuracy| Score { loss: 0.0, accuracy }).collect()
        };
        let holds = |accuracies| Stop::AccuracyAbove(0.9).holds(None, &heads(accuracies));
        assert!(holds(&[Some(0.85), Some(1.0)]));
        assert!(!holds(&[Some(1.0), Some(0.9)]));
        assert!(!holds(&[Some(0.7), Some(0.95)]));
        assert!(!holds(&[Some(1.0), None]) && !holds(&[]));
    }

    #[test]
    fn a_loss_that_was_not_measured_solves_nothing() {
        let stop = Stop::LossBelow(0.1);
        assert!(stop.holds(Some(0.09), &[]));
        assert!(!stop.holds(Some(0.1), &[]) && !stop.holds(None, &[]));
        assert!(!stop.holds(Some(f64::NAN), &[]));
    }
}
