//! Threads and instruction sets change the time, never the bits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::Array2;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Activation, Backend, Batch, Cell, Config, Cpu, Initial, Isa, Leaky, Optimiser, Params,
    Placement, Readout, thread_pool,
};
use tests::{Answers, Case, Shape};

fn shape(cell: impl Into<Cell>, every_step: bool) -> Shape {
    let answers = if every_step { Answers::Values } else { Answers::Classes };
    Shape { channels: 2, heads: vec![2, 2], answers, ..Shape::new(cell, 70, 19, 150) }
}

fn leaky(placement: Placement, activation: Activation) -> Leaky {
    Leaky { placement, activation, ..Leaky::DEFAULT }
}

/// Every parameter after ten updates, bit by bit.
fn trained(case: &Case, threads: usize, isa: Isa) -> Vec<u32> {
    let pool = thread_pool(Some(threads)).unwrap();
    let mut cpu = Cpu::<f32>::with_isa(case.config.clone(), case.params.cast(), pool, isa).unwrap();
    let initial: Array2<f32> = case.initial().mapv(|x| x as f32);
    let batch = case.batch(&initial);
    for _ in 0..10 {
        cpu.update(&batch, &Optimiser::nesterov()).unwrap();
    }
    let params = cpu.params().unwrap();
    params.tensors().flat_map(|(_, values)| values.iter().map(|x| x.to_bits())).collect()
}

#[test]
fn one_two_three_and_seven_threads_train_to_the_same_bits() {
    check(Placement::Whole, Activation::LeakyRelu, false);
    check(Placement::Drive, Activation::Tanh, false);
    check(Placement::Continuous { steps_per_unit: 3 }, Activation::Sigmoid, true);
    fn check(placement: Placement, activation: Activation, every_step: bool) {
        let case = Case::new(&shape(leaky(placement, activation), every_step), 1);
        let one = trained(&case, 1, Isa::detect());
        let changed = case.params.cast::<f32>().tensors().map(|(_, v)| v.len()).sum::<usize>();
        assert_eq!(one.len(), changed);
        for threads in [2, 3, 7] {
            assert!(one == trained(&case, threads, Isa::detect()), "{threads} threads differ");
        }
    }
}

/// So many neurons that packing and adding up are shared out among the threads; their panels end
/// with a whole register and with half of a panel, on every instruction set.
#[test]
fn large_networks_train_to_the_same_bits_on_all_threads() {
    for hidden_size in [200, 213] {
        let shape =
            Shape { hidden_size, ..shape(leaky(Placement::Drive, Activation::LeakyRelu), true) };
        let case = Case::new(&shape, 4);
        let one = trained(&case, 1, Isa::detect());
        // Not the portable kernels: without fused multiply-add they take a minute.
        for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Baseline) {
            for threads in [1, 2, 3, 7] {
                assert!(trained(&case, threads, isa) == one, "{hidden_size}, {threads}, {isa:?}");
            }
        }
    }
}

#[test]
fn every_instruction_set_trains_to_the_same_bits() {
    for activation in Activation::ALL {
        let case = Case::new(&shape(leaky(Placement::Whole, activation), false), 2);
        let best = trained(&case, 2, Isa::detect());
        for isa in Isa::available() {
            assert!(best == trained(&case, 2, isa), "{isa:?} differs with {activation}");
        }
    }
}

#[test]
fn gated_cells_train_to_the_same_bits_on_all_threads_and_instruction_sets() {
    for cell in Cell::GATED {
        for every_step in [false, true] {
            let case = Case::new(&shape(cell, every_step), 7);
            let one = trained(&case, 1, Isa::detect());
            for threads in [2, 3, 7] {
                assert!(one == trained(&case, threads, Isa::detect()), "{cell}, {threads} threads");
            }
            for isa in Isa::available() {
                assert!(one == trained(&case, 2, isa), "{cell}, {isa:?}");
            }
        }
        // Panels that end with half a panel; packing and adding up shared out.
        let shape = Shape { hidden_size: 101, steps: 6, ..shape(cell, false) };
        let case = Case::new(&shape, 8);
        let one = trained(&case, 1, Isa::detect());
        for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Baseline) {
            for threads in [2, 3, 7] {
                assert!(one == trained(&case, threads, isa), "{cell}, {threads}, {isa:?}");
            }
        }
    }
}

