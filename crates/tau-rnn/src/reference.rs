//! The naive float64 model: slow, obvious, and the judge of every fast path.
//!
//! One trial, one neuron, one synapse at a time, straight from the equations of the paper's
//! section 1, with every pre-activation kept. Nothing here is shared with the backends except the
//! parameters: use it to check a result, never to compute one.

mod gated;

use crate::batch::{HeadScore, Initial, Target};
use crate::{Activation, Batch, Config, Error, Gradients, Params, Placement, Scores};

/// Everything one trial went through.
struct Trial {
    /// h(0) … h(T).
    h: Vec<Vec<f64>>,
    /// Argument of φ at steps 1 … T.
    argument: Vec<Vec<f64>>,
    /// u = W h(t−1) + b_rec + w_in x(t) + b_in at steps 1 … T.
    drive: Vec<Vec<f64>>,
}

/// Scores of a batch.
///
/// # Errors
/// A batch that does not fit the network.
pub fn evaluate(
    config: &Config,
    params: &Params<f64>,
    batch: &Batch<'_, f64>,
) -> Result<Scores, Error> {
    Ok(gradients(config, params, batch)?.0)
}

/// Hidden states h(1) … h(T) of one trial: (time, neuron).
///
/// # Errors
/// A batch that does not fit the network.
pub fn states(
    config: &Config,
    params: &Params<f64>,
    batch: &Batch<'_, f64>,
    trial: usize,
) -> Result<Vec<Vec<f64>>, Error> {
    batch.check(config, params)?;
    let mut h = if config.cell.gated() {
        gated::run(config, params, batch, trial).h
    } else {
        run(config, params, batch, trial).h
    };
    Ok(h.split_off(1))
}

/// Scores and gradient of a batch, by back-propagation through time.
///
/// # Errors
/// A batch that does not fit the network.
pub fn gradients(
    config: &Config,
    params: &Params<f64>,
    batch: &Batch<'_, f64>,
) -> Result<(Scores, Gradients<f64>), Error> {
    batch.check(config, params)?;
    let mut params = params.clone();
    params.apply_constraints(config);
    let mut gradients = Gradients::zeros(&params);
    let heads = batch.target.heads();
    let trained = heads.iter().copied().filter(|&head| !params.readouts[head].frozen);
    gradients.restart(true, config.trains_tau(), trained);
    let mut scores = vec![HeadScore::default(); heads.len()];
    for trial in 0..batch.trials() {
        if config.cell.gated() {
            let record = gated::run(config, &params, batch, trial);
            let errors = read(&params, batch, trial, &record.h, &mut scores, &mut gradients);
            gated::back(config, &params, batch, trial, &record, errors, &mut gradients);
        } else {
            let record = run(config, &params, batch, trial);
            let errors = read(&params, batch, trial, &record.h, &mut scores, &mut gradients);
            back(config, &params, batch, trial, &record, errors, &mut gradients);
        }
    }
    if batch.target.every_step() {
        scores[0].accuracy = f64::NAN;
    }
    Ok((Scores { heads: scores }, gradients))
}

fn run(config: &Config, params: &Params<f64>, batch: &Batch<'_, f64>, trial: usize) -> Trial {
    let hidden = config.hidden_size;
    let mut start = vec![0.0; hidden];
    match batch.initial {
        Initial::Zero => {}
        Initial::Given(states) => start = states.row(trial).to_vec(),
        Initial::Uniform { scale, key } => {
            for (neuron, value) in start.iter_mut().enumerate() {
                *value = scale * f64::from(key.unit_f32((trial * hidden + neuron) as u64));
            }
        }
    }
    let mut record = Trial { h: vec![start], argument: Vec::new(), drive: Vec::new() };
    for t in 0..batch.steps() {
        let before = &record.h[t];
        let mut h = vec![0.0; hidden];
        let mut argument = vec![0.0; hidden];
        let mut drive = vec![0.0; hidden];
        for i in 0..hidden {
            let mut u = params.b_rec[i] + params.b_in[i];
            for j in 0..hidden {
                if i != j || config.self_connections {
                    u += params.w_rec[[i, j]] * before[j];
                }
            }
            for c in 0..config.input_size {
                u += params.w_in[[i, c]] * f64::from(batch.inputs[[t, trial, c]]);
            }
            let a = 1.0 / time_constant(config, params, i);
            drive[i] = u;
            (argument[i], h[i]) = match config.placement {
                Placement::Whole => {
                    let s = (1.0 - a) * before[i] + a * u;
                    (s, phi(config.activation, s))
                }
                Placement::Drive | Placement::Continuous { .. } => {
                    (u, (1.0 - a) * before[i] + a * phi(config.activation, u))
                }
            };
        }
        record.h.push(h);
        record.argument.push(argument);
        record.drive.push(drive);
    }
    record
}

