//! The tables of a run's measures/.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tau_analysis::portrait::{ModeRow, NetworkRow, NeuronRow, Portrait};
use tau_runs::{MetricsRow, read_if_there, write_atomically};

use super::accuracy;
use crate::output::table;

/// What is known of each N. A table of a version with fewer columns is read, and the others are empty.
pub(super) struct Tables(BTreeMap<usize, Portrait>);

impl Tables {
    /// neurons.csv, networks.csv, spectrum.csv; the last only if there are eigenvalues.
    pub(super) fn paths(folder: &Path) -> [PathBuf; 3] {
        ["neurons.csv", "networks.csv", "spectrum.csv"].map(|name| folder.join(name))
    }

    pub(super) fn read(folder: &Path, metrics: &[MetricsRow]) -> anyhow::Result<Self> {
        let [neurons, networks, spectrum] = Self::paths(folder);
        let mut all = BTreeMap::<usize, Portrait>::new();
        for row in rows::<NeuronRow>(&neurons)? {
            let one = all.entry(row.n).or_default();
            one.network.n = row.n;
            one.neurons.push(row);
        }
        // What has no neurons is nothing that was measured.
        for row in rows::<NetworkRow>(&networks)? {
            if let Some(one) = all.get_mut(&row.n) {
                one.network = row;
            }
        }
        for row in rows::<ModeRow>(&spectrum)? {
            if let Some(one) = all.get_mut(&row.n) {
                one.modes.push(row);
            }
        }
        all.values_mut().for_each(|one| one.summarise(accuracy(metrics, one.network.n)));
        Ok(Self(all))
    }

    pub(super) fn of(&self, n: usize) -> Option<&Portrait> {
        self.0.get(&n)
    }

    pub(super) fn insert(&mut self, found: Portrait) {
        self.0.insert(found.network.n, found);
    }

    pub(super) fn networks(&self) -> impl Iterator<Item = &NetworkRow> {
        self.0.values().map(|one| &one.network)
    }

    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let [neurons, networks, spectrum] = Self::paths(folder);
        write(&neurons, self.0.values().flat_map(|one| &one.neurons))?;
        write(&networks, self.networks())?;
        if self.0.values().any(|one| !one.modes.is_empty()) {
            write(&spectrum, self.0.values().flat_map(|one| &one.modes))?;
        }
        Ok(())
    }
}

/// Those of a file; none if it is not there.
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
