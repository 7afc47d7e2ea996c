//! Presets: which networks are trained, for how long, and how they are measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tau_training::TrainingSpec;
use toml::Table;

use crate::{Compat, Error, Facets, Measurement, Paper};

/// The scale of a reproduction.
#[derive(Debug)]
pub struct Preset {
    /// Its name.
    pub id: String,
    /// How long it takes and what it is good for, in a few words.
    pub summary: String,
    /// Whether its networks are of a size and training that can decide anything.
    pub decides: bool,
    /// Whether published values may stand beside ours: same size and training.
    pub published_scale: bool,
    /// Seed of the first network of each condition; the others follow it.
    pub first_seed: u64,
    /// Whose quirks are switched on.
    pub compat: Compat,
    /// The networks that are compared.
    pub conditions: Vec<Condition>,
    measurements: BTreeMap<String, Table>,
    /// As it is written, with the number of networks that was asked for.
    written: Written,
}

/// Networks that differ in their seed alone.
pub struct Condition {
    /// Its name in reports; nothing is read from it.
    pub name: String,
    /// What its networks are.
    pub facets: Facets,
    /// Number of networks.
    pub seeds: u64,
    /// The settings that the preset gives it beside those of all conditions.
    pub own: Table,
    training: Box<dyn Fn(u64) -> TrainingSpec + Send + Sync>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, facets, seeds, own, .. } = self;
        f.debug_struct("Condition")
            .field("name", name)
            .field("facets", facets)
            .field("seeds", seeds)
            .field("own", own)
            .finish_non_exhaustive()
    }
}

/// A condition as a preset has it, for the paper to read.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The settings of all conditions, with the condition's own in their place.
    pub settings: &'a Table,
    /// Whose quirks are switched on.
    pub compat: Compat,
}

impl Entry<'_> {
    /// The settings as a type of the paper's.
    ///
    /// # Errors
    /// A setting that is missing, unknown or of another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.settings
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| Error::Paper(error.message().to_owned()))
    }
}

/// The text of a preset.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    summary: String,
    decides: bool,
    published_scale: bool,
    first_seed: u64,
    /// Settings of all conditions, for the paper to read.
    training: Table,
    conditions: Vec<WrittenCondition>,
    /// Settings of the measurements by their ids.
    #[serde(default)]
    measurements: BTreeMap<String, Table>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WrittenCondition {
    name: String,
    seeds: u64,
    #[serde(flatten)]
    own: Table,
}

impl Preset {
    /// Reads the preset of that name.
    pub(crate) fn read(paper: &Paper, name: &str, compat: Compat) -> Result<Self, Error> {
        let text = paper.presets.iter().find(|(known, _)| *known == name);
        let names = paper.presets.iter().map(|(known, _)| *known);
        let (_, text) = text.ok_or_else(|| Error::unknown("preset", name, names))?;
        let fault = |reason: String| Error::Paper(format!("preset {name}: {reason}"));
        let written: Written = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        if written.id != name {
            return Err(fault(format!("its id is {}", written.id)));
        }
        let mut names = BTreeSet::new();
        let mut conditions = Vec::new();
        for entry in &written.conditions {
            let fault = |reason| fault(format!("condition {}: {reason}", entry.name));
            if !names.insert(&entry.name) {
                return Err(fault("another one has the same name".to_owned()));
            }
            let mut settings = written.training.clone();
            settings.extend(entry.own.clone());
            let meaning = (paper.condition)(&Entry { settings: &settings, compat })
                .map_err(|error| fault(error.to_string()))?;
            (meaning.training)(written.first_seed)
                .check()
                .map_err(|error| fault(error.to_string()))?;
            conditions.push(Condition {
                name: entry.name.clone(),
                facets: meaning.facets,
                seeds: entry.seeds,
                own: entry.own.clone(),
                training: meaning.training,
            });
        }
        Ok(Self {
            id: written.id.clone(),
            summary: written.summary.clone(),
            decides: written.decides,
            published_scale: written.published_scale,
            first_seed: written.first_seed,
            compat,
            conditions,
            measurements: written.measurements.clone(),
            written,
        })
    }

    /// This preset with a different number of networks, equal for all conditions.
    ///
    /// # Errors
    /// [`Error::Seeds`] for none or more than 1000.
    pub fn with_seeds(mut self, seeds: u64) -> Result<Self, Error> {
        if !(1..=1000).contains(&seeds) {
            return Err(Error::Seeds { value: seeds });
        }
        self.conditions.iter_mut().for_each(|condition| condition.seeds = seeds);
        self.written.conditions.iter_mut().for_each(|condition| condition.seeds = seeds);
        Ok(self)
    }

    /// Every run, condition by condition: its condition, its place in it from 0, its definition.
    pub fn runs(&self) -> impl Iterator<Item = (&Condition, usize, TrainingSpec)> {
        self.conditions.iter().flat_map(|condition| {
            let seeds = self.first_seed..self.first_seed + condition.seeds;
            let run = move |(place, seed)| (condition, place, (condition.training)(seed));
            seeds.enumerate().map(run)
        })
    }

    /// The settings of a measurement, with the quirks that are switched on.
    ///
    /// # Errors
    /// Settings that the preset does not have, or that cannot be read.
    pub fn settings<M: Measurement>(&self) -> Result<M::Settings, Error> {
        let table = self.measurements.get(M::ID).cloned().unwrap_or_default();
        let settings: M::Settings = table.try_into().map_err(|error: toml::de::Error| {
            let reason = error.message();
            Error::Paper(format!("preset {}: measurements.{}: {reason}", self.id, M::ID))
        })?;
        Ok(M::with_quirks(settings, self.compat))
    }

    /// The ids of the measurements that it has settings for.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &str> {
        self.measurements.keys().map(String::as_str)
    }

    /// The settings that all conditions have unless they say otherwise.
    pub(crate) fn shared(&self) -> &Table {
        &self.written.training
    }

    /// All of it, as its file has it.
    pub(crate) fn text(&self) -> Result<String, Error> {
        toml::to_string(&self.written)
            .map_err(|error| Error::Paper(format!("preset {}: {error}", self.id)))
    }
}
