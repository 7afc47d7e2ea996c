//! The CUDA backend, on the emulator, against the naive float64 model and the CPU backend.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use emulator::Emulator;
use ndarray::{Array2, Array3, Axis, s};
use proptest::prelude::*;
use tau_random::{Key, Purpose};
use tau_rnn::check;
use tau_rnn::cuda::Cuda;
use tau_rnn::{
    Activation, Backend, Batch, Cell, Cpu, Error, Gradients, Initial, Momentum, Optimiser, Params,
    Placement, Readout, Real, Rule, Scores, reference, thread_pool,
};
use tests::{Case, Shape, all_shapes, relative_distance, worst};

fn device<R: Real>(case: &Case, order: u64) -> Cuda<R, Emulator> {
    let emulator = Emulator::new(order);
    // Half of them step by step, as if nothing fitted into shared memory.
    let emulator = if order.is_multiple_of(2) { emulator } else { emulator.with_shared_limit(0) };
    Cuda::new(case.config.clone(), case.params.cast(), emulator).unwrap()
}

/// Scores and gradient in either precision.
fn gradients<R: Real>(case: &Case, order: u64) -> (Scores, Gradients<R>) {
    let initial = case.initial().mapv(R::from_f64);
    device(case, order).gradients(&case.batch(&initial)).unwrap()
}

/// The largest relative distance of an array; NaN if there is one.
fn distance<R: Real>(found: &Params<R>, expected: &Params<f64>) -> f64 {
    let found: Params<f64> = found.cast();
    let pairs = found.tensors().zip(expected.tensors());
    worst(pairs.map(|((_, found), (_, expected))| relative_distance(found, expected)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// More neurons and trials than a tile has, and than a multiple of it.
    #[test]
    fn gradients_are_those_of_the_reference(shape in all_shapes(70, 7, 70), seed in any::<u64>()) {
        let case = Case::new(&shape, seed);
        let batch = case.batch(case.initial());
        let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
        let (found, gradients) = gradients::<f64>(&case, seed);
        for (found, expected) in found.heads.iter().zip(&scores.heads) {
            prop_assert!((found.loss - expected.loss).abs() <= 1e-12 * expected.loss.max(1.0));
            prop_assert_eq!(found.accuracy.is_nan(), expected.accuracy.is_nan());
            let apart = (found.accuracy - expected.accuracy).abs();
            prop_assert!(found.accuracy.is_nan() || apart < 1e-12);
        }
        for ((tensor, found), (_, expected)) in
            gradients.values.tensors().zip(expected.values.tensors())
        {
            let distance = relative_distance(found, expected);
            prop_assert!(distance < 1e-10, "{tensor}: {distance:e}");
        }
    }

    /// The order of threads and blocks is left to chance: a missing barrier, a sum in the order of
    /// arrival or a read behind the end would show.
    #[test]
    fn the_order_of_threads_and_blocks_changes_no_bit(shape in all_shapes(70, 4, 40), seed in any::<u64>()) {
        let case = Case::new(&shape, seed);
        let (_, first) = gradients::<f32>(&case, seed);
        let (_, second) = gradients::<f32>(&case, seed.wrapping_add(1 << 20));
        prop_assert_eq!(first.values, second.values);
    }

    /// One unit whose argument rounds across the kink of a ReLU may add its share: 5 %.
    #[test]
    fn single_precision_is_double_precision_rounded(shape in all_shapes(40, 5, 40), seed in any::<u64>()) {
        let case = Case::new(&shape, seed);
        let (_, double) = gradients::<f64>(&case, seed);
        let (_, single) = gradients::<f32>(&case, seed);
        let smooth = matches!(shape.activation, Activation::Tanh | Activation::Sigmoid);
        let smooth = smooth || shape.cell.gated();
        let allowed = if smooth { 1e-4 } else { 0.05 };
        let distance = distance(&single.values, &double.values);
        prop_assert!(distance < allowed, "{distance:e}");
    }

    /// An evaluation keeps no history: it goes on in pieces.
    #[test]
    fn long_evaluations_and_simulations_go_on_where_they_were(
        shape in all_shapes(5, 9, 3), seed in any::<u64>()
    ) {
        let shape = Shape { steps: 50 + 11 * shape.steps, ..shape };
        let mut case = Case::new(&shape, seed);
        // Nothing that grows over so many steps: its rounding would, too.
        case.params.w_rec *= 0.25;
        let batch = case.batch(case.initial());
        let expected = reference::evaluate(&case.config, &case.params, &batch).unwrap();
        let found = device::<f64>(&case, seed).evaluate(&batch).unwrap();
        prop_assert!((found.loss() - expected.loss()).abs() <= 1e-10 * expected.loss().max(1.0));

        let mut simulated = device::<f64>(&case, seed);
        let mut state = case.initial().clone();
        let mut activity = Array3::zeros((0, 0, 0));
        simulated.advance(&mut state, batch.inputs, &mut activity).unwrap();
        for trial in 0..shape.trials {
            let expected =
                reference::states(&case.config, &case.params, &batch, trial).unwrap();
            for (t, expected) in expected.iter().enumerate() {
                let found = activity.slice(s![t, trial, ..]);
                let distance = relative_distance(&found.to_vec(), expected);
                prop_assert!(distance < 1e-9, "step {t}: {distance:e}");
            }
        }
        let h = s![.., ..shape.hidden_size];
        prop_assert_eq!(state.slice(h), activity.index_axis(Axis(0), shape.steps - 1));

        // In two calls, of which the first hands over all that the second needs.
        let (first, second) = batch.inputs.split_at(Axis(0), shape.steps / 3);
        let mut again = case.initial().clone();
        for (inputs, from) in [(first, 0), (second, shape.steps / 3)] {
            let mut part = Array3::zeros((0, 0, 0));
            simulated.advance(&mut again, inputs, &mut part).unwrap();
            prop_assert_eq!(&part, &activity.slice(s![from..from + part.len_of(Axis(0)), .., ..]));
        }
        prop_assert_eq!(again, state);
    }
}

/// What may happen to a network between two updates.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    AddHead,
    DropFirstHead,
    FreezeFirstHead(bool),
    FreezeCell(bool),
    /// Momentum and parameters are read and put back.
    Resume,
    OtherRule,
    Evaluate,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        Just(Event::Nothing),
        Just(Event::AddHead),
        Just(Event::DropFirstHead),
        any::<bool>().prop_map(Event::FreezeFirstHead),
        any::<bool>().prop_map(Event::FreezeCell),
        Just(Event::Resume),
        Just(Event::OtherRule),
        Just(Event::Evaluate),
    ];
    prop::collection::vec(event, 3..8)
}

