//! The naive float64 model: slow, obvious, and the judge of every fast path.
//!
//! One trial, one neuron, one synapse at a time, straight from the equations of the cells, with
//! every pre-activation kept. Nothing here is shared with the backends except the parameters: use it
//! to check a result, never to compute one.

mod gated;
mod leaky;

use crate::gradients::Trained;
use crate::{Batch, Cell, Config, Error, Gradients, Params, Score, Scores, Target, Tensor};

use gated::Gates;

/// One trial of a batch on its way through a network.
struct Pass<'a, 'b> {
    config: &'a Config,
    params: &'a Params<f64>,
    batch: &'a Batch<'b, f64>,
    trial: usize,
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
    let pass = Pass { config, params, batch, trial };
    let mut h = match config.cell {
        Cell::Leaky(leaky) => leaky::run(&leaky, &pass).h,
        Cell::Lstm => gated::run(Gates::Lstm, &pass).h,
        Cell::Gru => gated::run(Gates::Gru, &pass).h,
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
    gradients.restart(Trained { config, cell: true, heads }, &params);
    let accuracy = (!batch.target.every_step()).then_some(0.0);
    let mut scores = vec![Score { loss: 0.0, accuracy }; heads.len()];
    for trial in 0..batch.trials() {
        let pass = Pass { config, params: &params, batch, trial };
        let mut read =
            |h: &[Vec<f64>], gradients: &mut Gradients<f64>| read(&pass, h, &mut scores, gradients);
        let gates = match config.cell {
            Cell::Leaky(leaky) => {
                let record = leaky::run(&leaky, &pass);
                let errors = read(&record.h, &mut gradients);
                leaky::back(&leaky, &pass, &record, errors, &mut gradients);
                continue;
            }
            Cell::Lstm => Gates::Lstm,
            Cell::Gru => Gates::Gru,
        };
        let record = gated::run(gates, &pass);
        let errors = read(&record.h, &mut gradients);
        gated::back(gates, &pass, &record, errors, &mut gradients);
    }
    gradients.silence();
    Ok((Scores { heads: scores }, gradients))
}

/// Adds this trial's losses and readout gradients; gives dL/dh(1..=T) as far as it comes directly
/// from the readouts.
fn read(
    pass: &Pass<'_, '_>,
    states: &[Vec<f64>],
    scores: &mut [Score],
    gradients: &mut Gradients<f64>,
) -> Vec<Vec<f64>> {
    let Pass { params, batch, .. } = *pass;
    let steps = batch.steps();
    let mut errors = vec![vec![0.0; params.hidden_size()]; steps];
    for (position, &head) in batch.target.heads().iter().enumerate() {
        let readout = &params.readouts[head];
        let trains_weight = gradients.has(Tensor::ReadoutWeight(head));
        let trains_bias = gradients.has(Tensor::ReadoutBias(head));
        let first = if batch.target.every_step() { 1 } else { steps };
        for t in first..=steps {
            let h = &states[t];
            let output = |o: usize| {
                let sum: f64 = (0..h.len()).map(|j| readout.weight[[o, j]] * h[j]).sum();
                sum + readout.bias[o]
            };
            let y: Vec<f64> = (0..readout.outputs()).map(output).collect();
            let dy = output_errors(pass, position, t, &y, &mut scores[position]);
            for (o, &dy) in dy.iter().enumerate() {
                for j in 0..h.len() {
                    errors[t - 1][j] += dy * readout.weight[[o, j]];
                    if trains_weight {
                        gradients.values.readouts[head].weight[[o, j]] += dy * h[j];
                    }
                }
                if trains_bias {
                    gradients.values.readouts[head].bias[o] += dy;
                }
            }
        }
    }
    errors
}

/// dL/dy of one head at step `t` of one trial, whose loss is added to the score.
fn output_errors(
    pass: &Pass<'_, '_>,
    position: usize,
    t: usize,
    y: &[f64],
    score: &mut Score,
) -> Vec<f64> {
    let Pass { batch, trial, .. } = *pass;
    let trials = batch.trials() as f64;
    match batch.target {
        Target::Classes { labels, .. } => {
            let label = usize::from(labels[[trial, position]]);
            let best = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Without the largest: e^y of a large y is infinite.
            let power = |o: usize| (y[o] - best).exp();
            let sum: f64 = (0..y.len()).map(power).sum();
            score.loss += (sum.ln() - (y[label] - best)) / trials;
            let hit = y.iter().position(|&y| y == best) == Some(label);
            score.accuracy =
                score.accuracy.map(|accuracy| accuracy + f64::from(u8::from(hit)) / trials);
            let wanted = |o: usize| f64::from(u8::from(o == label));
            (0..y.len()).map(|o| (power(o) / sum - wanted(o)) / trials).collect()
        }
        Target::Values { values, weights, .. } => {
            let weight = |weights: ndarray::ArrayView2<'_, f32>| f64::from(weights[[t - 1, trial]]);
            let all: f64 = match weights {
                Some(weights) => weights.iter().map(|&w| f64::from(w)).sum(),
                None => trials * batch.steps() as f64,
            };
            let share = weights.map_or(1.0, weight) / (all * y.len() as f64);
            if share == 0.0 {
                return vec![0.0; y.len()];
            }
            let error = |o: usize| y[o] - f64::from(values[[t - 1, trial, o]]);
            score.loss += share * (0..y.len()).map(|o| error(o).powi(2)).sum::<f64>();
            (0..y.len()).map(|o| 2.0 * error(o) * share).collect()
        }
    }
}