/// Sums of weights have one order, whatever the threads; what is not trained keeps its bits.
#[test]
fn weighted_values_and_kept_arrays_train_to_the_same_bits() {
    let shape = |cell| Shape { answers: Answers::WeightedValues, ..shape(cell, true) };
    for cell in Cell::ALL {
        let mut shape = shape(cell);
        shape.arrays.w_in.trained = false;
        shape.arrays.b_rec = None;
        let case = Case::new(&shape, 3);
        let one = trained(&case, 1, Isa::detect());
        for threads in [2, 3, 7] {
            assert!(one == trained(&case, threads, Isa::detect()), "{cell}, {threads} threads");
        }
        for isa in Isa::available() {
            assert!(one == trained(&case, 2, isa), "{cell}, {isa:?}");
        }
        let pool = thread_pool(Some(1)).unwrap();
        let mut cpu = Cpu::<f32>::new(case.config.clone(), case.params.cast(), pool).unwrap();
        let initial = case.initial().mapv(|x| x as f32);
        cpu.update(&case.batch(&initial), &Optimiser::adam()).unwrap();
        let (before, after) = (case.params.cast(), cpu.params().unwrap());
        assert_eq!((&before.w_in, &before.b_rec), (&after.w_in, &after.b_rec));
        assert_ne!((&before.w_rec, &before.b_in), (&after.w_rec, &after.b_in));
    }
}

/// Adam's memory is part of the state: a network that comes back from bytes goes on with the same
/// bits.
#[test]
fn gated_cells_go_on_from_a_checkpoint_with_the_same_bits() {
    let optimiser = Optimiser::adam();
    for cell in Cell::GATED {
        let case = Case::new(&Shape { hidden_size: 20, trials: 40, ..shape(cell, false) }, 9);
        let initial: Array2<f32> = case.initial().mapv(|x| x as f32);
        let batch = case.batch(&initial);
        let new = |params| {
            Cpu::<f32>::new(case.config.clone(), params, thread_pool(Some(2)).unwrap()).unwrap()
        };
        let mut network = new(case.params.cast());
        let train = |network: &mut Cpu<f32>| {
            (0..5).for_each(|_| network.update(&batch, &optimiser).unwrap());
        };
        train(&mut network);
        let kept = tau_rnn::Checkpoint {
            config: case.config.clone(),
            params: network.params().unwrap(),
            momentum: Some(network.momentum().unwrap()),
            metadata: std::collections::BTreeMap::new(),
        };
        let read = tau_rnn::Checkpoint::<f32>::from_bytes(&kept.to_bytes().unwrap()).unwrap();
        assert_eq!(read, kept);
        let mut other = new(read.params);
        other.set_momentum(read.momentum.unwrap()).unwrap();
        train(&mut network);
        train(&mut other);
        assert_eq!(network.params().unwrap(), other.params().unwrap(), "{cell}");
        assert_ne!(network.params().unwrap(), kept.params);
    }
}

/// A uniform initial state means nothing to a gated cell; one of length 0 is zero.
#[test]
fn gated_cells_begin_with_zeros() {
    for cell in Cell::GATED {
        let config = Config::new(cell, 5, 1);
        let key = Key::new(9, Purpose::Parameters);
        let mut params = Params::<f32>::init(&config, &mut key.stream()).unwrap();
        params.readouts.push(Readout::init(&config, 2, &mut key.stream()));
        let mut cpu = Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap();
        let inputs = ndarray::Array3::ones((6, 4, 1));
        let labels = Array2::zeros((4, 1));
        let mut loss =
            |initial| Ok(cpu.evaluate(&Batch::classes(&inputs, &labels).starting(initial))?.loss());
        let zero: Result<f64, tau_rnn::Error> = loss(Initial::Zero);
        assert_eq!(loss(Initial::Uniform { scale: 0.0, key }), zero);
        let refused = loss(Initial::Uniform { scale: 0.1, key }).unwrap_err().to_string();
        let expected = format!("initial state: uniform up to 0.1 (allowed for {cell}: zero,");
        assert!(refused.starts_with(&expected), "{refused}");
        let narrow = Array2::zeros((4, 5 * cell.states() + 1));
        let refused = loss(Initial::Given(narrow.view())).unwrap_err().to_string();
        assert!(refused.starts_with("shape of initial state: [4, "), "{refused}");
    }
}

/// A long simulation cut into chunks is the same simulation, on any number of threads.
#[test]
fn a_simulation_in_chunks_has_the_same_bits() {
    Cell::ALL.into_iter().for_each(simulation_in_chunks);
}

