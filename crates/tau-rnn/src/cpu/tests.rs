//! What only the backend's own memory shows.

use std::sync::Arc;

use ndarray::{Array2, Array3};
use tau_random::{Key, Purpose};

use super::network::SLICE_ROWS;
use super::slice::Slice;
use super::*;
use crate::{
    Backend, Batch, Cell, Config, Error, Initial, Leaky, Optimiser, Params, Placement, Readout,
    Target,
};

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
    params.readouts.push(Readout::init(config, outputs, &mut random));
    let mut network = Cpu::new(config.clone(), params, thread_pool(Some(1)).unwrap()).unwrap();
    update(&mut network, steps, trials, outputs, every_step);
    network
}

fn update(network: &mut Cpu<f32>, steps: usize, trials: usize, outputs: usize, every_step: bool) {
    let (inputs, labels) = (Array3::ones((steps, trials, 1)), Array2::zeros((trials, 1)));
    let targets = Array3::zeros((steps, trials, outputs));
    let target = if every_step {
        Target::Values { values: targets.view(), weights: None, head: 0 }
    } else {
        Target::Classes { labels: labels.view(), heads: &[0] }
    };
    let batch = Batch { inputs: inputs.view(), initial: Initial::Zero, target };
    network.update(&batch, &Optimiser::nesterov()).unwrap();
}

fn taken(network: &Cpu<f32>) -> usize {
    network.slices.iter().map(Slice::bytes).sum()
}

#[test]
fn the_stated_memory_is_what_an_update_takes() {
    for placement in [Placement::Whole, Placement::Drive] {
        for every_step in [false, true] {
            for (hidden, steps, outputs) in [(100, 40, 2), (24, 250, 1), (30, 3, 40)] {
                let config = Config::new(Leaky { placement, ..Leaky::DEFAULT }, hidden, 1);
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
                let config = Config::new(cell, hidden, 1);
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
    let mut network = updated(&Config::leaky(20, 1), 9, 100, 2, false);
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

/// In continuous time, on input that is held: another k is another network with the same numbers, and
/// nothing of the one before is left.
#[test]
fn another_time_step_is_another_network_with_the_same_numbers() {
    let at = |steps_per_unit| {
        let placement = Placement::Continuous { steps_per_unit };
        Config::new(Leaky { placement, ..Leaky::DEFAULT }, 9, 1)
    };
    let mut random = Key::new(2, Purpose::Parameters).stream();
    let mut params = Params::<f64>::init(&at(3), &mut random).unwrap();
    params.readouts.push(Readout::init(&at(3), 2, &mut random));
    let pool = thread_pool(Some(1)).unwrap();
    let mut network = Cpu::new(at(3), params, Arc::clone(&pool)).unwrap();
    let bits = Key::new(3, Purpose::Inputs);
    let labels = Array2::from_shape_fn((40, 1), |(trial, _)| (trial % 2) as u8);
    let key = Key::new(4, Purpose::InitialState);
    for k in [3, 2, 10, 1, 10] {
        let inputs = Array3::from_shape_fn((5 * k as usize, 40, 1), |(t, trial, _)| {
            bits.unit_f32((t / k as usize * 40 + trial) as u64).round()
        });
        let target = Target::Classes { labels: labels.view(), heads: &[0] };
        let initial = Initial::Uniform { scale: 0.1, key };
        let batch = Batch { inputs: inputs.view(), initial, target };
        network.set_steps_per_unit(k).unwrap();
        assert_eq!(*network.config(), at(k));
        let (scores, found) = network.gradients(&batch).unwrap();
        let params = network.params().unwrap();
        let mut other = Cpu::new(at(k), params.clone(), Arc::clone(&pool)).unwrap();
        assert_eq!(other.gradients(&batch).unwrap().1.values, found.values);
        let (expected_scores, expected) =
            crate::reference::gradients(&at(k), &params, &batch).unwrap();
        assert!((scores.loss() - expected_scores.loss()).abs() < 1e-12);
        for ((tensor, found), (_, expected)) in
            found.values.tensors().zip(expected.values.tensors())
        {
            let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
            let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-11 * size);
            assert!(near, "{tensor} at k = {k}");
        }
        network.update(&batch, &Optimiser::nesterov()).unwrap();
    }
    let whole = updated(&Config::leaky(4, 1), 3, 2, 2, false).set_steps_per_unit(2).unwrap_err();
    assert_eq!(whole, Error::NotContinuous { value: 2 });
}
