//! What only the backend's own memory shows.

use ndarray::{Array2, Array3};
use tau_random::{Key, Purpose};

use super::*;
use crate::{Cell, Placement, Target};

/// One update in `trials` trials of `steps` steps, one head of `outputs` outputs.
fn updated(
    config: &Config,
    steps: usize,
    trials: usize,
    outputs: usize,
    every_step: bool,
) -> Cpu<f32> {
    let mut random = Key::new(1, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(config, &mut random).unwrap();
    params.readouts.push(Readout::init(outputs, config.hidden_size, &mut random));
    let mut network = Cpu::new(config.clone(), params, thread_pool(Some(1)).unwrap()).unwrap();
    update(&mut network, steps, trials, outputs, every_step);
    network
}

fn update(network: &mut Cpu<f32>, steps: usize, trials: usize, outputs: usize, every_step: bool) {
    let (inputs, labels) = (Array3::ones((steps, trials, 1)), Array2::zeros((trials, 1)));
    let targets = Array3::zeros((steps, trials, outputs));
    let target = if every_step {
        Target::Series { targets: targets.view(), head: 0 }
    } else {
        Target::Labels { labels: labels.view(), heads: &[0] }
    };
    let batch = Batch { inputs: inputs.view(), initial: Initial::Zero, target };
    network.update(&batch, &Optimiser::paper()).unwrap();
}

fn taken(network: &Cpu<f32>) -> usize {
    network.slices.iter().map(Slice::bytes).sum()
}

#[test]
fn the_stated_memory_is_what_an_update_takes() {
    for placement in [Placement::Whole, Placement::Drive] {
        for every_step in [false, true] {
            for (hidden, steps, outputs) in [(100, 40, 2), (24, 250, 1), (30, 3, 40)] {
                let config = Config { placement, ..Config::paper(hidden) };
                // Full slices.
                let trials = 2 * SLICE_ROWS;
                let taken = taken(&updated(&config, steps, trials, outputs, every_step));
                let stated =
                    Cpu::<f32>::workspace_bytes(&config, steps, trials, outputs, every_step);
                let case = format!("{placement:?}, {hidden}, {steps}, {outputs}, {every_step}");
                assert!(stated.abs_diff(taken) < taken / 20, "{case}: {stated}, {taken} taken");
            }
        }
    }
}

#[test]
fn the_stated_memory_of_gated_cells_is_what_an_update_takes() {
    for cell in Cell::GATED {
        for every_step in [false, true] {
            for (hidden, steps, outputs) in [(100, 40, 2), (24, 250, 1), (30, 3, 40)] {
                let config = Config { cell, ..Config::paper(hidden) };
                let trials = 2 * SLICE_ROWS;
                let taken = taken(&updated(&config, steps, trials, outputs, every_step));
                let stated =
                    Cpu::<f32>::workspace_bytes(&config, steps, trials, outputs, every_step);
                let case = format!("{cell}, {hidden}, {steps}, {outputs}, {every_step}");
                assert!(stated.abs_diff(taken) < taken / 20, "{case}: {stated}, {taken} taken");
            }
        }
    }
}

#[test]
fn a_smaller_batch_in_between_frees_nothing() {
    let mut network = updated(&Config::paper(20), 9, 100, 2, false);
    let before = network.slices.len();
    update(&mut network, 4, 3, 2, false);
    assert_eq!((network.active, network.slices.len()), (1, before));
    let advanced = network.advance(
        &mut Array2::zeros((2, 20)),
        Array3::zeros((3, 2, 1)).view(),
        &mut Array3::zeros((0, 0, 0)),
    );
    advanced.unwrap();
    assert_eq!((network.active, network.slices.len()), (1, before));
}
