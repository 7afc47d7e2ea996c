//! Exports a network to `.npz`, with a test vector that needs only numpy.

use std::io::Cursor;

use ndarray::{Array0, Array2, Array3};
use ndarray_npy::NpzWriter;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Backend, Cell, Checkpoint, Config, Cpu, Initial, Params, Placement, Readout, thread_pool,
};

use crate::Error;

/// The forward pass, with gaps for the equations.
const FORWARD: &str = include_str!("forward.py");
/// Steps of the trajectory.
const STEPS: usize = 50;
/// Trials of the trajectory.
const TRIALS: usize = 8;
/// Upper end of the interval of initial states of the trajectory.
const INITIAL: f64 = 0.1;

/// Returns files by name: `network.safetensors` (parameters and metadata), `network.npz` (the same arrays),
/// `forward.py`, and `trajectory.npz`: `initial` (trial, neuron; of an LSTM h and then c), `inputs` (time,
/// trial, channel), `states` (time, trial, neuron), and `outputs.{k}` (time, trial, output) of head k at
/// every step, in double precision. The inputs are bits named by `seed`; in continuous time each is one
/// small step.
///
/// # Errors
/// [`Error::Network`] for parameters that do not belong to their equations.
pub fn export(network: &Checkpoint<f32>, seed: u64) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
    // What the network does not use is not handed on.
    let mut params = network.params.clone();
    params.apply_constraints(&network.config);
    let at_rest = Checkpoint { momentum: None, params, ..network.clone() };
    Ok(vec![
        ("network.safetensors", at_rest.to_bytes()?),
        ("network.npz", arrays(&at_rest.params)?),
        ("trajectory.npz", trajectory(&at_rest.config, &at_rest.params, seed)?),
        ("forward.py", forward(&at_rest.config).into_bytes()),
    ])
}

fn forward(config: &Config) -> String {
    let (placement, activation) = match config.cell {
        Cell::Leaky(leaky) => {
            let placement = match leaky.placement {
                Placement::Whole => "whole",
                Placement::Drive => "drive",
                Placement::Continuous { .. } => "continuous",
            };
            (placement, leaky.activation.to_string())
        }
        Cell::Lstm | Cell::Gru => ("none", "none".to_owned()),
    };
    FORWARD
        .replace("STEPS_PER_UNIT", &config.steps_per_unit().to_string())
        .replace("PLACEMENT", placement)
        .replace("ACTIVATION", &activation)
        .replace("CELL", &config.cell.to_string())
}

fn arrays(params: &Params<f32>) -> Result<Vec<u8>, Error> {
    let mut file = NpzWriter::new(Cursor::new(Vec::new()));
    file.add_array("tau", &params.tau)?;
    file.add_array("w_rec", &params.w_rec)?;
    file.add_array("b_rec", &params.b_rec)?;
    file.add_array("w_in", &params.w_in)?;
    file.add_array("b_in", &params.b_in)?;
    file.add_array("heads", &Array0::from_elem((), params.readouts.len() as i64))?;
    for (k, readout) in params.readouts.iter().enumerate() {
        file.add_array(format!("readout.{k}.weight"), &readout.weight)?;
        file.add_array(format!("readout.{k}.bias"), &readout.bias)?;
    }
    Ok(file.finish()?.into_inner())
}

fn trajectory(config: &Config, params: &Params<f32>, seed: u64) -> Result<Vec<u8>, Error> {
    let bits = Key::new(seed, Purpose::DriveInputs);
    let channels = config.input_size;
    let inputs = Array3::from_shape_fn((STEPS, TRIALS, channels), |(t, trial, channel)| {
        bits.unit_f32(((t * TRIALS + trial) * channels + channel) as u64).round()
    });
    // A cell with gates begins with zeros.
    let scale = if config.leaky_cell().is_some() { INITIAL } else { 0.0 };
    let initial = Initial::Uniform { scale, key: Key::new(seed, Purpose::DriveInitialState) };
    let initial: Array2<f64> = initial.states(TRIALS, config)?;
    // In double precision every correct program finds the same numbers, even in a chaotic network.
    let params = params.cast::<f64>();
    let readouts = params.readouts.clone();
    let mut cpu = Cpu::new(config.clone(), params, thread_pool(Some(1))?)?;
    let (mut state, mut states) = (initial.clone(), Array3::zeros((0, 0, 0)));
    cpu.advance(&mut state, inputs.view(), &mut states)?;
    let mut file = NpzWriter::new(Cursor::new(Vec::new()));
    file.add_array("initial", &initial)?;
    file.add_array("inputs", &inputs)?;
    file.add_array("states", &states)?;
    for (k, readout) in readouts.iter().enumerate() {
        file.add_array(format!("outputs.{k}"), &outputs(readout, &states))?;
    }
    Ok(file.finish()?.into_inner())
}

/// What a head says at every step, (time, trial, output).
fn outputs(readout: &Readout<f64>, states: &Array3<f64>) -> Array3<f64> {
    let (steps, trials, neurons) = states.dim();
    let flat = states.to_shape((steps * trials, neurons)).expect("row-major");
    let outputs = flat.dot(&readout.weight.t()) + &readout.bias;
    let shape = (steps, trials, readout.bias.len());
    outputs.into_shape_with_order(shape).expect("as many numbers")
}
