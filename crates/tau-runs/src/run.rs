//! One run: its folder and what is in it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tau_curricula::{Autopsy, Curriculum, TrainingSpec};
use tau_rnn::{Checkpoint, Hardware};
use tau_tasks::TaskKind;

use crate::files::{create_folder, read_if_there, write_atomically};
use crate::{Error, spec};

/// What defines a run, in its folder.
const SPEC: &str = "spec.toml";

/// One row of `metrics.csv`: a head after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsRow {
    /// Counted from 1.
    pub epoch: usize,
    /// Index of the readout.
    pub head: usize,
    /// What it answers for.
    pub n: usize,
    /// Share of right answers on the test batches, in [0, 1].
    pub accuracy: f64,
    /// Cross-entropy on the test batches, in nats.
    pub test_loss: f64,
    /// Loss of the whole network, mean over the epoch's updates, in nats.
    pub training_loss: f64,
    /// Whether the epoch solved its stage.
    pub solved: bool,
    /// Largest N solved so far.
    pub solved_n: usize,
    /// Seconds of training so far, over all starts.
    pub wall_s: f64,
}

impl MetricsRow {
    /// Whether it is the newest head, in the epoch that solved its N: then there is a checkpoint.
    #[must_use]
    pub fn solves(&self) -> bool {
        self.solved && self.n == self.solved_n
    }
}

/// The N that were solved, in their order: those with a checkpoint.
pub fn solved(rows: &[MetricsRow]) -> impl Iterator<Item = usize> {
    rows.iter().filter(|row| row.solves()).map(|row| row.n)
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Begun, and not at its end: it can go on.
    Unfinished,
    /// The last N is solved, or the curriculum has no further stage.
    Finished,
    /// `max_epochs` are over.
    OutOfEpochs,
    /// Loss or gradient stopped being finite.
    Diverged,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unfinished => "unfinished",
            Self::Finished => "finished",
            Self::OutOfEpochs => "out of epochs",
            Self::Diverged => "diverged",
        })
    }
}

/// Contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where the run stands.
    pub state: State,
    /// Epochs that are over.
    pub epochs: usize,
    /// Largest N solved so far; 0 for none.
    pub solved_n: usize,
    /// Seconds of training so far.
    pub wall_s: f64,
    /// What happened, for a run that diverged.
    pub reason: Option<String>,
}

/// A run in its folder.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    spec: TrainingSpec,
    hardware: Hardware,
}

impl Run {
    /// The run with this spec below `root`; nothing is written before it is trained. A run on another
    /// kind of device is another run, with another folder.
    ///
    /// # Errors
    /// A spec out of range; a folder that holds another run, or cannot be read.
    pub fn open(root: &Path, spec: TrainingSpec, hardware: Hardware) -> Result<Self, Error> {
        spec.check()?;
        let mut run = Self { folder: root.to_owned(), spec, hardware };
        let digest = run.digest()?;
        let TrainingSpec { curriculum, task, seed, network, .. } = &run.spec;
        let hidden = network.hidden_size;
        run.folder =
            root.join(format!("{task}_{curriculum}_h{hidden}_seed{seed}-{}", &digest[..12]));
        if run.spec_in_folder()?.is_some_and(|found| found != run.spec) {
            return Err(Error::Contents {
                path: run.folder.join(SPEC),
                reason: "it does not define the run of this folder".to_owned(),
                remedy: "was it edited? move the folder away to train the run anew",
            });
        }
        Ok(run)
    }

