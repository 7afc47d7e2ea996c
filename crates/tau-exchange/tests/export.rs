//! What is exported is computed again by numpy alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ndarray_npy::NpzReader;
use tau_exchange::export;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Activation, Cell, Checkpoint, Config, Leaky, Params, Placement, Readout, TimeConstants,
};

/// A network with two heads, one of a single output, and a trained-looking diagonal.
fn network(config: Config) -> Checkpoint<f32> {
    let mut random = Key::new(1, Purpose::Parameters).stream();
    let mut params = Params::init(&config, &mut random).unwrap();
    for outputs in [1, 3] {
        params.readouts.push(Readout::init(&config, outputs, &mut random));
    }
    Checkpoint { config, params, momentum: None, metadata: BTreeMap::new() }
}

fn every_network() -> Vec<Config> {
    let mut all: Vec<Config> = Cell::GATED.iter().map(|&cell| Config::new(cell, 7, 2)).collect();
    let placements =
        [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 3 }];
    for placement in placements {
        for activation in Activation::ALL {
            let leaky = Leaky { placement, activation, ..Leaky::DEFAULT };
            all.push(Config::new(leaky, 7, 2));
        }
    }
    let alone = Leaky {
        tau: TimeConstants::Fixed { value: 2.5 },
        self_connections: true,
        ..Leaky::DEFAULT
    };
    let mut without_biases = Config::new(alone, 7, 1);
    without_biases.arrays.b_rec = None;
    without_biases.arrays.b_in = None;
    all.push(without_biases);
    all
}

/// A Python with numpy, if there is one.
fn python() -> Option<&'static str> {
    let has_numpy = |name: &&str| {
        Command::new(name).args(["-c", "import numpy"]).output().is_ok_and(|o| o.status.success())
    };
    ["python3", "python"].into_iter().find(has_numpy)
}

fn write(folder: &Path, network: &Checkpoint<f32>) {
    for (name, bytes) in export(network, 5).unwrap() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn numpy_computes_every_network_again() {
    let Some(python) = python() else {
        eprintln!("skipped: there is no Python with numpy");
        return;
    };
    for config in every_network() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &network(config.clone()));
        let output = Command::new(python).arg(folder.path().join("forward.py")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{config:?}: {said}{errors}");
        let apart = said.split_whitespace().nth(1).unwrap().trim_end_matches(',');
        assert!(apart.parse::<f64>().unwrap() < 1e-12, "{config:?}: {said}");
    }
}

#[test]
fn the_test_vector_has_inputs_states_and_outputs_at_every_step() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &network(Config::lstm(7, 2)));
    let open = |name: &str| {
        NpzReader::new(std::fs::File::open(folder.path().join(name)).unwrap()).unwrap()
    };
    let mut trajectory = open("trajectory.npz");
    let inputs: ndarray::Array3<f32> = trajectory.by_name("inputs").unwrap();
    let initial: ndarray::Array2<f64> = trajectory.by_name("initial").unwrap();
    assert_eq!((inputs.dim(), initial.dim()), ((50, 8, 2), (8, 14)));
    for (k, outputs) in [(0, 1), (1, 3)] {
        let found: ndarray::Array3<f64> = trajectory.by_name(&format!("outputs.{k}")).unwrap();
        assert_eq!(found.dim(), (50, 8, outputs));
    }
}

/// Where neurons have no connection to themselves, what stands on the diagonal is not the network's.
#[test]
fn a_diagonal_that_is_not_used_is_not_exported() {
    let mut network = network(Config::leaky(7, 2));
    network.params.w_rec.diag_mut().fill(0.5);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &network);
    let bytes = std::fs::read(folder.path().join("network.safetensors")).unwrap();
    let read = Checkpoint::<f32>::from_bytes(&bytes).unwrap();
    assert!(read.params.w_rec.diag().iter().all(|&w| w == 0.0));
    let file = std::fs::File::open(folder.path().join("network.npz")).unwrap();
    let w_rec: ndarray::Array2<f32> = NpzReader::new(file).unwrap().by_name("w_rec").unwrap();
    assert_eq!(w_rec, read.params.w_rec);
}
