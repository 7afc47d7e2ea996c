//! Presets: which networks are trained, for how long, and how they are measured.

use serde::{Deserialize, Serialize};
use tau_curricula::{Curriculum, TrainingSpec};
use tau_rnn::{Cell, Config, Placement, TimeConstants};
use tau_tasks::TaskKind;

use crate::Error;

/// Every preset as (name, TOML text); a new one is one file and one line.
const PRESETS: &[(&str, &str)] = &[
    ("smoke", include_str!("../presets/smoke.toml")),
    ("laptop", include_str!("../presets/laptop.toml")),
    ("paper", include_str!("../presets/paper.toml")),
];

/// The scale of a reproduction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name.
    pub id: String,
    /// Whether its networks are of a size and training that can decide anything.
    pub decides: bool,
    /// Neurons of each network.
    pub hidden_size: usize,
    /// Seed of the first network of each condition; the others follow it. The default preset was
    /// sized by looking at networks with small seeds, so it judges others.
    pub first_seed: u64,
    /// Updates in an epoch.
    pub updates_per_epoch: usize,
    /// Trials in a batch.
    pub batch_size: usize,
    /// Batches that are scored after each epoch.
    pub test_batches: usize,
    /// The networks that are compared.
    pub conditions: Vec<Condition>,
    /// How τ_net is measured.
    pub tau_net: TauNetSettings,
    /// How forgetting is measured.
    pub forgetting: ForgettingSettings,
    /// How networks are damaged and scored.
    pub damage: DamageSettings,
    /// How networks are trained further.
    pub retraining: RetrainingSettings,
    /// Whose quirks are switched on.
    #[serde(skip)]
    pub compat: Compat,
}

/// Whether measurements are clean or as a publication made them (docs/paper.md lists what differs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compat {
    /// As the text of the paper has it, or better.
    #[default]
    Clean,
    /// As the published code of the ICLR 2024 paper does it.
    Iclr2024,
}

impl Compat {
    /// Its name in file names and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Iclr2024 => "iclr2024",
        }
    }
}

/// Networks that differ in their seed alone. What is left out is as published: N-parity, τ-RNN,
/// trained τ, nonlinearity around everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its name in tables and figures.
    pub series: String,
    /// When N grows.
    pub curriculum: Curriculum,
    /// Largest number of epochs.
    pub max_epochs: usize,
    /// Training ends when this N is solved.
    pub n_end: usize,
    /// Networks: more where they differ more.
    pub seeds: u64,
    /// What is learned.
    #[serde(default = "parity")]
    pub task: TaskKind,
    /// What a neuron is.
    #[serde(default)]
    pub cell: Cell,
    /// τ of every neuron, in steps, when it is not trained.
    #[serde(default)]
    pub fixed_tau: Option<f64>,
    /// Where the nonlinearity stands.
    #[serde(default)]
    pub placement: Option<Placement>,
    /// The k = 1/Δt of training in continuous time; none otherwise.
    #[serde(default)]
    pub steps_per_unit: Vec<u32>,
    /// In place of the preset's.
    #[serde(default)]
    pub updates_per_epoch: Option<usize>,
    /// In place of the preset's.
    #[serde(default)]
    pub batch_size: Option<usize>,
}

fn parity() -> TaskKind {
    TaskKind::Parity
}

/// How τ_net is measured (paper, section 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TauNetSettings {
    /// Steps of each trial that are measured (10⁵ in the paper).
    pub steps: usize,
    /// Steps before those (500 in the paper).
    pub burn_in: usize,
    /// Trials (10 in the paper).
    pub trials: usize,
    /// Largest lag of the fit, in steps (30 in the paper).
    pub fit_lags: usize,
    /// Every how many N a network is measured, from the first on; the last N always is.
    pub every: usize,
}

/// How forgetting is measured: new heads for every smaller N on the frozen network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgettingSettings {
    /// Updates of the new heads.
    pub updates: usize,
    /// Batches that score them.
    pub test_batches: usize,
}

/// How networks are damaged and scored (paper, section 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DamageSettings {
    /// Networks are damaged when they had solved the largest common N up to this one (30 in the paper).
    pub n_at_most: usize,
    /// Neurons with the shortest τ, and with the longest, that are taken out one by one (20 in the
    /// paper).
    pub neurons: usize,
    /// Steps before those that are scored, at least N (100 in the paper).
    pub warm_up: usize,
    /// Steps that are scored (1000 in the paper).
    pub steps: usize,
    /// Trials of each ablated network (10 in the paper).
    pub trials: usize,
    /// Draws of each noise (10 in the paper).
    pub draws: usize,
}

