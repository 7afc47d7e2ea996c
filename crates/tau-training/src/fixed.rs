//! A data set that is drawn once.

use ndarray::{Array2, Array3, Axis, s};
use tau_random::{Draws, Key, Purpose};
use tau_tasks::{Batch, Targets, Task};

use crate::Error;
use crate::spec::refuse;

/// Trials of one length, kept trial by trial: a batch gathers whole trials.
#[derive(Debug)]
pub(crate) struct DataSet {
    /// Shape (trial, time, channel).
    inputs: Array3<f32>,
    targets: Kept,
    held_out: usize,
}

#[derive(Debug)]
enum Kept {
    /// Shape (trial, head).
    Classes(Array2<u8>),
    /// Shapes (trial, time, output) and (trial, time).
    Values { values: Array3<f32>, weights: Option<Array2<f32>> },
}

impl DataSet {
    /// Draws the data set of a seed. Part k, of as many trials as one key has numbers for, is the
    /// task's batch for step k of the stream [`Purpose::Data`]: so the first trials are the same
    /// however many follow.
    pub(crate) fn draw(
        task: &dyn Task,
        trials: usize,
        held_out: usize,
        data_seed: u64,
    ) -> Result<Self, Error> {
        let key = Key::new(data_seed, Purpose::Data);
        let (steps, channels) = (task.steps().most, task.shape().channels);
        let mut inputs = Array3::zeros((trials, steps, channels));
        let mut kept = None;
        for (part, first) in (0..trials).step_by(Draws::MAX_TRIALS).enumerate() {
            let end = trials.min(first + Draws::MAX_TRIALS);
            let drawn = task.batch(end - first, key.step(part as u32))?;
            inputs.slice_mut(s![first..end, .., ..]).assign(&trial_first(&drawn.inputs));
            let kept = kept.get_or_insert_with(|| room(&drawn.targets, trials));
            store(kept, drawn.targets, first, end);
        }
        let Some(targets) = kept else { return refuse("data.fixed.trials", trials, "1 or more") };
        Ok(Self { inputs, targets, held_out })
    }

    /// The trials that are scored, in the batch of this number.
    pub(crate) fn held_out_batch(&self, batch: usize, batch_size: usize) -> Batch {
        let first = batch * batch_size;
        let trials: Vec<usize> = (first..self.held_out.min(first + batch_size)).collect();
        self.gather(&trials)
    }

    /// The batch of this number of an epoch, with the trials in the epoch's `order`.
    pub(crate) fn training_batch(&self, order: &[usize], batch: usize, size: usize) -> Batch {
        let first = batch * size;
        self.gather(&order[first..order.len().min(first + size)])
    }

    /// The training trials in the order of an epoch: a permutation drawn by Fisher and Yates from
    /// the stream [`Purpose::Shuffle`] of the run's seed, one for each epoch.
    pub(crate) fn order(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (self.held_out..self.inputs.len_of(Axis(0))).collect();
        let key = Key::new(seed, Purpose::Shuffle).stage(epoch as u32);
        for last in (1..order.len()).rev() {
            // Two words make a number below last + 1 with a bias below 2⁻³⁸.
            let [low, high, ..] = key.block(last as u32);
            let number = u128::from(low) | u128::from(high) << 32;
            let other = ((number * (last as u128 + 1)) >> 64) as usize;
            order.swap(last, other);
        }
        order
    }

    fn gather(&self, trials: &[usize]) -> Batch {
        let inputs = time_first(&self.inputs, trials);
        let targets = match &self.targets {
            Kept::Classes(labels) => Targets::Classes(labels.select(Axis(0), trials)),
            Kept::Values { values, weights } => Targets::Values {
                values: time_first(values, trials),
                weights: weights.as_ref().map(|weights| {
                    let chosen = weights.select(Axis(0), trials);
                    chosen.reversed_axes().as_standard_layout().into_owned()
                }),
            },
        };
        Batch { inputs, targets }
    }
}

/// Room for the targets of so many trials, in the form of these.
fn room(targets: &Targets, trials: usize) -> Kept {
    match targets {
        Targets::Classes(labels) => Kept::Classes(Array2::zeros((trials, labels.ncols()))),
        Targets::Values { values, weights } => {
            let (steps, _, outputs) = values.dim();
            let weights = weights.as_ref().map(|_| Array2::zeros((trials, steps)));
            Kept::Values { values: Array3::zeros((trials, steps, outputs)), weights }
        }
    }
}

