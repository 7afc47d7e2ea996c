//! Laws of initial values.

use ndarray::{Array1, Array2};
use ndarray_rand::rand::Rng;
use ndarray_rand::rand_distr::{Distribution, Uniform};
use serde::{Deserialize, Serialize};
use tau_random::standard_normals;

use crate::{Error, Real};

/// The law of an array's initial values.
///
/// An array belongs to a linear map with rows (outputs) and columns (inputs): the recurrent map for
/// W and b_rec, the input map for w_in and b_in, a head for its weight and bias. Every law is drawn in
/// double precision, so that a seed gives the same network in either precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Init {
    /// 0, and no random number is used.
    Zero,
    /// U(±1/√columns): PyTorch's linear layers.
    FanIn,
    /// U(±1/√H): PyTorch's recurrent layers.
    HiddenSize,
    /// U(±bound).
    Uniform {
        /// Above 0.
        bound: f64,
    },
    /// N(0, sd²).
    Normal {
        /// Standard deviation, above 0.
        sd: f64,
    },
    /// N(0, gain²/columns).
    NormalFanIn {
        /// Above 0. For W of a network without gates it is about the spectral radius.
        gain: f64,
    },
    /// `gain` times an orthogonal matrix, uniform over all of them (Haar measure); one for each gate
    /// of a cell with gates. Only for W. (Where self-connections are off, the diagonal is set to zero
    /// afterwards.)
    Orthogonal {
        /// Above 0.
        gain: f64,
    },
    /// U(±√(6 / (columns + rows))), with the rows of all gates (Glorot & Bengio 2010, eq. 16): Keras's
    /// kernels. Not for biases.
    Glorot,
}

/// Which arrays a law may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Recurrent,
    Matrix,
    Bias,
}

/// The linear map that an array belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) hidden_size: usize,
}

impl Init {
    /// Checks the numbers of the law, and that it is one for this kind of array.
    pub(crate) fn check(self, name: &'static str, place: Place) -> Result<(), Error> {
        const POSITIVE: &str = "above 0, finite";
        let refuse = |number: &'static str, value: String, allowed| {
            Err(Error::Init { name, number, value, allowed })
        };
        match self {
            Self::Orthogonal { .. } if place != Place::Recurrent => {
                refuse("init", "orthogonal".to_owned(), "any law but this one, which is for w_rec")
            }
            Self::Glorot if place == Place::Bias => {
                refuse("init", "glorot".to_owned(), "any law but this one, which is for matrices")
            }
            Self::Zero | Self::FanIn | Self::HiddenSize | Self::Glorot => Ok(()),
            Self::Uniform { bound: value }
            | Self::Normal { sd: value }
            | Self::NormalFanIn { gain: value }
            | Self::Orthogonal { gain: value } => {
                let number = match self {
                    Self::Uniform { .. } => "bound",
                    Self::Normal { .. } => "sd",
                    _ => "gain",
                };
                if value.is_finite() && value > 0.0 {
                    Ok(())
                } else {
                    refuse(number, value.to_string(), POSITIVE)
                }
            }
        }
    }

    /// The map's matrix, (row, column).
    pub(crate) fn matrix<R: Real>(self, map: Map, rng: &mut impl Rng) -> Array2<R> {
        let numbers = match self {
            Self::Orthogonal { gain } => orthogonal(map, gain, rng),
            _ => self.numbers(map.rows * map.columns, map, rng),
        };
        let numbers = numbers.into_iter().map(R::from_f64).collect();
        Array2::from_shape_vec((map.rows, map.columns), numbers).expect("as many numbers")
    }

    /// The map's bias, (row).
    pub(crate) fn bias<R: Real>(self, map: Map, rng: &mut impl Rng) -> Array1<R> {
        self.numbers(map.rows, map, rng).into_iter().map(R::from_f64).collect()
    }

    fn numbers(self, count: usize, map: Map, rng: &mut impl Rng) -> Vec<f64> {
        let columns = map.columns as f64;
        match self {
            Self::Zero => vec![0.0; count],
            Self::FanIn => uniform(count, 1.0 / columns.sqrt(), rng),
            Self::HiddenSize => uniform(count, 1.0 / (map.hidden_size as f64).sqrt(), rng),
            Self::Uniform { bound } => uniform(count, bound, rng),
            Self::Glorot => uniform(count, (6.0 / (columns + map.rows as f64)).sqrt(), rng),
            Self::Normal { sd } => normal(count, sd, rng),
            Self::NormalFanIn { gain } | Self::Orthogonal { gain } => {
                normal(count, gain / columns.sqrt(), rng)
            }
        }
    }
}

