//! The numbers of a network: time constants, weights, biases, readout heads.

use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand::Rng;
use ndarray_rand::rand_distr::Uniform;

use crate::{Config, Error, Real, TimeConstants};

/// A linear readout y = weight · h + bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout<R> {
    /// Shape (output, neuron); a classification head has one output for each class.
    pub weight: Array2<R>,
    /// Shape (output).
    pub bias: Array1<R>,
    /// A frozen head is read but not trained (the error still flows through it).
    pub frozen: bool,
}

impl<R: Real> Readout<R> {
    /// Initial values of a linear map: weights and biases ~ U(−1/√H, 1/√H).
    pub fn init(outputs: usize, hidden_size: usize, rng: &mut impl Rng) -> Self {
        let bound = 1.0 / (hidden_size as f64).sqrt();
        Self {
            weight: uniform((outputs, hidden_size), bound, rng),
            bias: uniform(outputs, bound, rng),
            frozen: false,
        }
    }

    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.weight.nrows()
    }
}

/// All parameters of a network. Matrices are [to, from], as in PyTorch.
///
/// A gated cell has no τ (an empty array), and a row for each gate of each neuron in the other arrays
/// of the cell: all neurons of the first gate, then all of the second, …, in the order of
/// [`crate::Cell`]. So they are PyTorch's `weight_hh`, `bias_hh`, `weight_ih`, `bias_ih`.
#[derive(Clone, Debug, PartialEq)]
pub struct Params<R> {
    /// τ_raw of each neuron, in steps; what acts is [`Params::tau_eff`].
    pub tau: Array1<R>,
    /// Recurrent weights W, shape (neuron, neuron); gated: (gate and neuron, neuron).
    pub w_rec: Array2<R>,
    /// Recurrent bias, shape (neuron); gated: (gate and neuron).
    pub b_rec: Array1<R>,
    /// Input weights, shape (neuron, channel); gated: (gate and neuron, channel).
    pub w_in: Array2<R>,
    /// Input bias, shape (neuron); gated: (gate and neuron).
    pub b_in: Array1<R>,
    /// The heads, in the order in which batches number them.
    pub readouts: Vec<Readout<R>>,
}

/// Which array of [`Params`]; its `Display` is the name used in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the variants are the fields of `Params`
pub enum Tensor {
    Tau,
    WRec,
    BRec,
    WIn,
    BIn,
    ReadoutWeight(usize),
    ReadoutBias(usize),
}

impl std::fmt::Display for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tau => f.write_str("tau"),
            Self::WRec => f.write_str("w_rec"),
            Self::BRec => f.write_str("b_rec"),
            Self::WIn => f.write_str("w_in"),
            Self::BIn => f.write_str("b_in"),
            Self::ReadoutWeight(head) => write!(f, "readout.{head}.weight"),
            Self::ReadoutBias(head) => write!(f, "readout.{head}.bias"),
        }
    }
}

impl<R: Real> Params<R> {
    /// The paper's initial values (section 1, from the published code), without heads.
    ///
    /// τ_raw ~ U[start, start + 1] (or the fixed value); W, b_rec ~ U(±1/√H); w_in, b_in ~
    /// U(±1/√channels). Drawn in the order τ, W, b_rec, w_in, b_in. Of a gated cell everything is
    /// U(±1/√H), as in PyTorch, and τ is empty.
    ///
    /// # Errors
    /// Those of [`Config::check`].
    pub fn init(config: &Config, rng: &mut impl Rng) -> Result<Self, Error> {
        config.check()?;
        let hidden = config.hidden_size;
        let recurrent = 1.0 / (hidden as f64).sqrt();
        let fan_in = if config.cell.gated() { hidden } else { config.input_size };
        let input = 1.0 / (fan_in as f64).sqrt();
        let rows = config.gate_rows();
        let tau = match config.tau {
            _ if config.cell.gated() => Array1::from_elem(0, R::ZERO),
            TimeConstants::Trainable { start } => {
                uniform(hidden, 0.5, rng).mapv(|x: R| x + R::from_f64(start + 0.5))
            }
            TimeConstants::Fixed { value } => Array1::from_elem(hidden, R::from_f64(value)),
        };
        let mut params = Self {
            tau,
            w_rec: uniform((rows, hidden), recurrent, rng),
            b_rec: uniform(rows, recurrent, rng),
            w_in: uniform((rows, config.input_size), input, rng),
            b_in: uniform(rows, input, rng),
            readouts: Vec::new(),
        };
        params.apply_constraints(config);
        Ok(params)
    }

    /// τ_eff = max(τ_raw, 1), the time constants that act, in steps; empty for a gated cell.
    #[must_use]
    pub fn tau_eff(&self) -> Array1<R> {
        self.tau.mapv(effective_tau)
    }