/// Adds this trial's losses and readout gradients; gives dL/dh(1..=T) as far as it comes directly
/// from the readouts.
fn read(
    params: &Params<f64>,
    batch: &Batch<'_, f64>,
    trial: usize,
    states: &[Vec<f64>],
    scores: &mut [HeadScore],
    gradients: &mut Gradients<f64>,
) -> Vec<Vec<f64>> {
    let steps = batch.steps();
    let trials = batch.trials() as f64;
    let mut errors = vec![vec![0.0; params.hidden_size()]; steps];
    for (position, &head) in batch.target.heads().iter().enumerate() {
        let readout = &params.readouts[head];
        let first = if batch.target.every_step() { 1 } else { steps };
        for t in first..=steps {
            let h = &states[t];
            let y: Vec<f64> = (0..readout.outputs())
                .map(|o| {
                    let sum: f64 = (0..h.len()).map(|j| readout.weight[[o, j]] * h[j]).sum();
                    sum + readout.bias[o]
                })
                .collect();
            let dy: Vec<f64> = match batch.target {
                Target::Labels { labels, .. } => {
                    let label = usize::from(labels[[trial, position]]);
                    let sum: f64 = y.iter().map(|y| y.exp()).sum();
                    scores[position].loss += (sum.ln() - y[label]) / trials;
                    let best = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let hit = y.iter().position(|&y| y == best) == Some(label);
                    scores[position].accuracy += f64::from(u8::from(hit)) / trials;
                    let target = |o: usize| f64::from(u8::from(o == label));
                    (0..y.len()).map(|o| (y[o].exp() / sum - target(o)) / trials).collect()
                }
                Target::Series { targets, .. } => {
                    let count = trials * steps as f64 * y.len() as f64;
                    let error = |o: usize| y[o] - f64::from(targets[[t - 1, trial, o]]);
                    let square: f64 = (0..y.len()).map(|o| error(o).powi(2)).sum();
                    scores[position].loss += square / count;
                    (0..y.len()).map(|o| 2.0 * error(o) / count).collect()
                }
            };
            for (o, &dy) in dy.iter().enumerate() {
                for j in 0..h.len() {
                    errors[t - 1][j] += dy * readout.weight[[o, j]];
                    if gradients.heads[head] {
                        gradients.values.readouts[head].weight[[o, j]] += dy * h[j];
                    }
                }
                if gradients.heads[head] {
                    gradients.values.readouts[head].bias[o] += dy;
                }
            }
        }
    }
    errors
}

/// Back-propagation through time of one trial.
fn back(
    config: &Config,
    params: &Params<f64>,
    batch: &Batch<'_, f64>,
    trial: usize,
    record: &Trial,
    mut errors: Vec<Vec<f64>>,
    gradients: &mut Gradients<f64>,
) {
    let hidden = config.hidden_size;
    for t in (0..batch.steps()).rev() {
        let before = &record.h[t];
        let mut earlier = vec![0.0; hidden];
        for i in 0..hidden {
            let tau = time_constant(config, params, i);
            let a = 1.0 / tau;
            let slope = slope(config.activation, record.argument[t][i]);
            let error = errors[t][i];
            let u = record.drive[t][i];
            // dL/du, dL/da and the part of dL/dh(t−1) that does not pass through W.
            let (du, da) = match config.placement {
                Placement::Whole => {
                    earlier[i] += error * slope * (1.0 - a);
                    (error * slope * a, error * slope * (u - before[i]))
                }
                Placement::Drive | Placement::Continuous { .. } => {
                    earlier[i] += error * (1.0 - a);
                    (error * slope * a, error * (phi(config.activation, u) - before[i]))
                }
            };
            if config.trains_tau() && params.tau[i] >= 1.0 {
                let k = f64::from(config.placement.steps_per_unit());
                gradients.values.tau[i] += da * (-1.0 / (tau * tau)) * k;
            }
            for j in 0..hidden {
                gradients.values.w_rec[[i, j]] += du * before[j];
                if i != j || config.self_connections {
                    earlier[j] += du * params.w_rec[[i, j]];
                }
            }
            for c in 0..config.input_size {
                let x = f64::from(batch.inputs[[t, trial, c]]);
                gradients.values.w_in[[i, c]] += du * x;
            }
            gradients.values.b_rec[i] += du;
            gradients.values.b_in[i] += du;
        }
        if t > 0 {
            for j in 0..hidden {
                errors[t - 1][j] += earlier[j];
            }
        }
    }
}

fn time_constant(config: &Config, params: &Params<f64>, neuron: usize) -> f64 {
    params.tau[neuron].max(1.0) * f64::from(config.placement.steps_per_unit())
}

fn phi(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::LeakyRelu => {
            if s > 0.0 {
                s
            } else {
                Activation::NEGATIVE_SLOPE * s
            }
        }
        // `max` would make 0 of a NaN.
        Activation::Relu => {
            if s <= 0.0 {
                0.0
            } else {
                s
            }
        }
        Activation::Tanh => s.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-s).exp()),
    }
}

fn slope(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::LeakyRelu => {
            if s > 0.0 {
                1.0
            } else {
                Activation::NEGATIVE_SLOPE
            }
        }
        Activation::Relu => f64::from(u8::from(s > 0.0)),
        Activation::Tanh => 1.0 - s.tanh().powi(2),
        Activation::Sigmoid => phi(activation, s) * (1.0 - phi(activation, s)),
    }
}
