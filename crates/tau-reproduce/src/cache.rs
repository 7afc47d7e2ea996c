//! Measurements are kept beside the run, with the settings that they were made with.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tau_runs::{Run, read_if_there, write_atomically};

use crate::{Compat, Error};

/// Raised whenever an estimator changes: older measurements are then made anew.
const ESTIMATORS: u32 = 2;

/// A measurement with the settings that it was made with.
#[derive(Serialize, Deserialize)]
struct Cached<S, T> {
    estimators: u32,
    settings: S,
    result: T,
}

/// The name of a measurement at one N.
pub(crate) fn named(what: &str, n: usize, compat: Compat) -> String {
    match compat {
        Compat::Clean => format!("{what}_N{n:03}"),
        Compat::Iclr2024 => format!("{what}_{}_N{n:03}", compat.name()),
    }
}

/// Reads the measurement from the run's folder if it was made with the same settings; otherwise
/// makes and writes it. A file that cannot be read counts as none: it is made anew.
pub(crate) fn cached<S, T>(
    run: &Run,
    name: &str,
    settings: &S,
    measure: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error>
where
    S: Serialize + DeserializeOwned + PartialEq + Clone,
    T: Serialize + DeserializeOwned + Clone,
{
    let folder = run.folder().join("measures");
    let path = folder.join(format!("{name}.json"));
    if let Some(found) = read_cached(&path, settings)? {
        return Ok(found);
    }
    let result = measure()?;
    tau_runs::create_folder(&folder)?;
    let entry =
        Cached { estimators: ESTIMATORS, settings: settings.clone(), result: result.clone() };
    write_atomically(&path, &serde_json::to_vec(&entry)?)?;
    Ok(result)
}

fn read_cached<S, T>(path: &Path, settings: &S) -> Result<Option<T>, Error>
where
    S: DeserializeOwned + PartialEq,
    T: DeserializeOwned,
{
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    let entry: Option<Cached<S, T>> = serde_json::from_slice(&bytes).ok();
    let same = |entry: &Cached<S, T>| entry.estimators == ESTIMATORS && entry.settings == *settings;
    Ok(entry.filter(same).map(|entry| entry.result))
}
