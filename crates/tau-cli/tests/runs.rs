//! One run and a sweep from a file: train, look, export, stop, go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::files::{assert_same, files};

const ONE: &str = "seed = 1\nbase = \"plain\"\ntask = \"parity\"\nmax_epochs = 20\nbatch_size = 32\n\
                   initial_state = 0.1\nstop.accuracy_above = 0.6\n\
                   data.fresh = { updates_per_epoch = 60, test_batches = 5 }\n\
                   schedule = { kind = \"multi-head\", n_end = 3 }\n\
                   optimiser.rule.sgd = { learning_rate = 0.05, momentum = 0.1 }\n\
                   [network]\nhidden_size = 16\n";

/// A folder with `one.toml`.
fn place(spec: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("one.toml"), spec).unwrap();
    place
}

fn tau(place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tau"));
    command.args(arguments).current_dir(place).env_remove("RAYON_NUM_THREADS").output().unwrap()
}

/// What it prints, if all goes well.
fn said(place: &Path, arguments: &[&str]) -> String {
    let output = tau(place, arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and message.
fn refused(place: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = tau(place, arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_run_is_trained_shown_and_exported() {
    let place = place(ONE);
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    assert!(run.starts_with("runs/parity_multi-head_h16_seed1-"), "{run}");
    // Again nothing is done; as the folder of a run, too.
    let before = files(&place.join(&run));
    assert_eq!(said(place, &["train", "one.toml", "--device", "cpu"]).trim(), run);
    said(place, &["train", &run, "--device", "cpu"]);
    assert_same(&files(&place.join(&run)), &before, "trained again");
    let status = said(place, &["status"]);
    assert!(status.contains("finished") && status.contains("3 / 3"), "{status}");
    let status: serde_json::Value =
        serde_json::from_str(&said(place, &["status", "--json"])).unwrap();
    assert_eq!(status[0]["state"], "finished");
    assert_eq!((&status[0]["reached"], &status[0]["solved_n"]), (&"N003".into(), &3.into()));
    let text = said(place, &["show", &run]);
    assert!(text.contains("N = 3 of 3") && text.contains("N (epoch)    2 ("), "{text}");
    assert!(text.contains("accuracy     N = 2: ") && text.contains(" nats in epoch "), "{text}");
    let shown: serde_json::Value =
        serde_json::from_str(&said(place, &["show", &run, "--json"])).unwrap();
    assert_eq!(shown["spec"]["network"]["hidden_size"], 16);
    assert!(shown["manifest"]["files"]["metrics.csv"].is_string(), "{shown}");
    assert_eq!(shown["milestones"][0][0], "N002");
    let exported = said(place, &["export", &run, "exported"]);
    assert_eq!(exported.lines().count(), 4);
    let (code, message) = refused(place, &["export", &run, "exported"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("--force replaces it"), "{message}");
}

#[test]
fn a_sweep_is_planned_trained_in_shards_and_finished() {
    let place = place(&format!("seeds = 2\n{}", ONE.replacen("seed = 1\n", "", 1)));
    let place = place.path();
    let plan = said(place, &["plan", "one.toml", "--device", "cpu"]);
    assert!(plan.contains("2 runs, 2 of them to train"), "{plan}");
    assert!(!place.join("runs").exists(), "a plan writes nothing");
    let run =
        |extra: &[&str]| said(place, &[&["run", "one.toml", "--device", "cpu"], extra].concat());
    assert_eq!(run(&["--shard", "2/2"]), "1 of 1 runs have ended\n");
    let plan = said(place, &["plan", "one.toml", "--device", "cpu"]);
    assert!(plan.contains("2 runs, 1 of them to train"), "{plan}");
    assert_eq!(run(&["--jobs", "2"]), "2 of 2 runs have ended\n");
}

#[test]
fn mistakes_are_answered_with_what_was_meant() {
    check(2, &["train", "two.toml"], "there is no file two.toml");
    let set = |text: &'static str| ["train", "one.toml", "--set", text];
    check(2, &set("hidden=3"), "--set unknown key: hidden (did you mean network.hidden_size?)");
    check(2, &set("seed"), "expected KEY=VALUE");
    check(2, &set("batch_size=0"), "error: --set batch_size: 0 (allowed: 1 to 16383)");
    check(2, &set("seed=-1"), "--set seed: -1 (allowed: a whole number, 0 or more)");
    check(2, &set("max_epochs=1e3"), "(allowed: a whole number, for instance 1000)");
    check(2, &set("base=nothing"), "--set base: \"nothing\" (allowed: ");
    check(2, &set("grid=3"), "grid makes it a sweep: tau run");
    check(2, &["run", "one.toml", "--jobs", "9", "--threads", "2"], "--jobs 9 (allowed: 1 to 2");
    check(2, &["submit", "one.toml", "--slurm", "--time", "abc"], "expected minutes, h:mm:ss");
    check(2, &["run", "one.toml", "--shard", "3/2"], "expected i/n");
    check(2, &["plan", "one.toml", "--threads", "0", "--device", "cpu"], "threads: 0");
    check(1, &["show", "."], "no run in /");
    check(1, &["status", "--out", "nowhere"], "is it the folder of the runs?");
    fn check(expected: i32, arguments: &[&str], what: &str) {
        let place = place(ONE);
        let (code, message) = refused(place.path(), arguments);
        assert_eq!(code, Some(expected), "{arguments:?}: {message}");
        assert!(message.contains(what), "{arguments:?}: {message}");
    }
}

/// The line and the column, the value, the range, an example.
#[test]
fn mistakes_in_a_file_are_named_with_their_line() {
    check(
        "batch_size = 32",
        "batch_size = 0",
        "one.toml: line 5, column 14: batch_size: 0 (allowed",
    );
    check(
        "batch_size",
        "batchsize",
        "one.toml: line 5, column 13: unknown key: batchsize (did you",
    );
    check(
        "max_epochs = 20",
        "max_epochs = 1e3",
        "one.toml: line 4, column 14: max_epochs: 1e3, a number with a fraction (allowed: a whole \
         number, for instance 1000)",
    );
    check(
        "n_end = 3",
        "n_end = 1",
        "one.toml: line 9, column 43: schedule.n_end: 1 (allowed: n_start",
    );
    check("seed = 1\n", "seed = 1\nformat = 2\n", "a newer tau wrote it: use that one)");
    check("max_epochs = 20", "max_epochs 20", "one.toml: line 4, column 12: no TOML: ");
    fn check(from: &str, to: &str, message: &str) {
        let place = place(&ONE.replace(from, to));
        for command in ["train", "plan", "run"] {
            let (code, said) = refused(place.path(), &[command, "one.toml", "--device", "cpu"]);
            assert_eq!(code, Some(2), "{command}: {said}");
            assert!(said.contains(message), "{command}: {said}");
        }
        assert!(!place.path().join("runs").exists());
    }
}

/// Each signal: kept within two seconds, exit code 75, and the same bits in the end.
#[cfg(unix)]
#[test]
fn a_run_that_is_asked_to_stop_keeps_its_state_and_goes_on() {
    let long = ONE.replace("updates_per_epoch = 60", "updates_per_epoch = 3000");
    let long = long.replace("max_epochs = 20", "max_epochs = 3");
    let place = place(&long);
    let place = place.path();
    let expected = said(place, &["train", "one.toml", "--device", "cpu", "--out", "undisturbed"]);
    for signal in ["TERM", "INT", "USR1", "HUP", "USR2", "XCPU"] {
        let out = format!("stopped-{signal}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_tau"))
            .args(["train", "one.toml", "--device", "cpu", "--out", &out])
            .current_dir(place)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        // The folder is there when the training begins.
        while !place.join(&out).exists() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(30));
        Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .unwrap();
        let asked = Instant::now();
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(75), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{signal}: {:?}", asked.elapsed());
        let run = said(place, &["train", "one.toml", "--device", "cpu", "--out", &out]);
        let networks = |run: &str| {
            let mut all = files(&place.join(run.trim()));
            all.retain(|name, _| name.ends_with(".safetensors"));
            all
        };
        assert_same(&networks(&run), &networks(&expected), signal);
    }
}
