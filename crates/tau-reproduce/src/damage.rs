//! What is left of a network under damage: single neurons taken out, noise on W and on τ.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tau_analysis::{
    Ablation, AblationResult, Perturbation, PerturbationResult, Perturbed, Removal, Scoring,
    Subject, relative_accuracy,
};
use tau_rnn::thread_pool;
use tau_runs::Run;

use crate::{Compat, DamageSettings, Error};

/// A network damaged in every way, at one N.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Damage {
    /// The N that it had just solved, and that it is asked for.
    pub n: usize,
    /// How neurons were taken out.
    pub removal: Removal,
    /// Without single neurons.
    pub ablation: AblationResult,
    /// With noise on W, by increasing ε.
    pub weights: Vec<PerturbationResult>,
    /// With noise on τ, by increasing ε.
    pub tau: Vec<PerturbationResult>,
}

impl Damage {
    /// What accuracy without a neuron is relative to: that of the whole network; as published, that in
    /// its best trial.
    #[must_use]
    pub fn baseline(&self) -> f64 {
        match self.removal {
            Removal::Clean => self.ablation.baseline.mean,
            Removal::Published => self.ablation.baseline.best,
        }
    }

    /// Mean relative accuracy (1: undamaged, 0: chance) without one of the neurons with the shortest
    /// τ, and without one of those with the longest.
    #[must_use]
    pub fn without_short_and_long(&self) -> Option<(f64, f64)> {
        let baseline = self.baseline();
        let (short, long) = self.ablation.means();
        Some((relative_accuracy(short, baseline)?, relative_accuracy(long, baseline)?))
    }

    /// Relative accuracy with noise of the size that is nearest to ε on a logarithmic scale.
    #[must_use]
    pub fn with_noise(&self, perturbed: Perturbed, epsilon: f64) -> Option<f64> {
        let results = match perturbed {
            Perturbed::Weights => &self.weights,
            Perturbed::Tau => &self.tau,
        };
        let distance = |result: &&PerturbationResult| (result.epsilon / epsilon).ln().abs();
        let baseline = results.iter().find(|result| result.epsilon == 0.0)?.score.mean;
        let noisy = results.iter().filter(|result| result.epsilon > 0.0);
        let nearest = noisy.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        relative_accuracy(nearest.score.mean, baseline)
    }
}

/// Damages the network that the run kept for this N, asked for this N, on the run's device.
///
/// # Errors
/// [`Error::Interrupted`] soon after `stop` is set; a checkpoint that cannot be read, and what
/// protocols refuse.
pub(crate) fn damage(
    run: &Run,
    n: usize,
    settings: &DamageSettings,
    compat: Compat,
    stop: &AtomicBool,
) -> Result<Damage, Error> {
    let spec = run.spec();
    let checkpoint = run.checkpoint(n)?;
    // The newest head is the one for the largest N.
    let head = checkpoint.params.readouts.len().saturating_sub(1);
    let task = spec.task.with_coding(&[n], spec.coding).map_err(tau_curricula::Error::from)?;
    let pool = thread_pool(Some(1))?;
    let make = |config, params| run.hardware().network(config, params, pool.clone());
    let subject = Subject {
        config: &checkpoint.config,
        params: &checkpoint.params,
        task: &*task,
        head,
        make: &make,
    };
    let scoring = Scoring {
        warm_up: settings.warm_up.max(n),
        steps: settings.steps,
        trials: settings.trials,
        initial_state: spec.initial_state,
        seed: spec.seed,
        input: 0,
    };
    let removal = match compat {
        Compat::Clean => Removal::Clean,
        Compat::Iclr2024 => Removal::Published,
    };
    let ablation = Ablation { neurons: settings.neurons, removal, scoring };
    let noise = |perturbed: Perturbed| Perturbation {
        perturbed,
        epsilons: perturbed.paper_epsilons(),
        draws: settings.draws,
        scoring: Scoring { trials: 1, ..scoring },
    };
    Ok(Damage {
        n,
        removal,
        ablation: ablation.run(&subject, stop)?,
        weights: noise(Perturbed::Weights).run(&subject, stop)?,
        tau: noise(Perturbed::Tau).run(&subject, stop)?,
    })
}
