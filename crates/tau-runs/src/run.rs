//! One run: its folder and what is in it.

use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use tau_rnn::{Checkpoint, Hardware};
use tau_training::{Autopsy, Milestone, TrainingSpec};

use crate::files::{create_folder, read_if_there, write_atomically};
use crate::metrics::{MetricsRow, Reached, from_table, milestones};
use crate::{Error, Status, format, manifest, spec};

/// What defines a run, in its folder.
const SPEC: &str = "spec.toml";
/// What was written after every epoch.
pub(crate) const METRICS: &str = "metrics.csv";
/// The last state that was kept.
pub(crate) const LATEST: &str = "latest.safetensors";
/// The remedy for files that only a training makes.
pub(crate) const MOVE_AWAY: &str = "move the run's folder away to train it anew";
const EDITED: &str = "was it edited? move the folder away to train the run anew";

/// A run in its folder.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    spec: TrainingSpec,
    hardware: Option<Hardware>,
}

impl Run {
    /// The run with this spec below `root`; nothing is written before it is trained. A run on another
    /// kind of device is another run, with another folder.
    ///
    /// # Errors
    /// A spec out of range; a folder that holds another run, or cannot be read.
    pub fn open(root: &Path, spec: TrainingSpec, hardware: Hardware) -> Result<Self, Error> {
        spec.check()?;
        let digest = digest(&spec, hardware)?;
        let TrainingSpec { schedule, task, seed, network, .. } = &spec;
        let hidden = network.hidden_size;
        let name = format!("{task}_{schedule}_h{hidden}_seed{seed}-{}", &digest[..12]);
        let run = Self { folder: root.join(name), spec, hardware: Some(hardware) };
        if spec_in(&run.folder)?.is_some_and(|found| found != run.spec) {
            let reason = "it does not define the run of this folder";
            return Err(Error::contents(&run.folder.join(SPEC), reason, EDITED));
        }
        Ok(run)
    }

