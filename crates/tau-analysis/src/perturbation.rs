//! Score of a network after noise was added to W or to τ.

use std::sync::atomic::AtomicBool;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tau_random::{Key, Purpose};
use tau_rnn::Params;

use crate::error::refuse;
use crate::{Error, Measure, Score, Scoring, Subject};

/// Array that the noise is added to. D has independent standard normal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Perturbed {
    /// W becomes W + ε (‖W‖ / ‖D‖) D, with Frobenius norms.
    Weights,
    /// τ_raw becomes τ_raw + ε (‖τ_raw‖ / ‖D‖) |D|: time constants only grow.
    Tau,
}

impl Perturbed {
    /// Adds noise of this size.
    pub fn add(self, params: &mut Params<f32>, epsilon: f64, key: Key) {
        let mut random = key.stream();
        match self {
            Self::Weights => {
                disturb(params.w_rec.iter_mut(), epsilon, || StandardNormal.sample(&mut random))
            }
            Self::Tau => disturb(params.tau.iter_mut(), epsilon, || {
                let number: f64 = StandardNormal.sample(&mut random);
                number.abs()
            }),
        }
    }
}

fn disturb<'a>(
    values: impl ExactSizeIterator<Item = &'a mut f32>,
    epsilon: f64,
    mut draw: impl FnMut() -> f64,
) {
    let values: Vec<&mut f32> = values.collect();
    let noise: Vec<f64> = values.iter().map(|_| draw()).collect();
    let norm = |square: f64| square.sqrt();
    let size = norm(values.iter().map(|x| f64::from(**x).powi(2)).sum());
    let noise_size = norm(noise.iter().map(|x| x * x).sum());
    if noise_size == 0.0 {
        return;
    }
    for (value, noise) in values.into_iter().zip(noise) {
        *value = (f64::from(*value) + epsilon * size / noise_size * noise) as f32;
    }
}

/// Score against the size of the noise (`docs/papers/khajehabdollahi-2024.md` §5).
#[derive(Clone, Debug, PartialEq)]
pub struct Perturbation {
    /// Array that is disturbed.
    pub perturbed: Perturbed,
    /// Sizes ε of the noise, each 0 or more.
    pub epsilons: Vec<f64>,
    /// Draws of the noise for each ε, each scored on an input of its own, 1 or more.
    pub draws: usize,
    /// Scoring of each draw; with more than one repeat a draw counts with their mean.
    pub scoring: Scoring,
}

/// Score at one ε.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerturbationResult {
    /// Size ε of the noise.
    pub epsilon: f64,
    /// Score over the draws.
    pub score: Score,
}

impl Perturbation {
    /// Sizes of noise for [`epsilons`](Self::epsilons): 0, and `points` (2 or more) numbers from
    /// 10^`least` to 10^`most` at equal distances of their logarithms.
    #[must_use]
    pub fn logarithmic_sizes(least: f64, most: f64, points: u32) -> Vec<f64> {
        let step = (most - least) / f64::from(points.max(2) - 1);
        let grid = (0..points).map(|i| 10f64.powf(least + step * f64::from(i)));
        [0.0].into_iter().chain(grid).collect()
    }

    /// Scores the network at every ε, over the threads of the pool in which it is called. The k-th draw
    /// of noise and input is the same at every ε.
    ///
    /// # Errors
    /// [`Error::Value`] for an ε out of range, [`Error::TooFew`] without a draw or an ε;
    /// [`Error::NoTau`]; those of [`Scoring::score`].
    pub fn run(
        &self,
        subject: &Subject,
        stop: &AtomicBool,
    ) -> Result<Vec<PerturbationResult>, Error> {
        if self.perturbed == Perturbed::Tau {
            subject.check_tau()?;
        }
        if let Some(&value) = self.epsilons.iter().find(|e| !(e.is_finite() && **e >= 0.0)) {
            return refuse("epsilon", value, "0 or more, finite");
        }
        let jobs = self.epsilons.len() * self.draws;
        if jobs == 0 {
            return Err(Error::TooFew { what: "draws and sizes of noise", found: 0, needed: 1 });
        }
        let one = |job: usize| -> Result<Score, Error> {
            let (epsilon, draw) = (self.epsilons[job / self.draws], job % self.draws);
            let mut params = subject.params.clone();
            let key = Key::new(self.scoring.seed, Purpose::Perturbation).step(draw as u32);
            self.perturbed.add(&mut params, epsilon, key);
            let scoring = Scoring { input: draw as u32, ..self.scoring };
            subject.score(params, &scoring, stop)
        };
        let scores = (0..jobs).into_par_iter().map(one).collect::<Result<Vec<Score>, Error>>()?;
        let rows = scores.chunks(self.draws).zip(&self.epsilons);
        let result = |(draws, &epsilon)| PerturbationResult { epsilon, score: over_draws(draws) };
        Ok(rows.map(result).collect())
    }
}

/// Score over draws, each of which counts with its mean.
fn over_draws(draws: &[Score]) -> Score {
    let means: Vec<f64> = draws.iter().map(|draw| draw.mean).collect();
    let measures: Vec<Measure> = draws.iter().map(|draw| draw.measure).collect();
    Score::of(&means, Measure::mean(&measures))
}

#[cfg(test)]
mod tests;
