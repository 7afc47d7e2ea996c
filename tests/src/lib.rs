//! What tests of several crates share: random networks and batches, each a pure function of a
//! [`Shape`] and a seed; trees of files.

pub mod files;

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use tau_random::{Key, Purpose, Stream};
use tau_rnn::{
    Activation, Arrays, Batch, Cell, Config, Initial, Leaky, Params, Placement, Readout, Target,
    TimeConstants,
};

/// Sizes and equations of a test case.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Neurons.
    pub hidden_size: usize,
    /// Input channels.
    pub channels: usize,
    /// Steps.
    pub steps: usize,
    /// Trials.
    pub trials: usize,
    /// Outputs of each head.
    pub heads: Vec<usize>,
    /// The equations of a neuron.
    pub cell: Cell,
    /// Which arrays there are and which are trained. (The initial values are those of [`Case::new`].)
    pub arrays: Arrays,
    /// What the heads are asked.
    pub answers: Answers,
}

/// What the heads are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Classes at the last step.
    Classes,
    /// Values at every step.
    Values,
    /// Values at every step, with weights of which some are 0.
    WeightedValues,
}

impl Shape {
    /// A cell with one channel and one head of two classes.
    #[must_use]
    pub fn new(cell: impl Into<Cell>, hidden_size: usize, steps: usize, trials: usize) -> Self {
        let cell = cell.into();
        Self {
            hidden_size,
            channels: 1,
            steps,
            trials,
            heads: vec![2],
            cell,
            arrays: Arrays::of(&cell),
            answers: Answers::Classes,
        }
    }

    /// [`Shape::new`] of the leaky cell with its default settings.
    #[must_use]
    pub fn leaky(hidden_size: usize, steps: usize, trials: usize) -> Self {
        Self::new(Leaky::DEFAULT, hidden_size, steps, trials)
    }

    /// Whether the diagonal of W takes no part.
    #[must_use]
    pub fn clears_diagonal(&self) -> bool {
        self.cell.leaky().is_some_and(|leaky| !leaky.self_connections)
    }
}

/// Any shape of any cell, with at most so many neurons, steps and trials; one of three has gates.
/// Everything is there and trained, and values have no weights.
pub fn all_shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    prop_oneof![
        2 => shapes(neurons, steps, trials).boxed(),
        1 => gated_shapes(neurons, steps, trials).boxed(),
    ]
}

/// Any shape of a gated cell, with at most so many neurons, steps and trials.
pub fn gated_shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    shapes_of(prop::sample::select(Cell::GATED.to_vec()), neurons, steps, trials)
}

/// Any shape of the leaky cell, with at most so many neurons, steps and trials.
pub fn shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    shapes_of(leaky_cells().prop_map(Cell::Leaky), neurons, steps, trials)
}

/// [`all_shapes`] of which some arrays are not trained, some biases are absent, and values may have
/// weights.
pub fn partial_shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    let switches = (any::<[bool; 4]>(), any::<[bool; 3]>(), any::<bool>());
    (all_shapes(neurons, steps, trials), switches).prop_map(|(mut shape, switches)| {
        let ([w_rec, w_in, bias, readout], absent, weighted) = switches;
        let arrays = &mut shape.arrays;
        (arrays.w_rec.trained, arrays.w_in.trained) = (w_rec, w_in);
        arrays.readout_weight.trained = readout;
        let biases = [&mut arrays.b_rec, &mut arrays.b_in, &mut arrays.readout_bias];
        for (spec, absent) in biases.into_iter().zip(absent) {
            spec.iter_mut().for_each(|spec| spec.trained = bias);
            spec.take_if(|_| absent);
        }
        if weighted && shape.answers == Answers::Values {
            shape.answers = Answers::WeightedValues;
        }
        shape
    })
}

/// Any settings of the leaky cell.
pub fn leaky_cells() -> impl Strategy<Value = Leaky> {
    let placement = prop_oneof![
        Just(Placement::Whole),
        Just(Placement::Drive),
        (1u32..=4).prop_map(|steps_per_unit| Placement::Continuous { steps_per_unit }),
    ];
    let activation = prop::sample::select(Activation::ALL.to_vec());
    let tau = prop_oneof![
        4 => Just(TimeConstants::Trainable { start: 1.0 }),
        1 => Just(TimeConstants::Fixed { value: 2.5 }),
    ];
    (placement, activation, tau, any::<bool>()).prop_map(
        |(placement, activation, tau, self_connections)| Leaky {
            placement,
            activation,
            tau,
            self_connections,
        },
    )
}

