//! Sweeps in which something goes wrong: the rest of them does not suffer.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tau_runs::Lock;

const SWEEP: &str = "base = \"plain\"\ntask = \"parity\"\nmax_epochs = 20\nbatch_size = 32\n\
                   initial_state = 0.1\nstop.accuracy_above = 0.6\n\
                   data.fresh = { updates_per_epoch = 60, test_batches = 5 }\n\
                   schedule = { kind = \"multi-head\", n_end = 3 }\n\
                   optimiser.rule.sgd = { learning_rate = 0.05, momentum = 0.1 }\n\
                   [network]\nhidden_size = 16\n";

/// A folder with `sweep.toml`.
fn place(start: &str, end: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("sweep.toml"), format!("{start}\n{SWEEP}{end}\n")).unwrap();
    place
}

fn tau(place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tau"));
    command.args(arguments).args(["--device", "cpu"]).current_dir(place);
    command.env("RAYON_NUM_THREADS", "2").output().unwrap()
}

/// Exit code, standard output, standard error.
fn run(place: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = tau(place, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn runs(place: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(place.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

#[test]
fn a_grid_whose_first_run_diverges_trains_the_others() {
    let grid = "[grid]\n\"optimiser.rule.sgd.learning_rate\" = [1e30, 0.05]";
    let place = place("seed = 1", grid);
    let place = place.path();
    let (code, out, err) = run(place, &["plan", "sweep.toml"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("learning_rate=0.05"), "{out}");
    let (code, out, err) = run(place, &["run", "sweep.toml"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("2 of 2 runs have ended\n1 of these diverged"), "{out}");
    let autopsies = runs(place).into_iter().filter(|run| run.join("autopsy.json").exists());
    assert_eq!(autopsies.count(), 1);
}

#[test]
fn one_damaged_run_stops_no_other() {
    for (file, damage) in
        [("latest.safetensors", "short"), ("spec.toml", "nonsense = "), ("status.json", "")]
    {
        let place = place("seeds = 2", "");
        let place = place.path();
        assert_eq!(run(place, &["run", "sweep.toml", "--shard", "1/2"]).0, 0);
        let first = runs(place).remove(0);
        if file == "latest.safetensors" {
            // Only who goes on reads it.
            let status = fs::read_to_string(first.join("status.json")).unwrap();
            fs::write(first.join("status.json"), status.replace("finished", "unfinished")).unwrap();
        }
        fs::write(first.join(file), damage).unwrap();
        let (code, out, err) = run(place, &["run", "sweep.toml"]);
        assert_eq!(code, 1, "{file}: {out}{err}");
        assert!(out.starts_with("1 of 2 runs have ended\n1 could not be trained"), "{file}: {out}");
        assert!(err.contains(file), "{err}");
        assert_eq!(runs(place).len(), 2, "{file}: the other one was trained");
    }
}

#[test]
fn a_run_that_another_process_trains_is_to_be_tried_again() {
    let place = place("seed = 1", "");
    let place = place.path();
    assert_eq!(run(place, &["run", "sweep.toml"]).0, 0);
    let only = runs(place).remove(0);
    let status = fs::read_to_string(only.join("status.json")).unwrap();
    fs::write(only.join("status.json"), status.replace("finished", "unfinished")).unwrap();
    let lock = Lock::take(&only).unwrap();
    let (code, out, _) = run(place, &["run", "sweep.toml"]);
    assert_eq!(code, 75, "{out}");
    assert!(out.contains("1 are trained by other processes: start again"), "{out}");
    drop(lock);
    assert_eq!(run(place, &["run", "sweep.toml"]).0, 0);
}

#[test]
fn the_folder_of_a_run_is_that_run_or_refused() {
    let place = place("seed = 1", "");
    let place = place.path();
    assert_eq!(run(place, &["train", "sweep.toml"]).0, 0);
    let only = runs(place).remove(0);
    assert_eq!(run(place, &["train", only.to_str().unwrap()]).0, 0);
    fs::rename(&only, place.join("runs/best")).unwrap();
    let (code, _, err) = run(place, &["train", "runs/best"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("runs/best is not what its spec.toml defines on this device"), "{err}");
    assert_eq!(runs(place).len(), 1, "nothing was begun");
}

#[test]
fn who_stops_reading_stops_nothing() {
    let place = place("seeds = 1000", "");
    let mut plan = Command::new(env!("CARGO_BIN_EXE_tau"));
    plan.args(["plan", "sweep.toml", "--all", "--device", "cpu"]).current_dir(place.path());
    let mut child = plan.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 20];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let place = place("seed = 1", "");
    let mut plan = Command::new(env!("CARGO_BIN_EXE_tau"));
    plan.args(["plan", "sweep.toml", "--device", "cpu"]).current_dir(place.path());
    let output = plan.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output cannot be written"));
}

/// The script that Slurm gets, with another program in the place of `tau`, and `scontrol` beside it.
#[cfg(unix)]
struct Script {
    place: tempfile::TempDir,
}

#[cfg(unix)]
impl Script {
    fn new(program: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        // Names that look like gaps, and like the end of a word.
        let place = tempfile::tempdir().unwrap();
        let odd = place.path().join("it's {out}");
        fs::create_dir(&odd).unwrap();
        fs::write(odd.join("s{shards}.toml"), format!("seeds = 3\n{SWEEP}")).unwrap();
        let out = place.path().join("runs");
        let arguments = ["submit", "s{shards}.toml", "--slurm", "--dry-run", "--out"];
        let output = Command::new(env!("CARGO_BIN_EXE_tau"))
            .args(arguments)
            .arg(&out)
            .current_dir(&odd)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let script = fs::read_to_string(out.join("slurm/submit.sh")).unwrap();
        assert!(script.contains("--array=1-3\n"), "{script}");
        for gap in ["{name}", "{out}", "{shards}", "{every}", "{options}"] {
            assert!(!script.contains(gap), "{script}");
        }
        let copy = fs::read_dir(out.join("slurm")).unwrap();
        assert_eq!(copy.count(), 2, "a script, and the sweep as it was");
        let tau = script.lines().find(|line| line.contains(" run ")).unwrap();
        let tau = tau.split(" run ").next().unwrap();
        let script = script.replace(tau, "./program");
        let make = |name: &str, text: &str| {
            let path = place.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        make("job.sh", &script);
        make("program", &format!("#!/bin/bash\n{program}\n"));
        make("scontrol", "#!/bin/bash\necho \"$@\" >> requeued\n");
        Self { place }
    }

    /// Exit code, and whether it went back into the queue; `signal` comes after so many milliseconds.
    fn run(&self, signal: Option<(&str, u64)>) -> (i32, bool) {
        let place = self.place.path();
        let _ = fs::remove_file(place.join("requeued"));
        let path = format!("{}:{}", place.display(), std::env::var("PATH").unwrap());
        let mut job = Command::new("bash");
        job.arg("job.sh").current_dir(place).env("PATH", path).env("SLURM_ARRAY_TASK_ID", "1");
        let mut child = job.stderr(Stdio::null()).spawn().unwrap();
        if let Some((name, after)) = signal {
            std::thread::sleep(std::time::Duration::from_millis(after));
            let mut kill = Command::new("kill");
            kill.args(["-s", name, &child.id().to_string()]).status().unwrap();
        }
        (child.wait().unwrap().code().unwrap_or(-1), place.join("requeued").exists())
    }
}

#[cfg(unix)]
#[test]
fn the_slurm_script_ends_as_tau_does() {
    for (program, expected) in [
        ("exit 0", (0, false)),
        ("exit 1", (1, false)),
        ("exit 3", (3, false)),
        ("exit 75", (75, true)),
        ("exec /nowhere/at/all", (127, false)),
    ] {
        let script = Script::new(program);
        for _ in 0..30 {
            let (code, requeued) = script.run(None);
            let code_is_right = code == expected.0 || (expected.0 == 127 && code != 0);
            assert!(code_is_right && requeued == expected.1, "{program}: {code}, {requeued}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_slurm_script_passes_signals_on_and_requeues_only_whom_time_stopped() {
    let patient = "trap 'exit 75' USR1 TERM; for i in {1..200}; do sleep 0.02; done";
    let script = Script::new(patient);
    for _ in 0..5 {
        assert_eq!(script.run(Some(("USR1", 150))), (75, true));
        assert_eq!(script.run(Some(("TERM", 150))), (75, false));
    }
    // One that ends in the very moment in which it is told.
    let hasty = Script::new("trap 'exit 75' USR1; sleep 0.05; exit 75");
    for after in 30..60 {
        let (code, requeued) = hasty.run(Some(("USR1", after)));
        assert!(requeued && code != 0, "{after} ms: {code}, {requeued}");
    }
}
