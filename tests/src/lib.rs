//! What tests of several crates share: random networks and batches, each a pure function of a
//! [`Shape`] and a seed; trees of files.

pub mod files;

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use tau_random::{Key, Purpose, Stream};
use tau_rnn::{
    Activation, Batch, Cell, Config, Initial, Params, Placement, Readout, Target, TimeConstants,
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
    /// The equations of a neuron; with gates, what follows about placement, activation,
    /// self-connections and τ is as in [`Shape::published`].
    pub cell: Cell,
    /// Where the nonlinearity stands.
    pub placement: Placement,
    /// The nonlinearity.
    pub activation: Activation,
    /// Mean squared error at every step instead of cross-entropy at the last.
    pub every_step: bool,
    /// Whether neurons may connect to themselves.
    pub self_connections: bool,
    /// Whether τ is trained.
    pub trains_tau: bool,
}

impl Shape {
    /// The published cell with one head of two classes.
    #[must_use]
    pub fn published(hidden_size: usize, steps: usize, trials: usize) -> Self {
        Self {
            hidden_size,
            channels: 1,
            steps,
            trials,
            heads: vec![2],
            cell: Cell::Leaky,
            placement: Placement::Whole,
            activation: Activation::LeakyRelu,
            every_step: false,
            self_connections: false,
            trains_tau: true,
        }
    }
}

/// Any shape of any cell, with at most so many neurons, steps and trials; one of three has gates.
pub fn all_shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    prop_oneof![
        2 => shapes(neurons, steps, trials).boxed(),
        1 => gated_shapes(neurons, steps, trials).boxed(),
    ]
}

/// Any shape of a gated cell, with at most so many neurons, steps and trials.
pub fn gated_shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    let cell = prop::sample::select(Cell::GATED.to_vec());
    (shapes(neurons, steps, trials), cell).prop_map(|(shape, cell)| {
        let Shape { hidden_size, steps, trials, .. } = shape;
        let Shape { channels, heads, every_step, .. } = shape;
        let published = Shape::published(hidden_size, steps, trials);
        Shape { cell, channels, heads, every_step, ..published }
    })
}

/// Any shape of the leaky cell, with at most so many neurons, steps and trials.
pub fn shapes(neurons: usize, steps: usize, trials: usize) -> impl Strategy<Value = Shape> {
    let sizes = (1..=neurons, 1_usize..=3, 1..=steps, 1..=trials);
    let heads = prop::collection::vec(1_usize..=3, 1..=3);
    let placement = prop_oneof![
        Just(Placement::Whole),
        Just(Placement::Drive),
        (1u32..=4).prop_map(|steps_per_unit| Placement::Continuous { steps_per_unit }),
    ];
    let activation = prop::sample::select(Activation::ALL.to_vec());
    let switches = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    (sizes, heads, placement, activation, switches).prop_map(
        |((hidden_size, channels, steps, trials), heads, placement, activation, switches)| Shape {
            hidden_size,
            channels,
            steps,
            trials,
            heads,
            cell: Cell::Leaky,
            placement,
            activation,
            every_step: switches.0,
            self_connections: switches.1,
            trains_tau: switches.2,
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
    targets: Array3<f32>,
    heads: Vec<usize>,
    every_step: bool,
}

impl Case {
    /// Makes the case: weights large enough for rich dynamics, some τ_raw below 1, inputs of both
    /// signs, the heads in reverse order (so that no index is right by chance).
    #[must_use]
    pub fn new(shape: &Shape, seed: u64) -> Self {
        let mut random = Key::new(seed, Purpose::Parameters).stream();
        let tau = if shape.trains_tau {
            TimeConstants::Trainable { start: 1.0 }
        } else {
            TimeConstants::Fixed { value: 2.5 }
        };
        let config = Config {
            hidden_size: shape.hidden_size,
            input_size: shape.channels,
            cell: shape.cell,
            placement: shape.placement,
            activation: shape.activation,
            tau,
            self_connections: shape.self_connections,
        };
        let mut params = Params::<f64>::init(&config, &mut random).expect("a valid shape");
        params.w_rec *= 2.0;
        if shape.trains_tau {
            // Some dead, none so near to 1 that a finite difference crosses the bound.
            params.tau.mapv_inplace(|tau| {
                let wide = 0.4 + 1.4 * (tau - 1.0) + 2.0 * (tau - 1.0).powi(4);
                if (wide - 1.0).abs() < 1e-3 { 1.1 } else { wide }
            });
        }
        for &outputs in &shape.heads {
            params.readouts.push(Readout::init(outputs, shape.hidden_size, &mut random));
        }
        let heads: Vec<usize> =
            if shape.every_step { vec![0] } else { (0..shape.heads.len()).rev().collect() };
        let (steps, trials) = (shape.steps, shape.trials);
        let unit = |random: &mut Stream| random.unit_f32();
        Self {
            inputs: Array3::from_shape_fn((steps, trials, shape.channels), |_| {
                2.0 * unit(&mut random) - 1.0
            }),
            initial: Array2::from_shape_fn((trials, config.state_size()), |_| {
                f64::from(unit(&mut random)) - 0.5
            }),
            labels: Array2::from_shape_fn((trials, heads.len()), |(_, position)| {
                (unit(&mut random) * shape.heads[heads[position]] as f32) as u8
            }),
            targets: Array3::from_shape_fn((steps, trials, shape.heads[0]), |_| unit(&mut random)),
            config,
            params,
            heads,
            every_step: shape.every_step,
        }
    }

    /// The batch, for either precision: `initial` must be [`Case::initial`] in that precision.
    #[must_use]
    pub fn batch<'a, R>(&'a self, initial: &'a Array2<R>) -> Batch<'a, R> {
        let target = if self.every_step {
            Target::Series { targets: self.targets.view(), head: self.heads[0] }
        } else {
            Target::Labels { labels: self.labels.view(), heads: &self.heads }
        };
        Batch { inputs: self.inputs.view(), initial: Initial::Given(initial.view()), target }
    }

    /// States before the first step, shape (trial, [`Config::state_size`]).
    #[must_use]
    pub fn initial(&self) -> &Array2<f64> {
        &self.initial
    }
}
