//! What the tests of the fake driver share.

#![allow(dead_code, reason = "no test uses all of it")]

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use tau_random::{BitRule, Bits, Chance, Coding, DrawnBits, Key, Purpose};
use tau_rnn::{Cell, Config, Hardware, Leaky, Params, Placement, Readout, Real};

/// Runs `body` in a process of its own that finds the fake driver, which is set as `settings` say.
pub(crate) fn with_driver(test: &str, settings: &[(&str, &str)], body: impl FnOnce()) {
    if env::var_os("FAKE_DRIVER").is_some() {
        return body();
    }
    let program = env::current_exe().expect("this test");
    let built = program.parent().expect("a folder").join("libfake_driver.so");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the library");
    fs::copy(&built, folder.join("libcuda.so")).expect("the fake driver was built");
    let output = Command::new(&program)
        .args(["--exact", test, "--nocapture"])
        .env("LD_LIBRARY_PATH", &folder)
        .env("FAKE_DRIVER", "1")
        .envs(settings.iter().copied())
        .output()
        .expect("the test runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// So little that every step is a launch.
pub(crate) const NO_SHARED_MEMORY: (&str, &str) = ("FAKE_SHARED_MEMORY", "0");
/// The cell of the simplest networks of these tests, whose leak is not part of the matrix, and the others.
pub(crate) const CELLS: [Cell; 3] =
    [Cell::Leaky(Leaky { placement: Placement::Drive, ..Leaky::DEFAULT }), Cell::Lstm, Cell::Gru];
/// The GPU of all tests.
pub(crate) const FIRST: Hardware = Hardware::Cuda { number: 0 };

/// A leaky network with one head of two classes.
pub(crate) fn network<R: Real>(hidden: usize) -> (Config, Params<R>) {
    network_of(CELLS[0], hidden)
}

/// A network of any cell with one head of two classes.
pub(crate) fn network_of<R: Real>(cell: Cell, hidden: usize) -> (Config, Params<R>) {
    let config = Config::new(cell, hidden, 1);
    let mut random = Key::new(5, Purpose::Parameters).stream();
    let mut params = Params::init(&config, &mut random).expect("a network");
    params.readouts.push(Readout::init(&config, 2, &mut random));
    (config, params)
}

/// A batch that the device draws.
pub(crate) fn drawn(seed: u64, memory: &[usize]) -> DrawnBits<'_> {
    DrawnBits {
        key: Key::new(seed, Purpose::Inputs),
        steps: 1,
        trials: 3,
        bits: Bits { chance: Chance::Half, coding: Coding::Bits },
        rule: BitRule::Parity,
        memory,
    }
}
