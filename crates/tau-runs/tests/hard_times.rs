//! A full disk, another writer, a spec from the future: what is said, and that nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Files, Folder, StopAfter, assert_same, files, small, train};
use tau_curricula::{Curriculum, Outcome};
use tau_rnn::{Config, Hardware};
use tau_runs::{Error, Lock, Run, State};

#[test]
fn a_second_writer_is_told_who_is_the_first() {
    let folder = Folder::new();
    let run = Run::open(folder.path(), small(Curriculum::MultiHead), Hardware::Cpu).unwrap();
    train(&run, 1, &mut ()).unwrap();
    let before = files(run.folder());
    let lock = Lock::take(run.folder()).unwrap();
    let error = train(&run, 1, &mut ()).unwrap_err();
    let Error::Locked { owner, .. } = &error else { panic!("{error}") };
    assert!(owner.starts_with(&format!("process {} on ", std::process::id())), "{owner}");
    assert!(error.to_string().ends_with("(wait for it, or choose another folder)"), "{error}");
    assert_same(&files(run.folder()), &before, "two writers");
    drop(lock);
    assert_eq!(train(&run, 1, &mut ()).unwrap(), Outcome::Finished);
}

#[test]
fn a_run_from_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let run = Run::open(folder.path(), small(Curriculum::MultiHead), Hardware::Cpu).unwrap();
    train(&run, 1, &mut ()).unwrap();
    let path = run.folder().join("spec.toml");
    let text = fs::read_to_string(&path).unwrap().replace("version = 1", "version = 2");
    fs::write(&path, &text).unwrap();
    for error in [
        Run::open(folder.path(), small(Curriculum::MultiHead), Hardware::Cpu).unwrap_err(),
        Run::read(run.folder()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("version: 2 (allowed: 1 to 1; a newer tau wrote it"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_folder_of_version_0_1_without_a_version_is_read() {
    let folder = Folder::new();
    let spec = small(Curriculum::MultiHead);
    let run = Run::open(folder.path(), spec.clone(), Hardware::Cpu).unwrap();
    train(&run, 1, &mut ()).unwrap();
    let path = run.folder().join("spec.toml");
    let text = fs::read_to_string(&path).unwrap().replace("version = 1\n", "");
    fs::write(&path, text).unwrap();
    let run = Run::open(folder.path(), spec, Hardware::Cpu).unwrap();
    assert_eq!(train(&run, 1, &mut ()).unwrap(), Outcome::Finished);
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
    let spec = small(Curriculum::MultiHead);
    let open = |spec| Run::open(disk.path(), spec, Hardware::Cpu).unwrap();
    let (begun, mut other) = (open(spec.clone()), spec.clone());
    other.seed += 1;
    let new = open(other);
    assert_eq!(train(&begun, 1, &mut StopAfter(2)).unwrap(), Outcome::Stopped);
    let before = files(disk.path());
    disk.allow_writing(false);
    for run in [&begun, &new] {
        let error = train(run, 1, &mut ()).unwrap_err().to_string();
        assert!(error.starts_with("cannot ") && error.contains("read-only? choose"), "{error}");
        assert!(error.contains(&run.name()), "{error}");
    }
    assert_eq!(begun.status().unwrap().unwrap().epochs, 2);
    assert_eq!(begun.altered().unwrap(), Vec::<String>::new());
    disk.allow_writing(true);
    assert_same(&files(disk.path()), &before, "a read-only folder");
    train(&begun, 1, &mut ()).unwrap();
    let roomy = Folder::new();
    let expected = Run::open(roomy.path(), spec, Hardware::Cpu).unwrap();
    train(&expected, 2, &mut ()).unwrap();
    assert_same(&networks(&begun), &networks(&expected), "a read-only folder");
}

#[test]
fn the_manifest_knows_every_file_and_who_altered_one_is_seen() {
    let folder = Folder::new();
    let run = Run::open(folder.path(), small(Curriculum::MultiHead), Hardware::Cpu).unwrap();
    train(&run, 1, &mut ()).unwrap();
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
    let mut spec = small(Curriculum::MultiHead);
    spec.network = Config::paper(60);

    let run = Run::open(disk.path(), spec.clone(), Hardware::Cpu).unwrap();
    // Someone else's file, so that there is room for the first epochs only.
    let other = disk.path().join("other");
    fs::write(&other, vec![1; 230_000]).unwrap();
    let error = train(&run, 1, &mut ()).unwrap_err().to_string();
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
    train(&run, 1, &mut ()).unwrap();
    let roomy = Folder::new();
    let expected = Run::open(roomy.path(), spec, Hardware::Cpu).unwrap();
    train(&expected, 2, &mut ()).unwrap();
    assert_same(&networks(&run), &networks(&expected), "a full disk");
}
