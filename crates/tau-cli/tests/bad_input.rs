//! Whatever is wrong is answered with a message that helps, an exit code, and untouched results.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use common::{
    PAPER, assert_same, command, figures, files, results, run_folder, smoke, smoked, tau, verdicts,
};

/// Fails with this one line on standard error, whatever was said before it.
fn check(args: &[&str], code: i32, message: &str) {
    let ran = tau(args);
    assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stderr.lines().last(), Some(message), "{args:?}");
    assert_eq!(ran.stdout, "", "{args:?}");
}

#[test]
fn values_that_are_none_are_answered_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let out_text = out.to_str().unwrap();
    let check_here = |args: &[&str], message: &str| {
        check(&[args, &["--out", out_text]].concat(), 2, message);
        assert!(!out.exists(), "{args:?} wrote something");
    };
    check_here(&["--preset", "huge"], "error: unknown preset: huge (known: smoke, laptop, paper)");
    check_here(&["--preset", ""], "error: unknown preset:  (known: smoke, laptop, paper)");
    let known = figures().collect::<Vec<_>>().join(", ");
    let message = format!("error: unknown figure: fig-9 (known: {known})");
    check_here(&["--preset", "smoke", "--only", "fig-9"], &message);
    let message = "error: unknown quirks: iclr2025 (known: iclr2024)";
    check_here(&["--preset", "smoke", "--compat", "iclr2025"], message);
    let message = format!("error: unknown paper: nobody-1900 (known: {})", PAPER.id);
    check_here(&["nobody-1900", "--preset", "smoke"], &message);
    check_here(&["--preset", "smoke", "--seeds", "0"], "error: seeds: 0 (allowed: 1 to 1000)");
    check_here(&["--preset", "smoke", "--threads", "0"], "error: threads: 0 (allowed: 1 to 1024)");
}

/// The parser's errors: code 2, the value, and how to ask for help.
#[test]
fn wrong_command_lines_are_refused_before_anything_happens() {
    check(&["--seed", "3"], "unexpected argument '--seed'");
    check(&["--seeds", "-1"], "unexpected argument '-1'");
    check(&["--seeds", "three"], "invalid value 'three' for '--seeds <K>'");
    check(&["--seeds", "1.5"], "invalid value '1.5' for '--seeds <K>'");
    check(&["--threads", "many"], "invalid value 'many' for '--threads <T>'");
    check(&["--preset"], "a value is required for '--preset <PRESET>'");
    check(&["figures", "more"], "unexpected argument 'more'");
    fn check(args: &[&str], message: &str) {
        let ran = tau(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{}", ran.stderr);
        assert!(ran.stderr.contains("--help"), "{}", ran.stderr);
    }
}

/// As root no folder is read-only: below a file, and among the kernel's, nobody can write.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"kept").unwrap();
    for out in [file.clone(), file.join("below"), Path::new("/proc/tau-rnn").to_owned()] {
        let ran = smoke(&out, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        let last = ran.stderr.lines().last().unwrap();
        assert!(last.starts_with(&format!("error: cannot create {}", out.display())), "{last}");
        assert!(last.ends_with("choose another folder)"), "{last}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}

/// A finished run whose solved network is cut short cannot be measured.
#[test]
fn a_truncated_network_is_named_and_nothing_is_changed() {
    for left in [0, 8, 500] {
        let out = smoked();
        let run = run_folder(out.path(), "parity_multi-head_h32_seed0-");
        let network = run.join("checkpoints/N002.safetensors");
        let bytes = fs::read(&network).unwrap();
        fs::write(&network, &bytes[..left]).unwrap();
        fs::remove_dir_all(run.join("measures")).unwrap();
        let before = files(out.path());
        let ran = smoke(out.path(), &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        let last = ran.stderr.lines().last().unwrap();
        let start = format!("error: cannot use {}: not a readable checkpoint: ", network.display());
        assert!(last.starts_with(&start), "{last}");
        assert!(last.ends_with("(move the run's folder away to train it anew)"), "{last}");
        assert_same(&files(out.path()), &before, last);
    }
}

/// A damaged file is named also for the state that an unfinished run would go on from.
#[test]
fn a_truncated_latest_is_named_and_nothing_is_changed() {
    let out = smoked();
    let run = run_folder(out.path(), "parity_multi-head_h32_seed1-");
    let latest = run.join("latest.safetensors");
    let bytes = fs::read(&latest).unwrap();
    fs::write(&latest, &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(run.join("status.json")).unwrap();
    let mut before = files(out.path());
    let ran = smoke(out.path(), &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap();
    let start = format!("error: cannot use {}: not a readable checkpoint: ", latest.display());
    assert!(last.starts_with(&start), "{last}");
    assert!(last.ends_with("(delete it to train the run anew from its beginning)"), "{last}");
    // Only who tried last is noted.
    let mut after = files(out.path());
    let is_manifest = |name: &String| name.ends_with("manifest.json");
    before.retain(|name, _| !is_manifest(name));
    after.retain(|name, _| !is_manifest(name));
    assert_same(&after, &before, last);

    // The remedy is true: the results are those of a run that was never broken.
    fs::remove_file(&latest).unwrap();
    let ran = smoke(out.path(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let expected = smoked();
    for figure in figures() {
        let csv = |out: &Path| fs::read(out.join(format!("{figure}.csv"))).unwrap();
        assert!(csv(out.path()) == csv(expected.path()), "{figure} differs");
    }
}

/// Measurements can be made again, so a file that is not one counts as none.
#[test]
fn a_broken_measurement_is_made_again() {
    let out = smoked();
    let before = results(out.path());
    let run = run_folder(out.path(), "parity_multi-head_h32_seed0-");
    for entry in fs::read_dir(run.join("measures")).unwrap() {
        fs::write(entry.unwrap().path(), "{\"settings\":").unwrap();
    }
    let ran = smoke(out.path(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_same(&results(out.path()), &before, "measured again");
}

/// What a newer program wrote is neither read nor replaced.
#[test]
fn verdicts_of_a_newer_format_are_refused() {
    let out = smoked();
    let path = out.path().join("verdicts.json");
    fs::write(&path, "{ \"format\": 2 }").unwrap();
    let ran = smoke(out.path(), &["--only", "tau-vs-n"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let message = format!(
        "error: cannot use {}: format: 2 (allowed: 1; a newer tau wrote it: use that one)",
        path.display()
    );
    assert_eq!(ran.stderr.lines().last(), Some(&*message));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ \"format\": 2 }");
}

#[test]
fn verdicts_that_are_not_ours_are_replaced() {
    let out = smoked();
    fs::write(out.path().join("verdicts.json"), "not json").unwrap();
    let ran = smoke(out.path(), &["--only", "tau-vs-n"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(verdicts(out.path())["claims"].as_array().unwrap().len(), 1);
}

/// `tau … | head`, or a terminal that was closed: nobody reads, and the results come all the same.
#[test]
fn nobody_has_to_read_what_it_says() {
    let out = smoked();
    let table = out.path().join("tau-vs-n.csv");
    let expected = fs::read(&table).unwrap();
    fs::remove_file(&table).unwrap();
    let args = ["--preset", "smoke", "--out", out.path().to_str().unwrap()];
    let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(fs::read(&table).unwrap() == expected);
}
