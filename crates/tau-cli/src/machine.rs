//! What the machine has besides its processors: memory, disk, Slurm.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sysinfo::{Disks, System};
use tau_runs::{Lock, write_atomically};

use crate::output::size;

/// About a network of 500 neurons with its momentum.
const CHECKPOINT_BYTES: usize = 2_000_000;

/// Free and in all; what a container or a job of Slurm may have, if that is less.
pub(crate) fn memory() -> String {
    let Ok(mut system) = System::new() else { return "not known".to_owned() };
    system.refresh_memory();
    let (mut free, mut total, mut whose) = (system.available_memory(), system.total_memory(), "");
    if let Some(limits) = system.cgroup_limits()
        && limits.total_memory < total
    {
        (free, total, whose) = (free.min(limits.free_memory), limits.total_memory, ", its limit");
    }
    format!("{} free of {}{whose}", size(free), size(total))
}

/// Room in the folder, and whether runs can live there.
pub(crate) fn disk(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let disks = Disks::new_with_refreshed_list();
    let holds = disks.iter().flatten().filter(|disk| whole.starts_with(disk.mount_point()));
    let free = holds.max_by_key(|disk| disk.mount_point().components().count()).map_or_else(
        String::new,
        |disk| {
            let system = disk.file_system().to_string_lossy().into_owned();
            format!("{} free ({system}), ", size(disk.available_space()))
        },
    );
    let usable = try_out(&whole).unwrap_or_else(|error| format!("no place for runs: {error}"));
    format!("{free}{usable}: {}", whole.display())
}

/// A lock and a checkpoint, as a run does it.
fn try_out(folder: &Path) -> anyhow::Result<String> {
    let folder = tempfile::Builder::new().prefix(".tau-doctor-").tempdir_in(folder)?;
    let _lock = Lock::take(folder.path())?;
    let start = Instant::now();
    write_atomically(&folder.path().join("checkpoint"), &vec![1; CHECKPOINT_BYTES])?;
    let ms = 1e3 * start.elapsed().as_secs_f64();
    Ok(format!("locks work, {ms:.0} ms for a checkpoint of 500 neurons"))
}

/// Slurm's version, and the job that this is, if any.
pub(crate) fn slurm() -> String {
    let version = match Command::new("sbatch").arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => return "none (no sbatch: `tau submit` needs one)".to_owned(),
    };
    let job = std::env::var("SLURM_JOB_ID").map_or(String::new(), |job| format!(", in job {job}"));
    // By it a task that was stopped goes back into the queue.
    let requeues = Command::new("scontrol").arg("--version").output().is_ok();
    let requeues = if requeues { "" } else { "; no scontrol here: stopped tasks are not requeued" };
    format!("{version}{job}{requeues}")
}
