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
    Files, PAPER, assert_same, claims, command, figures, files, networks, results, smoke, smoked,
    verdicts,
};
use tau_rnn::Checkpoint;

#[test]
fn the_first_start_writes_every_file() {
    let out = smoked();
    let found = files(out.path());
    for figure in figures() {
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
    assert_eq!(top, 4 * PAPER.figures.len() + 2, "{:?}", found.keys());
    let trained = found.keys().filter(|name| name.ends_with("/status.json")).count();
    assert_eq!(trained, networks(|_| true));
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
            "format",
            "paper",
            "preset",
            "runs",
            "wall_s"
        ]
    );
    assert_eq!(report["runs"].as_array().unwrap().len(), networks(|_| true));
    assert_eq!((&report["format"], &report["paper"]), (&1.into(), &PAPER.id.into()));
    assert_eq!(report["compat"], "clean");
    assert_eq!(report["preset"], "smoke");
    assert!(report["wall_s"].as_f64().unwrap() > 0.0);
    let judged = report["claims"].as_array().unwrap();
    let ids: Vec<&str> = judged.iter().map(|claim| claim["id"].as_str().unwrap()).collect();
    assert_eq!(ids, claims());
    for claim in judged {
        let known = [
            "effect", "figure", "id", "interval", "networks", "parts", "placebo", "runs", "title",
            "verdict",
        ];
        assert_eq!(keys(claim), known);
        let id = claim["id"].as_str().unwrap();
        let figure = claim["figure"].as_str().unwrap();
        let known = PAPER.claims.iter().any(|one| (one.figure, one.id) == (figure, id));
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
    for figure in figures() {
        for extension in ["csv", "svg", "png", "pdf"] {
            fs::remove_file(out.path().join(format!("{figure}.{extension}"))).unwrap();
        }
    }
    let ran = smoke(out.path(), &["--threads", "1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let all = networks(|_| true);
    let begun = format!(": {all} trained before, 0 begun, 0 new");
    assert!(ran.stderr.contains(&begun), "{}", ran.stderr);
    assert!(!ran.stderr.contains("solved N"), "{}", ran.stderr);
    assert_same(&results(out.path()), &before, "second start");
}

/// The central figures need the networks of the three curricula alone.
#[test]
fn the_central_figures_and_one_figure_train_only_what_they_show() {
    let out = tempfile::tempdir().unwrap();
    let ran = smoke(out.path(), &["--central"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let central = networks(|figure| figure.central);
    assert_eq!(central, 6);
    let begun = format!("{central} networks of 32 neurons");
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
    let begun = format!(": {} trained before, 0 begun, 6 new", networks(|_| true) - 6);
    assert!(ran.stderr.contains(&begun), "{}", ran.stderr);
    assert_eq!(verdicts(&out.path().join("iclr2024"))["compat"], "iclr2024");
    let changes = format!("0 of {} verdicts change with the iclr2024 quirks", claims().len());
    assert!(ran.stdout.contains(&changes), "{}", ran.stdout);
    let after = results(out.path());
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "{name} was changed");
    }
}

/// The page shows the list of the paper's crate.
#[test]
fn the_page_has_the_divergences_of_the_paper() {
    let out = smoked();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert!(place("id=\"divergences\"") < place("a head is created when a stage needs it"));
    place("Beware of the AIC.");
    assert!(place("Measurements: what differs, why, and what it changes") < place("Ours alone"));
    assert!(!page.contains("|---|"));
}

/// `tau papers` names what every other command knows.
#[test]
fn papers_are_listed_for_people_and_for_programs() {
    let tau = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tau")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = tau(&["papers"]);
    let listed: serde_json::Value = serde_json::from_str(&tau(&["papers", "--json"])).unwrap();
    assert_eq!((&listed["format"], &listed["papers"][0]["id"]), (&1.into(), &PAPER.id.into()));
    let help = tau(&["reproduce-figures", "--help"]);
    assert!(help.contains("smoke (seconds; too small for any verdict)"), "{help}");
    for name in figures() {
        assert!(text.contains(name) && help.contains(name), "{name}");
    }
    for claim in PAPER.claims {
        assert!(text.contains(claim.title), "{}", claim.id);
    }
    let ids = |list: &str| -> Vec<String> {
        let all = listed["papers"][0][list].as_array().unwrap();
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("claims"), claims());
    assert_eq!(ids("quirks"), ["iclr2024"]);
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
    let trained = after.keys().filter(|name| name.ends_with("/status.json")).count();
    assert_eq!(trained, networks(|_| true) + 3);
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
