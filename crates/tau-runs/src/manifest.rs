//! The program and the machine that computed a run, and digests of its files: `manifest.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tau_rnn::Hardware;

use crate::files::read_if_there;
use crate::lock::host;
use crate::{Error, Run, format};

const NAME: &str = "manifest.json";
/// The version of `metrics.csv`, which has no room for it.
const METRICS_FORMAT: i64 = 1;
const REMEDY: &str = "delete it: the next start of the run writes it anew";

/// The program that computes, and its device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit of the program's source, or `unknown`.
    pub commit: String,
    /// Processor or accelerator.
    pub device: String,
    /// Threads of the pool.
    pub threads: usize,
}

impl Provenance {
    /// A program of this version and commit, on a device of this machine.
    ///
    /// # Errors
    /// [`tau_rnn::Error::NoDevice`].
    pub fn here(
        version: &str,
        commit: &str,
        hardware: Hardware,
        threads: usize,
    ) -> Result<Self, tau_rnn::Error> {
        let (version, commit) = (version.to_owned(), commit.to_owned());
        Ok(Self { version, commit, device: hardware.name()?, threads })
    }
}

/// Contents of `manifest.json`: of the last start of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program that computed the run.
    #[serde(flatten)]
    pub by: Provenance,
    /// Name of the machine.
    pub host: String,
    /// The device as `--device` names it, for instance `cpu` or `cuda:0`.
    pub hardware: String,
    /// The arithmetic: runs with another one have other bits, and another folder.
    pub numerics: String,
    /// BLAKE3 of what defines the run; the folder's name ends with its first digits.
    pub digest: String,
    /// Version of the columns of `metrics.csv`.
    pub metrics_format: i64,
    /// Seconds of training over all starts, when the last one ended; `None` while it goes on, or if
    /// it was killed.
    pub wall_s: Option<f64>,
    /// BLAKE3 of each file (its path in the folder) when the last start ended; empty before.
    pub files: BTreeMap<String, String>,
}

/// Checks the version of `metrics.csv` that a manifest says.
pub(crate) fn check_metrics(found: i64) -> Result<(), String> {
    format::check(Some(found), found)
}

impl Run {
    /// The manifest of the last start; `None` if the run was never begun.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>, Error> {
        self.read_json(NAME, REMEDY)
    }

    /// The files that are no longer what the last start left, or gone.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn altered(&self) -> Result<Vec<String>, Error> {
        let Some(manifest) = self.manifest()? else { return Ok(Vec::new()) };
        let mut altered = Vec::new();
        for (name, digest) in manifest.files {
            let bytes = read_if_there(&self.folder().join(&name))?;
            if bytes.is_none_or(|bytes| *blake3::hash(&bytes).to_hex() != *digest) {
                altered.push(name);
            }
        }
        Ok(altered)
    }

    pub(crate) fn write_manifest(&self, by: &Provenance, wall_s: Option<f64>) -> Result<(), Error> {
        let files = if wall_s.is_some() { digests(self.folder())? } else { BTreeMap::new() };
        let hardware = self.known_hardware()?;
        let manifest = Manifest {
            by: by.clone(),
            host: host(),
            hardware: hardware.to_string(),
            numerics: hardware.numerics()?,
            digest: self.digest()?,
            metrics_format: METRICS_FORMAT,
            wall_s,
            files,
        };
        self.write_json(NAME, &manifest)
    }
}

/// Digests of all files that training writes (measurements come and go).
fn digests(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut names = Vec::new();
    for (inside, prefix) in [(folder.to_owned(), ""), (folder.join("checkpoints"), "checkpoints/")]
    {
        let failed = |source| Error::file("read", &inside, source, "may it be read?");
        for entry in std::fs::read_dir(&inside).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_file() && !name.starts_with('.') && name != NAME {
                names.push(format!("{prefix}{name}"));
            }
        }
    }
    let mut files = BTreeMap::new();
    for name in names {
        if let Some(bytes) = read_if_there(&folder.join(&name))? {
            files.insert(name, blake3::hash(&bytes).to_hex().to_string());
        }
    }
    Ok(files)
}
