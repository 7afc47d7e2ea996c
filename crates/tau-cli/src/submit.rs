//! `tau submit`: a sweep as a job array of Slurm.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use tau_rnn::Hardware;
use tau_runs::{Forecast, Run, create_folder, read_sweep, write_atomically};

use crate::Usage;
use crate::train::read;

/// The job, with gaps.
const SCRIPT: &str = include_str!("slurm.sh");

/// Submit a sweep to Slurm, as a job array that goes on by itself.
///
/// Each task of the array trains one shard of the sweep. Before its time is over a task is told
/// (SIGUSR1), keeps its runs and goes back into the queue, as it does when its node fails; what it
/// had trained is not trained again. Nothing needs to stay alive: `tau status` reads what the runs
/// wrote. Submitting again trains what is missing.
#[derive(Args)]
pub(crate) struct Submit {
    /// The sweep, as for `tau run`.
    sweep: PathBuf,
    /// Folder of the runs, which all nodes must see.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// To Slurm, the only one that is known.
    #[arg(long, required = true)]
    slurm: bool,
    /// Tasks of the array [default: one a run, at most 1000].
    #[arg(long, value_name = "n", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    shards: Option<u32>,
    /// Tasks that run at the same time, at most.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    array_limit: Option<u32>,
    /// Time of a task, as Slurm writes it.
    #[arg(long, default_value = "24:00:00")]
    time: String,
    /// Seconds before its end at which a task is told.
    #[arg(long, value_name = "S", default_value = "120", value_parser = clap::value_parser!(u32).range(10..=65_535))]
    notice: u32,
    /// Processors, and threads, of a task.
    #[arg(long, value_name = "T", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cpus: u16,
    /// Megabytes of memory of a task [default: what was reckoned, and some more].
    #[arg(long, value_name = "MB")]
    memory: Option<usize>,
    /// cpu, or cuda (then also --sbatch=--gres=gpu:1).
    #[arg(long, default_value = "cpu")]
    device: Hardware,
    /// One more option of sbatch, e. g. --sbatch=--partition=long. May be given again.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Only write the script and say where it is.
    #[arg(long)]
    dry_run: bool,
}

impl Submit {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let specs = read_sweep(&read(&self.sweep)?)?;
        // What a task needs is the same on any processor.
        let runs: Result<Vec<Run>, _> =
            specs.into_iter().map(|spec| Run::open(&self.out, spec, Hardware::Cpu)).collect();
        let runs = runs?;
        let shards = self.shards.unwrap_or(runs.len().min(1000) as u32);
        if shards as usize > runs.len() {
            let text = format!("--shards {shards}: there are {} runs", runs.len());
            return Err(Usage(text).into());
        }
        let memory = match self.memory {
            Some(memory) => memory,
            None => {
                let side_by_side = usize::from(self.cpus);
                let forecast = Forecast::of(&Vec::from_iter(&runs), side_by_side)?;
                300 + forecast.memory_bytes.div_ceil(500_000)
            }
        };
        let out = std::path::absolute(&self.out)?;
        let logs = out.join("slurm");
        create_folder(&logs)?;
        let script = logs.join("submit.sh");
        write_atomically(&script, self.script(shards, memory, &out, &logs)?.as_bytes())?;
        if self.dry_run {
            println!("{}", script.display());
            return Ok(ExitCode::SUCCESS);
        }
        let output = Command::new("sbatch").arg("--parsable").arg(&script).output();
        let output = output.map_err(|error| {
            anyhow::anyhow!("cannot run sbatch: {error} (the script is {})", script.display())
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            anyhow::bail!("sbatch: {} (the script is {})", said.trim(), script.display());
        }
        let job = String::from_utf8_lossy(&output.stdout);
        println!(
            "job {}: {} runs in {shards} tasks; logs in {}; tau status --out {}",
            job.trim(),
            runs.len(),
            logs.display(),
            self.out.display()
        );
        Ok(ExitCode::SUCCESS)
    }

    fn script(
        &self,
        shards: u32,
        memory: usize,
        out: &Path,
        logs: &Path,
    ) -> anyhow::Result<String> {
        let limit = self.array_limit.map_or_else(String::new, |limit| format!("%{limit}"));
        let stem = self.sweep.file_stem().unwrap_or_default().to_string_lossy();
        let name: String =
            stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let options = self.sbatch.iter().map(|option| format!("#SBATCH {option}\n"));
        let gaps = [
            ("name", format!("tau-{name}")),
            ("array", format!("1-{shards}{limit}")),
            ("time", self.time.clone()),
            ("cpus", self.cpus.to_string()),
            ("memory", memory.to_string()),
            ("notice", self.notice.to_string()),
            ("logs", unspaced(logs)?),
            ("options", options.collect()),
            ("tau", quoted(&std::env::current_exe()?)),
            ("sweep", quoted(&std::path::absolute(&self.sweep)?)),
            ("out", quoted(out)),
            ("shards", shards.to_string()),
            ("device", self.device.to_string()),
        ];
        let fill = |text: String, (gap, value): (&str, String)| {
            text.replace(&format!("{{{gap}}}"), &value)
        };
        Ok(gaps.into_iter().fold(SCRIPT.to_owned(), fill))
    }
}

/// As one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// Lines of #SBATCH are cut at spaces.
fn unspaced(path: &Path) -> anyhow::Result<String> {
    let text = path.to_string_lossy().into_owned();
    if text.contains(char::is_whitespace) {
        return Err(Usage(format!("{text}: Slurm wants a folder without spaces")).into());
    }
    Ok(text)
}
