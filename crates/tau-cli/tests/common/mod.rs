//! The binary as a person starts it.

#![allow(dead_code, unreachable_pub, reason = "shared by several test files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tau_reproduce::{Compat, Facets, Figure};
pub use tests::files::{Files, assert_same};

/// The paper that is reproduced unless another one is named.
pub use tau_paper_khajehabdollahi_2024::PAPER;

/// The ids of its figures.
pub fn figures() -> impl Iterator<Item = &'static str> {
    PAPER.figures.iter().map(|figure| figure.id)
}

/// The ids of its claims.
pub fn claims() -> Vec<&'static str> {
    PAPER.claims.iter().map(|claim| claim.id).collect()
}

/// Networks of the preset `smoke` that these figures and their claims need.
pub fn networks(chosen: impl Fn(&Figure) -> bool) -> usize {
    let loaded = PAPER.load().unwrap();
    let smoke = loaded.preset("smoke", Compat::CLEAN).unwrap();
    let needed = |facets: &Facets| {
        let figures: Vec<&Figure> = PAPER.figures.iter().filter(|one| chosen(one)).collect();
        let claims = PAPER
            .claims
            .iter()
            .filter(|claim| figures.iter().any(|figure| figure.id == claim.figure));
        figures.iter().any(|figure| figure.shows(facets))
            || claims.into_iter().any(|claim| claim.is_about(facets))
    };
    smoke.runs().filter(|(condition, ..)| needed(&condition.facets)).count()
}

pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// `tau reproduce-figures` with these arguments.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tau"));
    command.arg("reproduce-figures").args(args).env_remove("RAYON_NUM_THREADS");
    command.stdin(Stdio::null());
    command
}

pub fn tau(args: &[&str]) -> Ran {
    ran(command(args).output().unwrap())
}

/// No run of the binary may panic, whatever it is given.
pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("panicked"), "{}", ran.stdout);
    ran
}

pub fn smoke(out: &Path, more: &[&str]) -> Ran {
    let mut args = vec!["--preset", "smoke", "--out", out.to_str().unwrap()];
    args.extend(more);
    tau(&args)
}

/// A copy of the results of one smoke run, which all tests of a file share.
pub fn smoked() -> tempfile::TempDir {
    static SMOKE: OnceLock<Files> = OnceLock::new();
    let results = SMOKE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let first = smoke(folder.path(), &[]);
        assert_eq!(first.code, Some(0), "{}", first.stderr);
        files(folder.path())
    });
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in results {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Every file below a folder but the lock: it is empty, and there from the first start on.
pub fn files(folder: &Path) -> Files {
    let mut found = tests::files::files(folder);
    found.remove(".lock");
    found
}

/// Every file, with the only number that differs between equal results set to 0: the seconds.
pub fn results(out: &Path) -> Files {
    let mut found = files(out);
    let mut report = verdicts(out);
    report["wall_s"] = 0.into();
    found.insert("verdicts.json".into(), report.to_string().into_bytes());
    let page = String::from_utf8(found["index.html"].clone()).unwrap();
    let (before, rest) = page.split_once("<dd class=\"seconds\">").unwrap();
    let (_, after) = rest.split_once("</dd>").unwrap();
    found.insert("index.html".into(), format!("{before}{after}").into_bytes());
    found
}

/// The folder of the run whose name begins so.
pub fn run_folder(out: &Path, start: &str) -> PathBuf {
    // Networks with fixed τ, for instance, have names that begin alike.
    let claims = verdicts(out)["claims"].as_array().unwrap().clone();
    let claim = claims.iter().find(|claim| claim["id"] == "3").unwrap();
    let runs = claim["runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap());
    out.join("runs").join(runs.clone().find(|run| run.starts_with(start)).unwrap())
}

pub fn verdicts(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(out.join("verdicts.json")).unwrap()).unwrap()
}
