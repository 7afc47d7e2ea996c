//! How well a network did.

/// The score of one head.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Mean cross-entropy over trials in nats, or (weighted) mean squared error over trials, steps
    /// and outputs.
    pub loss: f64,
    /// Share of trials whose largest output is that of the label, in [0, 1]; `None` for values.
    pub accuracy: Option<f64>,
}

/// The scores of a network on one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// One for each active head, in the order of the batch.
    pub heads: Vec<Score>,
}

impl Scores {
    /// The loss: the sum over heads.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.heads.iter().map(|head| head.loss).sum()
    }

    /// Mean accuracy over heads, in [0, 1]; `None` if the batch wanted values.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let sum = self.heads.iter().map(|head| head.accuracy).sum::<Option<f64>>()?;
        (!self.heads.is_empty()).then(|| sum / self.heads.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_added_and_accuracies_averaged_where_there_are_any() {
        let head = |loss, accuracy| Score { loss, accuracy };
        let scores = |heads: &[Score]| Scores { heads: heads.to_vec() };
        let classes = scores(&[head(0.5, Some(1.0)), head(0.25, Some(0.5))]);
        assert_eq!(
            (classes.loss().to_bits(), classes.accuracy()),
            (0.75_f64.to_bits(), Some(0.75))
        );
        assert_eq!(scores(&[head(0.5, None)]).accuracy(), None);
        assert_eq!(scores(&[]).accuracy(), None);
    }
}
