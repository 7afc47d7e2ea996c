//! Tasks without N whose answers can be counted by hand.

use ndarray::{Array2, Array3};
use tau_random::Key;
use tau_tasks::{Answer, Batch, Error, Head, Shape, Steps, Targets, Task};

/// Steps of every batch.
const STEPS: usize = 8;

fn head(label: &str, size: usize, answer: Answer) -> Head {
    Head { label: label.to_owned(), memory: None, size, answer }
}

/// One of several symbols at each step, each on a channel of its own: which was shown last? Trial b
/// shows `shown[(b + t) % shown.len()]` at step t.
#[derive(Debug)]
pub(crate) struct Symbols {
    shape: Shape,
    shown: Vec<usize>,
}

impl Symbols {
    pub(crate) fn new(symbols: usize, shown: &[usize]) -> Self {
        let shape = Shape { channels: symbols, heads: vec![head("last", symbols, Answer::Class)] };
        Self { shape, shown: shown.to_vec() }
    }

    /// A second head with two classes says whether the last symbol was the first one of all, 0.
    pub(crate) fn with_second_head(mut self) -> Self {
        self.shape.heads.push(head("first or not", 2, Answer::Class));
        self
    }

    fn symbol(&self, step: usize, trial: usize) -> usize {
        self.shown[(trial + step) % self.shown.len()]
    }
}

impl Task for Symbols {
    fn name(&self) -> &'static str {
        "symbols"
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn steps(&self) -> Steps {
        Steps::always(STEPS)
    }

    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        let labels = Array2::from_shape_fn((trials, self.shape.heads.len()), |(trial, head)| {
            self.symbol(STEPS - 1, trial).min(self.shape.heads[head].size - 1) as u8
        });
        let inputs = self.drive(STEPS, trials, key)?;
        Ok(Batch { inputs, targets: Targets::Classes(labels) })
    }

    fn drive(&self, length: usize, trials: usize, _: Key) -> Result<Array3<f32>, Error> {
        let dim = (length, trials, self.shape.channels);
        Ok(Array3::from_shape_fn(dim, |(t, trial, channel)| {
            f32::from(u8::from(self.symbol(t, trial) == channel))
        }))
    }
}

/// The values 0, 1, 2 and 3 in turn, which are to be said at once: (t + b) mod 4 at step t of trial b.
#[derive(Debug)]
pub(crate) struct Echo {
    shape: Shape,
    only: Option<f32>,
}

impl Echo {
    /// Every step counts, or those alone that show this value; the target of the others is NaN.
    pub(crate) fn new(only: Option<f32>) -> Self {
        let shape = Shape { channels: 1, heads: vec![head("echo", 1, Answer::Value)] };
        Self { shape, only }
    }
}

impl Task for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn steps(&self) -> Steps {
        Steps::always(STEPS)
    }

    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        let inputs = self.drive(STEPS, trials, key)?;
        let counts = |value: f32| self.only.is_none_or(|only| value == only);
        let values = inputs.mapv(|value| if counts(value) { value } else { f32::NAN });
        let weight = |value: f32| f32::from(u8::from(counts(value)));
        let weights = self.only.map(|_| inputs.mapv(weight).remove_axis(ndarray::Axis(2)));
        Ok(Batch { inputs, targets: Targets::Values { values, weights } })
    }

    fn drive(&self, length: usize, trials: usize, _: Key) -> Result<Array3<f32>, Error> {
        Ok(Array3::from_shape_fn((length, trials, 1), |(t, trial, _)| ((t + trial) % 4) as f32))
    }
}
