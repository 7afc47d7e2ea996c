//! The leaky cell, term by term as [`crate::Placement`] has it.

use crate::{Activation, Gradients, Initial, Leaky, Params, Placement};

use super::Pass;

/// Everything that one trial went through.
pub(super) struct Trial {
    /// h(0) … h(T).
    pub(super) h: Vec<Vec<f64>>,
    /// Argument of φ at steps 1 … T.
    argument: Vec<Vec<f64>>,
    /// u = W h(t−1) + b_rec + w_in x(t) + b_in at steps 1 … T.
    drive: Vec<Vec<f64>>,
}

pub(super) fn run(leaky: &Leaky, pass: &Pass<'_, '_>) -> Trial {
    let Pass { config, params, batch, trial } = *pass;
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
                if i != j || leaky.self_connections {
                    u += params.w_rec[[i, j]] * before[j];
                }
            }
            for c in 0..config.input_size {
                u += params.w_in[[i, c]] * f64::from(batch.inputs[[t, trial, c]]);
            }
            let a = 1.0 / time_constant(leaky, params, i);
            drive[i] = u;
            (argument[i], h[i]) = match leaky.placement {
                Placement::Whole => {
                    let s = (1.0 - a) * before[i] + a * u;
                    (s, phi(leaky.activation, s))
                }
                Placement::Drive | Placement::Continuous { .. } => {
                    (u, (1.0 - a) * before[i] + a * phi(leaky.activation, u))
                }
            };
        }
        record.h.push(h);
        record.argument.push(argument);
        record.drive.push(drive);
    }
    record
}

/// Back-propagation through time of one trial.
pub(super) fn back(
    leaky: &Leaky,
    pass: &Pass<'_, '_>,
    record: &Trial,
    mut errors: Vec<Vec<f64>>,
    gradients: &mut Gradients<f64>,
) {
    let Pass { config, params, batch, trial } = *pass;
    let hidden = config.hidden_size;
    for t in (0..batch.steps()).rev() {
        let before = &record.h[t];
        let mut earlier = vec![0.0; hidden];
        for i in 0..hidden {
            let tau = time_constant(leaky, params, i);
            let a = 1.0 / tau;
            let slope = slope(leaky.activation, record.argument[t][i]);
            let error = errors[t][i];
            let u = record.drive[t][i];
            // dL/du, dL/da and the part of dL/dh(t−1) that does not pass through W.
            let (du, da) = match leaky.placement {
                Placement::Whole => {
                    earlier[i] += error * slope * (1.0 - a);
                    (error * slope * a, error * slope * (u - before[i]))
                }
                Placement::Drive | Placement::Continuous { .. } => {
                    earlier[i] += error * (1.0 - a);
                    (error * slope * a, error * (phi(leaky.activation, u) - before[i]))
                }
            };
            if config.trains_tau() && params.tau[i] >= 1.0 {
                let k = f64::from(leaky.placement.steps_per_unit());
                gradients.values.tau[i] += da * (-1.0 / (tau * tau)) * k;
            }
            for j in 0..hidden {
                gradients.values.w_rec[[i, j]] += du * before[j];
                if i != j || leaky.self_connections {
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

fn time_constant(leaky: &Leaky, params: &Params<f64>, neuron: usize) -> f64 {
    params.tau[neuron].max(1.0) * f64::from(leaky.placement.steps_per_unit())
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