    /// The run in a folder, to be looked at. Its device is the one that its manifest names.
    ///
    /// # Errors
    /// [`Error::is_of_files`] for a spec or a manifest that cannot be read; a folder without a run.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let spec = spec_in(folder)?.ok_or_else(|| Error::no_run(folder))?;
        let mut run = Self { folder: folder.to_owned(), spec, hardware: None };
        run.hardware = run.manifest()?.and_then(|manifest| manifest.hardware.parse().ok());
        Ok(run)
    }

    /// BLAKE3 of all that decides the result. Other arithmetic gives another network: it is another run.
    pub(crate) fn digest(&self) -> Result<String, Error> {
        digest(&self.spec, self.known_hardware()?)
    }

    /// Makes the folder and writes what defines the run, if that was not done before.
    pub(crate) fn create(&self) -> Result<(), Error> {
        create_folder(&self.folder.join("checkpoints"))?;
        let path = self.folder.join(SPEC);
        if read_if_there(&path)?.is_none() {
            write_atomically(&path, spec::write(&self.spec)?.as_bytes())?;
        }
        Ok(())
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where it is computed; `None` if it was read from a folder that does not say it.
    #[must_use]
    pub fn hardware(&self) -> Option<Hardware> {
        self.hardware
    }

    pub(crate) fn known_hardware(&self) -> Result<Hardware, Error> {
        self.hardware.ok_or_else(|| Error::no_hardware(&self.folder))
    }

    /// What defines the run.
    #[must_use]
    pub fn spec(&self) -> &TrainingSpec {
        &self.spec
    }

    /// Where it stands; `None` if it was never begun.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn status(&self) -> Result<Option<Status>, Error> {
        self.read_json("status.json", "delete it: the run then goes on from its last epoch")
    }

    /// What the network was like before it diverged; `None` if it did not.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn autopsy(&self) -> Result<Option<Autopsy>, Error> {
        self.read_json("autopsy.json", "delete it: the run is not changed by that")
    }

    /// What was written after every epoch.
    ///
    /// # Errors
    /// A table that cannot be read, or that lacks epochs that the run has gone through.
    pub fn metrics(&self) -> Result<Vec<MetricsRow>, Error> {
        let path = self.folder.join(METRICS);
        let unusable = |reason: String| Error::contents(&path, reason, MOVE_AWAY);
        if let Some(manifest) = self.manifest()? {
            manifest::check_metrics(manifest.metrics_format).map_err(unusable)?;
        }
        let bytes = read_if_there(&path)?.unwrap_or_default();
        let rows = from_table(&bytes).map_err(unusable)?;
        // The table is written before the status: it may be ahead of it, never behind.
        let (there, gone) =
            (rows.last().map_or(0, |row| row.epoch), self.status()?.map_or(0, |s| s.epochs));
        if there < gone {
            return Err(unusable(format!("it has {there} of {gone} epochs")));
        }
        Ok(rows)
    }

    /// The milestones that the run has reached, in their order; each has a checkpoint.
    ///
    /// # Errors
    /// The errors of [`metrics`](Self::metrics).
    pub fn milestones(&self) -> Result<Vec<Reached>, Error> {
        Ok(milestones(&self.metrics()?))
    }

    /// The network of a milestone.
    ///
    /// # Errors
    /// A checkpoint that is missing, cut short or of another network.
    pub fn checkpoint(&self, milestone: &Milestone) -> Result<Checkpoint<f32>, Error> {
        let path = self.checkpoint_path(milestone);
        match self.read_checkpoint(&path, MOVE_AWAY)? {
            Some(checkpoint) => Ok(checkpoint),
            None => {
                let remedy = "if the run reached it, move its folder away to train it anew";
                Err(Error::contents(&path, "there is no such checkpoint", remedy))
            }
        }
    }

    pub(crate) fn checkpoint_path(&self, milestone: &Milestone) -> PathBuf {
        self.folder.join("checkpoints").join(format!("{milestone}.safetensors"))
    }

    pub(crate) fn read_checkpoint(
        &self,
        path: &Path,
        remedy: &'static str,
    ) -> Result<Option<Checkpoint<f32>>, Error> {
        let Some(bytes) = read_if_there(path)? else { return Ok(None) };
        let checkpoint =
            Checkpoint::from_bytes(&bytes).map_err(|error| Error::contents(path, error, remedy))?;
        if checkpoint.config != self.spec.network {
            let reason = "it holds a network of another kind than the run's";
            return Err(Error::contents(path, reason, remedy));
        }
        Ok(Some(checkpoint))
    }

    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        write_atomically(&self.folder.join(name), format::to_json(value).as_bytes())
    }

    pub(crate) fn read_json<T: DeserializeOwned>(
        &self,
        name: &str,
        remedy: &'static str,
    ) -> Result<Option<T>, Error> {
        let path = self.folder.join(name);
        let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
        let value = format::from_json(&bytes);
        value.map(Some).map_err(|reason| Error::contents(&path, reason, remedy))
    }
}

fn digest(spec: &TrainingSpec, hardware: Hardware) -> Result<String, Error> {
    let values = spec::canonical(spec)?;
    let identity = format!("numerics = {}\n{values}", hardware.numerics()?);
    Ok(blake3::hash(identity.as_bytes()).to_hex().to_string())
}

fn spec_in(folder: &Path) -> Result<Option<TrainingSpec>, Error> {
    let path = folder.join(SPEC);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    spec::read_resolved(&text).map(Some).map_err(|fault| Error::contents(&path, fault, EDITED))
}

/// The runs in the folders below `root`, in the order of their names. Those that cannot be read are
/// there as errors.
///
/// # Errors
/// A folder that cannot be read.
pub fn runs_in(root: &Path) -> Result<Vec<Result<Run, Error>>, Error> {
    let failed = |source| Error::file("read", root, source, "is it the folder of the runs?");
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join(SPEC).exists() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders.iter().map(|folder| Run::read(folder)).collect())
}
