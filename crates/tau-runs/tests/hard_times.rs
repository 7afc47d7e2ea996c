//! A full disk, another writer, a spec from the future: what is said, and that nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Files, Folder, assert_same, files, multi_head, small, train, train_epochs};
use tau_rnn::{Config, Hardware};
use tau_runs::{Lock, Run, State};
use tau_training::Outcome;

#[test]
fn a_second_writer_is_told_who_is_the_first() {
    let folder = Folder::new();
    let run = folder.open(&small(multi_head()));
    train_epochs(&run, 1, 2);
    let before = files(run.folder());
    let lock = Lock::take(run.folder()).unwrap();
    let error = train(&run, 1).unwrap_err();
    assert!(error.is_locked());
    let error = error.to_string();
    assert!(error.contains(&format!(" in use by process {} on ", std::process::id())), "{error}");
    assert!(error.ends_with("(wait for it, or choose another folder)"), "{error}");
    assert_same(&files(run.folder()), &before, "two writers");
    drop(lock);
    assert_eq!(train(&run, 1).unwrap(), Outcome::Finished);
    // Nothing is written into a run that has ended: nobody has to wait for it.
    let _lock = Lock::take(run.folder()).unwrap();
    assert_eq!(train(&run, 1).unwrap(), Outcome::Finished);
}

#[test]
fn a_run_from_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let run = folder.open(&small(multi_head()));
    train(&run, 1).unwrap();
    let path = run.folder().join("spec.toml");
    let edited = |from: &str, to: &str, message: &str| {
        let before = fs::read_to_string(&path).unwrap();
        let text = before.replace(from, to);
        assert_ne!(text, before);
        fs::write(&path, &text).unwrap();
        for error in [
            Run::open(folder.path(), small(multi_head()), Hardware::Cpu).unwrap_err(),
            Run::read(run.folder()).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(error.contains(message), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::write(&path, before).unwrap();
    };
    let newer = "format: 2 (allowed: 1; a newer tau wrote it: use that one)";
    edited("format = 1", "format = 2", newer);
    edited("format = 1\n", "", "format: none (allowed: 1; this tau did not write it)");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("batch_size = 32", "batch_size = 33")).unwrap();
    let error = Run::open(folder.path(), small(multi_head()), Hardware::Cpu).unwrap_err();
    assert!(error.to_string().contains("it does not define the run of this folder"), "{error}");
}

/// What a run is read for does not depend on a device, and none is made up.
#[test]
fn the_manifest_says_on_which_device_a_run_was_trained() {
    let folder = Folder::new();
    let run = folder.open(&small(multi_head()));
    train(&run, 1).unwrap();
    assert_eq!(Run::read(run.folder()).unwrap().hardware(), Some(Hardware::Cpu));
    fs::remove_file(run.folder().join("manifest.json")).unwrap();
    let read = Run::read(run.folder()).unwrap();
    assert_eq!(read.hardware(), None);
    assert_eq!(read.status().unwrap().unwrap().state, State::Finished);
    fs::remove_file(run.folder().join("status.json")).unwrap();
    let error = train(&read, 1).unwrap_err().to_string();
    assert!(error.contains("its manifest does not say on which device"), "{error}");
}

/// A disk of its own in memory; it goes when the test ends.
struct Disk(Folder);