    /// Number of neurons.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        self.w_rec.ncols()
    }

    /// Whether there is a head of that number.
    pub(crate) fn check_head(&self, head: usize) -> Result<(), Error> {
        let heads = self.readouts.len();
        if head < heads { Ok(()) } else { Err(Error::Head { head, heads }) }
    }

    /// Checks all shapes against `config`, that the heads fit, and that every number is finite.
    /// Arrays in another memory layout are brought to row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::NotFinite`] with the name of the array.
    pub fn checked(mut self, config: &Config) -> Result<Self, Error> {
        let (hidden, rows) = (config.hidden_size, config.gate_rows());
        let time_constants = if config.cell.gated() { 0 } else { hidden };
        shape("tau", self.tau.shape(), &[time_constants])?;
        shape("w_rec", self.w_rec.shape(), &[rows, hidden])?;
        shape("b_rec", self.b_rec.shape(), &[rows])?;
        shape("w_in", self.w_in.shape(), &[rows, config.input_size])?;
        shape("b_in", self.b_in.shape(), &[rows])?;
        for (k, readout) in self.readouts.iter().enumerate() {
            let outputs = readout.outputs().max(1);
            let name = Tensor::ReadoutWeight(k);
            shape(name.to_string(), readout.weight.shape(), &[outputs, hidden])?;
            shape(Tensor::ReadoutBias(k).to_string(), readout.bias.shape(), &[outputs])?;
        }
        self.make_row_major();
        for (tensor, values) in self.tensors() {
            if let Some(index) = values.iter().position(|x| !x.is_finite()) {
                let value = values[index].to_f64();
                return Err(Error::NotFinite { what: tensor.to_string(), value, index });
            }
        }
        Ok(self)
    }

    fn make_row_major(&mut self) {
        fn fix<R: Real, D: ndarray::Dimension>(array: &mut ndarray::Array<R, D>) {
            if !array.is_standard_layout() {
                *array = array.as_standard_layout().into_owned();
            }
        }
        fix(&mut self.tau);
        fix(&mut self.w_rec);
        fix(&mut self.b_rec);
        fix(&mut self.w_in);
        fix(&mut self.b_in);
        for readout in &mut self.readouts {
            fix(&mut readout.weight);
            fix(&mut readout.bias);
        }
    }

    /// Sets the diagonal of the leaky cell's W to zero unless `config` allows self-connections.
    pub fn apply_constraints(&mut self, config: &Config) {
        if !config.self_connections && !config.cell.gated() {
            self.w_rec.diag_mut().fill(R::ZERO);
        }
    }

    /// The same parameters in another precision.
    #[must_use]
    pub fn cast<S: Real>(&self) -> Params<S> {
        let to = |x: R| S::from_f64(x.to_f64());
        Params {
            tau: self.tau.mapv(to),
            w_rec: self.w_rec.mapv(to),
            b_rec: self.b_rec.mapv(to),
            w_in: self.w_in.mapv(to),
            b_in: self.b_in.mapv(to),
            readouts: self
                .readouts
                .iter()
                .map(|r| Readout {
                    weight: r.weight.mapv(to),
                    bias: r.bias.mapv(to),
                    frozen: r.frozen,
                })
                .collect(),
        }
    }

    /// Zeros of the same shapes.
    #[must_use]
    pub fn zeros_like(&self) -> Self {
        let mut zeros = self.clone();
        for (_, values) in zeros.tensors_mut() {
            values.fill(R::ZERO);
        }
        zeros
    }

    /// Every array, flat in row-major order: τ, W, b_rec, w_in, b_in, then each head's weight and
    /// bias.
    pub fn tensors(&self) -> impl Iterator<Item = (Tensor, &[R])> {
        let cell = [
            (Tensor::Tau, flat(&self.tau)),
            (Tensor::WRec, flat(&self.w_rec)),
            (Tensor::BRec, flat(&self.b_rec)),
            (Tensor::WIn, flat(&self.w_in)),
            (Tensor::BIn, flat(&self.b_in)),
        ];
        let heads = self.readouts.iter().enumerate().flat_map(|(k, r)| {
            [(Tensor::ReadoutWeight(k), flat(&r.weight)), (Tensor::ReadoutBias(k), flat(&r.bias))]
        });
        cell.into_iter().chain(heads)
    }

    /// [`Params::tensors`], writable.
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = (Tensor, &mut [R])> {
        let cell = [
            (Tensor::Tau, flat_mut(&mut self.tau)),
            (Tensor::WRec, flat_mut(&mut self.w_rec)),
            (Tensor::BRec, flat_mut(&mut self.b_rec)),
            (Tensor::WIn, flat_mut(&mut self.w_in)),
            (Tensor::BIn, flat_mut(&mut self.b_in)),
        ];
        let heads = self.readouts.iter_mut().enumerate().flat_map(|(k, r)| {
            [
                (Tensor::ReadoutWeight(k), flat_mut(&mut r.weight)),
                (Tensor::ReadoutBias(k), flat_mut(&mut r.bias)),
            ]
        });
        cell.into_iter().chain(heads)
    }
}

/// max(τ_raw, 1): a time constant cannot act faster than one step.
#[inline(always)]
pub(crate) fn effective_tau<R: Real>(raw: R) -> R {
    if raw >= R::ONE { raw } else { R::ONE }
}

