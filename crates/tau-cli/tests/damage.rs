//! A trained network is damaged and trained further: `tau ablate`, `tau perturb`, `tau retrain`.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::files::{assert_same, files};

const SPEC: &str = "seed = 1\nbase = \"plain\"\ntask = \"parity\"\nmax_epochs = 20\nbatch_size = 32\n\
                   initial_state = 0.1\nstop.accuracy_above = 0.6\n\
                   data.fresh = { updates_per_epoch = 60, test_batches = 5 }\n\
                   schedule = { kind = \"multi-head\", n_end = 3 }\n\
                   optimiser.rule.sgd = { learning_rate = 0.05, momentum = 0.1 }\n\
                   [network]\nhidden_size = 16\n";

const PULSE: &str = "seed = 1\ntask = \"pulse\"\nmax_epochs = 2\nbatch_size = 8\n\
                     data.fixed = { trials = 20, held_out = 4, data_seed = 1 }\n\
                     network.hidden_size = 16\n";

/// Exit code, standard output and standard error.
fn tau(place: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tau"));
    command.args(arguments).current_dir(place).env_remove("RAYON_NUM_THREADS");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn said(place: &Path, arguments: &[&str]) -> String {
    let (code, out, errors) = tau(place, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    out
}

#[test]
fn a_network_is_damaged_and_trained_further_and_its_run_is_as_before() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    fs::write(place.join("one.toml"), SPEC).unwrap();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let before = files(&place.join(&run));
    let rows = |name: &str| fs::read_to_string(place.join(name)).unwrap().lines().count() - 1;

    let out = said(place, &["ablate", &run, "--neurons", "3", "--steps", "200", "--csv", "a.csv"]);
    assert!(out.contains("without") && rows("a.csv") == 6, "{out}");
    let compat = ["ablate", &run, "--neurons", "3", "--steps", "200", "--compat", "iclr2024"];
    assert!(said(place, &compat).contains("best trial"));
    let noise = ["perturb", &run, "--of", "tau", "--epsilon", "0,0.1,1", "--csv", "p.csv"];
    let out = said(place, &noise);
    assert!(out.contains("0.100000") && rows("p.csv") == 3, "{out}");

    let further =
        ["retrain", &run, "--from", "2", "--to", "3,4", "--epochs", "2", "--updates", "5"];
    let out = said(place, &[&further[..], &["--csv", "r.csv"]].concat());
    assert!(out.contains("solved N = 2") && out.contains("r.csv"), "{out}");
    // Before, and after each of two epochs, for two N.
    assert_eq!(rows("r.csv"), 6);
    let threads = [&further[..], &["--threads", "1", "--csv", "one.csv"]].concat();
    said(place, &threads);
    let without_time = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(place.join(name)).unwrap();
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
    };
    assert_eq!(without_time("one.csv"), without_time("r.csv"));
    assert_same(&files(&place.join(&run)), &before, "damaged and trained further");
}

#[test]
fn what_the_network_cannot_be_asked_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    fs::write(place.join("one.toml"), SPEC).unwrap();
    let run = said(place, &["train", "one.toml", "--device", "cpu"]).trim().to_owned();
    let check = |arguments: &[&str], message: &str| {
        let (code, out, errors) = tau(place, arguments);
        assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {out}{errors}");
        assert!(errors.contains(message) && !errors.contains("panicked"), "{errors}");
    };
    check(&["retrain", &run, "--to", "1000000"], "--to 1000000: the task has no such N");
    check(&["retrain", &run, "--from", "9", "--to", "10"], "N009: parity_multi-head_h16_seed1-");
    check(&["ablate", &run, "--at", "never"], "has reached N002, N003, final");
    check(&["ablate", &run, "--trials", "9"], "--trials is for a task without N (use --steps)");
    check(&["retrain", &run], "--to");
    check(&["ablate", &run, "--neurons", "9"], "9");
    check(&["perturb", &run, "--of", "tau", "--epsilon", "-1"], "-1");
    check(&["retrain", "nothing", "--to", "4"], "nothing");
}

/// A task without N is scored by its own loss on new trials; there is no other N to train on.
#[test]
fn a_network_for_values_is_damaged_and_not_retrained() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    fs::write(place.join("pulse.toml"), PULSE).unwrap();
    let run = said(place, &["train", "pulse.toml", "--device", "cpu"]).trim().to_owned();
    let before = files(&place.join(&run));
    let ablate = ["ablate", &run, "--neurons", "3", "--trials", "16", "--csv", "a.csv"];
    let out = said(place, &ablate);
    assert!(out.starts_with("pulse, whole network: loss 0.") && out.contains("without"), "{out}");
    let table = fs::read_to_string(place.join("a.csv")).unwrap();
    assert!(table.starts_with("n,end,neuron,tau_raw,measure,value,relative\n,short,"), "{table}");
    assert_eq!((table.lines().count(), table.matches(",loss,").count()), (7, 6));
    let noise = ["perturb", &run, "--of", "weights", "--epsilon", "0,0.1", "--trials", "16"];
    let out = said(place, &noise);
    assert!(out.contains("epsilon") && out.contains("loss"), "{out}");
    let check = |arguments: &[&str], message: &str| {
        let (code, out, errors) = tau(place, arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {out}{errors}");
        assert!(errors.contains(message), "{errors}");
    };
    check(&["retrain", &run, "--to", "4"], "retrain: the task pulse has no N, and so no other N");
    check(&["ablate", &run, "--n", "3"], "N003: pulse_none_h16_seed1-");
    check(&["ablate", &run, "--steps", "3"], "--steps is for a task with N (use --trials)");
    assert_same(&files(&place.join(&run)), &before, "damaged");
}
