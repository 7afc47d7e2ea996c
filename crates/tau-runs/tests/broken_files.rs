//! Broken files are named with a remedy, and nothing else in the run's folder is touched.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{
    Files, Folder, assert_same, files, multi_head, pool, single_head, small, train, train_epochs,
    values,
};
use tau_random::{Key, Purpose};
use tau_rnn::{Checkpoint, Config, Hardware, Params, Rule};
use tau_runs::{Event, Every, Provenance, Run, State, StopToken};
use tau_training::{Milestone, TrainingSpec};

const DELETE_LATEST: &str = " (delete it to train the run anew from its beginning)";
const MOVE_AWAY: &str = " (move the run's folder away to train it anew)";

/// A run that was stopped after two epochs.
fn begun(folder: &Folder) -> Run {
    let run = folder.open(&small(multi_head()));
    train_epochs(&run, 1, 2);
    run
}

/// Everything but `manifest.json`, which tells of the last start also if it failed.
fn contents(run: &Run) -> Files {
    let mut files = files(run.folder());
    files.remove("manifest.json");
    files
}

/// Spoils one file of a run that was begun, and goes on with the run.
fn check(name: &str, spoil: impl Fn(Vec<u8>) -> Vec<u8>, reason: &str, remedy: &str) {
    let folder = Folder::new();
    let run = begun(&folder);
    let path = run.folder().join(name);
    fs::write(&path, spoil(fs::read(&path).unwrap())).unwrap();
    let before = contents(&run);
    let run = folder.open(run.spec());
    let error = train(&run, 1).unwrap_err().to_string();
    let start = format!("cannot use {}: {reason}", path.display());
    assert!(error.starts_with(&start), "{error}\nexpected: {start}");
    assert!(error.ends_with(remedy), "{error}\nexpected: {remedy}");
    assert_same(&contents(&run), &before, &error);
}

#[test]
fn a_latest_that_is_cut_short_is_named() {
    let unreadable = "not a readable checkpoint: ";
    for left in [0, 1, 7, 8, 100, 1000] {
        check("latest.safetensors", |bytes| bytes[..left].to_vec(), unreadable, DELETE_LATEST);
    }
    let without_last = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    check("latest.safetensors", without_last, unreadable, DELETE_LATEST);
}

#[test]
fn a_latest_with_a_damaged_header_is_named() {
    // The length of the header, its opening brace, and the name of our entry in it.
    for position in [0, 6, 8, 30] {
        let flip = |mut bytes: Vec<u8>| {
            bytes[position] ^= 0x10;
            bytes
        };
        check("latest.safetensors", flip, "not a readable checkpoint: ", DELETE_LATEST);
    }
}

#[test]
fn a_latest_with_a_parameter_that_is_not_finite_is_named() {
    // All ones are a NaN.
    let spoil = |mut bytes: Vec<u8>| {
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header..].fill(0xff);
        bytes
    };
    check("latest.safetensors", spoil, "", DELETE_LATEST);
}

#[test]
fn a_latest_of_another_network_is_named() {
    let config = Config::leaky(9, 1);
    let mut random = Key::new(0, Purpose::Parameters).stream();
    let other = Checkpoint::<f32> {
        params: Params::init(&config, &mut random).unwrap(),
        config,
        momentum: None,
        metadata: BTreeMap::new(),
    };
    let bytes = other.to_bytes().unwrap();
    let reason = "it holds a network of another kind than the run's";
    check("latest.safetensors", |_| bytes.clone(), reason, DELETE_LATEST);
}

/// Such a file has no position and no momentum: to go on from it would change the bits.
#[test]
fn a_checkpoint_of_a_solved_n_is_no_latest() {
    let folder = Folder::new();
    let solved = fs::read(begun(&folder).folder().join("checkpoints/N002.safetensors")).unwrap();
    check("latest.safetensors", |_| solved.clone(), "", DELETE_LATEST);
}

