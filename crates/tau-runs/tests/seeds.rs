//! What the fuzzer begins with (`tests/fuzz/seeds`), and what it found, if ever: read or refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::PathBuf;

use tau_rnn::Checkpoint;
use tau_runs::{read_spec, read_sweep};

fn seeds(of: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds")).join(of);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn specs_and_sweeps() {
    let mut read = 0;
    for (_, bytes) in seeds("spec") {
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        read += usize::from(read_spec(text, &[], &[]).is_ok())
            + usize::from(read_sweep(text, &[]).is_ok());
    }
    // Four specs, which are sweeps of one run too (but the one with a random seed), and a sweep.
    assert_eq!(read, 4 + 3 + 1);
}

#[test]
fn checkpoints() {
    let mut read = 0;
    for (path, bytes) in seeds("checkpoint") {
        if let Ok(network) = Checkpoint::<f32>::from_bytes(&bytes) {
            assert_eq!(network.to_bytes().unwrap(), bytes, "{}", path.display());
            read += 1;
        }
    }
    assert!(read >= 1);
}
