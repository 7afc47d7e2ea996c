//! A task without N, from a spec of ten lines: trained, killed, looked at, exported.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::files::{Files, assert_same, files};

/// The flip-flop of Jarne & Laje (arXiv 1906.01094), with few neurons and trials.
const FLIP_FLOP: &str = r#"seed = 1
task = "flip-flop"
max_epochs = 6
data.fixed = { trials = 72, held_out = 8, data_seed = 1 }
stop.loss_below = 0.001
network.hidden_size = 20
network.cell = { kind = "leaky", activation = "tanh", tau.fixed.value = 1, self_connections = true }
network.arrays = { w_rec.init.orthogonal.gain = 1, b_rec = "none", b_in = "none" }
optimiser.rule.adam = { learning_rate = 0.001, decay = 1e-4, form = "keras" }
optimiser.clip_norm = "none"
"#;

fn place(spec: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("one.toml"), spec).unwrap();
    place
}

fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tau"));
    command.args(arguments).current_dir(place).env_remove("RAYON_NUM_THREADS");
    command
}

/// What it prints, and what it says beside it, if all goes well.
fn ran(place: &Path, arguments: &[&str]) -> (String, String) {
    let Output { status, stdout, stderr } = command(place, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, errors) = (text(stdout), text(stderr));
    assert!(status.success(), "{arguments:?}: {errors}");
    (out, errors)
}

fn said(place: &Path, arguments: &[&str]) -> String {
    ran(place, arguments).0
}

/// What training leaves, but for who did it and how long it took.
fn left_behind(run: &Path) -> Files {
    let mut left = files(run);
    left.remove("manifest.json");
    left.remove("status.json");
    let table = String::from_utf8(left["metrics.csv"].clone()).unwrap();
    let rows = table.lines().map(|row| format!("{}\n", row.rsplit_once(',').unwrap().0));
    left.insert("metrics.csv".to_owned(), rows.collect::<String>().into_bytes());
    left
}

#[test]
fn a_spec_of_ten_lines_trains_the_flip_flop() {
    assert_eq!(FLIP_FLOP.lines().count(), 10);
    let place = place(FLIP_FLOP);
    let place = place.path();
    let (run, told) = ran(place, &["train", "one.toml", "--device", "cpu"]);
    let run = run.trim();
    assert!(run.starts_with("runs/flip-flop_none_h20_seed1-"), "{run}");
    for line in ["seed 1: epoch 1: loss 0.", " (held out 0.", "seed 1: epoch 6: loss ", "6 epochs"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("N ="), "{told}");

    let table = fs::read_to_string(place.join(run).join("metrics.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(rows[0][..6], ["epoch", "head", "label", "n", "test_loss", "accuracy"]);
    assert_eq!(rows[0][6..], ["training_loss", "solved", "milestones", "wall_s"]);
    assert_eq!((rows.len(), rows[6][2], rows[6][3], rows[6][5]), (7, "state", "", ""));
    let loss = |row: usize| rows[row][6].parse::<f64>().unwrap();
    assert!(loss(6) < loss(1), "{table}");
    assert_eq!((rows[6][7], rows[6][8]), ("false", "final"));

    let shown = said(place, &["show", run]);
    for line in ["flip-flop, 20 neurons (leaky), seed 1", "out of epochs", "solved       no\n"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(shown.contains("unlike plain") && shown.contains("form = keras"), "{shown}");
    assert!(shown.contains("kept (epoch) final (6)"), "{shown}");
    assert!(!shown.contains("N =") && !shown.contains("accuracy  "), "{shown}");
    let status = said(place, &["status"]);
    assert!(status.contains("reached") && status.contains("6 / 6"), "{status}");
    let status: serde_json::Value =
        serde_json::from_str(&said(place, &["status", "--json"])).unwrap();
    assert!(status[0]["n_end"].is_null() && status[0]["training_loss"].is_number(), "{status}");
    let plan: serde_json::Value = serde_json::from_str(&said(
        place,
        &["plan", "one.toml", "--device", "cpu", "--json", "--out", "elsewhere"],
    ))
    .unwrap();
    // The data set alone has 72 trials of 1010 steps with two inputs and a value.
    assert!(plan["memory_bytes"].as_u64().unwrap() > 72 * 1010 * 3 * 4, "{plan}");
    assert!(plan["about_s"].as_f64().unwrap() > 0.0 && plan["disk_bytes"].as_u64().unwrap() > 5000);
}

#[test]
fn a_loss_below_the_limit_solves_the_task() {
    let place = place(&FLIP_FLOP.replace("loss_below = 0.001", "loss_below = 100"));
    let place = place.path();
    let (run, told) = ran(place, &["train", "one.toml", "--device", "cpu"]);
    assert!(told.contains("solved in epoch 1: loss ") && told.contains("in 1 epochs"), "{told}");
    assert!(said(place, &["show", run.trim()]).contains("solved       yes\n"));
    let checkpoints = place.join(run.trim()).join("checkpoints");
    for name in ["solved.safetensors", "final.safetensors"] {
        assert!(checkpoints.join(name).exists(), "{name}");
    }
}

/// Killed without a word, wherever it happens to be, and on another number of threads.
#[cfg(unix)]
#[test]
fn a_run_that_was_killed_goes_on_with_the_same_bits() {
    let place = place(&FLIP_FLOP.replace("max_epochs = 6", "max_epochs = 30\nkeep_every = 10"));
    let place = place.path();
    let train = ["train", "one.toml", "--device", "cpu", "--out"];
    let expected = said(place, &[&train[..], &["undisturbed"]].concat());
    let mut killed = 0;
    for _ in 0..3 {
        let more = ["killed", "--checkpoint-every", "1", "--threads", "1"];
        let mut child = command(place, &[&train[..], &more].concat())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let there =
            || files(&place.join("killed")).keys().any(|name| name.ends_with("latest.safetensors"));
        while !(place.join("killed").exists() && there())
            && begun.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(40));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed > 0, "it was too fast to be killed");
    let run = said(place, &[&train[..], &["killed", "--threads", "2"]].concat());
    let left = left_behind(&place.join(run.trim()));
    assert!(left.contains_key("checkpoints/epoch-020.safetensors"), "{:?}", left.keys());
    assert_same(&left, &left_behind(&place.join(expected.trim())), "killed");
}

#[test]
fn numpy_computes_an_exported_network_again() {
    let place = place(&FLIP_FLOP.replace("max_epochs = 6", "max_epochs = 2\nkeep_every = 1"));
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let exported = said(place, &["export", &run, "exported"]);
    assert_eq!(exported.lines().count(), 4);
    said(place, &["export", &run, "earlier", "--at", "epoch-001"]);
    let refused = command(place, &["export", &run, "other", "--at", "N005"]).output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("has reached epoch-001, epoch-002, final"), "{message}");
    let python = |arguments: &[&str]| {
        Command::new("python3").args(arguments).current_dir(place).output().ok()
    };
    if !python(&["-c", "import numpy"]).is_some_and(|output| output.status.success()) {
        eprintln!("skipped: there is no Python with numpy");
        return;
    }
    for folder in ["exported", "earlier"] {
        let output = python(&[&format!("{folder}/forward.py")]).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
    }
    // The outputs at every step of the only head, which has values.
    let shape = "import numpy; print(numpy.load('exported/trajectory.npz')['outputs.0'].shape)";
    let output = python(&["-c", shape]).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "(50, 8, 1)");
}