fn shapes_of(
    cell: impl Strategy<Value = Cell>,
    neurons: usize,
    steps: usize,
    trials: usize,
) -> impl Strategy<Value = Shape> {
    let sizes = (1..=neurons, 1_usize..=3, 1..=steps, 1..=trials);
    let heads = prop::collection::vec(1_usize..=3, 1..=3);
    let answers = prop::sample::select(vec![Answers::Classes, Answers::Values]);
    (cell, sizes, heads, answers).prop_map(
        |(cell, (hidden_size, channels, steps, trials), heads, answers)| Shape {
            channels,
            heads,
            answers,
            ..Shape::new(cell, hidden_size, steps, trials)
        },
    )
}

/// |a − b| / |b| over all numbers of an array.
#[must_use]
pub fn relative_distance(a: &[f64], b: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let distance = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
    distance / norm(&mut b.iter().copied()).max(1e-12)
}

/// The largest; NaN if there is one, which `f64::max` would pass over.
pub fn worst(distances: impl IntoIterator<Item = f64>) -> f64 {
    distances.into_iter().fold(0.0, |a, b| if a.is_nan() || b <= a { a } else { b })
}

/// A network and a batch that fits it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Size and equations.
    pub config: Config,
    /// The parameters.
    pub params: Params<f64>,
    inputs: Array3<f32>,
    initial: Array2<f64>,
    labels: Array2<u8>,
    values: Array3<f32>,
    weights: Array2<f32>,
    heads: Vec<usize>,
    answers: Answers,
}

impl Case {
    /// Makes the case: weights large enough for rich dynamics, some τ_raw below 1, inputs of both
    /// signs, the heads in reverse order (so that no index is right by chance).
    ///
    /// # Panics
    /// If the shape is none of a network.
    #[must_use]
    pub fn new(shape: &Shape, seed: u64) -> Self {
        let mut random = Key::new(seed, Purpose::Parameters).stream();
        let Shape { hidden_size, channels, steps, trials, cell, arrays, answers, .. } = *shape;
        let config = Config { arrays, ..Config::new(cell, hidden_size, channels) };
        let mut params = Params::<f64>::init(&config, &mut random).expect("a valid shape");
        params.w_rec *= 2.0;
        if config.trains_tau() {
            // Some dead, none so near to 1 that a finite difference crosses the bound.
            params.tau.mapv_inplace(|tau| {
                let wide = 0.4 + 1.4 * (tau - 1.0) + 2.0 * (tau - 1.0).powi(4);
                if (wide - 1.0).abs() < 1e-3 { 1.1 } else { wide }
            });
        }
        for &outputs in &shape.heads {
            params.readouts.push(Readout::init(&config, outputs, &mut random));
        }
        let heads: Vec<usize> = match answers {
            Answers::Classes => (0..shape.heads.len()).rev().collect(),
            Answers::Values | Answers::WeightedValues => vec![0],
        };
        let unit = |random: &mut Stream| random.unit_f32();
        Self {
            inputs: Array3::from_shape_fn((steps, trials, channels), |_| {
                2.0 * unit(&mut random) - 1.0
            }),
            initial: Array2::from_shape_fn((trials, config.state_size()), |_| {
                f64::from(unit(&mut random)) - 0.5
            }),
            labels: Array2::from_shape_fn((trials, heads.len()), |(_, position)| {
                (unit(&mut random) * shape.heads[heads[position]] as f32) as u8
            }),
            values: Array3::from_shape_fn((steps, trials, shape.heads[0]), |_| unit(&mut random)),
            weights: Array2::from_shape_fn((steps, trials), |(t, trial)| {
                // About a third is not read, and the last step of the first trial is.
                let weight = 3.0 * unit(&mut random) - 1.0;
                if (t, trial) == (steps - 1, 0) { 1.0 } else { weight.max(0.0) }
            }),
            config,
            params,
            heads,
            answers,
        }
    }

    /// The batch, for either precision: `initial` must be [`Case::initial`] in that precision.
    #[must_use]
    pub fn batch<'a, R>(&'a self, initial: &'a Array2<R>) -> Batch<'a, R> {
        let values = |weights| Target::Values { values: self.values.view(), weights, head: 0 };
        let target = match self.answers {
            Answers::Classes => Target::Classes { labels: self.labels.view(), heads: &self.heads },
            Answers::Values => values(None),
            Answers::WeightedValues => values(Some(self.weights.view())),
        };
        Batch { inputs: self.inputs.view(), initial: Initial::Given(initial.view()), target }
    }

    /// States before the first step, shape (trial, [`Config::state_size`]).
    #[must_use]
    pub fn initial(&self) -> &Array2<f64> {
        &self.initial
    }
}
