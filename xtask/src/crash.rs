//! Kills trainings at random moments and checks that nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::built;

/// A run of about a second that solves a few N.
const ONE: &str = "
base = \"iclr-2024\"
seed = 3
max_epochs = 30
batch_size = 32
stop.accuracy_above = 0.7
schedule.n_end = 5
data.fresh = { updates_per_epoch = 60, test_batches = 6 }
network.hidden_size = 24
";
/// A run without N, on a fixed data set.
const SERIES: &str = "
seed = 3
max_epochs = 6
batch_size = 32
keep_every = 2
task = { kind = \"pulse\", parameters = \"root\" }
data.fixed = { trials = 1000, held_out = 40, data_seed = 2 }
network.hidden_size = 24
";
/// Six such runs.
const SWEEP: &str = "
base = \"iclr-2024\"
seeds = 2
max_epochs = 10
batch_size = 32
stop.accuracy_above = 0.6
data.fresh = { updates_per_epoch = 50, test_batches = 6 }
network.hidden_size = 16
[grid]
schedule = [
    { kind = \"single-head\", n_end = 4 },
    { kind = \"multi-head\", n_end = 4 },
    { kind = \"sliding\", heads = 2, forget = 1, n_end = 4 },
]
";

/// One way to train, and what it must come to.
struct Victim {
    name: &'static str,
    arguments: Vec<String>,
    /// Files of the training that nobody killed.
    expected: Files,
    /// How long that took.
    took: Duration,
}

/// Contents by path, without what says who did it and how long it took.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Kills so often; whatever ended meanwhile is compared and begun anew.
pub(crate) fn test(kills: usize, seed: Option<u64>) -> Result<()> {
    let tau = built("tau-cli", "tau")?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    println!(
        "{kills} kills; the same moments with --seed {seed} (as far as the machine is the same)"
    );
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    fs::write(place.join("one.toml"), ONE)?;
    fs::write(place.join("series.toml"), SERIES)?;
    fs::write(place.join("sweep.toml"), SWEEP)?;
    let ways: [(&str, &[&str]); 3] = [
        ("a training", &["train", "one.toml", "--threads", "2", "--checkpoint-every", "17"]),
        (
            "a training without N",
            &["train", "series.toml", "--threads", "2", "--checkpoint-every", "7"],
        ),
        (
            "a sweep",
            &["run", "sweep.toml", "--threads", "2", "--jobs", "2", "--checkpoint-every", "19"],
        ),
    ];
    let mut victims = Vec::new();
    for (name, arguments) in ways {
        let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        arguments.extend(["--device", "cpu"].map(str::to_owned));
        let start = Instant::now();
        let out = place.join("undisturbed");
        let status = spawn(&tau, place, &arguments, &out)?.wait()?;
        ensure!(status.success(), "{name} that nobody killed ended with {status}");
        let expected = files(&out)?;
        fs::remove_dir_all(&out)?;
        victims.push(Victim { name, arguments, expected, took: start.elapsed() });
    }
    let (mut killed, mut whole, mut at_once, mut resumed) = (0, 0, 0, 0);
    while killed < kills {
        let victim = &victims[random.usize(..victims.len())];
        let out = place.join("killed");
        let mut starts = 0;
        let mut reached = Positions::new();
        loop {
            // Never again once all kills are done: it must come to its end.
            let patience = victim.took.mul_f64(0.9 * random.f64());
            let alive = spawn(&tau, place, &victim.arguments, &out)?;
            starts += 1;
            if ended(alive, (killed < kills).then_some(patience))
                .with_context(|| format!("{} at start {starts}", victim.name))?
            {
                break;
            }
            killed += 1;
            at_once += usize::from(!out.exists());
            // Whoever began anew would end with the same bits: it must have gone on.
            let now = positions(&out)?;
            for (run, before) in &reached {
                let after = now.get(run).with_context(|| format!("{run} is lost"))?;
                ensure!(
                    after >= before,
                    "{run} went back from {before:?} to {after:?} (epoch, update)"
                );
                resumed += usize::from(after > before);
            }
            reached = now;
        }
        compare(&files(&out)?, &victim.expected)
            .with_context(|| format!("{} after {starts} starts (--seed {seed})", victim.name))?;
        whole += 1;
        fs::remove_dir_all(&out)?;
    }
    println!(
        "{killed} kills ({at_once} of them before anything was written): {whole} times all of it came \
         to its end, every file with the bits of the undisturbed one, nothing lost; {resumed} times a run \
         went on from where it was"
    );
    ensure!(kills < 20 || resumed > 0, "no kill met a run in the middle: nothing was tested");
    Ok(())
}

/// Epochs and updates that each run has kept, by its folder's name.
type Positions = BTreeMap<String, (u64, u64)>;

fn positions(out: &Path) -> Result<Positions> {
    let mut found = Positions::new();
    for entry in fs::read_dir(out).into_iter().flatten() {
        let folder = entry?.path();
        let Ok(bytes) = fs::read(folder.join("latest.safetensors")) else { continue };
        // Eight bytes of length, a header; in it as text ours, and in that as text the position.
        let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
        let header = bytes.get(8..8 + length).context("a checkpoint without a header")?;
        let header: serde_json::Value = serde_json::from_slice(header)?;
        let inner = |value: &serde_json::Value| -> Result<serde_json::Value> {
            Ok(serde_json::from_str(value.as_str().context("no text")?)?)
        };
        let ours = inner(&header["__metadata__"]["tau_rnn"])?;
        let position = inner(&ours["metadata"]["position"])?;
        let number = |key: &str| position[key].as_u64().with_context(|| format!("no {key}"));
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.insert(name, (number("epochs")?, number("update")?));
    }
    Ok(found)
}

fn spawn(tau: &Path, place: &Path, arguments: &[String], out: &Path) -> Result<Child> {
    let mut command = Command::new(tau);
    command.args(arguments).arg("--out").arg(out).current_dir(place);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().with_context(|| format!("cannot run {}", tau.display()))
}

/// Waits so long, then kills it. Whether it ended by itself.
fn ended(mut child: Child, patience: Option<Duration>) -> Result<bool> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(true);
            }
            let output = child.wait_with_output()?;
            bail!("it ended with {status}: {}", String::from_utf8_lossy(&output.stderr));
        }
        if patience.is_some_and(|patience| start.elapsed() >= patience) {
            // SIGKILL: nothing can be done about it.
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// All files of all runs.
pub(crate) fn files(folder: &Path) -> Result<Files> {
    let mut found = Files::new();
    collect(folder, folder, &mut found)?;
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(root, &path, found)?;
            continue;
        }
        let mut bytes = fs::read(&path)?;
        match name.as_str() {
            ".lock" | "manifest.json" => continue,
            // Seconds stand last, in a row and in an object.
            "metrics.csv" => {
                let text = String::from_utf8(bytes)?;
                let rows = text.lines().filter_map(|row| row.rsplit_once(','));
                bytes = rows.map(|(row, _)| format!("{row}\n")).collect::<String>().into_bytes();
            }
            "status.json" => {
                let mut status: serde_json::Value = serde_json::from_slice(&bytes)?;
                status["wall_s"] = serde_json::Value::Null;
                bytes = status.to_string().into_bytes();
            }
            _ => {}
        }
        found.insert(path.strip_prefix(root)?.to_owned(), bytes);
    }
    Ok(())
}

pub(crate) fn compare(found: &Files, expected: &Files) -> Result<()> {
    for (path, bytes) in expected {
        let there = found.get(path).with_context(|| format!("{} is lost", path.display()))?;
        ensure!(there == bytes, "{} has other bytes", path.display());
    }
    for path in found.keys() {
        ensure!(expected.contains_key(path), "{} was left behind", path.display());
    }
    Ok(())
}
