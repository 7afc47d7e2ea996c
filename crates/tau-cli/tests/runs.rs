//! One run and a sweep from a file: train, look, measure, export, stop, go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::files::{assert_same, files};

const ONE: &str = "seed = 1\nn_end = 3\nmax_epochs = 20\nupdates_per_epoch = 60\nbatch_size = 32\n\
                   test_batches = 5\nsuccess_accuracy = 0.6\n[network]\nhidden_size = 16\n";

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
fn a_run_is_trained_shown_measured_and_exported() {
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
    assert!(said(place, &["show", &run]).contains("N = 3 of 3"));
    let measured = said(place, &["measure", &run, "--steps", "500", "--trials", "2"]);
    assert!(measured.contains("trustworthy"), "{measured}");
    let table = |name| fs::read_to_string(place.join(&run).join("measures").join(name)).unwrap();
    assert_eq!(table("neurons.csv").lines().count(), 1 + 2 * 16);
    // What was measured for other N stays.
    said(place, &["measure", &run, "--n", "3", "--steps", "600", "--trials", "2"]);
    assert_eq!(table("neurons.csv").lines().count(), 1 + 2 * 16);
    let networks = table("networks.csv");
    let rows: Vec<&str> = networks.lines().collect();
    assert!(rows[0].starts_with("n,accuracy,tau_mean") && rows.len() == 3, "{networks}");
    assert_eq!(table("spectrum.csv").lines().count(), 1 + 2 * 16);
    let shown: serde_json::Value =
        serde_json::from_str(&said(place, &["show", &run, "--json"])).unwrap();
    assert_eq!(shown["spec"]["network"]["hidden_size"], 16);
    assert!(shown["manifest"]["files"]["metrics.csv"].is_string(), "{shown}");
    let exported = said(place, &["export", &run, "exported"]);
    assert_eq!(exported.lines().count(), 4);
    let (code, message) = refused(place, &["export", &run, "exported"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("--force replaces it"), "{message}");
}

/// Of all parts, of one part after the other, and on another number of threads.
#[test]
fn a_measurement_is_the_same_however_it_is_made() {
    let place = place(ONE);
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let measures = place.join(&run).join("measures");
    let measure = |more: &[&str]| {
        let settings = ["measure", &run, "--n", "3", "--steps", "500", "--trials", "5"];
        said(place, &[&settings, more].concat())
    };
    let tables = || {
        ["neurons.csv", "networks.csv", "spectrum.csv"]
            .map(|name| fs::read_to_string(measures.join(name)).unwrap())
    };
    measure(&["--threads", "1"]);
    let expected = tables();
    let filled = |name: &str| {
        let mut table = csv::Reader::from_reader(expected[0].as_bytes());
        let column = table.headers().unwrap().iter().position(|title| title == name).unwrap();
        table.records().all(|row| !row.unwrap()[column].is_empty())
    };
    let columns = ["w_in_norm", "w_rec_in_norm", "w_rec_out_norm", "w_out_norm", "quality"];
    for name in [&columns[..], &["pca_1", "pca_3", "ablation_effect", "steps"]].concat() {
        assert!(filled(name), "{name}: {}", expected[0]);
    }
    assert!(!filled("tau_net_bias"));
    fs::remove_dir_all(&measures).unwrap();
    measure(&["--only", "ablation", "--threads", "3"]);
    assert!(!measures.join("spectrum.csv").exists());
    measure(&["--only", "dynamics,timescales", "--threads", "3"]);
    assert_eq!(tables(), expected);
    let checked = ["--only", "timescales", "--bias-check"];
    measure(&checked);
    assert_ne!(tables()[0], expected[0]);
    let (code, message) = refused(place, &["measure", &run, "--only", "ablation", "--bias-check"]);
    assert!(code == Some(2) && message.contains("add them to --only"), "{message}");
}

/// A table of version 0.1's first columns is completed, N by N; one with columns that nobody knows is
/// not touched.
#[test]
fn an_earlier_table_of_neurons_is_completed() {
    let place = place(ONE);
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let measures = place.join(&run).join("measures");
    fs::create_dir_all(&measures).unwrap();
    let mut old =
        "n,neuron,tau_raw,tau_eff,tau_net,tau_net_error,quality,steps,trials\n".to_owned();
    for neuron in 0..16 {
        old += &format!("2,{neuron},1.5,1.5,2.25,0.1,good,500,5\n");
    }
    let path = measures.join("neurons.csv");
    fs::write(&path, &old).unwrap();
    let measure = ["measure", &run, "--n", "3", "--steps", "500", "--trials", "2"];
    said(place, &measure);
    let completed = fs::read_to_string(&path).unwrap();
    let rows: Vec<&str> = completed.lines().collect();
    assert_eq!(rows.len(), 1 + 2 * 16);
    assert_eq!(rows[1], "2,0,1.5,1.5,2.25,,,0.1,good,,,,,,,,,,,,500,5");
    let networks = fs::read_to_string(measures.join("networks.csv")).unwrap();
    let row = networks.lines().nth(1).unwrap();
    assert!(row.starts_with("2,") && row.contains(",1.5,0.0,2.25,0.0,16,16,0.0,"), "{row}");
    let strange = old.replace("tau_raw", "tau_rau");
    fs::write(&path, &strange).unwrap();
    let (code, message) = refused(place, &measure);
    assert_eq!(code, Some(1));
    assert!(message.contains("unknown field `tau_rau`"), "{message}");
    assert!(message.contains("move it away to measure anew"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), strange);
}

#[test]
fn a_sweep_is_planned_trained_in_shards_and_finished() {
    let place = place(&format!("seeds = 2\n{}", ONE.replace("seed = 1\n", "")));
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
    check(2, &["train", "one.toml", "--set", "hidden=3"], "did you mean network.hidden_size?");
    check(2, &["train", "one.toml", "--set", "seed"], "expected KEY=VALUE");
    check(2, &["train", "one.toml", "--set", "batch_size=0"], "one.toml: batch_size: 0");
    check(2, &["train", "one.toml", "--set", "grid=3"], "grid makes it a sweep: tau run");
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

/// Each signal: kept within two seconds, exit code 75, and the same bits in the end.
#[cfg(unix)]
#[test]
fn a_run_that_is_asked_to_stop_keeps_its_state_and_goes_on() {
    let long = ONE.replace("updates_per_epoch = 60", "updates_per_epoch = 3000");
    let long = long.replace("max_epochs = 20", "max_epochs = 3");
    let place = place(&long);
    let place = place.path();
    let expected = said(place, &["train", "one.toml", "--device", "cpu", "--out", "undisturbed"]);
    for signal in ["TERM", "INT", "USR1"] {
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