/// Puts the targets of trials `first..end` where they belong.
fn store(kept: &mut Kept, targets: Targets, first: usize, end: usize) {
    match (kept, targets) {
        (Kept::Classes(kept), Targets::Classes(labels)) => {
            kept.slice_mut(s![first..end, ..]).assign(&labels);
        }
        (
            Kept::Values { values: kept, weights: kept_weights },
            Targets::Values { values, weights },
        ) => {
            kept.slice_mut(s![first..end, .., ..]).assign(&trial_first(&values));
            if let (Some(kept), Some(weights)) = (kept_weights, weights) {
                kept.slice_mut(s![first..end, ..]).assign(&weights.t());
            }
        }
        _ => unreachable!("a task has targets of one form"),
    }
}

/// (time, trial, number) seen as (trial, time, number).
fn trial_first(values: &Array3<f32>) -> ndarray::ArrayView3<'_, f32> {
    values.view().permuted_axes([1, 0, 2])
}

/// Some trials of (trial, time, number), as (time, trial, number).
fn time_first(values: &Array3<f32>, trials: &[usize]) -> Array3<f32> {
    let (_, steps, numbers) = values.dim();
    let mut gathered = Array3::zeros((steps, trials.len(), numbers));
    for (place, &trial) in trials.iter().enumerate() {
        gathered.index_axis_mut(Axis(1), place).assign(&values.index_axis(Axis(0), trial));
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_tasks::{Pulse, TaskSpec};

    fn data(trials: usize, held_out: usize) -> DataSet {
        let task = TaskSpec::Pulse(Pulse::default()).build().unwrap();
        DataSet::draw(&*task, trials, held_out, 2).unwrap()
    }

    #[test]
    fn a_data_set_is_the_tasks_own_batch() {
        let task = TaskSpec::Pulse(Pulse::default()).build().unwrap();
        let batch = task.batch(7, Key::new(2, Purpose::Data)).unwrap();
        let data = data(7, 0);
        assert_eq!(data.gather(&[0, 1, 2, 3, 4, 5, 6]), batch);
        assert_eq!(data.gather(&[4, 1]).inputs, batch.inputs.select(Axis(1), &[4, 1]));
    }

    #[test]
    fn an_epoch_shows_every_training_trial_once_in_an_order_of_its_own() {
        let data = data(23, 3);
        let orders = [0, 1, 2].map(|epoch| data.order(9, epoch));
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (3..23).collect::<Vec<_>>());
        }
        assert!(orders[0] != orders[1] && orders[1] != orders[2]);
        assert_ne!(data.order(8, 0), orders[0]);
        let sizes = [0, 1, 2].map(|batch| data.training_batch(&orders[0], batch, 8));
        assert_eq!(sizes.map(|batch| batch.inputs.len_of(Axis(1))), [8, 8, 4]);
        assert_eq!(data.held_out_batch(0, 8).inputs.len_of(Axis(1)), 3);
    }

    /// Every trial stands in every place equally often: chi square over places of one trial.
    #[test]
    fn orders_are_uniform() {
        let data = data(6, 0);
        let mut counts = [0_usize; 6];
        for epoch in 0..6000 {
            let order = data.order(1, epoch);
            counts[order.iter().position(|&trial| trial == 2).unwrap()] += 1;
        }
        let square: f64 = counts.iter().map(|&n| (n as f64 - 1000.0).powi(2) / 1000.0).sum();
        assert!(square < 5.0 + 5.0 * 10_f64.sqrt() + 5.0, "{counts:?}");
    }

    #[test]
    fn more_trials_than_one_key_has_are_drawn_in_parts() {
        let large = data(Draws::MAX_TRIALS + 2, 0);
        let part = data(3, 0);
        assert_eq!(large.gather(&[0, 1, 2]), part.gather(&[0, 1, 2]));
        let last = large.gather(&[Draws::MAX_TRIALS, Draws::MAX_TRIALS + 1]);
        assert_ne!(last, large.gather(&[0, 1]));
    }
}
