//! `tau import` and `tau export`: networks from and for other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tau_exchange::{export, read_pytorch};
use tau_rnn::Checkpoint;
use tau_runs::{Run, create_folder, read_if_there, write_atomically};

use crate::Usage;
use crate::output::say;

/// Read a network that PyTorch wrote, as the authors' release has them, and write it as a checkpoint.
///
/// The archive must hold a state_dict with parameterlist.0 (tau), modulelist.0 (input), modulelist.1
/// (recurrent) and modulelist.2, 3, ... (heads), all in single precision. Its pickle is parsed, and
/// no code in it is ever run.
#[derive(Args)]
pub(crate) struct Import {
    /// The archive.
    archive: PathBuf,
    /// The checkpoint to write, for instance network.safetensors.
    checkpoint: PathBuf,
    /// N of the first head; the others follow it one by one. Only remembered, as `memory`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    first_n: Option<u32>,
    /// Replace the checkpoint if it is there.
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        refuse_to_replace(&self.checkpoint, self.force)?;
        let same = |path: &Path| path.canonicalize().ok();
        if same(&self.archive).is_some() && same(&self.archive) == same(&self.checkpoint) {
            return Err(Usage("the checkpoint would replace the archive".to_owned()).into());
        }
        let mut network = read_pytorch(&self.archive)?;
        let name = self.archive.to_string_lossy().into_owned();
        network.metadata.insert("imported_from".to_owned(), name);
        if let Some(first) = self.first_n {
            let first = u64::from(first);
            let memory = Vec::from_iter((first..).take(network.params.readouts.len()));
            network.metadata.insert("memory".to_owned(), serde_json::to_string(&memory)?);
        }
        write_atomically(&self.checkpoint, &network.to_bytes()?)?;
        say!(
            "{}: {} neurons, {} heads",
            self.checkpoint.display(),
            network.params.hidden_size(),
            network.params.readouts.len()
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Write a network for Python: npz, safetensors, and a forward pass in numpy.
///
/// The folder gets network.npz and network.safetensors (the same arrays, matrices [to, from]),
/// trajectory.npz (inputs, first and all following states, outputs, as tau computes them) and
/// forward.py, which reproduces them with numpy alone: python forward.py says how far it is off.
#[derive(Args)]
pub(crate) struct Export {
    /// A checkpoint, or the folder of a run (its network of the largest solved N).
    network: PathBuf,
    /// Folder to write to.
    folder: PathBuf,
    /// N of the network, of a run.
    #[arg(long, value_name = "N")]
    n: Option<usize>,
    /// Names the random bits of the trajectory.
    #[arg(long, default_value = "0")]
    seed: u64,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let network = read_network(&self.network, self.n, "--n")?;
        let files = export(&network, self.seed)?;
        for (name, _) in &files {
            refuse_to_replace(&self.folder.join(name), self.force)?;
        }
        create_folder(&self.folder)?;
        // The network itself last: where it is, the rest belongs to it.
        for (name, bytes) in files.into_iter().rev() {
            let path = self.folder.join(name);
            write_atomically(&path, &bytes)?;
            say!("{}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A checkpoint, or that of a run at an N (the value of this option), or at the largest that it solved.
pub(crate) fn read_network(
    path: &Path,
    n: Option<usize>,
    option: &str,
) -> anyhow::Result<Checkpoint<f32>> {
    if path.is_dir() {
        let run = Run::read(path)?;
        let solved = run.status()?.map_or(0, |status| status.solved_n);
        if n.is_none() && solved == 0 {
            return Err(Usage(format!("{} has solved no N yet", run.name())).into());
        }
        let rows = run.metrics()?;
        let there: Vec<usize> = tau_runs::solved(&rows).collect();
        if let Some(n) = n.filter(|n| !there.contains(n)) {
            return Err(Usage(format!("{option} {n}: the run solved {there:?}")).into());
        }
        return Ok(run.checkpoint(n.unwrap_or(solved))?);
    }
    if n.is_some() {
        return Err(Usage(format!("{option} is for the folder of a run")).into());
    }
    let missing = || Usage(format!("there is no file {}", path.display()));
    let bytes = read_if_there(path)?.ok_or_else(missing)?;
    Checkpoint::from_bytes(&bytes).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

fn refuse_to_replace(path: &Path, force: bool) -> anyhow::Result<()> {
    if path.exists() && !force {
        return Err(Usage(format!("{} is there (--force replaces it)", path.display())).into());
    }
    Ok(())
}
