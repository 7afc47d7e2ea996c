//! Exports a network to `.npz`, with a test vector that needs only numpy.

use std::io::Cursor;

use ndarray::{Array0, Array2, Array3, Axis};
use ndarray_npy::NpzWriter;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Backend, Cell, Checkpoint, Cpu, Error as CoreError, Initial, Leaky, Placement, thread_pool,
};

use crate::Error;

/// The forward pass, with gaps for the equations.
const FORWARD: &str = include_str!("forward.py");
/// Steps of the trajectory.
const STEPS: usize = 50;
/// Trials of the trajectory.
const TRIALS: usize = 8;

/// Files by name: `network.safetensors` (parameters and metadata), `network.npz` (the same arrays),
/// `forward.py`, and `trajectory.npz`: `initial` (trial, neuron), `inputs` (time, trial, channel),
/// `states` (time, trial, neuron), and of the last state `outputs.{k}` (trial, class), in double
/// precision. The inputs are bits named by `seed`.
///
/// # Errors
/// A network in continuous time or with gates, which `forward.py` does not know; the errors of the
/// core.
pub fn export(network: &Checkpoint<f32>, seed: u64) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
    let forward = forward(network)?;
    let at_rest = Checkpoint { momentum: None, ..network.clone() };
    Ok(vec![
        ("network.safetensors", at_rest.to_bytes()?),
        ("network.npz", arrays(network)?),
        ("trajectory.npz", trajectory(network, seed)?),
        ("forward.py", forward.into_bytes()),
    ])
}

fn forward(network: &Checkpoint<f32>) -> Result<String, Error> {
    let refused = |reason| Err(CoreError::Checkpoint { reason }.into());
    let leaky = match network.config.cell {
        Cell::Leaky(leaky) => leaky,
        cell @ (Cell::Lstm | Cell::Gru) => {
            return refused(format!(
                "{cell} networks cannot be exported (their checkpoint can be read from Python: its \
                 arrays are those of torch.nn.{})",
                cell.to_string().to_uppercase()
            ));
        }
    };
    let step = match leaky.placement {
        Placement::Whole => "return phi((1 - 1 / tau) * h + u / tau)",
        Placement::Drive => "return (1 - 1 / tau) * h + phi(u) / tau",
        Placement::Continuous { .. } => {
            return refused("networks in continuous time cannot be exported".to_owned());
        }
    };
    let Leaky { activation, .. } = leaky;
    Ok(FORWARD.replace("ACTIVATION", &activation.to_string()).replace("STEP", step))
}

fn arrays(network: &Checkpoint<f32>) -> Result<Vec<u8>, Error> {
    let params = &network.params;
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

fn trajectory(network: &Checkpoint<f32>, seed: u64) -> Result<Vec<u8>, Error> {
    let (config, params) = (&network.config, &network.params);
    let bits = Key::new(seed, Purpose::DriveInputs);
    let initial = Key::new(seed, Purpose::DriveInitialState);
    let channels = config.input_size;
    let inputs = Array3::from_shape_fn((STEPS, TRIALS, channels), |(t, trial, channel)| {
        bits.unit_f32(((t * TRIALS + trial) * channels + channel) as u64).round()
    });
    let initial = Initial::Uniform { scale: 0.1, key: initial }.states(TRIALS, config)?;
    // In double precision: so every right program comes to the same numbers, chaotic or not.
    let params = params.cast::<f64>();
    let mut cpu = Cpu::new(config.clone(), params.clone(), thread_pool(Some(1))?)?;
    let (mut state, mut states): (Array2<f64>, _) = (initial.clone(), Array3::zeros((0, 0, 0)));
    cpu.advance(&mut state, inputs.view(), &mut states)?;
    let mut file = NpzWriter::new(Cursor::new(Vec::new()));
    file.add_array("initial", &initial)?;
    file.add_array("inputs", &inputs)?;
    file.add_array("states", &states)?;
    let last = states.index_axis(Axis(0), STEPS - 1);
    for (k, readout) in params.readouts.iter().enumerate() {
        let outputs = last.dot(&readout.weight.t()) + &readout.bias;
        file.add_array(format!("outputs.{k}"), &outputs)?;
    }
    Ok(file.finish()?.into_inner())
}
