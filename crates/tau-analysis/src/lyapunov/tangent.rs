//! One step of the leaky cell and of small differences from it, in f64.

use ndarray::{Array1, Array2, ArrayView1, Axis};
use rayon::prelude::*;
use tau_rnn::{Activation, Config, Leaky, Params, Placement};

use crate::Error;

/// Rows of W that one task multiplies: the products do not depend on how many threads share them.
const ROWS: usize = 16;

/// A network whose parameters have been checked.
pub(super) struct Cell {
    placement: Placement,
    activation: Activation,
    /// 1/τ.
    rate: Array1<f64>,
    w_rec: Array2<f64>,
    w_in: Array2<f64>,
    bias: Array1<f64>,
}

impl Cell {
    /// The network of a leaky cell with these settings, those of `config`.
    pub(super) fn new(config: &Config, leaky: &Leaky, params: &Params<f64>) -> Result<Self, Error> {
        config.check()?;
        let mut params = params.clone().checked(config)?;
        params.apply_constraints(config);
        let k = f64::from(config.steps_per_unit());
        Ok(Self {
            placement: leaky.placement,
            activation: leaky.activation,
            rate: params.tau_eff().mapv(|tau| 1.0 / (tau * k)),
            bias: &params.b_rec + &params.b_in,
            w_rec: params.w_rec,
            w_in: params.w_in,
        })
    }

    /// Computes h(t) from h(t − 1), and the differences (neuron, vector) with it.
    ///
    /// With s = (1 − a) h + a u the differences V become φ′(s) ((1 − a) V + a W V) for
    /// [`Placement::Whole`] and (1 − a) V + a φ′(u) W V for the remaining placements.
    pub(super) fn step(
        &self,
        h: &mut Array1<f64>,
        input: ArrayView1<'_, f32>,
        vectors: &mut Array2<f64>,
    ) {
        let input = input.mapv(f64::from);
        let drive = self.w_rec.dot(h) + self.w_in.dot(&input) + &self.bias;
        let mut moved = Array2::zeros(vectors.dim());
        let parts: Vec<_> = moved.axis_chunks_iter_mut(Axis(0), ROWS).collect();
        let rows: Vec<_> = self.w_rec.axis_chunks_iter(Axis(0), ROWS).collect();
        parts.into_par_iter().zip(rows).for_each(|(mut part, rows)| {
            ndarray::linalg::general_mat_mul(1.0, &rows, vectors, 0.0, &mut part);
        });
        for i in 0..h.len() {
            let (a, u) = (self.rate[i], drive[i]);
            let (keep, pass) = match self.placement {
                Placement::Whole => {
                    let s = (1.0 - a) * h[i] + a * u;
                    h[i] = phi(self.activation, s);
                    let slope = slope(self.activation, s);
                    (slope * (1.0 - a), slope * a)
                }
                Placement::Drive | Placement::Continuous { .. } => {
                    h[i] = (1.0 - a) * h[i] + a * phi(self.activation, u);
                    (1.0 - a, a * slope(self.activation, u))
                }
            };
            let old = vectors.row_mut(i);
            for (old, new) in old.into_iter().zip(moved.row(i)) {
                *old = keep * *old + pass * new;
            }
        }
    }
}

fn phi(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::LeakyRelu if s > 0.0 => s,
        Activation::LeakyRelu => Activation::NEGATIVE_SLOPE * s,
        Activation::Relu => s.max(0.0),
        Activation::Tanh => s.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-s).exp()),
    }
}

/// Slope of φ; at the kink of a (leaky) ReLU it is that of the left side, as in training.
fn slope(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::LeakyRelu | Activation::Relu if s > 0.0 => 1.0,
        Activation::LeakyRelu => Activation::NEGATIVE_SLOPE,
        Activation::Relu => 0.0,
        Activation::Tanh => 1.0 - s.tanh().powi(2),
        Activation::Sigmoid => phi(activation, s) * (1.0 - phi(activation, s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, s};
    use tau_random::{Key, Purpose};
    use tau_rnn::{Batch, Initial, Readout, reference};

    /// Over five steps of every placement and activation: states are those of the reference, and
    /// differences are the limits of differences of its states.
    #[test]
    fn tangents_are_limits_of_differences_of_the_reference() {
        let placements =
            [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 3 }];
        for placement in placements {
            for activation in Activation::ALL {
                check(placement, activation);
            }
        }
    }

    fn check(placement: Placement, activation: Activation) {
        const H: usize = 6;
        let leaky = Leaky { placement, activation, ..Leaky::DEFAULT };
        let config = Config::new(leaky, H, 1);
        let mut random = Key::new(3, Purpose::Parameters).stream();
        let mut params = Params::<f64>::init(&config, &mut random).unwrap();
        params.readouts.push(Readout::init(&config, 2, &mut random));
        let inputs = Array3::from_shape_fn((5, 1, 1), |(t, _, _)| (t % 2) as f32);
        let labels = Array2::zeros((1, 1));
        let run = |start: &Array1<f64>| {
            let start = start.clone().insert_axis(Axis(0));
            let batch = Batch::classes(&inputs, &labels).starting(Initial::Given(start.view()));
            let states = reference::states(&config, &params, &batch, 0).unwrap();
            Array1::from_vec(states.last().unwrap().clone())
        };
        let start = Array1::from_shape_fn(H, |i| 0.3 * (i as f64 - 2.2));
        let cell = Cell::new(&config, &leaky, &params).unwrap();
        let (mut h, mut vectors) = (start.clone(), Array2::eye(H));
        for t in 0..5 {
            cell.step(&mut h, inputs.slice(s![t, 0, ..]), &mut vectors);
        }
        let expected = run(&start);
        assert!((&h - &expected).iter().all(|x| x.abs() < 1e-12), "{placement:?} {activation}");
        for j in 0..H {
            let moved = |by: f64| {
                let mut start = start.clone();
                start[j] += by;
                run(&start)
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            let error = (&vectors.column(j) - &difference).mapv(f64::abs).sum();
            assert!(error < 1e-8, "{placement:?} {activation}, neuron {j}: {error:e}");
        }
    }
}
