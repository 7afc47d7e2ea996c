//! Runs a sweep through a real Slurm with this machine as its one node.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::crash::{compare, files};
use crate::{built, run};

/// Eight runs of some seconds.
const SWEEP: &str = "
base = \"iclr-2024\"
seeds = 4
max_epochs = 25
batch_size = 128
schedule.n_end = 30
data.fresh = { updates_per_epoch = 250, test_batches = 10 }
network.hidden_size = 100
[grid]
\"schedule.kind\" = [\"single-head\", \"multi-head\"]
";
/// How the first line of the configuration says whose it is.
const OURS: &str = "# Written by cargo xtask test-slurm.";
const PATIENCE: Duration = Duration::from_secs(150);

/// Installs and starts Slurm if asked, runs the sweep by `tau submit`, tells one task that its time is
/// over, kills another, and compares everything with a sweep without Slurm.
pub(crate) fn test(install: bool) -> Result<()> {
    let tau = built("tau-cli", "tau")?;
    if install {
        start()?;
    }
    ensure!(
        said(Command::new("sinfo").arg("--noheader")).is_ok(),
        "no Slurm here; --install installs it from Debian's packages and starts it (as root)"
    );
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    fs::write(place.join("sweep.toml"), SWEEP)?;
    let local = place.join("local");
    let mut sweep = Command::new(&tau);
    sweep.args(["run", "sweep.toml", "--device", "cpu", "--out"]).arg(&local).current_dir(place);
    run(sweep.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let out = place.join("runs");
    let mut submit = Command::new(&tau);
    submit.args(["submit", "sweep.toml", "--slurm", "--array-limit", "2", "--time", "00:30:00"]);
    let text = said(submit.arg("--out").arg(&out).current_dir(place))?;
    print!("{text}");
    let job = text.strip_prefix("job ").and_then(|rest| rest.split(':').next());
    let job = job.context("tau submit names no job")?.to_owned();
    let task = |number: u32| format!("{job}_{number}");
    // In mid-training: told by Slurm as before the end of its time, and killed.
    wait("tasks 1 and 2 train", || {
        Ok(state(&task(1))? == "RUNNING" && state(&task(2))? == "RUNNING" && are_training(&out)?)
    })?;
    // Slurm delivers a signal to a task of an array, and may say that it could not and try again: what
    // comes of it is what counts.
    let mut told = Command::new("scancel");
    told.args(["--batch", "--signal=USR1", &task(1)]).stderr(Stdio::null()).spawn()?;
    run(Command::new("scancel").arg(task(2)))?;
    wait("task 1 goes back into the queue", || Ok(restarts(&task(1))? > 0))?;
    println!("task 1 was told (SIGUSR1) and went back into the queue");
    wait("task 2 is gone", || Ok(!["RUNNING", "COMPLETING"].contains(&&*state(&task(2))?)))?;
    let cancelled = state(&task(2))?;
    ensure!(cancelled != "COMPLETED", "task 2 was faster than its killer");
    println!("task 2 was cancelled: {cancelled}");
    if cancelled != "PENDING" {
        run(Command::new("scontrol").args(["requeue", &task(2)]))?;
    }
    // Slurm lets what it requeued wait for two minutes.
    for number in [1, 2] {
        let at_once =
            ["update", &format!("JobId={}", task(number)), "StartTime=now"].map(str::to_owned);
        wait("a task may start again", || {
            Ok(said(Command::new("scontrol").args(&at_once)).is_ok())
        })?;
    }
    wait("all tasks end", || {
        let left = said(Command::new("squeue").args(["--noheader", "--job", &job]))?;
        Ok(left.trim().is_empty())
    })?;
    for number in 1..=8 {
        let state = state(&task(number))?;
        ensure!(state == "COMPLETED", "task {number}: {state}");
    }
    // With the same bits in the end whoever began anew: both must have gone on.
    for number in [1, 2] {
        let log = out.join("slurm").join(format!("{job}_{number}.log"));
        let text = fs::read_to_string(&log).with_context(|| log.display().to_string())?;
        ensure!(text.contains(" 1 begun"), "task {number} did not go on:\n{text}");
    }
    fs::remove_dir_all(out.join("slurm"))?;
    compare(&files(&out)?, &files(&local)?)?;
    println!("8 runs by Slurm: every file with the bits of the sweep without it");
    Ok(())
}

/// What a command writes, if all goes well.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// A field of a task, as `scontrol` shows it.
fn field(task: &str, name: &str) -> Result<String> {
    let text = said(Command::new("scontrol").args(["show", "job", "--oneliner", task]))?;
    let fields = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    let value = fields.into_iter().find(|(found, _)| *found == name);
    Ok(value.with_context(|| format!("{task} has no {name}"))?.1.to_owned())
}

fn state(task: &str) -> Result<String> {
    field(task, "JobState")
}

fn restarts(task: &str) -> Result<u32> {
    Ok(field(task, "Restarts")?.parse()?)
}

/// Whether both runs that the first two tasks train have kept an epoch.
fn are_training(out: &Path) -> Result<bool> {
    let mut training = 0;
    for entry in fs::read_dir(out)? {
        training += usize::from(entry?.path().join("metrics.csv").exists());
    }
    Ok(training >= 2)
}

fn wait(what: &str, mut until: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !until()? {
        if start.elapsed() > PATIENCE {
            bail!("in vain: {what}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Debian's Slurm on this machine, without systemd. Nothing is overwritten that is not ours.
fn start() -> Result<()> {
    let config = Path::new("/etc/slurm/slurm.conf");
    let mine = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.starts_with(OURS));
    ensure!(!config.exists() || mine(config), "{} is somebody's", config.display());
    if Command::new("sinfo").arg("--noheader").output().is_ok_and(|output| output.status.success())
    {
        return Ok(());
    }
    let shell = |script: &str| run(Command::new("bash").args(["-euc", script]));
    shell(
        "command -v slurmctld munged >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive \
         apt-get install -y -qq --no-install-recommends slurm-wlm slurmctld slurmd slurm-client munge \
         >/dev/null; }",
    )?;
    let host = fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned();
    let host = host.split('.').next().unwrap_or_default();
    let cpus = std::thread::available_parallelism()?;
    let text = format!(
        "{OURS}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,requeue_delay=1
ReturnToService=2
MaxArraySize=10001
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"
    );
    fs::create_dir_all("/etc/slurm")?;
    fs::write(config, text)?;
    shell(
        "mkdir -p /run/munge /var/spool/slurmctld /var/spool/slurmd /var/log/slurm
         chown munge: /run/munge
         chown slurm: /var/spool/slurmctld /var/log/slurm
         pgrep -x munged >/dev/null || runuser -u munge -- /usr/sbin/munged --force
         touch /run/slurmctld.pid
         chown slurm: /run/slurmctld.pid
         pgrep -x slurmctld >/dev/null || slurmctld
         pgrep -x slurmd >/dev/null || slurmd",
    )?;
    wait("the node is idle", || {
        let nodes = said(Command::new("sinfo").args(["--noheader", "--format", "%T"]));
        Ok(nodes.is_ok_and(|nodes| nodes.trim() == "idle"))
    })
}
