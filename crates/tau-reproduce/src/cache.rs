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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_paper::{PAPER, Seeds, Settings};
    use crate::{Compat, Measurement};
    use tau_rnn::Hardware;

    /// A run that is not trained, and what a measurement of it makes: the number of calls so far.
    struct Place {
        _folder: tempfile::TempDir,
        run: Run,
        calls: std::cell::Cell<u64>,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let preset = PAPER.load().unwrap().preset("few", Compat::CLEAN).unwrap();
            let (_, _, spec) = preset.runs().next().unwrap();
            let run = Run::open(folder.path(), spec, Hardware::Cpu).unwrap();
            Self { _folder: folder, run, calls: std::cell::Cell::new(0) }
        }

        fn measure(&self, settings: &Settings, site: u32) -> Result<Option<u64>, Error> {
            cached::<Seeds>(&self.run, settings, &site, || {
                self.calls.set(self.calls.get() + 1);
                Ok(Some(self.calls.get()).filter(|_| site != 0))
            })
        }

        fn files(&self) -> Vec<PathBuf> {
            let folder = std::fs::read_dir(self.run.folder().join("measures")).unwrap();
            folder.map(|entry| entry.unwrap().path()).collect()
        }
    }

    const SETTINGS: Settings = Settings { times: 2, sites: 1 };

    #[test]
    fn what_was_measured_is_read_back_by_settings_and_site() {
        let place = Place::new();
        let measured = |settings: &Settings, site| place.measure(settings, site).unwrap();
        assert_eq!(measured(&SETTINGS, 1), Some(1));
        assert_eq!(measured(&SETTINGS, 1), Some(1));
        // Fields that choose sites are no part of the key.
        assert_eq!(measured(&Settings { sites: 9, ..SETTINGS }, 1), Some(1));
        assert_eq!(measured(&SETTINGS, 2), Some(2));
        assert_eq!(measured(&Settings { times: 3, ..SETTINGS }, 1), Some(3));
        assert_eq!(measured(&SETTINGS, 1), Some(1));
        // That there is no such number is kept, too.
        assert_eq!((measured(&SETTINGS, 0), measured(&SETTINGS, 0)), (None, None));
        assert_eq!((place.calls.get(), place.files().len()), (4, 4));
    }

    #[test]
    fn a_broken_file_is_made_anew_and_a_newer_one_is_refused() {
        let place = Place::new();
        let of = |site| place.measure(&SETTINGS, site);
        assert_eq!(of(1).unwrap(), Some(1));
        let [path] = &place.files()[..] else { panic!("one file") };
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(name.starts_with("seeds_1_") && name.ends_with(".json"), "{name}");
        std::fs::write(path, "{\"settings\":").unwrap();
        assert_eq!(of(1).unwrap(), Some(2));
        let text = std::fs::read_to_string(path).unwrap();
        let older = text.replace("\"version\":1", "\"version\":0");
        std::fs::write(path, older).unwrap();
        assert_eq!((of(1).unwrap(), Seeds::VERSION), (Some(3), 1));
        std::fs::write(path, text.replace("\"format\":1", "\"format\":2")).unwrap();
        let error = of(1).unwrap_err().to_string();
        let remedy = "format: 2 (allowed: 1; a newer tau wrote it: use that one)";
        assert_eq!(error, format!("cannot use {}: {remedy}", path.display()));
    }
}