#[test]
fn a_latest_without_momentum_is_not_continued() {
    let forget = |bytes: Vec<u8>| {
        let mut latest = Checkpoint::<f32>::from_bytes(&bytes).unwrap();
        assert!(latest.momentum.take().is_some());
        latest.to_bytes().unwrap()
    };
    check("latest.safetensors", forget, "", DELETE_LATEST);
}

#[test]
fn metrics_that_cannot_be_read_are_named() {
    check("metrics.csv", |_| b"\xff\xfe\x00 no table".to_vec(), "", MOVE_AWAY);
    check("metrics.csv", |_| b"epoch,head\n1,x\n".to_vec(), "", MOVE_AWAY);
    let cut_in_a_row = |bytes: Vec<u8>| bytes[..bytes.len() - 12].to_vec();
    check("metrics.csv", cut_in_a_row, "", MOVE_AWAY);
}

/// Rows that are gone cannot be made again: a run must not go on as if they had never been.
#[test]
fn metrics_that_lack_an_epoch_are_named() {
    let without_last_epoch = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let rows = text.lines().filter(|line| !line.starts_with("2,"));
        rows.map(|line| format!("{line}\n")).collect::<String>().into_bytes()
    };
    check("metrics.csv", without_last_epoch, "", MOVE_AWAY);
    check("metrics.csv", |_| Vec::new(), "", MOVE_AWAY);
}

#[test]
fn a_status_that_cannot_be_read_is_named() {
    let remedy = " (delete it: the run then goes on from its last epoch)";
    for text in ["", "{", "{\"format\":1,\"state\":\"asleep\"}", "\u{fffd}\0"] {
        check("status.json", |_| text.as_bytes().to_vec(), "", remedy);
    }
}

/// The remedies are true.
#[test]
fn the_remedies_help() {
    let (expected, _undisturbed) = finished();
    let folder = Folder::new();
    let run = begun(&folder);
    fs::write(run.folder().join("status.json"), "{").unwrap();
    assert!(run.status().is_err());
    fs::remove_file(run.folder().join("status.json")).unwrap();
    train(&run, 1).unwrap();
    assert_same(&networks(&run), &expected, "went on without its status");

    let folder = Folder::new();
    let run = begun(&folder);
    fs::remove_file(run.folder().join("latest.safetensors")).unwrap();
    train(&run, 1).unwrap();
    assert_same(&networks(&run), &expected, "began anew");
    assert_eq!(run.metrics().unwrap()[0].epoch, 1);
}

fn finished() -> (Files, Folder) {
    let folder = Folder::new();
    let run = folder.open(&small(multi_head()));
    train(&run, 1).unwrap();
    (networks(&run), folder)
}

fn networks(run: &Run) -> Files {
    let mut files = files(run.folder());
    files.retain(|name, _| name.ends_with(".safetensors"));
    files
}

/// A finished run without its table must not pass for one that solved nothing.
#[test]
fn a_finished_run_that_lost_rows_is_refused() {
    let (_, folder) = finished();
    let run = folder.open(&small(multi_head()));
    let path = run.folder().join("metrics.csv");
    let whole = fs::read(&path).unwrap();
    let epochs = run.metrics().unwrap().last().unwrap().epoch;
    let text = String::from_utf8(whole.clone()).unwrap();
    let last = format!("{epochs},");
    let cut: Vec<&str> = text.lines().filter(|line| !line.starts_with(&last)).collect();
    let header = text.lines().next().unwrap();
    let check = |contents: Option<String>, there: usize| {
        match contents {
            Some(contents) => fs::write(&path, contents).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = run.metrics().unwrap_err().to_string();
        let reason = format!("cannot use {}: it has {there} of {epochs} epochs", path.display());
        assert!(error.starts_with(&reason), "{error}");
        assert!(error.ends_with(MOVE_AWAY), "{error}");
    };
    check(Some(format!("{}\n", cut.join("\n"))), epochs - 1);
    check(Some(format!("{header}\n")), 0);
    check(Some("garbage\n".to_owned()), 0);
    check(None, 0);
    fs::write(&path, &whole).unwrap();
    assert_eq!(run.metrics().unwrap().last().unwrap().epoch, epochs);
}

#[test]
fn a_solved_checkpoint_that_is_broken_or_missing_is_named() {
    let (_, folder) = finished();
    let run = folder.open(&small(multi_head()));
    let path = run.folder().join("checkpoints/N002.safetensors");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(run.checkpoint(&Milestone::n(2)).unwrap().params.readouts.len(), 1);
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = run.checkpoint(&Milestone::n(2)).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot use {}: not a readable", path.display())),
        "{error}"
    );
    assert!(error.ends_with(MOVE_AWAY), "{error}");
    let path = run.folder().join("checkpoints/N077.safetensors");
    assert_eq!(
        run.checkpoint(&Milestone::n(77)).unwrap_err().to_string(),
        format!(
            "cannot use {}: there is no such checkpoint (if the run reached it, move its folder \
             away to train it anew)",
            path.display()
        )
    );
}

