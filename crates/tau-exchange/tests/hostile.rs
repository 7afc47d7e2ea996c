//! Archives that try to run code or to exhaust memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::fs;
use std::path::Path;

use tau_exchange::read_pytorch;

/// A pickle that runs a command when Python loads it: `os.system('touch FILE')`.
fn pickle(command: &str) -> Vec<u8> {
    format!("cos\nsystem\n(S'{command}'\ntR.").into_bytes()
}

#[test]
fn no_code_in_a_pickle_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let trap = folder.path().join("run");
    let archive = folder.path().join("network.pt");
    fs::write(&archive, pickle(&format!("touch {}", trap.display()))).unwrap();
    let error = read_pytorch(&archive).unwrap_err().to_string();
    assert!(error.starts_with("no PyTorch network of this kind: "), "{error}");
    assert!(!trap.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("network.pt");
    for bytes in [&b""[..], b"PK\x03\x04", b"\x80\x02}q\x00.", b"not at all", &[0xff; 5000]] {
        fs::write(&archive, bytes).unwrap();
        let error = read_pytorch(&archive).unwrap_err().to_string();
        assert!(error.starts_with("no PyTorch network of this kind: "), "{error}");
    }
    fs::remove_file(&archive).unwrap();
    let error = read_pytorch(&archive).unwrap_err().to_string();
    assert!(error.starts_with("cannot read "), "{error}");
}

/// Views that repeat one number claim ten gigabytes in a file of a kilobyte.
#[test]
fn arrays_larger_than_their_file_are_refused_before_they_are_made() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/pytorch");
    for (name, array) in [
        ("huge-tau", "parameterlist.0 has the shape [2500000000]"),
        ("huge-weights", "modulelist.1.weight has the shape [60000, 40000]"),
        ("deflated", "modulelist.1.weight has the shape [3000, 3000]"),
    ] {
        let error = read_pytorch(&Path::new(folder).join(name)).unwrap_err().to_string();
        let expected = format!("no PyTorch network of this kind: {array}, for which the file");
        assert!(error.starts_with(&expected), "{name}: {error}");
    }
}

/// What the fuzzer begins with (`tests/fuzz/seeds`), and what it found, if ever.
#[test]
fn seeds_of_the_fuzzer_are_read_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/pytorch");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        if let Ok(network) = read_pytorch(&entry.unwrap().path()) {
            assert_eq!((network.params.hidden_size(), network.params.readouts.len()), (3, 1));
            read += 1;
        }
    }
    assert!(read >= 3, "{read}");
}