/// How networks are trained further on larger N (paper, section 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainingSettings {
    /// They start from where they had solved the largest common N up to this one (16 in the paper).
    pub n_at_most: usize,
    /// How much larger the N are that they are trained on (up to 30 in the paper).
    pub more: Vec<usize>,
    /// Epochs of it (20 in the paper).
    pub epochs: usize,
    /// Networks of each condition, the first ones.
    pub networks: usize,
}

impl Preset {
    /// The preset of that name.
    ///
    /// # Errors
    /// [`Error::UnknownPreset`] with the known names.
    pub fn named(name: &str) -> Result<Self, Error> {
        let found = PRESETS.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| Error::UnknownPreset {
            name: name.to_owned(),
            known: PRESETS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", "),
        })?;
        toml::from_str(text)
            .map_err(|error| Error::Preset { name: name.to_owned(), reason: error.to_string() })
    }

    /// The same with another number of networks, equal for all conditions.
    ///
    /// # Errors
    /// [`Error::Seeds`] for none or more than 1000.
    pub fn with_seeds(mut self, seeds: u64) -> Result<Self, Error> {
        if !(1..=1000).contains(&seeds) {
            return Err(Error::Seeds { value: seeds });
        }
        self.conditions.iter_mut().for_each(|condition| condition.seeds = seeds);
        Ok(self)
    }

    /// Every run: (series, definition), condition by condition.
    #[must_use]
    pub fn runs(&self) -> Vec<(String, TrainingSpec)> {
        let mut runs = Vec::new();
        for condition in &self.conditions {
            for seed in self.first_seed..self.first_seed + condition.seeds {
                runs.push((condition.series.clone(), self.spec(condition, seed)));
            }
        }
        runs
    }

    fn spec(&self, condition: &Condition, seed: u64) -> TrainingSpec {
        let Condition { task, cell, curriculum, .. } = *condition;
        let paper = TrainingSpec::paper_cell(cell, task, curriculum, self.hidden_size, seed);
        let tau = condition.fixed_tau.map(|value| match self.compat {
            Compat::Clean => TimeConstants::Fixed { value },
            // The published option sets where τ starts, and it is trained all the same.
            Compat::Iclr2024 => TimeConstants::Trainable { start: value },
        });
        let spec = TrainingSpec {
            n_end: condition.n_end,
            max_epochs: condition.max_epochs,
            updates_per_epoch: condition.updates_per_epoch.unwrap_or(self.updates_per_epoch),
            batch_size: condition.batch_size.unwrap_or(self.batch_size),
            test_batches: self.test_batches,
            network: Config {
                placement: condition.placement.unwrap_or(paper.network.placement),
                tau: tau.unwrap_or(paper.network.tau),
                ..paper.network.clone()
            },
            ..paper
        };
        match &condition.steps_per_unit[..] {
            [] => spec,
            steps => spec.in_continuous_time(steps),
        }
    }

    /// Whether published values may stand beside ours: same size and training.
    #[must_use]
    pub fn is_published_scale(&self) -> bool {
        (self.hidden_size, self.updates_per_epoch, self.batch_size) == (500, 600, 256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_readable_and_its_runs_are_valid() {
        for (name, _) in PRESETS {
            let preset = Preset::named(name).unwrap();
            assert_eq!(preset.id, *name);
            let runs = preset.runs();
            assert_eq!(runs.len() as u64, preset.conditions.iter().map(|c| c.seeds).sum::<u64>());
            for (series, spec) in runs {
                spec.check().unwrap_or_else(|error| panic!("{name}, {series}: {error}"));
            }
        }
    }

    #[test]
    fn the_default_has_at_least_three_networks_for_each_curriculum() {
        let laptop = Preset::named("laptop").unwrap();
        assert!(laptop.conditions.iter().all(|condition| condition.seeds >= 3));
        assert!(!laptop.is_published_scale());
        assert!(Preset::named("paper").unwrap().is_published_scale());
    }

    #[test]
    fn an_unknown_preset_is_answered_with_the_known_ones() {
        let error = Preset::named("huge").unwrap_err().to_string();
        assert_eq!(error, "unknown preset: huge (known: smoke, laptop, paper)");
        let error = Preset::named("smoke").unwrap().with_seeds(0).unwrap_err().to_string();
        assert_eq!(error, "seeds: 0 (allowed: 1 to 1000)");
    }
}