    /// The run in a folder, to be looked at.
    ///
    /// # Errors
    /// [`Error::NoRun`] for a folder without one; a spec that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut run = Self {
            folder: folder.to_owned(),
            spec: TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 1, 0),
            hardware: Hardware::Cpu,
        };
        run.spec =
            run.spec_in_folder()?.ok_or_else(|| Error::NoRun { folder: folder.to_owned() })?;
        Ok(run)
    }

    /// Of all that decides the result. Other arithmetic gives another network: it is another run.
    pub(crate) fn digest(&self) -> Result<String, Error> {
        let text = spec::write(&self.spec)?;
        let identity = format!("numerics = {}\n{text}", self.hardware.numerics()?);
        Ok(blake3::hash(identity.as_bytes()).to_hex().to_string())
    }

    fn spec_in_folder(&self) -> Result<Option<TrainingSpec>, Error> {
        let path = self.folder.join(SPEC);
        let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        spec::read_resolved(&text).map(Some).map_err(|error| Error::Contents {
            path,
            reason: error.to_string(),
            remedy: "was it edited? move the folder away to train the run anew",
        })
    }

    /// Makes the folder and writes what defines the run, if that was not done before.
    pub(crate) fn create(&self) -> Result<(), Error> {
        create_folder(&self.folder.join("checkpoints"))?;
        let path = self.folder.join(SPEC);
        if read_if_there(&path)?.is_none() {
            let text = format!("version = {}\n{}", spec::VERSION, spec::write(&self.spec)?);
            write_atomically(&path, text.as_bytes())?;
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

    /// Where it is computed.
    #[must_use]
    pub fn hardware(&self) -> Hardware {
        self.hardware
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
        let path = self.folder.join("metrics.csv");
        let remedy = "move the run's folder away to train it anew";
        let bytes = read_if_there(&path)?.unwrap_or_default();
        let rows: Result<Vec<MetricsRow>, _> =
            csv::Reader::from_reader(&bytes[..]).into_deserialize().collect();
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Err(Error::Contents { path, reason: error.to_string(), remedy }),
        };
        // The table is written before the status: it may be ahead of it, never behind.
        let (there, gone) =
            (rows.last().map_or(0, |row| row.epoch), self.status()?.map_or(0, |s| s.epochs));
        if there < gone {
            let reason = format!("it has {there} of {gone} epochs");
            return Err(Error::Contents { path, reason, remedy });
        }
        Ok(rows)
    }

    /// The network when it had solved N.
    ///
    /// # Errors
    /// A checkpoint that is missing, cut short or of another network.
    pub fn checkpoint(&self, n: usize) -> Result<Checkpoint<f32>, Error> {
        let path = self.checkpoint_path(n);
        let remedy = "move the run's folder away to train it anew";
        match self.read_checkpoint(&path, remedy)? {
            Some(checkpoint) => Ok(checkpoint),
            None => {
                let reason = "there is no such checkpoint".to_owned();
                let remedy = "if the run solved this N, move its folder away to train it anew";
                Err(Error::Contents { path, reason, remedy })
            }
        }
    }

    pub(crate) fn checkpoint_path(&self, n: usize) -> PathBuf {
        self.folder.join("checkpoints").join(format!("N{n:03}.safetensors"))
    }

    pub(crate) fn read_checkpoint(
        &self,
        path: &Path,
        remedy: &'static str,
    ) -> Result<Option<Checkpoint<f32>>, Error> {
        let Some(bytes) = read_if_there(path)? else { return Ok(None) };
        let unusable = |reason| Error::Contents { path: path.to_owned(), reason, remedy };
        let checkpoint =
            Checkpoint::from_bytes(&bytes).map_err(|error| unusable(error.to_string()))?;
        if checkpoint.config != self.spec.network {
            return Err(unusable("it holds a network of another kind than the run's".into()));
        }
        Ok(Some(checkpoint))
    }

    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        write_atomically(&self.folder.join(name), json(value).as_bytes())
    }

    pub(crate) fn read_json<T: DeserializeOwned>(
        &self,
        name: &str,
        remedy: &'static str,
    ) -> Result<Option<T>, Error> {
        let path = self.folder.join(name);
        let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Contents {
            path,
            reason: error.to_string(),
            remedy,
        })
    }
}

/// All runs in a folder, in the order of their names; those that cannot be read as errors.
///
/// # Errors
/// A folder that cannot be read.
pub fn runs_in(root: &Path) -> Result<Vec<Result<Run, Error>>, Error> {
    let failed = |source| Error::File {
        action: "read",
        path: root.to_owned(),
        source,
        remedy: "is it the folder of the runs?",
    };
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

/// JSON of plain data, which cannot fail.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
