//! `tau submit`: a sweep as a job array of Slurm.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use tau_rnn::Hardware;
use tau_runs::{Forecast, Run, State, create_folder, write_atomically};

use crate::Usage;
use crate::output::say;
use crate::sweep::sweep_of;
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
    /// Time of a task, as Slurm writes it: minutes, h:mm:ss, d-h, d-hh:mm:ss.
    #[arg(long, default_value = "24:00:00", value_parser = slurm_time)]
    time: String,
    /// Seconds before its end at which a task is told.
    #[arg(long, value_name = "S", default_value = "120", value_parser = clap::value_parser!(u32).range(10..=65_535))]
    notice: u32,
    /// Processors, and threads, of a task.
    #[arg(long, value_name = "T", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cpus: u16,
    /// Megabytes of memory of a task [default: what the forecast says, and some more].
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
    /// cpu, or cuda (then also --sbatch=--gres=gpu:1).
    #[arg(long, default_value = "cpu")]
    device: Hardware,
    /// One more option of sbatch, e. g. --sbatch=--partition=long. May be given again.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Keep the state after every K updates of an epoch [default: after half a minute].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    checkpoint_every: Option<u32>,
    /// Only write the script and say where it is.
    #[arg(long)]
    dry_run: bool,
}

impl Submit {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let text = read(&self.sweep)?;
        let specs = sweep_of(&self.sweep, &text)?;
        // What a task needs is the same on any processor.
        let runs: Result<Vec<Run>, _> =
            specs.into_iter().map(|spec| Run::open(&self.out, spec, Hardware::Cpu)).collect();
        let runs = runs?;
        let shards = self.shards.unwrap_or(runs.len().min(1000) as u32);
        if shards as usize > runs.len() {
            let text = format!("--shards {shards}: there are {} runs", runs.len());
            return Err(Usage(text).into());
        }
        let wanted = wanted(&runs, shards as usize);
        if wanted.is_empty() {
            say!("all {} runs have ended: nothing to submit", runs.len());
            return Ok(ExitCode::SUCCESS);
        }
        let (script, logs) = self.write(&text, &runs, shards, &wanted)?;
        if self.dry_run {
            say!("{}", script.display());
            return Ok(ExitCode::SUCCESS);
        }
        say!(
            "job {}: {} runs, {} tasks; logs in {}; tau status --out {}",
            submitted(&script)?,
            runs.len(),
            wanted.len(),
            logs.display(),
            self.out.display()
        );
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the script and what it needs; the paths of the script and of the logs.
    fn write(
        &self,
        text: &str,
        runs: &[Run],
        shards: u32,
        wanted: &[usize],
    ) -> anyhow::Result<(PathBuf, PathBuf)> {
        let memory = match self.memory {
            Some(memory) => memory as usize,
            None => megabytes(runs, usize::from(self.cpus))?,
        };
        let out = std::path::absolute(&self.out)?;
        let logs = out.join("slurm");
        create_folder(&logs)?;
        // Its own copy: tasks that start later must find the same shards.
        let digest = &blake3::hash(text.as_bytes()).to_hex()[..12];
        let sweep = logs.join(format!("{}-{digest}.toml", self.name()));
        write_atomically(&sweep, text.as_bytes())?;
        let script = logs.join("submit.sh");
        let job = Job { shards, wanted, memory, sweep: &sweep, out: &out, logs: &logs };
        write_atomically(&script, self.script(&job)?.as_bytes())?;
        Ok((script, logs))
    }

    /// The name of the sweep, as far as Slurm takes it.
    fn name(&self) -> String {
        let stem = self.sweep.file_stem().unwrap_or_default().to_string_lossy();
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }

