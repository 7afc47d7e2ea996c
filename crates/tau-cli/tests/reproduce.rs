//! The command from its first start to its last: results, repetition, Ctrl-C.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{
    CENTRAL_NETWORKS, FIGURES, Files, NETWORKS, assert_same, command, files, results, smoke,
    smoked, verdicts,
};
use tau_rnn::Checkpoint;

#[test]
fn the_first_start_writes_every_file() {
    let out = smoked();
    let found = files(out.path());
    for (figure, _) in FIGURES {
        let starts: [(&str, &[u8]); 4] = [
            ("csv", b"figure,panel,series,"),
            ("svg", b"<svg"),
            ("png", b"\x89PNG\r\n\x1a\n"),
            ("pdf", b"%PDF-"),
        ];
        for (extension, start) in starts {
            let bytes = &found[&format!("{figure}.{extension}")];
            assert!(bytes.starts_with(start), "{figure}.{extension}");
        }
    }
    let top = found.keys().filter(|name| !name.contains('/')).count();
    // And the verdicts, for programs and for people.
    assert_eq!(top, 4 * FIGURES.len() + 2, "{:?}", found.keys());
    let networks = found.keys().filter(|name| name.ends_with("/status.json")).count();
    assert_eq!(networks, NETWORKS);
    assert_no_temporary_files(&found);
}