fn uniform<R: Real, Sh, D>(shape: Sh, bound: f64, rng: &mut impl Rng) -> ndarray::Array<R, D>
where
    Sh: ndarray::ShapeBuilder<Dim = D>,
    D: ndarray::Dimension,
{
    // Drawn in f64 for both precisions, so that a seed gives the same network in either. The
    // bounds are finite and ordered, so the law cannot be refused.
    let law = Uniform::new_inclusive(-bound, bound).expect("an interval around 0");
    ndarray::Array::<f64, D>::random_using(shape, law, rng).mapv(R::from_f64)
}

fn shape(what: impl Into<String>, found: &[usize], expected: &[usize]) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::shape(what, found, expected)) }
}

pub(crate) fn flat<R, D: ndarray::Dimension>(array: &ndarray::Array<R, D>) -> &[R] {
    array.as_slice().expect("row-major since `Params::checked`")
}

pub(crate) fn flat_mut<R, D: ndarray::Dimension>(array: &mut ndarray::Array<R, D>) -> &mut [R] {
    array.as_slice_mut().expect("row-major since `Params::checked`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;
    use tau_random::{Key, Purpose};

    fn params(hidden: usize) -> (Config, Params<f64>) {
        let config = Config::paper(hidden);
        let mut rng = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::init(&config, &mut rng).unwrap();
        params.readouts.push(Readout::init(2, hidden, &mut rng));
        (config, params)
    }

    #[test]
    fn initial_values_fill_the_published_intervals() {
        let (_, params) = params(400);
        check(flat(&params.tau), 1.0, 2.0);
        check(flat(&params.w_rec), -0.05, 0.05);
        check(flat(&params.b_rec), -0.05, 0.05);
        check(flat(&params.w_in), -1.0, 1.0);
        check(flat(&params.b_in), -1.0, 1.0);
        check(flat(&params.readouts[0].weight), -0.05, 0.05);
        assert!(params.w_rec.diag().iter().all(|&w| w == 0.0));
        fn check(values: &[f64], low: f64, high: f64) {
            let width = high - low;
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!(least >= low && least < low + 0.03 * width, "least: {least}");
            assert!(most <= high && most > high - 0.03 * width, "most: {most}");
        }
    }

    /// As `torch.nn.LSTM` and `torch.nn.GRU` start, whatever the number of channels.
    #[test]
    fn gated_cells_start_like_pytorchs() {
        for cell in Cell::GATED {
            let config = Config { cell, input_size: 3, ..Config::paper(100) };
            let mut rng = Key::new(1, Purpose::Parameters).stream();
            let params = Params::<f64>::init(&config, &mut rng).unwrap();
            let rows = 100 * cell.gates();
            assert_eq!((params.hidden_size(), params.tau.len()), (100, 0));
            assert_eq!((params.w_rec.dim(), params.w_in.dim()), ((rows, 100), (rows, 3)));
            for (tensor, values) in params.tensors().skip(1) {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                assert!((-0.1..-0.098).contains(&least), "{tensor}: {least}");
                assert!((0.098..=0.1).contains(&most), "{tensor}: {most}");
            }
            assert!(params.w_rec.diag().iter().all(|&w| w != 0.0));
            params.checked(&config).unwrap();
        }
    }

    #[test]
    fn a_seed_gives_the_same_network_in_both_precisions() {
        let config = Config::paper(7);
        let key = Key::new(5, Purpose::Parameters);
        let single = Params::<f32>::init(&config, &mut key.stream()).unwrap();
        let double = Params::<f64>::init(&config, &mut key.stream()).unwrap();
        assert_eq!(single, double.cast());
    }

    #[test]
    fn arrays_that_do_not_fit_are_named() {
        let (config, params) = params(5);
        let mut wrong = params.clone();
        wrong.w_in = Array2::zeros((5, 2));
        let message = wrong.checked(&config).unwrap_err().to_string();
        assert_eq!(message, "shape of w_in: [5, 2] (expected: [5, 1])");

        let mut wrong = params.clone();
        wrong.readouts[0].bias = Array1::zeros(3);
        let message = wrong.checked(&config).unwrap_err().to_string();
        assert_eq!(message, "shape of readout.0.bias: [3] (expected: [2])");

        let mut wrong = params;
        wrong.b_rec[3] = f64::NAN;
        let message = wrong.checked(&config).unwrap_err().to_string();
        assert_eq!(message, "b_rec holds a value that is not finite: NaN at 3");
    }

    #[test]
    fn a_transposed_layout_is_accepted() {
        let (config, params) = params(4);
        let mut other = params.clone();
        other.w_rec = params.w_rec.t().as_standard_layout().into_owned().reversed_axes();
        assert!(!other.w_rec.is_standard_layout());
        assert_eq!(other.checked(&config).unwrap(), params);
    }

    #[test]
    fn tau_below_one_acts_as_one() {
        let (_, mut params) = params(3);
        params.tau = ndarray::array![0.2, 1.0, 3.5];
        assert_eq!(params.tau_eff(), ndarray::array![1.0, 1.0, 3.5]);
    }
}