    fn script(&self, job: &Job) -> anyhow::Result<String> {
        let limit = self.array_limit.map_or_else(String::new, |limit| format!("%{limit}"));
        let options = self.sbatch.iter().map(|option| format!("#SBATCH {option}\n"));
        let every = self.checkpoint_every;
        let every = every.map_or_else(String::new, |k| format!(" --checkpoint-every {k}"));
        let gaps = [
            ("name", format!("tau-{}", self.name())),
            ("array", format!("{}{limit}", ranges(job.wanted))),
            ("time", self.time.clone()),
            ("cpus", self.cpus.to_string()),
            ("memory", job.memory.to_string()),
            ("notice", self.notice.to_string()),
            ("logs", unspaced(job.logs)?),
            ("options", options.collect()),
            ("tau", quoted(&std::env::current_exe()?)),
            ("sweep", quoted(job.sweep)),
            ("out", quoted(job.out)),
            ("shards", job.shards.to_string()),
            ("device", self.device.to_string()),
            ("every", every),
        ];
        // In one pass: a value may look like a gap.
        let mut parts = SCRIPT.split('{');
        let mut script = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let gap = part.split_once('}').and_then(|(name, rest)| {
                gaps.iter().find(|(gap, _)| *gap == name).map(|(_, value)| (value, rest))
            });
            match gap {
                Some((value, rest)) => script.extend([value, rest]),
                None => script.extend(["{", part]),
            }
        }
        Ok(script)
    }
}

/// Megabytes that the program itself takes, and what no forecast knows.
const PROGRAM: usize = 150;

/// Memory of a task, in megabytes: what is forecast, a quarter more, and the program.
fn megabytes(runs: &[Run], threads: usize) -> anyhow::Result<usize> {
    let forecast = Forecast::of(&Vec::from_iter(runs), threads, 0.6)?;
    Ok(PROGRAM + (forecast.memory_bytes + forecast.memory_bytes / 4).div_ceil(1_000_000))
}

/// Hands the script to Slurm; the number of the job. A site's greeting may stand before it.
fn submitted(script: &Path) -> anyhow::Result<String> {
    let output = Command::new("sbatch").arg("--parsable").arg(script).output();
    let output = output.map_err(|error| {
        anyhow::anyhow!("cannot run sbatch: {error} (the script is {})", script.display())
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("sbatch: {} (the script is {})", said.trim(), script.display());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned())
}

/// What the script is filled with, besides the options.
struct Job<'a> {
    shards: u32,
    wanted: &'a [usize],
    memory: usize,
    sweep: &'a Path,
    out: &'a Path,
    logs: &'a Path,
}

/// The shards, counted from 1, with a run that has not ended. What cannot be read is the task's to say.
fn wanted(runs: &[Run], shards: usize) -> Vec<usize> {
    let ended = |run: &Run| {
        let status = run.status().ok().flatten();
        status.is_some_and(|status| status.state != State::Unfinished)
    };
    let mine = |shard: &usize| !runs.iter().skip(shard - 1).step_by(shards).all(ended);
    (1..=shards).filter(mine).collect()
}

/// `1-3,7`.
fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = ranges.iter().map(|&(first, last)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    });
    text.collect::<Vec<_>>().join(",")
}

/// Digits with colons and one dash, as sbatch takes them.
fn slurm_time(text: &str) -> Result<String, String> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (days, rest) = text.split_once('-').map_or(("0", text), |(days, rest)| (days, rest));
    let parts: Vec<&str> = rest.split(':').collect();
    if number(days) && parts.len() <= 3 && parts.into_iter().all(number) {
        Ok(text.to_owned())
    } else {
        Err("expected minutes, h:mm:ss, d-h or d-hh:mm:ss, as in 12:00:00".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3,7,9-10");
        assert_eq!(ranges(&[4]), "4");
    }

    #[test]
    fn times_are_slurms() {
        for good in ["90", "1:30", "12:00:00", "2-0", "7-00:00:00"] {
            assert!(slurm_time(good).is_ok(), "{good}");
        }
        for bad in ["", "abc", "1:00:00 --exclusive", "1:2:3:4", "1-2-3", ":"] {
            assert!(slurm_time(bad).is_err(), "{bad}");
        }
    }
}
