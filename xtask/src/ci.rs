//! What `cargo xtask ci` checks. The tests themselves are the README's command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{cargo, run};

/// What the name of a paper's crate begins with.
const PAPER: &str = "tau-paper-";
/// The only crate that may depend on papers: it registers them.
const REGISTERS: &str = "tau-cli";

/// The allowed arrows between our products: (from, to). Each one is a decision: see
/// docs/architecture.md, which has the reasons. The packages in `tests/` are tools of tests and
/// benchmarks: they may depend on any product, and no product on them.
const ARROWS: &[(&str, &[&str])] = &[
    ("tau-random", &[]),
    ("tau-tasks", &["tau-random"]),
    ("tau-rnn", &["tau-random"]),
    ("tau-exchange", &["tau-random", "tau-rnn"]),
    ("tau-curricula", &["tau-tasks"]),
    ("tau-training", &["tau-curricula", "tau-random", "tau-rnn", "tau-tasks"]),
    ("tau-analysis", &["tau-random", "tau-rnn", "tau-tasks"]),
    ("tau-runs", &["tau-curricula", "tau-random", "tau-rnn", "tau-tasks", "tau-training"]),
    ("tau-figures", &[]),
    (
        "tau-reproduce",
        &["tau-analysis", "tau-figures", "tau-random", "tau-rnn", "tau-runs", "tau-training"],
    ),
    (
        "tau-paper-khajehabdollahi-2024",
        &[
            "tau-analysis",
            "tau-curricula",
            "tau-random",
            "tau-reproduce",
            "tau-rnn",
            "tau-runs",
            "tau-tasks",
            "tau-training",
        ],
    ),
    (
        "tau-cli",
        &[
            "tau-analysis",
            "tau-curricula",
            "tau-exchange",
            "tau-paper-khajehabdollahi-2024",
            "tau-reproduce",
            "tau-rnn",
            "tau-runs",
            "tau-tasks",
            "tau-training",
        ],
    ),
    ("xtask", &[]),
];

/// Formatting, lints, documentation, the direction of dependencies, packages, licences, the kernels'
/// PTX, spelling, the smoke reproduction from nothing, files opened in Python, kills, an old C library.
pub(crate) fn all() -> Result<()> {
    step("formatting", || cargo_run(&["fmt", "--all", "--check"]))?;
    step("lints", || {
        cargo_run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;
    step("the core without CUDA", || cargo_run(&["check", "--quiet", "--package", "tau-rnn"]))?;
    // Without the features that tests and benchmarks turn on.
    step("lints of the program that ships", || {
        cargo_run(&["clippy", "--package", "tau-cli", "--", "-D", "warnings"])
    })?;
    step("documentation", || {
        let mut doc = Command::new(cargo());
        doc.args(["doc", "--workspace", "--no-deps", "--quiet"]);
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("direction of dependencies", check_arrows)?;
    step("packages", crate::packages::build)?;
    step("licences and sources", || cargo_run(&["deny", "check", "bans", "licenses", "sources"]))?;
    step("CUDA kernels", || crate::kernels::kernels(true))?;
    step("the example of a crate user", || {
        // Few trials: it shall run, not learn.
        let run = ["run", "--release", "--quiet", "--package", "tau-training"];
        cargo_run(&[&run[..], &["--example", "flip_flop", "--", "114"]].concat())
    })?;
    step("spelling", || run(&mut Command::new("typos")))?;
    step("smoke reproduction", smoke)?;
    step("files in Python", files_in_python)?;
    step("crash test", || crate::crash::test(20, None))?;
    step("an old C library", for_old_systems)
}

fn step(name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("ci: {name}");
    check().with_context(|| format!("ci: {name}"))
}

fn cargo_run(arguments: &[&str]) -> Result<()> {
    run(Command::new(cargo()).args(arguments))
}

/// Every arrow between our products must be in [`ARROWS`], and every one there must exist. Whatever that
/// list says, no crate but the registering one depends on a paper: not the engine, not another paper.
fn check_arrows() -> Result<()> {
    let metadata = crate::metadata()?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        if is_test_tool(package) {
            ensure!(!package["publish"].is_null(), "{name} in tests/ needs `publish = false`");
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            bail!("{name} is not in the list of arrows (xtask/src/ci.rs, docs/architecture.md)");
        };
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        let found: BTreeSet<&str> = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| ours.contains(name))
            .collect();
        if let Some(paper) = found.iter().find(|to| to.starts_with(PAPER) && name != REGISTERS) {
            bail!("{name} depends on the paper {paper} (allowed: {REGISTERS} alone)");
        }
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        if found != allowed {
            bail!("{name} depends on {found:?} (allowed: {allowed:?}; see docs/architecture.md)");
        }
    }
    Ok(())
}

/// Whether a package is none of the products but lies in `tests/`.
fn is_test_tool(package: &serde_json::Value) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let folder = root.map(|root| root.join("tests"));
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    folder.is_some_and(|folder| Path::new(manifest).starts_with(folder))
}

/// Reproduces at the smallest scale into an empty folder and looks at what came out.
fn smoke() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().to_string_lossy().into_owned();
    cargo_run(&["xtask", "reproduce-figures", "--preset", "smoke", "--out", &out])?;
    let verdicts = std::fs::read(folder.path().join("verdicts.json"))?;
    let verdicts: serde_json::Value = serde_json::from_slice(&verdicts)?;
    let ids = |of: &serde_json::Value| -> Vec<String> {
        let all = of.as_array().into_iter().flatten();
        all.filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
    };
    let paper = paper()?;
    let (judged, claims) = (ids(&verdicts["claims"]), ids(&paper["claims"]));
    if judged != claims || claims.is_empty() {
        bail!("verdicts.json has the claims {judged:?} of {claims:?}");
    }
    let page = std::fs::read_to_string(folder.path().join("index.html"))?;
    for figure in ids(&paper["figures"]) {
        if !page.contains(&format!("id=\"figure-{figure}\"")) {
            bail!("index.html does not show {figure}");
        }
        for extension in ["csv", "svg", "png", "pdf"] {
            let file = folder.path().join(format!("{figure}.{extension}"));
            let size = std::fs::metadata(&file).map(|file| file.len());
            if size.with_context(|| format!("{} is missing", file.display()))? == 0 {
                bail!("{} is empty", file.display());
            }
        }
    }
    Ok(())
}

