//! Networks whose answers can be worked out by hand.

use ndarray::{Array1, Array2, array};
use tau_rnn::{Activation, Backend, Config, Cpu, Error, Leaky, Params, Readout, thread_pool};

pub(crate) fn on_cpu(config: Config, params: Params<f32>) -> Result<Box<dyn Backend<f32>>, Error> {
    Ok(Box::new(Cpu::new(config, params, thread_pool(Some(1))?)?))
}

/// Neurons without connections and biases, whose τ is 1: h(t) is what `w_in` makes of x(t), as long
/// as that is not negative.
fn without_memory(w_in: Array2<f32>) -> (Config, Params<f32>) {
    let (neurons, channels) = w_in.dim();
    let leaky = Leaky { activation: Activation::Relu, ..Leaky::DEFAULT };
    let params = Params {
        tau: Array1::ones(neurons),
        w_rec: Array2::zeros((neurons, neurons)),
        b_rec: Array1::zeros(neurons),
        w_in,
        b_in: Array1::zeros(neurons),
        readouts: Vec::new(),
    };
    (Config::new(leaky, neurons, channels), params)
}

fn head(weight: Array2<f32>, bias: Array1<f32>) -> Readout<f32> {
    Readout { weight, bias, frozen: false }
}

/// A delay line of five neurons, each the copy of the one before a step later, and a neuron 5 that
/// no head reads, with the longest τ. Head 0 says the last bit, head 1 the bit of three steps ago
/// (neuron 3), head 2 always class 1.
pub(crate) fn delay_line() -> (Config, Params<f32>) {
    let (config, mut params) = without_memory(array![[1.0], [0.0], [0.0], [0.0], [0.0], [1.0]]);
    for neuron in 1..5 {
        params.w_rec[[neuron, neuron - 1]] = 1.0;
    }
    params.tau[5] = 8.0;
    let reads = |neuron: usize| {
        let mut weight = Array2::zeros((2, 6));
        weight[[1, neuron]] = 1.0;
        head(weight, array![0.5, 0.0])
    };
    params.readouts = vec![reads(0), reads(3), reads(4)];
    params.readouts[2].bias = array![0.0, 9.0];
    (config, params)
}

/// One neuron for each of three symbols. Head 0 says which was shown last, and head 1, with two
/// classes, whether it was another one than symbol 0.
pub(crate) fn symbol_reader() -> (Config, Params<f32>) {
    let (config, mut params) = without_memory(Array2::eye(3));
    let another = array![[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]];
    params.readouts = vec![head(Array2::eye(3), Array1::zeros(3)), head(another, Array1::zeros(2))];
    (config, params)
}

/// Neuron 0 follows the input, and the head says `gain` times what it is; neuron 1, with a longer τ,
/// is not read.
pub(crate) fn follower(gain: f32) -> (Config, Params<f32>) {
    let (config, mut params) = without_memory(array![[1.0], [1.0]]);
    params.tau[1] = 8.0;
    params.readouts = vec![head(array![[gain, 0.0]], Array1::zeros(1))];
    (config, params)
}
