//! The numbers of a network: time constants, weights, biases, readout heads.

use ndarray::{Array1, Array2};
use ndarray_rand::rand::Rng;

use crate::init::{Map, uniform};
use crate::{ArraySpec, Config, Error, Leaky, Real, Tensor, TimeConstants};

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
    /// Initial values of a head of a network, by the laws of its arrays: the weight, then the bias.
    pub fn init(config: &Config, outputs: usize, rng: &mut impl Rng) -> Self {
        let hidden_size = config.hidden_size;
        let map = Map { rows: outputs, columns: hidden_size, hidden_size };
        Self {
            weight: config.arrays.readout_weight.init.matrix(map, rng),
            bias: bias(config.arrays.readout_bias, map, rng),
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

impl<R: Real> Params<R> {
    /// Initial values by the laws of the network's arrays, without heads.
    ///
    /// τ_raw ~ U[start, start + 1] or the fixed value; empty for a gated cell. Numbers are drawn in
    /// the order τ, W, b_rec, w_in, b_in; an array of zeros draws none.
    ///
    /// # Errors
    /// The errors of [`Config::check`].
    pub fn init(config: &Config, rng: &mut impl Rng) -> Result<Self, Error> {
        config.check()?;
        let (rows, hidden_size) = (config.gate_rows(), config.hidden_size);
        let recurrent = Map { rows, columns: hidden_size, hidden_size };
        let input = Map { rows, columns: config.input_size, hidden_size };
        let arrays = &config.arrays;
        let mut params = Self {
            tau: match config.leaky_cell() {
                Some(leaky) => initial_tau(leaky, hidden_size, rng),
                None => Array1::default(0),
            },
            w_rec: arrays.w_rec.init.matrix(recurrent, rng),
            b_rec: bias(arrays.b_rec, recurrent, rng),
            w_in: arrays.w_in.init.matrix(input, rng),
            b_in: bias(arrays.b_in, input, rng),
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

    /// Checks all shapes against `config`, that the heads fit, that every number is finite and that a
    /// bias is zero where `config` has none. Arrays in a different memory layout are brought to
    /// row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`] or [`Error::AbsentBias`] with the name of the array.
    pub fn checked(mut self, config: &Config) -> Result<Self, Error> {
        let (hidden, rows) = (config.hidden_size, config.gate_rows());
        let time_constants = if config.leaky_cell().is_some() { hidden } else { 0 };
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
            let absent = tensor != Tensor::Tau && config.arrays.get(tensor).is_none();
            if let Some(index) = values.iter().position(|&x| absent && x != R::ZERO) {
                let value = values[index].to_f64();
                return Err(Error::AbsentBias { what: tensor.to_string(), value, index });
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
        if config.clears_diagonal() {
            self.w_rec.diag_mut().fill(R::ZERO);
        }
    }

    /// These parameters in a different precision.
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

fn initial_tau<R: Real>(leaky: &Leaky, hidden_size: usize, rng: &mut impl Rng) -> Array1<R> {
    match leaky.tau {
        TimeConstants::Trainable { start } => {
            let middle = R::from_f64(start + 0.5);
            uniform(hidden_size, 0.5, rng).into_iter().map(|x| R::from_f64(x) + middle).collect()
        }
        TimeConstants::Fixed { value } => Array1::from_elem(hidden_size, R::from_f64(value)),
    }
}

/// A bias by its law; zeros if it is absent.
fn bias<R: Real>(spec: Option<ArraySpec>, map: Map, rng: &mut impl Rng) -> Array1<R> {
    match spec {
        Some(spec) => spec.init.bias(map, rng),
        None => Array1::from_elem(map.rows, R::ZERO),
    }
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
    use crate::{Cell, Init};
    use tau_random::{Key, Purpose};

    fn params(hidden: usize) -> (Config, Params<f64>) {
        let config = Config::leaky(hidden, 1);
        let mut rng = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::init(&config, &mut rng).unwrap();
        params.readouts.push(Readout::init(&config, 2, &mut rng));
        (config, params)
    }

    #[test]
    fn the_leaky_cells_initial_values_fill_their_intervals() {
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
            let config = Config::new(cell, 100, 3);
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
        let mut config = Config::leaky(7, 1);
        for init in [Init::FanIn, Init::Orthogonal { gain: 1.0 }, Init::Normal { sd: 0.1 }] {
            config.arrays.w_rec.init = init;
            let key = Key::new(5, Purpose::Parameters);
            let single = Params::<f32>::init(&config, &mut key.stream()).unwrap();
            let double = Params::<f64>::init(&config, &mut key.stream()).unwrap();
            assert_eq!(single, double.cast());
        }
    }

    #[test]
    fn an_absent_bias_is_zero_and_draws_nothing() {
        let key = Key::new(5, Purpose::Parameters);
        let with = Config::leaky(7, 2);
        let mut without = with.clone();
        without.arrays.b_in = None;
        without.arrays.readout_bias = None;
        let start = |config: &Config| {
            let mut rng = key.stream();
            let params = Params::<f64>::init(config, &mut rng).unwrap();
            (params, Readout::<f64>::init(config, 3, &mut rng))
        };
        let ((params, _), (mut bare, head)) = (start(&with), start(&without));
        assert_eq!(params.w_in, bare.w_in);
        assert_eq!(bare.b_in, Array1::<f64>::zeros(7));
        assert_eq!(head.bias, Array1::<f64>::zeros(3));
        // The head's weight takes the numbers that the bias left.
        let mut rng = key.stream();
        let until_there = Config { arrays: without.arrays, ..with };
        Params::<f64>::init(&until_there, &mut rng).unwrap();
        assert_eq!(Readout::init(&until_there, 3, &mut rng), head);

        bare.readouts.push(head);
        bare.clone().checked(&without).unwrap();
        bare.readouts[0].bias[1] = 0.5;
        assert_eq!(
            bare.checked(&without).unwrap_err().to_string(),
            "readout.0.bias holds 0.5 at 1 (allowed: 0, since the network has no such bias; give it \
             one in its arrays)"
        );
    }

    #[test]
    fn positions_are_those_of_the_listing() {
        let (config, mut params) = params(2);
        let mut rng = Key::new(2, Purpose::Readout).stream();
        params.readouts.push(Readout::init(&config, 3, &mut rng));
        for (k, (tensor, _)) in params.tensors().enumerate() {
            assert_eq!(tensor.position(), k, "{tensor}");
        }
        assert_eq!(params.tensors().count(), Tensor::count(2));
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