fn rule(adam: bool) -> Optimiser {
    let sgd = Rule::Sgd { learning_rate: 0.05, momentum: 0.5 };
    let rule =
        Rule::Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1 };
    // A norm that clips some gradients and not others.
    Optimiser { rule: if adam { rule } else { sgd }, clip_norm: Some(0.7) }
}

/// The batch for the heads that there are.
fn with_heads<R>(case: &Case, heads: usize, use_batch: impl FnOnce(&Batch<'_, f64>) -> R) -> R {
    let labels =
        Array2::from_shape_fn((case.initial().nrows(), heads), |(b, k)| ((b + k) % 2) as u8);
    let all: Vec<usize> = (0..heads).rev().collect();
    let target = tau_rnn::Target::Labels { labels: labels.view(), heads: &all };
    use_batch(&Batch { target, ..case.batch(case.initial()) })
}

fn apply(network: &mut dyn Backend<f64>, event: Event, case: &Case, k: usize) {
    let heads = network.params().unwrap().readouts.len();
    match event {
        Event::AddHead => {
            let mut random = Key::new(k as u64, Purpose::Readout).stream();
            network.add_head(Readout::init(2, case.config.hidden_size, &mut random)).map(drop)
        }
        Event::DropFirstHead if heads > 1 => network.drop_head(0),
        Event::FreezeFirstHead(frozen) => network.freeze_head(0, frozen),
        Event::FreezeCell(frozen) => {
            network.freeze_cell(frozen);
            Ok(())
        }
        Event::Resume => network.momentum().and_then(|memory| network.set_momentum(memory)),
        Event::Evaluate => with_heads(case, heads, |batch| network.evaluate(batch).map(drop)),
        Event::Nothing | Event::DropFirstHead | Event::OtherRule => Ok(()),
    }
    .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to them, both backends stay the same network with the same memory.
    #[test]
    fn a_network_with_a_history_is_the_cpus(
        shape in all_shapes(12, 4, 34), events in events(), seed in any::<u64>()
    ) {
        let heads = vec![2; shape.heads.len()];
        let shape = Shape { every_step: false, heads, ..shape };
        let case = Case::new(&shape, seed);
        let pool = thread_pool(Some(1)).unwrap();
        let mut cpu = Cpu::new(case.config.clone(), case.params.clone(), pool).unwrap();
        let mut gpu = device::<f64>(&case, seed);
        let mut adam = false;
        for (k, &event) in events.iter().enumerate() {
            adam ^= matches!(event, Event::OtherRule);
            apply(&mut cpu, event, &case, k);
            apply(&mut gpu, event, &case, k);
            for _ in 0..2 {
                let heads = cpu.params().unwrap().readouts.len();
                with_heads(&case, heads, |batch| {
                    cpu.update(batch, &rule(adam)).unwrap();
                    gpu.update(batch, &rule(adam)).unwrap();
                });
            }
            let (expected, found) = (cpu.params().unwrap(), gpu.params().unwrap());
            prop_assert!(distance(&found, &expected) < 1e-9, "{:?}", &events[..=k]);
            let (expected, found) = (cpu.momentum().unwrap(), gpu.momentum().unwrap());
            compare_momentum(&found, &expected);
            let (expected, found) =
                (cpu.take_mean_loss().unwrap(), gpu.take_mean_loss().unwrap());
            prop_assert!((found - expected).abs() < 1e-9 * expected.max(1.0));
        }
    }
}

fn compare_momentum(found: &Momentum<f64>, expected: &Momentum<f64>) {
    assert_eq!(found.slots.len(), expected.slots.len());
    for (found, expected) in found.slots.iter().zip(&expected.slots) {
        assert_eq!(found.steps, expected.steps);
        assert!(relative_distance(&found.mean, &expected.mean) < 1e-8);
        assert_eq!(found.square.len(), expected.square.len());
        assert!(relative_distance(&found.square, &expected.square) < 1e-8);
    }
}

#[test]
fn states_are_drawn_from_the_same_streams() {
    let case = Case::new(&Shape::published(21, 2, 37), 4);
    let key = Key::new(1 << 40 | 5, Purpose::InitialState).stage(3).step(9);
    let initial = Initial::Uniform { scale: 0.1, key };
    let batch = Batch { initial, ..case.batch(case.initial()) };
    let mut device = device::<f64>(&case, 1);
    let found = device.evaluate(&batch).unwrap().loss();
    let expected = reference::evaluate(&case.config, &case.params, &batch).unwrap().loss();
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

/// Sums of so few terms have one order; what is left are the curves of the gates, which are the same.
#[test]
fn two_gated_neurons_have_the_bits_of_the_processor() {
    for cell in Cell::GATED {
        // More steps than a simulation takes at a time.
        let case = Case::new(&Shape { cell, ..Shape::published(2, 1100, 3) }, 8);
        let initial = case.initial().mapv(|x| 9.0 * x as f32);
        let run = |network: &mut dyn Backend<f32>| {
            let (mut state, mut activity) = (initial.clone(), Array3::zeros((0, 0, 0)));
            network.advance(&mut state, case.batch(&initial).inputs, &mut activity).unwrap();
            (state, activity)
        };
        let pool = thread_pool(Some(1)).unwrap();
        let mut cpu = Cpu::new(case.config.clone(), case.params.cast(), pool).unwrap();
        assert_eq!(run(&mut device(&case, 1)), run(&mut cpu), "{cell}");
    }
}

/// Many tiles in every direction.
#[test]
fn many_gated_neurons_have_the_gradient_of_the_reference() {
    for cell in Cell::GATED {
        let case = Case::new(&Shape { cell, ..Shape::published(260, 2, 33) }, 6);
        let batch = case.batch(case.initial());
        let (_, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
        let (_, found) = gradients::<f64>(&case, 0);
        assert!(distance(&found.values, &expected.values) < 1e-10, "{cell}");
    }
}

#[test]
fn divergence_is_told_later_and_keeps_the_last_good_parameters() {
    let shape = Shape { activation: Activation::Relu, ..Shape::published(9, 30, 5) };
    let mut case = Case::new(&shape, 3);
    let initial = case.initial().mapv(|x| x as f32);
    let mut device = device::<f32>(&case, 1);
    device.update(&case.batch(&initial), &Optimiser::paper()).unwrap();
    let good = device.params().unwrap();
    assert!(device.take_mean_loss().unwrap().is_finite());

    case.params.w_rec.fill(1e30);
    let mut device = Cuda::new(case.config.clone(), case.params.cast(), Emulator::new(1)).unwrap();
    let before = device.params().unwrap();
    for _ in 0..3 {
        device.update(&case.batch(&initial), &Optimiser::paper()).unwrap();
    }
    let error = device.take_mean_loss().unwrap_err();
    assert!(matches!(error, Error::Diverged { update: 0, what: "loss", .. }), "{error}");
    assert_eq!(device.params().unwrap(), before);
    assert_ne!(good, before);
    // It is told once.
    assert!(device.take_mean_loss().unwrap().is_nan());
}

/// So many rows that products over all steps are cut into several splits.
#[test]
fn long_batches_are_summed_over_all_splits() {
    for (k, cell) in Cell::ALL.into_iter().enumerate() {
        for every_step in [false, true] {
            let shape = Shape { cell, every_step, ..Shape::published(10, 35, 70) };
            let case = Case::new(&shape, 2);
            let batch = case.batch(case.initial());
            let (_, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
            let (_, found) = gradients::<f64>(&case, 2 * k as u64 + u64::from(every_step));
            assert!(distance(&found.values, &expected.values) < 1e-10, "{cell}, {every_step}");
        }
    }
}

#[test]
fn batches_of_all_sizes_share_the_memory() {
    for (cell, placement) in [
        (Cell::Leaky, Placement::Whole),
        (Cell::Leaky, Placement::Drive),
        (Cell::Lstm, Placement::Whole),
        (Cell::Gru, Placement::Whole),
    ] {
        let case = |steps, trials| {
            Case::new(&Shape { cell, placement, ..Shape::published(33, steps, trials) }, 1)
        };
        let (small, large) = (case(3, 5), case(6, 64));
        for (first, second) in [(&small, &large), (&large, &small)] {
            // The parameters of `first` for both.
            let (config, params) = (&first.config, &first.params);
            let mut device = Cuda::new(config.clone(), params.clone(), Emulator::new(7)).unwrap();
            for case in [first, second, first] {
                let batch = case.batch(case.initial());
                let (_, found) = device.gradients(&batch).unwrap();
                let (_, expected) = reference::gradients(config, params, &batch).unwrap();
                assert!(distance(&found.values, &expected.values) < 1e-10, "{cell}, {placement:?}");
                // Keeps less, in the same memory.
                let found = device.evaluate(&batch).unwrap().loss();
                let expected = reference::evaluate(config, params, &batch).unwrap().loss();
                assert!((found - expected).abs() < 1e-10, "{cell}, {placement:?}");
            }
        }
    }
}

#[test]
fn the_doctor_finds_nothing_wrong() {
    let published = check::Case::published;
    examine::<f32>(check::Case { activation: Activation::Tanh, ..published(30, 6, 33) });
    examine::<f64>(check::Case { placement: Placement::Drive, ..published(31, 3, 1) });
    examine::<f64>(check::Case { every_step: true, ..published(64, 3, 5) });
    for cell in Cell::GATED {
        examine::<f32>(check::Case { cell, ..published(33, 4, 34) });
        examine::<f64>(check::Case { cell, every_step: true, ..published(9, 3, 5) });
    }
    fn examine<R: Real>(case: check::Case) {
        let make = |config, params| -> Result<Box<dyn Backend<R>>, Error> {
            Ok(Box::new(Cuda::new(config, params, Emulator::new(1))?))
        };
        for finding in [case.examine_with(make), case.examine_updates_with(make)] {
            let finding = finding.unwrap();
            assert!(finding.repeatable);
            assert!(finding.distance < case.tolerance::<R>(), "{case:?}: {finding:?}");
        }
    }
}

#[test]
fn too_little_memory_says_how_many_trials_would_fit() {
    for cell in Cell::ALL {
        let shape = |trials| Shape { cell, ..Shape::published(20, 50, trials) };
        let case = Case::new(&shape(640), 1);
        let emulator = Emulator::new(1).with_largest_memory(5_000_000);
        let mut device = Cuda::new(case.config.clone(), case.params.clone(), emulator).unwrap();
        let error = device.update(&case.batch(case.initial()), &Optimiser::paper()).unwrap_err();
        let Error::DeviceMemory { bytes, free, fits } = error else { panic!("{error}") };
        // Room for 64 steps and the state before them: 640 trials in rows of 64 numbers.
        assert_eq!((bytes, free), (65 * 640 * 64 * 8, 5_000_000));
        let fits = fits.unwrap();
        assert!((1..640).contains(&fits), "{cell}: {fits}");
        // So many do fit, and the network is as it was.
        let case = Case::new(&shape(fits), 1);
        device.update(&case.batch(case.initial()), &Optimiser::paper()).unwrap();
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = Case::new(&Shape::published(5, 3, 4), 1);
    let mut device = device::<f64>(&case, 1);
    let wrong = Array2::zeros((4, 6));
    let error = device.update(&case.batch(&wrong), &Optimiser::paper()).unwrap_err();
    assert_eq!(error.to_string(), "shape of initial state: [4, 6] (expected: [4, 5])");
    assert!(matches!(device.drop_head(1), Err(Error::Head { head: 1, heads: 1 })));
    assert!(matches!(device.freeze_head(1, true), Err(Error::Head { head: 1, heads: 1 })));
}