impl Disk {
    /// `None` where nobody may mount one.
    fn new(kilobytes: usize) -> Option<Self> {
        let folder = Folder::new();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]);
        let mounted = mount.arg(folder.path()).output().is_ok_and(|o| o.status.success());
        mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Not even root may write to what is mounted read-only.
    fn allow_writing(&self, allowed: bool) {
        let options = if allowed { "remount,rw" } else { "remount,ro" };
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", options]).arg(self.path()).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

#[test]
fn a_read_only_folder_is_looked_at_and_not_trained_in() {
    let Some(disk) = Disk::new(4000) else {
        eprintln!("skipped: to mount a small disk needs root");
        return;
    };
    let spec = small(multi_head());
    let open = |spec| Run::open(disk.path(), spec, Hardware::Cpu).unwrap();
    let (begun, mut other) = (open(spec.clone()), spec.clone());
    other.seed += 1;
    let new = open(other);
    train_epochs(&begun, 1, 2);
    let before = files(disk.path());
    disk.allow_writing(false);
    for run in [&begun, &new] {
        let error = train(run, 1).unwrap_err().to_string();
        assert!(error.starts_with("cannot ") && error.contains("read-only? choose"), "{error}");
        assert!(error.contains(&run.name()), "{error}");
    }
    assert_eq!(begun.status().unwrap().unwrap().epochs, 2);
    assert_eq!(begun.altered().unwrap(), Vec::<String>::new());
    disk.allow_writing(true);
    assert_same(&files(disk.path()), &before, "a read-only folder");
    train(&begun, 1).unwrap();
    // One that has ended needs no lock: it may be asked again where nothing can be written.
    disk.allow_writing(false);
    assert_eq!(train(&begun, 1).unwrap(), Outcome::Finished);
    disk.allow_writing(true);
    let roomy = Folder::new();
    let expected = roomy.open(&spec);
    train(&expected, 2).unwrap();
    assert_same(&networks(&begun), &networks(&expected), "a read-only folder");
}

#[test]
fn the_manifest_knows_every_file_and_who_altered_one_is_seen() {
    let folder = Folder::new();
    let run = folder.open(&small(multi_head()));
    train(&run, 1).unwrap();
    let manifest = run.manifest().unwrap().unwrap();
    let mut written = files(run.folder());
    written.retain(|name, _| name != "manifest.json" && name != ".lock");
    assert!(written.keys().eq(manifest.files.keys()), "{:?}", manifest.files.keys());
    assert!(run.name().ends_with(&manifest.digest[..12]), "{manifest:?}");
    assert_eq!(manifest.wall_s, Some(run.status().unwrap().unwrap().wall_s));
    assert_eq!(run.altered().unwrap(), Vec::<String>::new());
    let table = run.folder().join("metrics.csv");
    let text = fs::read_to_string(&table).unwrap().replacen("true", "false", 1);
    fs::write(table, text).unwrap();
    let (solved, _) = written.iter().find(|(name, _)| name.starts_with("checkpoints/")).unwrap();
    fs::remove_file(run.folder().join(solved)).unwrap();
    assert_eq!(run.altered().unwrap(), [solved.clone(), "metrics.csv".to_owned()]);
}

/// All networks that a run kept.
fn networks(run: &Run) -> Files {
    let mut all = files(run.folder());
    all.retain(|name, _| name.ends_with(".safetensors"));
    all
}

#[test]
fn a_full_disk_stops_the_run_and_keeps_what_was_there() {
    let Some(disk) = Disk::new(400) else {
        eprintln!("skipped: to mount a small disk needs root");
        return;
    };
    // Checkpoints of some 30 kB: a few fit.
    let mut spec = small(multi_head());
    spec.network = Config::leaky(60, 1);

    let run = Run::open(disk.path(), spec.clone(), Hardware::Cpu).unwrap();
    // Someone else's file, so that there is room for the first epochs only.
    let other = disk.path().join("other");
    fs::write(&other, vec![1; 230_000]).unwrap();
    let error = train(&run, 1).unwrap_err().to_string();
    assert!(error.starts_with("cannot write "), "{error}");
    assert!(error.contains("is the disk full or the folder read-only?"), "{error}");
    let kept = run.status().unwrap();
    // Whatever is there is whole.
    let left = files(run.folder());
    assert!(left.keys().all(|name| !name.contains(".unfinished-")), "{:?}", left.keys());
    let rows = run.metrics().unwrap().len();
    assert!(kept.is_some_and(|status| status.state == State::Unfinished), "{rows} rows");
    // With room again it goes on, and ends as one that always had room.
    fs::remove_file(&other).unwrap();
    train(&run, 1).unwrap();
    let roomy = Folder::new();
    let expected = roomy.open(&spec);
    train(&expected, 2).unwrap();
    assert_same(&networks(&run), &networks(&expected), "a full disk");
}