/// The default paper, as `tau papers` describes it.
fn paper() -> Result<serde_json::Value> {
    let mut command = Command::new(crate::built("tau-cli", "tau")?);
    let output = command.args(["papers", "--json"]).output().context("cannot run tau")?;
    let papers: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(papers["papers"][0].clone())
}

/// The program for old systems asks for nothing newer, and computes the same bits as the one for this.
fn for_old_systems() -> Result<()> {
    let [portable] = &crate::dist::portable(&[("tau-cli", "tau")])?[..] else {
        bail!("not one program")
    };
    let folder = tempfile::tempdir()?;
    let mut networks = Vec::new();
    for (name, tau) in [("old", portable), ("new", &crate::built("tau-cli", "tau")?)] {
        let run = small_run(tau, &folder.path().join(name))?;
        networks.push(std::fs::read(run.join("latest.safetensors"))?);
    }
    if networks[0] != networks[1] {
        bail!("the program for old systems trains another network");
    }
    Ok(())
}

/// A run and its export, opened with pandas, numpy and safetensors, and with PyTorch if `TAU_PYTHON`
/// names a Python that has all of them.
fn files_in_python() -> Result<()> {
    let (python, torch) = match std::env::var_os("TAU_PYTHON") {
        Some(python) => (python.into(), Some("torch")),
        None => (crate::python::python("file-tools", &["numpy", "pandas", "safetensors"])?, None),
    };
    let folder = tempfile::tempdir()?;
    let tau = crate::built("tau-cli", "tau")?;
    let one = small_run(&tau, folder.path())?;
    let exported = folder.path().join("exported");
    quietly(Command::new(&tau).arg("export").arg(&one).arg(&exported))?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/open_files.py");
    run(Command::new(python).arg(script).arg(&one).arg(&exported).args(torch))
}

/// Trains for seconds in a folder and says where the run is.
fn small_run(tau: &Path, folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let (spec, runs) = (folder.join("spec.toml"), folder.join("runs"));
    let text = "base = \"iclr-2024\"\nseed = 1\nbatch_size = 64\nstop.accuracy_above = 0.7\n\
                schedule.n_end = 3\ndata.fresh.updates_per_epoch = 100\nnetwork.hidden_size = 24\n";
    std::fs::write(&spec, text)?;
    quietly(Command::new(tau).args(["train", "--device", "cpu", "--out"]).arg(&runs).arg(&spec))?;
    Ok(std::fs::read_dir(&runs)?.next().context("no run")??.path())
}

fn quietly(command: &mut Command) -> Result<()> {
    run(command.stdout(std::process::Stdio::null()))
}