fn simulation_in_chunks(cell: Cell) {
    let config = Config::new(cell, 33, 1);
    let key = Key::new(9, Purpose::Parameters);
    let params = Params::<f32>::init(&config, &mut key.stream()).unwrap();
    let inputs = ndarray::Array3::from_shape_fn((60, 13, 1), |(t, b, _)| {
        f32::from(u8::from(Key::new(1, Purpose::DriveInputs).unit_f32((t * 13 + b) as u64) < 0.5))
    });
    let run = |threads: usize, chunk: usize| {
        let pool = thread_pool(Some(threads)).unwrap();
        let mut cpu = Cpu::new(config.clone(), params.clone(), pool).unwrap();
        let mut state = Array2::from_elem((13, config.state_size()), 0.05f32);
        let mut activity = ndarray::Array3::zeros((0, 0, 0));
        let mut all = Vec::new();
        for inputs in inputs.axis_chunks_iter(ndarray::Axis(0), chunk) {
            cpu.advance(&mut state, inputs, &mut activity).unwrap();
            all.extend(activity.iter().map(|x| x.to_bits()));
        }
        all.extend(state.iter().map(|x| x.to_bits()));
        all
    };
    let whole = run(1, 60);
    for (threads, chunk) in [(1, 7), (2, 60), (3, 1), (7, 25)] {
        assert!(whole == run(threads, chunk), "{cell}, {threads} threads, chunks of {chunk}");
    }
}

/// The states of a simulation, and the scores without history, are those of training's forward
/// pass; evaluating changes nothing.
#[test]
fn evaluating_and_simulating_agree_with_training() {
    evaluating_agrees(&shape(leaky(Placement::Drive, Activation::LeakyRelu), false));
    for cell in Cell::GATED {
        for every_step in [false, true] {
            evaluating_agrees(&shape(cell, every_step));
        }
    }
}

fn evaluating_agrees(shape: &Shape) {
    let case = Case::new(shape, 5);
    let pool = thread_pool(Some(2)).unwrap();
    let mut cpu = Cpu::new(case.config.clone(), case.params.clone(), pool).unwrap();
    let batch = case.batch(case.initial());
    let (scores, _) = cpu.gradients(&batch).unwrap();
    for _ in 0..2 {
        let again = cpu.evaluate(&batch).unwrap();
        assert_eq!(scores, again);
        assert_eq!(scores.loss().to_bits(), again.loss().to_bits());
    }

    let mut state = case.initial().clone();
    let mut activity = ndarray::Array3::zeros((0, 0, 0));
    cpu.advance(&mut state, batch.inputs, &mut activity).unwrap();
    let expected = tau_rnn::reference::states(&case.config, &case.params, &batch, 140).unwrap();
    for (t, expected) in expected.iter().enumerate() {
        for (i, &expected) in expected.iter().enumerate() {
            let found = activity[[t, 140, i]];
            assert!((found - expected).abs() < 1e-12, "h({t})[{i}]: {found} ({expected})");
        }
    }
    let h = state.slice(ndarray::s![.., ..case.config.hidden_size]);
    assert_eq!(h, activity.index_axis(ndarray::Axis(0), 18));
}

/// An update that is not finite is refused, and the network is still the one before it.
#[test]
fn divergence_keeps_the_last_good_state() {
    let config = Config::leaky(8, 1);
    let mut random = Key::new(2, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(&config, &mut random).unwrap();
    params.w_rec.fill(1e20);
    params.readouts.push(Readout::init(&config, 2, &mut random));
    let pool = thread_pool(Some(1)).unwrap();
    let mut cpu = Cpu::new(config, params, pool).unwrap();
    let before = cpu.params().unwrap();
    let inputs = ndarray::Array3::ones((6, 4, 1));
    let labels = Array2::zeros((4, 1));
    let batch = Batch::classes(&inputs, &labels);
    let error = cpu.update(&batch, &Optimiser::nesterov()).unwrap_err().to_string();
    assert!(error.starts_with("diverged at update 0: loss is NaN"), "{error}");
    assert_eq!(before, cpu.params().unwrap());
}

#[test]
fn heads_that_are_frozen_or_absent_are_not_trained() {
    let case = Case::new(&shape(leaky(Placement::Whole, Activation::LeakyRelu), false), 6);
    let pool = thread_pool(Some(2)).unwrap();
    let mut cpu = Cpu::new(case.config.clone(), case.params.clone(), pool).unwrap();
    let mut random = Key::new(0, Purpose::Readout).stream();
    assert_eq!(cpu.add_head(Readout::init(&case.config, 2, &mut random)).unwrap(), 2);
    cpu.freeze_head(0, true).unwrap();
    let before = cpu.params().unwrap();
    for _ in 0..3 {
        cpu.update(&case.batch(case.initial()), &Optimiser::nesterov()).unwrap();
    }
    let after = cpu.params().unwrap();
    assert_eq!(before.readouts[0], after.readouts[0]);
    assert_ne!(before.readouts[1], after.readouts[1]);
    assert_eq!(before.readouts[2], after.readouts[2]);
    cpu.drop_head(0).unwrap();
    assert_eq!(cpu.params().unwrap().readouts[0], after.readouts[1]);
    assert_eq!(
        cpu.drop_head(2).unwrap_err().to_string(),
        "head: 2 (the network has 2, numbered from 0)"
    );
}
