//! `tau import` and `tau export`: networks from and for other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tau_exchange::{export, read_pytorch};
use tau_rnn::{Activation, Cell, Checkpoint, Leaky, Placement};
use tau_runs::{Run, create_folder, read_if_there, write_atomically};
use tau_tasks::TaskSpec;
use tau_training::Milestone;

use crate::Usage;
use crate::output::say;

/// Read a network that PyTorch wrote, as the authors' release has them, and write it as a checkpoint.
///
/// The archive must hold a state_dict with parameterlist.0 (tau), modulelist.0 (input), modulelist.1
/// (recurrent) and modulelist.2, 3, ... (heads), all in single precision. It does not say which equations
/// its arrays belong to: --placement and --activation do. Its pickle is parsed, and no code in it is ever
/// run.
#[derive(Args)]
pub(crate) struct Import {
    /// The archive.
    archive: PathBuf,
    /// The checkpoint to write, for instance network.safetensors.
    checkpoint: PathBuf,
    /// N of the first head; the others follow it one by one. Remembered with the task.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    first_n: Option<u32>,
    /// The task that its heads answer [default with --first-n: parity].
    #[arg(long)]
    task: Option<TaskSpec>,
    /// Where its nonlinearity stands: whole (around the whole update) or drive (around the input of a
    /// neuron).
    #[arg(long, default_value = "whole", value_parser = placement)]
    placement: Placement,
    /// Its nonlinearity: leaky-relu, relu, tanh or sigmoid.
    #[arg(long, default_value = "leaky-relu")]
    activation: Activation,
    /// Replace the checkpoint if it is there.
    #[arg(long)]
    force: bool,
}

fn placement(name: &str) -> Result<Placement, String> {
    match name {
        "whole" => Ok(Placement::Whole),
        "drive" => Ok(Placement::Drive),
        _ => Err("allowed: whole, drive".to_owned()),
    }
}

impl Import {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        refuse_to_replace(&self.checkpoint, self.force)?;
        let same = |path: &Path| path.canonicalize().ok();
        if same(&self.archive).is_some() && same(&self.archive) == same(&self.checkpoint) {
            return Err(Usage("the checkpoint would replace the archive".to_owned()).into());
        }
        let mut network = read_pytorch(&self.archive)?;
        if let Cell::Leaky(leaky) = network.config.cell {
            let (placement, activation) = (self.placement, self.activation);
            network.config.cell = Cell::Leaky(Leaky { placement, activation, ..leaky });
        }
        let name = self.archive.to_string_lossy().into_owned();
        network.metadata.insert("imported_from".to_owned(), name);
        if let Some(task) = self.task(network.params.readouts.len())? {
            network.metadata.insert("task".to_owned(), serde_json::to_string(&task)?);
        }
        write_atomically(&self.checkpoint, &network.to_bytes()?)?;
        say!(
            "{}: {} neurons, {} heads; read with the nonlinearity {} and the placement {}",
            self.checkpoint.display(),
            network.params.hidden_size(),
            network.params.readouts.len(),
            self.activation,
            if self.placement == Placement::Whole { "whole" } else { "drive" }
        );
        Ok(ExitCode::SUCCESS)
    }

    /// The task that so many heads answer, as far as it was said.
    fn task(&self, heads: usize) -> anyhow::Result<Option<TaskSpec>> {
        let Some(first) = self.first_n else { return Ok(self.task.clone()) };
        let memory = Vec::from_iter((first as usize..).take(heads));
        let task = self.task.clone().unwrap_or_else(|| TaskSpec::parity(&[]));
        let filled = task.with_memory(&memory);
        let without = || Usage(format!("--first-n {first}: the task {task} has no N"));
        Ok(Some(filled.ok_or_else(without)?))
    }
}

/// Write a network for Python: npz, safetensors, and a forward pass in numpy.
///
/// The folder gets network.npz and network.safetensors (the same arrays, matrices [to, from]),
/// trajectory.npz (inputs, first and all following states, outputs of every head at every step, as tau
/// computes them) and forward.py, which reproduces them with numpy alone: python forward.py says how far
/// it is off.
#[derive(Args)]
pub(crate) struct Export {
    /// A checkpoint, or the folder of a run.
    network: PathBuf,
    /// Folder to write to.
    folder: PathBuf,
    #[command(flatten)]
    moment: Moment,
    /// Names the random bits of the trajectory.
    #[arg(long, default_value = "0")]
    seed: u64,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let network = read_network(&self.network, &self.moment)?;
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

/// Which of a run's networks.
#[derive(Args, Clone, Default)]
pub(crate) struct Moment {
    /// The network of this milestone of a run, as in its checkpoints/: N005, epoch-020, solved, final
    /// [default: the last solved stage, else the last milestone].
    #[arg(long, value_name = "MILESTONE")]
    at: Option<String>,
    /// The network that had solved this N, and the N that is asked for.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub(crate) n: Option<usize>,
}

impl Moment {
    /// The network that had solved N.
    pub(crate) fn n(n: Option<usize>) -> Self {
        Self { at: None, n }
    }

    /// The milestone that was asked for.
    fn asked(&self) -> Option<Milestone> {
        self.n.map(Milestone::n).or_else(|| self.at.clone().map(Milestone))
    }
}

/// A checkpoint, or that of a run at a moment.
pub(crate) fn read_network(path: &Path, moment: &Moment) -> anyhow::Result<Checkpoint<f32>> {
    if path.is_dir() {
        let run = Run::read(path)?;
        return Ok(run.checkpoint(&milestone(&run, moment)?)?);
    }
    if moment.at.is_some() {
        return Err(Usage("--at is for the folder of a run".to_owned()).into());
    }
    let missing = || Usage(format!("there is no file {}", path.display()));
    let bytes = read_if_there(path)?.ok_or_else(missing)?;
    Checkpoint::from_bytes(&bytes).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

/// The milestone of a run that was asked for; else that of the last solved stage, else the last one.
fn milestone(run: &Run, moment: &Moment) -> anyhow::Result<Milestone> {
    let there: Vec<Milestone> = run.milestones()?.into_iter().map(|one| one.milestone).collect();
    let names = || there.iter().map(Milestone::as_str).collect::<Vec<_>>().join(", ");
    if let Some(asked) = moment.asked() {
        if there.contains(&asked) {
            return Ok(asked);
        }
        let text = if there.is_empty() { "none yet".to_owned() } else { names() };
        return Err(Usage(format!("{asked}: {} has reached {text}", run.name())).into());
    }
    let reached = run.status()?.and_then(|status| status.reached).map(Milestone);
    let none = || Usage(format!("{} has reached no milestone yet: it has no network", run.name()));
    Ok(reached.or_else(|| there.last().cloned()).ok_or_else(none)?)
}

fn refuse_to_replace(path: &Path, force: bool) -> anyhow::Result<()> {
    if path.exists() && !force {
        return Err(Usage(format!("{} is there (--force replaces it)", path.display())).into());
    }
    Ok(())
}
