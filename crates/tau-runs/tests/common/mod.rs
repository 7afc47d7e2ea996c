//! Small runs in temporary folders.

// Each test file uses its own part of this module.
#![allow(dead_code, unreachable_pub, reason = "shared by several test files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tau_curricula::{Curriculum, Outcome, TrainingSpec};
use tau_rnn::{Config, thread_pool};
use tau_runs::{Error, Provenance, Run, Watch};
use tau_tasks::TaskKind;

/// Bytes by path within a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A folder that goes when the test ends.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A run of a second: stages are solved by chance or little more.
pub fn small(curriculum: Curriculum) -> TrainingSpec {
    TrainingSpec {
        n_end: 6,
        max_epochs: 8,
        updates_per_epoch: 40,
        batch_size: 32,
        test_batches: 4,
        success_accuracy: 0.5,
        network: Config::paper(14),
        ..TrainingSpec::paper(TaskKind::Parity, curriculum, 14, 3)
    }
}

pub fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    thread_pool(Some(threads)).unwrap()
}

pub fn train(run: &Run, threads: usize, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    run.train(pool(threads), &Provenance::default(), watch)
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    collect(folder, "", &mut found);
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// Equality file by file: two trees of bytes side by side say nothing.
pub fn assert_same(found: &Files, expected: &Files, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}
