//! Damage: what is left of a network without single neurons, and with noise on W and on τ
//! (docs/papers/khajehabdollahi-2024.md §5).

use serde::{Deserialize, Serialize};
use tau_analysis::{
    Ablation, AblationResult, ChanceLevel, Perturbation, PerturbationResult, Perturbed, Protocol,
    Removal, Scoring, Subject,
};
use tau_reproduce::{Compat, Error, Measurement, Network, Trained};
use tau_rnn::thread_pool;

use super::trained::{Solved, checkpoint, task};
use crate::ICLR_2024;
use crate::progress::largest_common_n;

/// A network damaged in every way, at the largest N that all compared networks solved.
pub(crate) enum Damage {}

/// How networks are damaged and scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// How a neuron is taken out.
    removal: Removal,
    /// Networks are damaged when they had solved the largest common N up to this one (30 in the paper).
    #[serde(skip_serializing)]
    n_at_most: usize,
    /// Neurons with the shortest τ, and with the longest, that are taken out one by one (20 in the
    /// paper).
    neurons: usize,
    /// Steps before those that are scored, at least N (100 in the paper).
    warm_up: usize,
    /// Steps that are scored (1000 in the paper).
    steps: usize,
    /// Trials of each ablated network (10 in the paper).
    trials: usize,
    /// Draws of each noise (10 in the paper).
    draws: usize,
}

/// What is left of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Damaged {
    /// The N that it had just solved, and that it is asked for.
    pub(crate) n: usize,
    /// How neurons were taken out.
    pub(crate) removal: Removal,
    /// Accuracies without single neurons.
    pub(crate) ablation: AblationResult,
    /// Accuracies with noise on W, by increasing ε.
    pub(crate) weights: Vec<PerturbationResult>,
    /// Accuracies with noise on τ, by increasing ε.
    pub(crate) tau: Vec<PerturbationResult>,
}

impl Damaged {
    /// The accuracy that a damaged network is compared with: that of the whole network; as published,
    /// that in its best trial.
    pub(crate) fn baseline(&self) -> f64 {
        match self.removal {
            Removal::Clean => self.ablation.baseline.mean,
            Removal::WeightsAndFirstHead => self.ablation.baseline.best,
        }
    }

    /// Mean relative accuracy (1: undamaged, 0: chance) without one of the neurons with the shortest
    /// τ, and without one of those with the longest.
    pub(crate) fn without_short_and_long(&self) -> Option<(f64, f64)> {
        let baseline = self.baseline();
        let (short, long) = self.ablation.means();
        let measure = self.ablation.baseline.measure;
        Some((measure.relative(short, baseline)?, measure.relative(long, baseline)?))
    }

    /// Relative accuracy with noise of the size that is nearest to ε on a logarithmic scale.
    pub(crate) fn with_noise(&self, perturbed: Perturbed, epsilon: f64) -> Option<f64> {
        let results = match perturbed {
            Perturbed::Weights => &self.weights,
            Perturbed::Tau => &self.tau,
        };
        let distance = |result: &&PerturbationResult| (result.epsilon / epsilon).ln().abs();
        let baseline = results.iter().find(|result| result.epsilon == 0.0)?.score;
        let noisy = results.iter().filter(|result| result.epsilon > 0.0);
        let nearest = noisy.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        baseline.relative(nearest.score.mean)
    }
}

impl Measurement for Damage {
    const ID: &'static str = "damage";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = Solved;
    type Output = Damaged;

    fn with_quirks(settings: Settings, compat: Compat) -> Settings {
        if !compat.has(&ICLR_2024) {
            return settings;
        }
        Settings { removal: Removal::WeightsAndFirstHead, ..settings }
    }

    fn sites(settings: &Settings, network: &Network, all: &[Network]) -> Vec<Solved> {
        let n = largest_common_n(network, all, Some(settings.n_at_most));
        n.map(Solved).into_iter().collect()
    }

    fn run(
        settings: &Settings,
        at: &Solved,
        trained: &Trained<'_>,
    ) -> Result<Option<Damaged>, Error> {
        let (run, n, stop) = (trained.run, at.n(), trained.stop);
        let checkpoint = checkpoint(trained, n)?;
        let pool = thread_pool(Some(1))?;
        let hardware = trained.hardware()?;
        let make = |config, params| hardware.network(config, params, pool.clone());
        let task = task(trained, &[n])?;
        let subject = Subject {
            config: &checkpoint.config,
            params: &checkpoint.params,
            task: &*task,
            // The newest head is the one for the largest N.
            heads: &[checkpoint.params.readouts.len().saturating_sub(1)],
            make: &make,
        };
        let scoring = Scoring {
            protocol: Protocol::EveryStep {
                warm_up: settings.warm_up.max(n),
                steps: settings.steps,
            },
            repeats: settings.trials,
            initial_state: run.spec().initial_state,
            chance: ChanceLevel::OneOfClasses,
            seed: run.spec().seed,
            input: 0,
        };
        let removal = settings.removal;
        let ablation = Ablation { neurons: settings.neurons, removal, scoring };
        let noise = |perturbed: Perturbed| Perturbation {
            perturbed,
            epsilons: sizes(perturbed),
            draws: settings.draws,
            scoring: Scoring { repeats: 1, ..scoring },
        };
        Ok(Some(Damaged {
            n,
            removal,
            ablation: ablation.run(&subject, stop)?,
            weights: noise(Perturbed::Weights).run(&subject, stop)?,
            tau: noise(Perturbed::Tau).run(&subject, stop)?,
        }))
    }
}

/// Sizes of the noise: 0 and the published ones.
fn sizes(perturbed: Perturbed) -> Vec<f64> {
    match perturbed {
        Perturbed::Weights => Perturbation::logarithmic_sizes(-2.0, 1.0, 10),
        Perturbed::Tau => Perturbation::logarithmic_sizes(-3.0, 1.0, 13),
    }
}
