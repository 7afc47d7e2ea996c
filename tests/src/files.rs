//! Trees of files, compared byte by byte.

#![allow(clippy::unwrap_used, reason = "for tests, which may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Bytes by path within a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Every file below a folder but `.lock`, which says who wrote there and when.
///
/// # Panics
/// If one cannot be read.
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
        } else if entry.file_name() != ".lock" {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// Equality file by file: two trees of bytes side by side say nothing.
///
/// # Panics
/// If they differ; the message names the file.
pub fn assert_same(found: &Files, expected: &Files, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}