/// As root no folder is read-only: below a file, and among the kernel's, nobody can write.
#[test]
fn a_root_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    fs::write(&file, b"kept").unwrap();
    for root in [file.join("runs"), file.clone(), Path::new("/proc/tau-rnn").to_owned()] {
        let run = Run::open(&root, small(single_head()), Hardware::Cpu).unwrap();
        let error = train(&run, 1).unwrap_err().to_string();
        let start = format!("cannot create {}/parity_single-head_h14_seed3-", root.display());
        assert!(error.starts_with(&start), "{error}");
        assert!(error.ends_with("choose another folder)"), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}

/// A checkpoint that cannot be put in its place (a folder is there) stops the run; the state of
/// the last epoch stays, and the run goes on from it once the way is free.
#[test]
fn a_write_that_fails_stops_the_run_and_loses_only_its_epoch() {
    let (expected, _undisturbed) = finished();
    let folder = Folder::new();
    let run = begun(&folder);
    let path = run.folder().join("checkpoints/N005.safetensors");
    fs::create_dir(&path).unwrap();
    let error = train(&run, 1).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}: ", path.display())), "{error}");
    assert!(error.ends_with("choose another folder)"), "{error}");
    let kept = run.metrics().unwrap().last().unwrap().epoch;
    let status = run.status().unwrap().unwrap();
    assert_eq!((status.state, status.epochs), (State::Unfinished, kept));
    fs::remove_dir(&path).unwrap();
    train(&run, 2).unwrap();
    assert_same(&networks(&run), &expected, "after a write failed");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    let run = begun(&folder);
    let path = run.folder().join("status.json");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let before = contents(&run);
    let error = train(&run, 1).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot read {}: ", path.display())), "{error}");
    assert!(error.ends_with("(check its permissions)"), "{error}");
    assert_same(&contents(&run), &before, &error);
}

fn divergent(learning_rate: f64) -> TrainingSpec {
    let mut spec = small(multi_head());
    spec.optimiser.rule = Rule::Sgd { learning_rate, momentum: 0.1 };
    spec
}

/// Steps of 10³⁰ are finite, what they lead to is not.
#[test]
fn divergence_is_kept_with_the_last_finite_state() {
    check_divergence(1e30);
}

/// Infinite as `f32`: the first step would spoil the parameters themselves.
#[test]
fn a_rate_beyond_f32_keeps_the_last_finite_state() {
    check_divergence(1e300);
}

