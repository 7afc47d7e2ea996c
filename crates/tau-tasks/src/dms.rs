//! N-delayed match to sample: is the last bit the one that was shown N − 1 steps before?
//! (ICLR 2024, §2)
//!
//! ```text
//! y_N(T) = 1 if x_{T−N+1} = x_T, else 0        (lag N − 1)
//! ```

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Zip};

use serde::{Deserialize, Serialize};
use tau_random::{BitRule, Chance, Coding};

use crate::bits::bit;
use crate::ladder::{Ladder, Rule};
use crate::spec::Definition;
use crate::{Error, Task, TaskSpec};

/// Settings of N-delayed match to sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dms {
    /// N of each head, in the order of the heads, each once, 2 to 100000; empty where a schedule
    /// fills it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub n: Vec<usize>,
    /// How a bit is shown to the network.
    pub coding: Coding,
}

impl Definition for Dms {
    const NAME: &'static str = "dms";

    fn build(&self) -> Result<Box<dyn Task>, Error> {
        Ok(Box::new(Ladder::<Self>::new(&self.n, self.coding)?))
    }

    fn with_memory(&self, memory: &[usize]) -> Option<TaskSpec> {
        Some(TaskSpec::Dms(Self { n: memory.to_vec(), ..self.clone() }))
    }

    fn memory(&self) -> Option<&[usize]> {
        Some(&self.n)
    }
}

impl Rule for Dms {
    const NAME: &'static str = <Self as Definition>::NAME;
    // N = 1 would compare a bit with itself.
    const SMALLEST_N: usize = 2;
    const CHANCE: Chance = Chance::Half;
    const BIT_RULE: BitRule = BitRule::Match;

    fn last(inputs: ArrayView2<f32>, memory: &[usize], mut labels: ArrayViewMut2<u8>) {
        let length = inputs.nrows();
        for (&n, head) in memory.iter().zip(labels.columns_mut()) {
            compare(inputs.row(length - n), inputs.row(length - 1), head);
        }
    }

    fn running(inputs: ArrayView2<f32>, n: usize, mut labels: ArrayViewMut2<u8>) {
        for t in n - 1..inputs.nrows() {
            compare(inputs.row(t + 1 - n), inputs.row(t), labels.row_mut(t));
        }
    }
}

/// The label of every trial.
fn compare(sample: ArrayView1<f32>, last: ArrayView1<f32>, labels: ArrayViewMut1<u8>) {
    Zip::from(labels)
        .and(sample)
        .and(last)
        .for_each(|label, &a, &b| *label = u8::from(bit(a) == bit(b)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::check;

    #[test]
    fn a_label_says_whether_the_last_bit_is_the_one_n_minus_1_steps_before() {
        check::<Dms>("1101001", 2, ".100010");
        check::<Dms>("1101001", 3, "..01100");
        check::<Dms>("1101001", 6, ".....01");
    }

    #[test]
    fn n_may_be_the_whole_sequence_and_does_not_see_before_it() {
        check::<Dms>("1101001", 7, "......1");
        check::<Dms>("01", 2, ".0");
        check::<Dms>("1101001", 8, ".......");
    }
}