#[test]
fn verdicts_have_the_documented_keys() {
    let out = smoked();
    let report = verdicts(out.path());
    assert_eq!(
        keys(&report),
        [
            "claims",
            "commit",
            "compat",
            "conditions",
            "device",
            "diverged",
            "preset",
            "runs",
            "wall_s"
        ]
    );
    assert_eq!(report["runs"].as_array().unwrap().len(), NETWORKS);
    assert_eq!(report["compat"], "clean");
    assert_eq!(report["preset"], "smoke");
    assert!(report["wall_s"].as_f64().unwrap() > 0.0);
    let ids: Vec<String> = (1..=12).map(|id| id.to_string()).collect();
    let claims = report["claims"].as_array().unwrap();
    assert_eq!(claims.iter().map(|claim| claim["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    for claim in claims {
        let known = [
            "effect", "figure", "id", "interval", "networks", "parts", "placebo", "runs", "title",
            "verdict",
        ];
        assert_eq!(keys(claim), known);
        let id = claim["id"].as_str().unwrap();
        let figure = claim["figure"].as_str().unwrap();
        let known = FIGURES.contains(&(figure, id)) || (figure, id) == ("training-progress", "11");
        assert!(known, "{claim}");
        let parts = claim["parts"].as_array().unwrap();
        assert!(!parts.is_empty());
        for key in ["effect", "interval", "networks"] {
            assert_eq!(claim[key], parts[0][key], "claim {id} leads with its first part");
        }
        for part in parts {
            let known = ["effect", "interval", "left_out", "networks", "title", "verdict"];
            assert_eq!(keys(part), known);
        }
    }
}

fn keys(value: &serde_json::Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_second_start_trains_nothing_and_gives_the_same_bytes() {
    let out = smoked();
    let before = results(out.path());
    for (figure, _) in FIGURES {
        for extension in ["csv", "svg", "png", "pdf"] {
            fs::remove_file(out.path().join(format!("{figure}.{extension}"))).unwrap();
        }
    }
    let ran = smoke(out.path(), &["--threads", "1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!(": {NETWORKS} trained before, 0 begun, 0 new")),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("solved N"), "{}", ran.stderr);
    assert_same(&results(out.path()), &before, "second start");
}

/// The central figures need the networks of the three curricula alone.
#[test]
fn the_central_figures_and_one_figure_train_only_what_they_show() {
    let out = tempfile::tempdir().unwrap();
    let ran = smoke(out.path(), &["--central"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let begun = format!("{CENTRAL_NETWORKS} networks of 32 neurons");
    assert!(ran.stderr.contains(&begun), "{}", ran.stderr);
    let ids = |out| -> Vec<String> {
        let claims = verdicts(out)["claims"].as_array().unwrap().clone();
        claims.iter().map(|claim| claim["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(out.path()), ["1", "2", "3", "5", "6", "8", "11"]);
    let ran = smoke(out.path(), &["--only", "gated-cells"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("4 networks of 32 neurons"), "{}", ran.stderr);
    // The verdicts on the same preset's other networks are kept.
    assert_eq!(ids(out.path()), ["1", "2", "3", "5", "6", "8", "10", "11"]);
}

/// The quirks are measured on the same networks (those with fixed τ are others), into a folder of
/// their own, and the verdicts that differ are named.
#[test]
fn published_quirks_have_a_folder_of_their_own() {
    let out = smoked();
    let before = results(out.path());
    let ran = smoke(out.path(), &["--compat", "iclr2024"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let begun = format!(": {} trained before, 0 begun, 6 new", NETWORKS - 6);
    assert!(ran.stderr.contains(&begun), "{}", ran.stderr);
    assert_eq!(verdicts(&out.path().join("iclr2024"))["compat"], "iclr2024");
    assert!(ran.stdout.contains("with the quirks of iclr2024"), "{}", ran.stdout);
    let after = results(out.path());
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "{name} was changed");
    }
}

/// Three networks of each curriculum need the two that are there and one more.
#[test]
fn more_seeds_train_only_the_new_networks() {
    let out = smoked();
    let before = files(out.path());
    let ran = smoke(out.path(), &["--seeds", "3", "--only", "training-progress"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains(": 6 trained before, 0 begun, 3 new"), "{}", ran.stderr);
    let after = files(out.path());
    for (name, bytes) in before.iter().filter(|(name, _)| name.starts_with("runs/")) {
        assert!(after[name] == *bytes, "{name} was changed");
    }
    let networks = after.keys().filter(|name| name.ends_with("/status.json")).count();
    assert_eq!(networks, NETWORKS + 3);
}

#[test]
fn one_figure_leaves_the_others_and_their_verdicts() {
    let out = smoked();
    let before = results(out.path());
    for name in ["tau-vs-n.csv", "tau-vs-n.svg", "tau-vs-n.png", "tau-vs-n.pdf"] {
        fs::remove_file(out.path().join(name)).unwrap();
    }
    let ran = smoke(out.path(), &["--only", "tau-vs-n"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("wrote ").count(), 3, "{}", ran.stderr);
    assert_same(&results(out.path()), &before, "one figure");
}

/// The table of every run that has one, by its path.
fn tables(out: &Path) -> BTreeMap<PathBuf, String> {
    let runs = fs::read_dir(out.join("runs")).unwrap();
    let paths = runs.map(|entry| entry.unwrap().path().join("metrics.csv"));
    paths.filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

fn assert_no_temporary_files(found: &Files) {
    let known = ["csv", "svg", "png", "pdf", "html", "json", "toml", "safetensors"];
    for name in found.keys() {
        let (_, extension) = name.rsplit_once('.').unwrap_or_default();
        let hidden = name.split('/').any(|part| part.starts_with('.'));
        assert!(known.contains(&extension) && !hidden, "{name}");
    }
}

/// Every file of an interrupted run is whole.
fn assert_whole(out: &Path) {
    let found = files(out);
    assert_no_temporary_files(&found);
    let mut networks = 0;
    for (name, bytes) in &found {
        if name.ends_with(".safetensors") {
            Checkpoint::<f32>::from_bytes(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            networks += 1;
        } else if name.ends_with(".json") {
            serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        } else if name.ends_with(".csv") {
            assert!(bytes.ends_with(b"\n"), "{name}");
        }
    }
    assert!(networks >= 2, "one network solved an N: its checkpoint and the state after it");
}

/// Starts a long reproduction; lines of standard error come through the reader.
fn start(out: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let args = ["--preset", "laptop", "--seeds", "1", "--threads", "2", "--out"];
    let mut child = command(&[&args[..], &[out.to_str().unwrap()]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

/// Presses Ctrl-C and returns what is still said.
#[cfg(unix)]
fn interrupt(mut child: Child, mut stderr: impl Read) -> String {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{rest}");
    rest
}

#[test]
#[cfg(unix)]
fn an_interrupted_start_leaves_whole_files_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (child, mut stderr) = start(out);
    let mut line = String::new();
    while !line.contains(": solved N = ") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "ended before an N was solved");
    }
    let rest = interrupt(child, stderr);
    let last = rest.lines().last().unwrap();
    assert_eq!(
        last,
        "error: interrupted: epochs and measurements that ended are kept; the same command goes on \
         from there"
    );
    assert_whole(out);
    let before = tables(out);
    assert!(!before.is_empty());

    // The next start goes on: it adds epochs to the very rows that were there.
    let (child, stderr) = start(out);
    let begun = Instant::now();
    let grown = |before: &BTreeMap<PathBuf, String>| {
        let after = tables(out);
        before.iter().all(|(name, table)| after[name].len() > table.len())
    };
    while !grown(&before) {
        assert!(begun.elapsed() < Duration::from_secs(300), "no further epoch");
        std::thread::sleep(Duration::from_millis(100));
    }
    interrupt(child, stderr);
    assert_whole(out);
    for (name, table) in tables(out) {
        if let Some(earlier) = before.get(&name) {
            assert!(table.starts_with(earlier.as_str()), "{} was begun anew", name.display());
        }
    }
}