fn check_divergence(learning_rate: f64) {
    let folder = Folder::new();
    let run = folder.open(&divergent(learning_rate));
    let error = train(&run, 2).unwrap_err();
    assert!(error.is_diverged(), "{error}");
    let message = error.to_string();
    let start = format!("run {} diverged in epoch 1 at update ", run.name());
    assert!(message.starts_with(&start), "{message}");
    assert!(message.ends_with("lower the learning rate or the clipping norm)"), "{message}");
    let status = run.status().unwrap().unwrap();
    assert_eq!((status.state, status.epochs), (State::Diverged, 0));
    let reason = status.reason.unwrap();
    assert!(reason.starts_with("diverged in epoch 1 at update "), "{reason}");

    let bytes = fs::read(run.folder().join("diverged.safetensors")).unwrap();
    let kept = Checkpoint::<f32>::from_bytes(&bytes);
    let kept = kept.unwrap_or_else(|error| panic!("learning rate {learning_rate}: {error}"));
    let finite = |(_, values): (_, &[f32])| values.iter().all(|value| value.is_finite());
    assert!(kept.params.tensors().all(finite), "learning rate {learning_rate}");

    // What it was like: the same network, and someone to blame.
    let autopsy = run.autopsy().unwrap().unwrap();
    assert_eq!((autopsy.epoch, autopsy.stage.task.memory()), (1, Some(&[2][..])));
    assert!(reason.contains(&format!("at update {} ", autopsy.update)), "{reason}");
    let norm = |name: &str| autopsy.arrays.iter().find(|array| array.name == name).unwrap().norm;
    let w_rec = kept.params.w_rec.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
    assert!((norm("w_rec").unwrap() - w_rec).abs() <= 1e-12 * w_rec, "{autopsy:?}");
    assert!(autopsy.worst_neuron.unwrap().neuron < 14);

    let before = files(run.folder());
    let again = folder.open(&divergent(learning_rate));
    let mut forbid = |_: &Event<'_>| panic!("a run that diverged is trained again");
    let (provenance, every, stop) = (Provenance::default(), Every::default(), StopToken::new());
    let error = again.train(pool(1), &provenance, every, &stop, &mut forbid).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_same(&files(run.folder()), &before, "trained after divergence");
}

/// A run on values that diverges is looked at as one on classes is.
#[test]
fn values_that_diverge_leave_their_autopsy() {
    let folder = Folder::new();
    let mut spec = values();
    spec.optimiser.rule = Rule::Sgd { learning_rate: 1e30, momentum: 0.1 };
    let run = folder.open(&spec);
    let error = train(&run, 2).unwrap_err();
    assert!(error.is_diverged(), "{error}");
    let autopsy = run.autopsy().unwrap().unwrap();
    assert_eq!((autopsy.epoch, autopsy.stage.milestone.as_str()), (1, "solved"));
    let text = fs::read_to_string(run.folder().join("autopsy.json")).unwrap();
    assert!(text.starts_with("{\"format\":1,"), "{text}");
}

/// Files of a later version are not this program's to read, and the error says whose they are.
#[test]
fn files_of_a_newer_format_are_refused() {
    let newer = "format: 2 (allowed: 1; a newer tau wrote it: use that one)";
    let edit = |name: &str, from: &str, to: &str| {
        let (_, folder) = finished();
        let run = folder.open(&small(multi_head()));
        let path = run.folder().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        (run, folder)
    };
    let (run, _folder) = edit("status.json", "\"format\":1", "\"format\":2");
    assert!(run.status().unwrap_err().to_string().contains(newer));
    let (run, _folder) = edit("manifest.json", "\"format\":1", "\"format\":2");
    assert!(run.manifest().unwrap_err().to_string().contains(newer));
    assert!(Run::read(run.folder()).unwrap_err().to_string().contains(newer));
    let (run, _folder) = edit("manifest.json", "\"metrics_format\":1", "\"metrics_format\":2");
    let error = run.metrics().unwrap_err().to_string();
    assert!(error.contains("metrics.csv") && error.contains(newer), "{error}");
    let (_, folder) = finished();
    let run = folder.open(&small(multi_head()));
    let path = run.folder().join("checkpoints/N002.safetensors");
    let bytes = fs::read(&path).unwrap();
    let (from, to) = (br#"\"format\":1"#, br#"\"format\":2"#);
    let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
    fs::write(&path, [&bytes[..at], to, &bytes[at + from.len()..]].concat()).unwrap();
    let error = run.checkpoint(&Milestone::n(2)).unwrap_err().to_string();
    assert!(error.contains(newer), "{error}");
}
