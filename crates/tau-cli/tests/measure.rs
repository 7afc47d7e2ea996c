//! What is measured on the networks of a run: `tau measure`.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
fn a_run_is_measured() {
    let place = place(ONE);
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let measured = said(place, &["measure", &run, "--steps", "500", "--trials", "2"]);
    assert!(measured.contains("trustworthy"), "{measured}");
    let table = |name| fs::read_to_string(place.join(&run).join("measures").join(name)).unwrap();
    assert_eq!(table("neurons.csv").lines().count(), 1 + 2 * 16);
    // What was measured for other N stays.
    said(place, &["measure", &run, "--n", "3", "--steps", "600", "--trials", "2"]);
    assert_eq!(table("neurons.csv").lines().count(), 1 + 2 * 16);
    let networks = table("networks.csv");
    let rows: Vec<&str> = networks.lines().collect();
    assert!(
        rows[0].starts_with("milestone,n,accuracy,loss,tau_mean") && rows.len() == 3,
        "{networks}"
    );
    assert_eq!(table("spectrum.csv").lines().count(), 1 + 2 * 16);
}

/// All parts at once give the tables of one part after the other, on any number of threads.
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

/// A table with some of the columns, and without its networks.csv, is completed network by network; a
/// table with columns that nobody knows is not touched.
#[test]
fn a_table_with_fewer_columns_is_completed() {
    let place = place(ONE);
    let place = place.path();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let measures = place.join(&run).join("measures");
    fs::create_dir_all(&measures).unwrap();
    let mut old = "milestone,n,neuron,tau_raw,tau_eff,tau_net,tau_net_error,quality,steps,trials\n"
        .to_owned();
    for neuron in 0..16 {
        old += &format!("N002,2,{neuron},1.5,1.5,2.25,0.1,good,500,5\n");
    }
    let path = measures.join("neurons.csv");
    fs::write(&path, &old).unwrap();
    let measure = ["measure", &run, "--n", "3", "--steps", "500", "--trials", "2"];
    said(place, &measure);
    let completed = fs::read_to_string(&path).unwrap();
    let rows: Vec<&str> = completed.lines().collect();
    assert_eq!(rows.len(), 1 + 2 * 16);
    assert_eq!(rows[1], "N002,2,0,1.5,1.5,2.25,,,0.1,good,,,,,,,,,,,,500,5");
    let networks = fs::read_to_string(measures.join("networks.csv")).unwrap();
    let row = networks.lines().nth(1).unwrap();
    assert!(row.starts_with("N002,2,") && row.contains(",1.5,0.0,2.25,0.0,16,16,0.0,"), "{row}");
    let strange = old.replace("tau_raw", "tau_rau");
    fs::write(&path, &strange).unwrap();
    let (code, message) = refused(place, &measure);
    assert_eq!(code, Some(1));
    assert!(message.contains("unknown field `tau_rau`"), "{message}");
    assert!(message.contains("move it away to measure anew"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), strange);
}
