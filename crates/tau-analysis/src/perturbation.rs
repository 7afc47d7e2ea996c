//! Accuracy of a network after noise was added to W or to τ.

use std::sync::atomic::AtomicBool;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tau_random::{Key, Purpose};
use tau_rnn::Params;

use crate::{Error, Score, Scoring, Subject};

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
    /// The ε of ICLR 2024: 0, and 10 (weights, 10⁻² to 10) or 13 (τ, 10⁻³ to 10) points at equal distances
    /// of their logarithms.
    #[must_use]
    pub fn paper_epsilons(self) -> Vec<f64> {
        let (least, points) = match self {
            Self::Weights => (-2.0, 10),
            Self::Tau => (-3.0, 13),
        };
        let step = (1.0 - least) / f64::from(points - 1);
        let grid = (0..points).map(|i| 10f64.powf(least + step * f64::from(i)));
        [0.0].into_iter().chain(grid).collect()
    }

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

/// Accuracy against the size of the noise (`docs/papers/khajehabdollahi-2024.md` §5).
#[derive(Clone, Debug, PartialEq)]
pub struct Perturbation {
    /// Array that is disturbed.
    pub perturbed: Perturbed,
    /// Sizes ε of the noise, each 0 or more.
    pub epsilons: Vec<f64>,
    /// Draws of the noise for each ε, each scored on an input of its own (10 in the paper).
    pub draws: usize,
    /// Scoring of each draw; with more than one trial a draw counts with their mean (one in the paper).
    pub scoring: Scoring,
}

/// Accuracy at one ε.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerturbationResult {
    /// Size ε of the noise.
    pub epsilon: f64,
    /// Accuracy over the draws.
    pub score: Score,
}

impl Perturbation {
    /// Scores the network at every ε, over the threads of the pool in which it is called. The k-th draw
    /// of noise and input is the same at every ε.
    ///
    /// # Errors
    /// [`Error::Epsilon`], [`Error::TooFew`] without a draw or an ε; [`Error::NoTau`]; those of
    /// [`Scoring::accuracy`].
    pub fn run(
        &self,
        subject: &Subject,
        stop: &AtomicBool,
    ) -> Result<Vec<PerturbationResult>, Error> {
        if self.perturbed == Perturbed::Tau {
            subject.check_tau()?;
        }
        if let Some(&value) = self.epsilons.iter().find(|e| !(e.is_finite() && **e >= 0.0)) {
            return Err(Error::Epsilon { value });
        }
        let jobs = self.epsilons.len() * self.draws;
        if jobs == 0 {
            return Err(Error::TooFew { what: "draws and sizes of noise", found: 0, needed: 1 });
        }
        let one = |job: usize| -> Result<f64, Error> {
            let (epsilon, draw) = (self.epsilons[job / self.draws], job % self.draws);
            let mut params = subject.params.clone();
            let key = Key::new(self.scoring.seed, Purpose::Perturbation).step(draw as u32);
            self.perturbed.add(&mut params, epsilon, key);
            let scoring = Scoring { input: draw as u32, ..self.scoring };
            Ok(subject.score(params, &scoring, stop)?.mean)
        };
        let accuracy = (0..jobs).into_par_iter().map(one).collect::<Result<Vec<f64>, Error>>()?;
        let rows = accuracy.chunks(self.draws).zip(&self.epsilons);
        Ok(rows
            .map(|(accuracy, &epsilon)| PerturbationResult { epsilon, score: Score::of(accuracy) })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::tests::{delay_line, on_cpu};
    use approx::assert_relative_eq;
    use ndarray::Array;
    use tau_tasks::TaskKind;

    fn run(perturbed: Perturbed, epsilons: &[f64]) -> Result<Vec<PerturbationResult>, Error> {
        let (config, params) = delay_line();
        let task = TaskKind::Parity.with_memory(&[1]).unwrap();
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, head: 0, make: &on_cpu };
        let scoring = Scoring { trials: 1, ..Scoring::paper(5) };
        let epsilons = epsilons.to_vec();
        let perturbation = Perturbation { perturbed, epsilons, draws: 6, scoring };
        perturbation.run(&subject, &AtomicBool::new(false))
    }

    #[test]
    fn noise_of_size_epsilon_moves_the_array_by_epsilon_of_its_norm() {
        let (_, before) = delay_line();
        let norm = |values: Array<f32, ndarray::IxDyn>| {
            values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
        };
        for epsilon in [0.1, 3.0] {
            let key = Key::new(1, Purpose::Perturbation);
            let mut after = before.clone();
            Perturbed::Weights.add(&mut after, epsilon, key);
            let moved = norm((&after.w_rec - &before.w_rec).into_dyn());
            let size = norm(before.w_rec.clone().into_dyn());
            assert_relative_eq!(moved, epsilon * size, max_relative = 1e-5);
            assert_eq!(after.tau, before.tau);

            let mut after = before.clone();
            Perturbed::Tau.add(&mut after, epsilon, key);
            let moved = norm((&after.tau - &before.tau).into_dyn());
            let size = norm(before.tau.clone().into_dyn());
            assert_relative_eq!(moved, epsilon * size, max_relative = 1e-5);
            assert!(after.tau.iter().zip(&before.tau).all(|(after, before)| after >= before));
            assert_eq!(after.w_rec, before.w_rec);
        }
    }

    /// A one-neuron memory of the last bit forgets it when its τ grows: at τ = 1 it is the bit, at
    /// τ = 2 and more the bits before weigh as much as the last.
    #[test]
    fn a_delay_line_is_hurt_by_noise_and_not_by_none() {
        let tau = run(Perturbed::Tau, &[0.0, 1e-4, 10.0]).unwrap();
        assert_eq!(tau[0].score, Score { mean: 1.0, standard_deviation: 0.0, best: 1.0 });
        assert_eq!(tau[1].score.mean, 1.0);
        assert!(tau[2].score.mean < 0.9, "{tau:?}");
        let weights = run(Perturbed::Weights, &[0.0, 1e-4, 10.0]).unwrap();
        assert_eq!((weights[0].score.mean, weights[1].score.mean), (1.0, 1.0));
        assert!(weights[2].score.mean < 0.9, "{weights:?}");
    }

    #[test]
    fn the_published_sizes_are_those_of_the_tables() {
        let weights = Perturbed::Weights.paper_epsilons();
        assert_eq!((weights.len(), weights[0]), (11, 0.0));
        assert_relative_eq!(weights[2], 0.0215443, max_relative = 1e-5);
        let tau = Perturbed::Tau.paper_epsilons();
        assert_eq!(tau.len(), 14);
        assert_relative_eq!(tau[2], 0.00215443, max_relative = 1e-5);
        assert_relative_eq!(tau[13], 10.0, max_relative = 1e-12);
    }

    #[test]
    fn an_impossible_size_is_refused() {
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            let error = run(Perturbed::Tau, &[0.0, value]).unwrap_err().to_string();
            assert_eq!(error, format!("epsilon: {value} (allowed: 0 or more, finite)"));
        }
        assert!(matches!(run(Perturbed::Tau, &[]), Err(Error::TooFew { .. })));
    }
}
