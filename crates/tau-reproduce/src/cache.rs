//! Measurements are kept beside the run, with the settings that they were made with.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tau_runs::{Run, create_folder, read_if_there, write_atomically};

use crate::{Error, Measurement};

/// Version of the files.
const FORMAT: u32 = 1;
/// Hexadecimal digits of the settings' digest in a file's name.
const DIGITS: usize = 8;

/// A measurement with all that decides it.
#[derive(Serialize, Deserialize)]
struct Kept<T> {
    format: u32,
    measurement: String,
    version: u32,
    settings: Value,
    site: String,
    /// `null` where there is no such number.
    result: Option<T>,
}

/// Reads the measurement from the run's folder if it was made with the same settings; otherwise
/// makes and writes it. A file that cannot be read counts as none: it is made anew.
pub(crate) fn cached<M: Measurement>(
    run: &Run,
    settings: &M::Settings,
    site: &M::Site,
    measure: impl FnOnce() -> Result<Option<M::Output>, Error>,
) -> Result<Option<M::Output>, Error> {
    let folder = run.folder().join("measures");
    let entry = Kept {
        format: FORMAT,
        measurement: M::ID.to_owned(),
        version: M::VERSION,
        settings: serde_json::to_value(settings)?,
        site: site.to_string(),
        result: None,
    };
    let path = path(&folder, &entry);
    if let Some(found) = read(&path, &entry)? {
        return Ok(found.result);
    }
    let entry = Kept { result: measure()?, ..entry };
    create_folder(&folder)?;
    write_atomically(&path, &serde_json::to_vec(&entry)?)?;
    Ok(entry.result)
}

/// `tau-net_N005_1f8a90cd.json`: other settings have a file of their own.
fn path<T>(folder: &Path, entry: &Kept<T>) -> PathBuf {
    let digest = blake3::hash(entry.settings.to_string().as_bytes()).to_hex();
    folder.join(format!("{}_{}_{}.json", entry.measurement, entry.site, &digest[..DIGITS]))
}

/// The entry of a file that has the same key.
fn read<T: for<'de> Deserialize<'de>>(
    path: &Path,
    key: &Kept<T>,
) -> Result<Option<Kept<T>>, Error> {
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return Ok(None) };
    check_format(path, &value, FORMAT)?;
    let entry: Option<Kept<T>> = serde_json::from_value(value).ok();
    Ok(entry.filter(|entry| {
        let of = |kept: &Kept<T>| (kept.measurement.clone(), kept.version, kept.site.clone());
        of(entry) == of(key) && entry.settings == key.settings
    }))
}

/// Refuses a file of a newer version of its format; one that says none is not ours, and counts as none.
pub(crate) fn check_format(path: &Path, value: &Value, allowed: u32) -> Result<(), Error> {
    let found = value.get("format").and_then(Value::as_u64);
    match found.map(|found| u32::try_from(found).unwrap_or(u32::MAX)) {
        Some(found) if found > allowed => {
            Err(Error::Format { path: path.display().to_string(), found, allowed })
        }
        _ => Ok(()),
    }
}
