//! The tables of a run's measures/.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tau_analysis::portrait::{ModeRow, NetworkRow, NeuronRow, Portrait};
use tau_runs::{read_if_there, write_atomically};

use crate::output::table;

/// The portraits that were made, in the order of the run's milestones.
pub(super) struct Tables(Vec<Portrait>);

impl Tables {
    /// neurons.csv, networks.csv, spectrum.csv; the last only if there are eigenvalues.
    pub(super) fn paths(folder: &Path) -> [PathBuf; 3] {
        ["neurons.csv", "networks.csv", "spectrum.csv"].map(|name| folder.join(name))
    }

    /// Reads what was measured; `milestones` are those of the run, in their order.
    pub(super) fn read(folder: &Path, milestones: &[&str]) -> anyhow::Result<Self> {
        let [neurons, networks, spectrum] = Self::paths(folder);
        let (neurons, networks) = (rows::<NeuronRow>(&neurons)?, rows::<NetworkRow>(&networks)?);
        let modes = rows::<ModeRow>(&spectrum)?;
        // A network without neurons is nothing that was measured.
        let mut names: Vec<&str> = neurons.iter().map(|row| row.milestone.as_str()).collect();
        names.dedup();
        let mut all = Self(Vec::new());
        for name in names {
            let of_neurons = || neurons.iter().filter(|row| row.milestone == name).cloned();
            let bare = || NetworkRow {
                milestone: name.to_owned(),
                n: of_neurons().next().and_then(|row| row.n),
                ..NetworkRow::default()
            };
            let network = networks.iter().find(|row| row.milestone == name);
            let mut one = Portrait {
                neurons: of_neurons().collect(),
                network: network.cloned().unwrap_or_else(bare),
                modes: modes.iter().filter(|row| row.milestone == name).cloned().collect(),
            };
            one.summarise();
            all.insert(one, milestones);
        }
        Ok(all)
    }

    pub(super) fn of(&self, milestone: &str) -> Option<&Portrait> {
        self.0.iter().find(|one| one.network.milestone == milestone)
    }

    /// Puts a portrait in its place in the order of `milestones`.
    pub(super) fn insert(&mut self, found: Portrait, milestones: &[&str]) {
        self.0.retain(|one| one.network.milestone != found.network.milestone);
        self.0.push(found);
        let place = |one: &Portrait| {
            milestones.iter().position(|milestone| *milestone == one.network.milestone)
        };
        self.0.sort_by_key(place);
    }

    pub(super) fn networks(&self) -> impl Iterator<Item = &NetworkRow> {
        self.0.iter().map(|one| &one.network)
    }

    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let [neurons, networks, spectrum] = Self::paths(folder);
        write(&neurons, self.0.iter().flat_map(|one| &one.neurons))?;
        write(&networks, self.networks())?;
        if self.0.iter().any(|one| !one.modes.is_empty()) {
            write(&spectrum, self.0.iter().flat_map(|one| &one.modes))?;
        }
        Ok(())
    }
}

/// Reads the rows of a file; none if it is not there.
fn rows<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let bytes = read_if_there(path)?.unwrap_or_default();
    let rows: Result<_, _> = csv::Reader::from_reader(&bytes[..]).into_deserialize().collect();
    rows.map_err(|error| {
        anyhow::anyhow!("cannot use {}: {error} (move it away to measure anew)", path.display())
    })
}

fn write<'a>(
    path: &Path,
    rows: impl Iterator<Item = &'a (impl Serialize + 'a)>,
) -> anyhow::Result<()> {
    Ok(write_atomically(path, &table(rows)?)?)
}
