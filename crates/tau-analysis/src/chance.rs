//! The accuracy of a guess, which follows from the labels that are asked.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use tau_tasks::{Answer, Task};

use crate::Measure;

/// The guess that an accuracy is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChanceLevel {
    /// One of the classes, each as often: right in 1 / classes of all answers, whatever the labels.
    #[default]
    OneOfClasses,
    /// Always the class that is commonest among the labels that were asked: right as often as this
    /// label occurs. Above 1 / classes where labels are not balanced, and by the scatter of the
    /// labels where they are.
    CommonestClass,
}

/// Number of labels of every class that each head was asked.
pub(crate) struct LabelCounts {
    /// By head and class; empty for a head that answers with values.
    counts: Vec<Vec<u64>>,
}

impl LabelCounts {
    pub(crate) fn new(task: &dyn Task) -> Self {
        let heads = task.shape().heads.iter();
        let classes = heads.map(|head| match head.answer {
            Answer::Class => vec![0; head.size],
            Answer::Value => Vec::new(),
        });
        Self { counts: classes.collect() }
    }

    /// Counts labels (trial, head). A label that is no class of its head is left out: whoever
    /// trains or scores with it refuses it.
    pub(crate) fn add(&mut self, labels: ArrayView2<'_, u8>) {
        for (counts, labels) in self.counts.iter_mut().zip(labels.columns()) {
            for &label in labels {
                if let Some(count) = counts.get_mut(usize::from(label)) {
                    *count += 1;
                }
            }
        }
    }

    /// What a number of each head measures: accuracy beside its chance, or loss.
    pub(crate) fn measures(&self, level: ChanceLevel) -> Vec<Measure> {
        let measure = |counts: &Vec<u64>| match (counts.iter().max(), level) {
            (None, _) => Measure::Loss,
            (Some(_), ChanceLevel::OneOfClasses) => {
                Measure::Accuracy { chance: 1.0 / counts.len() as f64 }
            }
            (Some(&most), ChanceLevel::CommonestClass) => {
                Measure::Accuracy { chance: most as f64 / counts.iter().sum::<u64>() as f64 }
            }
        };
        self.counts.iter().map(measure).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tasks::{Echo, Symbols};
    use ndarray::array;

    #[test]
    fn chance_is_worked_by_hand() {
        let task = Symbols::new(3, &[0, 1, 2]);
        let mut counts = LabelCounts::new(&task);
        counts.add(array![[0], [2], [2], [1]].view());
        counts.add(array![[2]].view());
        let chance = |level| counts.measures(level)[0];
        let third = Measure::Accuracy { chance: 1.0 / 3.0 };
        assert_eq!(chance(ChanceLevel::OneOfClasses), third);
        assert_eq!(chance(ChanceLevel::CommonestClass), Measure::Accuracy { chance: 0.6 });
        let values = LabelCounts::new(&Echo::new(None));
        assert_eq!(values.measures(ChanceLevel::CommonestClass), [Measure::Loss]);
    }
}
