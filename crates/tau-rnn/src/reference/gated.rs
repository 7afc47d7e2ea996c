//! LSTM and GRU, term by term as [`crate::Cell`] has them.

use crate::{Gradients, Initial};

use super::Pass;

/// Which cell with gates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gates {
    Lstm,
    Gru,
}

/// Everything that one trial went through.
pub(super) struct Trial {
    /// h(0) … h(T).
    pub(super) h: Vec<Vec<f64>>,
    /// c(0) … c(T) of an LSTM.
    c: Vec<Vec<f64>>,
    /// What each neuron's gates were at steps 1 … T: i, f, g, o; or r, z, n and W_n h(t−1) + b_n.
    gates: Vec<Vec<[f64; 4]>>,
}

pub(super) fn run(gates: Gates, pass: &Pass<'_, '_>) -> Trial {
    let Pass { config, params, batch, trial } = *pass;
    let hidden = config.hidden_size;
    let start = match batch.initial {
        // A uniform one is of length 0: `Initial::check`.
        Initial::Zero | Initial::Uniform { .. } => vec![0.0; config.state_size()],
        Initial::Given(states) => states.row(trial).to_vec(),
    };
    let mut record = Trial {
        h: vec![start[..hidden].to_vec()],
        c: vec![start[hidden..].to_vec()],
        gates: Vec::new(),
    };
    for t in 0..batch.steps() {
        let (h, c) = (&record.h[t], &record.c[t]);
        // W_k h(t−1) + b_k, and w_k x(t) + b'_k.
        let recurrent = |gate: usize, i: usize| {
            let row = gate * hidden + i;
            let sum: f64 = (0..hidden).map(|j| params.w_rec[[row, j]] * h[j]).sum();
            sum + params.b_rec[row]
        };
        let input = |gate: usize, i: usize| {
            let row = gate * hidden + i;
            let x = |channel: usize| f64::from(batch.inputs[[t, trial, channel]]);
            let sum: f64 = (0..config.input_size).map(|k| params.w_in[[row, k]] * x(k)).sum();
            sum + params.b_in[row]
        };
        let u = |gate: usize, i: usize| recurrent(gate, i) + input(gate, i);
        let (mut next_h, mut next_c, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for neuron in 0..hidden {
            if gates == Gates::Lstm {
                let (i, f) = (sigmoid(u(0, neuron)), sigmoid(u(1, neuron)));
                let (g, o) = (u(2, neuron).tanh(), sigmoid(u(3, neuron)));
                let now = f * c[neuron] + i * g;
                next_c.push(now);
                next_h.push(o * now.tanh());
                kept.push([i, f, g, o]);
            } else {
                let (r, z) = (sigmoid(u(0, neuron)), sigmoid(u(1, neuron)));
                let product = recurrent(2, neuron);
                let n = (input(2, neuron) + r * product).tanh();
                next_h.push((1.0 - z) * n + z * h[neuron]);
                kept.push([r, z, n, product]);
            }
        }
        record.h.push(next_h);
        record.c.push(next_c);
        record.gates.push(kept);
    }
    record
}

/// Back-propagation through time of one trial.
pub(super) fn back(
    gates: Gates,
    pass: &Pass<'_, '_>,
    record: &Trial,
    mut errors: Vec<Vec<f64>>,
    gradients: &mut Gradients<f64>,
) {
    let Pass { config, params, batch, trial } = *pass;
    let hidden = config.hidden_size;
    // dL/dc(t) as far as it comes from step t + 1.
    let mut later_c = vec![0.0; hidden];
    for t in (0..batch.steps()).rev() {
        let h = &record.h[t];
        let mut earlier = vec![0.0; hidden];
        for neuron in 0..hidden {
            let error = errors[t][neuron];
            // dL/d of what stands behind W_k and behind w_k, gate by gate.
            let (recurrent, input) = if gates == Gates::Lstm {
                let [i, f, g, o] = record.gates[t][neuron];
                let c = record.c[t + 1][neuron].tanh();
                let dc = later_c[neuron] + error * o * (1.0 - c * c);
                later_c[neuron] = dc * f;
                let du = vec![
                    dc * g * i * (1.0 - i),
                    dc * record.c[t][neuron] * f * (1.0 - f),
                    dc * i * (1.0 - g * g),
                    error * c * o * (1.0 - o),
                ];
                (du.clone(), du)
            } else {
                let [r, z, n, product] = record.gates[t][neuron];
                earlier[neuron] += error * z;
                let dn = error * (1.0 - z) * (1.0 - n * n);
                let dr = dn * product * r * (1.0 - r);
                let dz = error * (h[neuron] - n) * z * (1.0 - z);
                (vec![dr, dz, dn * r], vec![dr, dz, dn])
            };
            for gate in 0..recurrent.len() {
                let row = gate * hidden + neuron;
                for j in 0..hidden {
                    gradients.values.w_rec[[row, j]] += recurrent[gate] * h[j];
                    earlier[j] += recurrent[gate] * params.w_rec[[row, j]];
                }
                for k in 0..config.input_size {
                    let x = f64::from(batch.inputs[[t, trial, k]]);
                    gradients.values.w_in[[row, k]] += input[gate] * x;
                }
                gradients.values.b_rec[row] += recurrent[gate];
                gradients.values.b_in[row] += input[gate];
            }
        }
        if t > 0 {
            for j in 0..hidden {
                errors[t - 1][j] += earlier[j];
            }
        }
    }
}

fn sigmoid(u: f64) -> f64 {
    1.0 / (1.0 + (-u).exp())
}
