//! N-parity: is the number of ones among the last N bits odd? (ICLR 2024, §2)
//!
//! ```text
//! y_N(T) = (x_{T−N+1} + … + x_T) mod 2
//! ```

use ndarray::{Array1, ArrayView2, ArrayViewMut2};

use serde::{Deserialize, Serialize};
use tau_random::{BitRule, Chance, Coding};

use crate::bits::bit;
use crate::ladder::{Ladder, Rule};
use crate::spec::Definition;
use crate::{Error, Task, TaskSpec};

/// Settings of N-parity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parity {
    /// N of each head, in the order of the heads, each once, 1 to 100000; empty where a schedule
    /// fills it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub n: Vec<usize>,
    /// How a bit is shown to the network.
    pub coding: Coding,
}

impl Definition for Parity {
    const NAME: &'static str = "parity";

    fn build(&self) -> Result<Box<dyn Task>, Error> {
        Ok(Box::new(Ladder::<Self>::new(&self.n, self.coding)?))
    }

    fn with_memory(&self, memory: &[usize]) -> Option<TaskSpec> {
        Some(TaskSpec::Parity(Self { n: memory.to_vec(), ..self.clone() }))
    }

    fn memory(&self) -> Option<&[usize]> {
        Some(&self.n)
    }
}

impl Rule for Parity {
    const NAME: &'static str = <Self as Definition>::NAME;
    const SMALLEST_N: usize = 1;
    const CHANCE: Chance = Chance::Uniform;
    const BIT_RULE: BitRule = BitRule::Parity;

    /// Adds the bits from the last one backwards, and notes the sum whenever an N is reached.
    fn last(inputs: ArrayView2<f32>, memory: &[usize], mut labels: ArrayViewMut2<u8>) {
        let (length, trials) = inputs.dim();
        let mut heads: Vec<usize> = (0..memory.len()).collect();
        heads.sort_by_key(|&head| memory[head]);
        let mut sum = Array1::<u8>::zeros(trials);
        let mut summed = 0;
        for head in heads {
            for back in summed + 1..=memory[head] {
                sum.zip_mut_with(&inputs.row(length - back), |sum, &x| *sum ^= bit(x));
            }
            summed = memory[head];
            labels.column_mut(head).assign(&sum);
        }
    }

    /// Slides a window of N bits: the new bit enters the sum, the oldest leaves it.
    fn running(inputs: ArrayView2<f32>, n: usize, mut labels: ArrayViewMut2<u8>) {
        let mut sum = Array1::<u8>::zeros(inputs.ncols());
        for (t, row) in inputs.outer_iter().enumerate() {
            sum.zip_mut_with(&row, |sum, &x| *sum ^= bit(x));
            if t >= n {
                sum.zip_mut_with(&inputs.row(t - n), |sum, &x| *sum ^= bit(x));
            }
            if t + 1 >= n {
                labels.row_mut(t).assign(&sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::check;

    #[test]
    fn a_label_is_the_sum_of_the_last_n_bits_mod_2() {
        check::<Parity>("1101001", 1, "1101001");
        check::<Parity>("1101001", 2, ".011101");
        check::<Parity>("1101001", 3, "..00111");
        check::<Parity>("1101001", 6, ".....11");
    }

    #[test]
    fn n_may_be_the_whole_sequence_and_does_not_see_before_it() {
        check::<Parity>("1101001", 7, "......0");
        check::<Parity>("1", 1, "1");
        check::<Parity>("1101001", 8, ".......");
    }

    #[test]
    fn heads_keep_their_order_whatever_the_order_of_n() {
        let inputs = ndarray::arr2(&[[1.0], [1.0], [0.0], [1.0], [0.0], [0.0], [1.0_f32]]);
        let mut labels = ndarray::Array2::zeros((1, 4));
        Parity::last(inputs.view(), &[3, 7, 1, 2], labels.view_mut());
        assert_eq!(labels, ndarray::arr2(&[[1, 0, 1, 1]]));
    }
}
