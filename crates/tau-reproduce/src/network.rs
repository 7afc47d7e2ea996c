//! A trained network and what was measured on it: all that tables and claims are made of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tau_runs::queue::lock;
use tau_runs::{MetricsRow, Provenance, State};

use crate::measurement::Found;
use crate::{Error, Facets, Measurement, Planned, Selector};

/// A trained network and its measurements.
#[derive(Debug)]
pub struct Network {
    /// Name of its condition.
    pub condition: String,
    /// What it is.
    pub facets: Facets,
    /// Its place among the networks of its condition, from 0.
    pub place: usize,
    /// The run's folder.
    pub name: String,
    /// Root of its random streams.
    pub seed: u64,
    /// One row for each epoch and head.
    pub metrics: Vec<MetricsRow>,
    /// Where its training stands.
    pub state: State,
    /// The program and the machine that trained it.
    pub provenance: Provenance,
    found: BTreeMap<&'static str, Found>,
    /// Measurements that were asked for and never planned.
    missed: Mutex<BTreeSet<&'static str>>,
}

impl Network {
    /// A network whose training is not begun and that nothing was measured on: also the start of a
    /// made-up one, in tests of claims.
    #[must_use]
    pub fn new(condition: &str, facets: Facets, place: usize, seed: u64) -> Self {
        Self {
            condition: condition.to_owned(),
            facets,
            place,
            name: String::new(),
            seed,
            metrics: Vec::new(),
            state: State::Unfinished,
            provenance: unknown(),
            found: BTreeMap::new(),
            missed: Mutex::default(),
        }
    }

    /// The network of a planned run, with what its training left behind.
    pub(crate) fn trained(planned: &Planned) -> Result<Self, Error> {
        let run = &planned.run;
        let Planned { condition, facets, place, .. } = planned;
        Ok(Self {
            name: run.name(),
            metrics: run.metrics()?,
            state: run.status()?.map_or(State::Unfinished, |status| status.state),
            provenance: run.manifest().ok().flatten().map_or_else(unknown, |found| found.by),
            ..Self::new(condition, facets.clone(), *place, run.spec().seed)
        })
    }

    /// The same network with these results of a measurement.
    #[must_use]
    pub fn with<M: Measurement>(mut self, found: Vec<(M::Site, M::Output)>) -> Self {
        self.keep(M::ID, Arc::new(found));
        self
    }

    pub(crate) fn keep(&mut self, id: &'static str, found: Found) {
        self.found.insert(id, found);
    }

    /// What was measured, site by site; nothing where nothing could be.
    #[must_use]
    pub fn all<M: Measurement>(&self) -> &[(M::Site, M::Output)] {
        let found = self.found.get(M::ID).and_then(|found| found.downcast_ref::<Vec<_>>());
        if found.is_none() {
            lock(&self.missed).insert(M::ID);
        }
        found.map_or(&[], Vec::as_slice)
    }

    /// What was measured at its only site, or at the last one.
    #[must_use]
    pub fn get<M: Measurement>(&self) -> Option<&M::Output> {
        self.all::<M>().last().map(|(_, output)| output)
    }

    /// Whether its training was sound: a run that diverged is shown and counted in the report, and never
    /// averaged over.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.state != State::Diverged
    }

    /// One facet; empty if it has none of that name.
    #[must_use]
    pub fn facet(&self, key: &str) -> &str {
        self.facets.get(key).map_or("", String::as_str)
    }
}

/// Measurements that were asked for by what does not say that it needs them: a fault of the program,
/// which would look like networks without a value.
pub(crate) fn missed(networks: &[Network]) -> BTreeSet<&'static str> {
    networks.iter().flat_map(|network| std::mem::take(&mut *lock(&network.missed))).collect()
}

/// In place of a manifest that is lost or damaged: no verdict depends on it.
fn unknown() -> Provenance {
    let unknown = || "unknown".to_owned();
    Provenance { version: unknown(), commit: unknown(), device: unknown(), threads: 0 }
}

/// The networks that a claim is judged on.
#[derive(Debug)]
pub struct Networks<'a> {
    /// Each with the facets that it counts with: its own, or, in a placebo, those of another one.
    entries: Vec<(&'a Facets, &'a Network)>,
    asked: RefCell<Vec<Selector>>,
}

impl<'a> Networks<'a> {
    /// Networks as they are. Those that diverged count nowhere.
    #[must_use]
    pub fn new(networks: &'a [Network]) -> Self {
        Self::with_facets(networks.iter().map(|network| (&network.facets, network)))
    }

    pub(crate) fn with_facets(
        entries: impl IntoIterator<Item = (&'a Facets, &'a Network)>,
    ) -> Self {
        let sound = entries.into_iter().filter(|(_, network)| network.is_sound());
        Self { entries: sound.collect(), asked: RefCell::default() }
    }

    /// The networks that a selector means.
    pub fn of(&self, selector: &Selector) -> impl Iterator<Item = &'a Network> {
        self.asked.borrow_mut().push(*selector);
        let meant = self.entries.iter().filter(|(facets, _)| selector.matches(facets));
        meant.map(|(_, network)| *network)
    }

    /// The selectors that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<Selector> {
        self.asked.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_paper::{LARGE, SMALL, Seeds, facets};

    fn network(size: &str) -> Network {
        Network::new(size, facets(&[("task", "parity"), ("size", size)]), 0, 0)
    }

    #[test]
    fn what_was_measured_comes_back_with_its_type() {
        let network = network("small").with::<Seeds>(vec![(0, 5), (1, 7)]);
        assert_eq!(network.all::<Seeds>(), [(0, 5), (1, 7)]);
        assert_eq!(network.get::<Seeds>(), Some(&7));
        assert!(missed(&[network]).is_empty());
    }

    /// A network on which nothing could be measured has no value; that is no fault.
    #[test]
    fn what_was_never_planned_is_told_from_what_could_not_be_measured() {
        let networks = [network("small").with::<Seeds>(Vec::new()), network("large")];
        assert_eq!(networks[0].get::<Seeds>(), None);
        assert!(missed(&networks).is_empty());
        assert_eq!(networks[1].get::<Seeds>(), None);
        assert_eq!(Vec::from_iter(missed(&networks)), ["seeds"]);
        assert!(missed(&networks).is_empty());
    }

    #[test]
    fn networks_that_diverged_are_not_among_those_that_are_judged() {
        let mut networks = [network("small"), network("small"), network("large")];
        networks[1].state = State::Diverged;
        let view = Networks::new(&networks);
        assert_eq!((view.of(&SMALL).count(), view.of(&LARGE).count()), (1, 1));
        assert_eq!(view.asked(), [SMALL, LARGE]);
        assert_eq!((networks[0].facet("size"), networks[0].facet("cell")), ("small", ""));
    }
}