pub(crate) fn uniform(count: usize, bound: f64, rng: &mut impl Rng) -> Vec<f64> {
    // The bounds are finite and ordered, so the law cannot be refused.
    let law = Uniform::new_inclusive(-bound, bound).expect("an interval around 0");
    (0..count).map(|_| law.sample(rng)).collect()
}

fn normal(count: usize, sd: f64, rng: &mut impl Rng) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(count + 1);
    while numbers.len() < count {
        numbers.extend(standard_normals(rng).map(|x| sd * x));
    }
    numbers.truncate(count);
    numbers
}

/// Blocks of as many rows as there are columns, each a random orthogonal matrix times `gain`.
///
/// The rows of a matrix of independent normal numbers are made orthonormal in their order (Gram and
/// Schmidt, twice, for the rounding of the first time). That is the QR decomposition whose R has a
/// positive diagonal, so the law is uniform over all orthogonal matrices (Mezzadri, Notices of the
/// AMS 54, 2007).
fn orthogonal(map: Map, gain: f64, rng: &mut impl Rng) -> Vec<f64> {
    let columns = map.columns;
    let mut numbers = normal(map.rows * columns, 1.0, rng);
    for block in numbers.chunks_mut(columns * columns) {
        for row in 0..block.len() / columns {
            let (done, rest) = block.split_at_mut(row * columns);
            let row = &mut rest[..columns];
            for _ in 0..2 {
                for basis in done.chunks_exact(columns) {
                    let along = dot(row, basis);
                    row.iter_mut().zip(basis).for_each(|(x, &b)| *x -= along * b);
                }
                let length = dot(row, row).sqrt();
                row.iter_mut().for_each(|x| *x /= length);
            }
        }
    }
    numbers.iter_mut().for_each(|x| *x *= gain);
    numbers
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;
    use tau_random::{Key, Purpose};

    fn matrix(init: Init, rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let map = Map { rows, columns, hidden_size: columns };
        init.matrix(map, &mut Key::new(seed, Purpose::Parameters).stream())
    }

    #[test]
    fn an_orthogonal_matrix_is_orthogonal_gate_by_gate() {
        for (hidden, gates) in [(1, 1), (2, 3), (50, 1), (40, 4)] {
            let all = matrix(Init::Orthogonal { gain: 1.0 }, hidden * gates, hidden, 3);
            for gate in all.axis_chunks_iter(Axis(0), hidden) {
                for product in [gate.dot(&gate.t()), gate.t().dot(&gate)] {
                    let apart = (product - Array2::<f64>::eye(hidden)).mapv(f64::abs);
                    let worst = apart.iter().copied().fold(0.0, f64::max);
                    assert!(worst < 1e-12, "{hidden}: {worst:e}");
                }
            }
        }
        let doubled = matrix(Init::Orthogonal { gain: 2.0 }, 8, 8, 3);
        assert_eq!(doubled, 2.0 * matrix(Init::Orthogonal { gain: 1.0 }, 8, 8, 3));
    }

    /// Any column of a matrix that is uniform over the orthogonal group is uniform on the sphere: of
    /// its numbers x, E x = 0, E x² = 1/H, E x⁴ = 3 / (H (H + 2)), and E x y = 0 for two of them. A QR
    /// decomposition whose signs are not fixed fails for the first number of the first column.
    #[test]
    fn the_first_column_of_an_orthogonal_matrix_is_uniform_on_the_sphere() {
        const H: usize = 4;
        const DRAWS: usize = 20_000;
        let law = Init::Orthogonal { gain: 1.0 };
        let first = |seed| matrix(law, H, H, seed as u64).column(0).to_owned();
        let columns: Vec<Array1<f64>> = (0..DRAWS).map(first).collect();
        let mean =
            |f: &dyn Fn(&Array1<f64>) -> f64| columns.iter().map(f).sum::<f64>() / DRAWS as f64;
        let size = H as f64;
        // Variances are at most 1: five standard errors.
        let error = 5.0 / (DRAWS as f64).sqrt();
        for i in 0..H {
            assert!(mean(&|x| x[i]).abs() < 0.5 * error);
            assert!((mean(&|x| x[i].powi(2)) - 1.0 / size).abs() < 0.3 * error);
            let fourth = 3.0 / (size * (size + 2.0));
            assert!((mean(&|x| x[i].powi(4)) - fourth).abs() < 0.3 * error);
            assert!(mean(&|x| x[i] * x[(i + 1) % H]).abs() < 0.3 * error);
        }
    }

    #[test]
    fn every_law_has_its_bounds_and_its_spread() {
        // Standard deviation, and largest possible value.
        let flat = |bound: f64| (bound / 3.0_f64.sqrt(), bound);
        check(Init::FanIn, flat(0.1));
        check(Init::HiddenSize, flat(0.1));
        check(Init::Uniform { bound: 0.7 }, flat(0.7));
        check(Init::Glorot, flat((6.0_f64 / 400.0).sqrt()));
        check(Init::Normal { sd: 0.3 }, (0.3, f64::INFINITY));
        check(Init::NormalFanIn { gain: 1.5 }, (0.15, f64::INFINITY));
        check(Init::Zero, (0.0, 0.0));
        fn check(init: Init, (sd, bound): (f64, f64)) {
            let values = matrix(init, 300, 100, 1);
            let count = values.len() as f64;
            let mean = values.sum() / count;
            let spread = (values.mapv(|x| x * x).sum() / count).sqrt();
            let most = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert!(mean.abs() <= 5.0 * sd / count.sqrt(), "{init:?}: mean {mean}");
            assert!((spread - sd).abs() <= 0.02 * sd, "{init:?}: spread {spread}");
            assert!(most <= bound, "{init:?}: {most}");
            if bound.is_finite() {
                assert!(most >= 0.999 * bound, "{init:?}: {most}");
            } else {
                assert!(most > 3.5 * sd && most < 6.0 * sd, "{init:?}: {most}");
            }
        }
    }

    #[test]
    fn numbers_out_of_range_and_laws_of_other_arrays_are_refused() {
        let refused = |init: Init, place, message: &str| {
            assert_eq!(init.check("b_rec", place).unwrap_err().to_string(), message);
        };
        let gain = |gain| Init::Orthogonal { gain };
        refused(gain(0.0), Place::Recurrent, "gain of b_rec: 0 (allowed: above 0, finite)");
        refused(
            Init::Normal { sd: f64::NAN },
            Place::Bias,
            "sd of b_rec: NaN (allowed: above 0, finite)",
        );
        refused(
            Init::Uniform { bound: -1.0 },
            Place::Matrix,
            "bound of b_rec: -1 (allowed: above 0, finite)",
        );
        for place in [Place::Bias, Place::Matrix] {
            refused(
                gain(1.0),
                place,
                "init of b_rec: orthogonal (allowed: any law but this one, which is for w_rec)",
            );
        }
        refused(
            Init::Glorot,
            Place::Bias,
            "init of b_rec: glorot (allowed: any law but this one, which is for matrices)",
        );
        gain(1.0).check("w_rec", Place::Recurrent).unwrap();
    }
}
