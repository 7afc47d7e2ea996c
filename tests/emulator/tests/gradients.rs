//! Scores, gradients and states of the CUDA backend, on the emulator, against the naive float64 model and
//! the CPU backend.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{device, distance, gradients, processor, wide_shapes};
use ndarray::{Array2, Array3, Axis, s};
use proptest::prelude::*;
use tau_random::{Key, Purpose};
use tau_rnn::{
    Activation, Backend, Batch, Cell, Initial, Leaky, Placement, Scores, Target, reference,
};
use tests::{Answers, Case, Shape, all_shapes, relative_distance};

/// Whether scores are those of the reference, to so much of themselves.
fn same_scores(found: &Scores, expected: &Scores, allowed: f64) -> bool {
    let pairs = found.heads.iter().zip(&expected.heads);
    found.heads.len() == expected.heads.len()
        && pairs.into_iter().all(|(found, expected)| {
            let accuracy = match (found.accuracy, expected.accuracy) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-12,
                (found, expected) => found == expected,
            };
            accuracy && (found.loss - expected.loss).abs() <= allowed * expected.loss.max(1.0)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// More neurons and trials than a tile has, and than a multiple of it.
    #[test]
    fn gradients_are_those_of_the_reference(shape in wide_shapes(70, 7, 70), seed in any::<u64>()) {
        let case = Case::new(&shape, seed);
        let batch = case.batch(case.initial());
        let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
        let (found, gradients) = gradients::<f64>(&case, seed);
        prop_assert!(same_scores(&found, &scores, 1e-12), "{found:?} {scores:?}");
        for ((tensor, found), (_, values)) in
            gradients.values.tensors().zip(expected.values.tensors())
        {
            let distance = relative_distance(found, values);
            prop_assert!(distance < 1e-10, "{tensor}: {distance:e}");
            prop_assert_eq!(gradients.has(tensor), expected.has(tensor), "{}", tensor);
        }
    }

    /// The order of threads and blocks is left to chance: a missing barrier, a sum in the order of
    /// arrival or a read behind the end would show.
    #[test]
    fn the_order_of_threads_and_blocks_changes_no_bit(
        shape in wide_shapes(70, 4, 40), seed in any::<u64>()
    ) {
        let case = Case::new(&shape, seed);
        let (_, first) = gradients::<f32>(&case, seed);
        let (_, second) = gradients::<f32>(&case, seed.wrapping_add(1 << 20));
        prop_assert_eq!(first.values, second.values);
    }

    /// One unit whose argument rounds across the kink of a ReLU may add its share: 5 %.
    #[test]
    fn single_precision_is_double_precision_rounded(
        shape in all_shapes(40, 5, 40), seed in any::<u64>()
    ) {
        let case = Case::new(&shape, seed);
        let (_, double) = gradients::<f64>(&case, seed);
        let (_, single) = gradients::<f32>(&case, seed);
        let allowed = if shape.cell.is_smooth() { 1e-4 } else { 0.05 };
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

#[test]
fn states_are_drawn_from_the_same_streams() {
    let case = Case::new(&Shape::leaky(21, 2, 37), 4);
    let key = Key::new(1 << 40 | 5, Purpose::InitialState).stage(3).step(9);
    let initial = Initial::Uniform { scale: 0.1, key };
    let batch = Batch { initial, ..case.batch(case.initial()) };
    let found = device::<f64>(&case, 1).evaluate(&batch).unwrap().loss();
    let expected = reference::evaluate(&case.config, &case.params, &batch).unwrap().loss();
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

/// The cells whose curves are smooth.
fn smooth_cells() -> Vec<Cell> {
    let mut cells = Cell::GATED.to_vec();
    for activation in [Activation::Tanh, Activation::Sigmoid] {
        for placement in [Placement::Whole, Placement::Drive] {
            cells.push(Cell::Leaky(Leaky { placement, activation, ..Leaky::DEFAULT }));
        }
    }
    cells
}

/// Sums of so few terms have one order; what is left are sigmoid and tanh, which are the same arithmetic,
/// operation by operation.
#[test]
fn two_smooth_neurons_have_the_bits_of_the_processor() {
    for cell in smooth_cells() {
        // More steps than a simulation takes at a time.
        let case = Case::new(&Shape::new(cell, 2, 1100, 3), 8);
        let initial = case.initial().mapv(|x| 9.0 * x as f32);
        let run = |network: &mut dyn Backend<f32>| {
            let (mut state, mut activity) = (initial.clone(), Array3::zeros((0, 0, 0)));
            network.advance(&mut state, case.batch(&initial).inputs, &mut activity).unwrap();
            (state, activity)
        };
        assert_eq!(run(&mut device(&case, 1)), run(&mut processor(&case)), "{cell:?}");
    }
}

/// Many tiles in every direction.
#[test]
fn many_gated_neurons_have_the_gradient_of_the_reference() {
    for cell in Cell::GATED {
        let case = Case::new(&Shape::new(cell, 260, 2, 33), 6);
        let batch = case.batch(case.initial());
        let (_, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
        let (_, found) = gradients::<f64>(&case, 0);
        assert!(distance(&found.values, &expected.values) < 1e-10, "{cell:?}");
    }
}

/// More channels than fit beside the neurons in a tile, heads of more classes than a tile has columns.
#[test]
fn many_channels_and_classes_have_the_gradient_of_the_reference() {
    let answers = [Answers::Classes, Answers::Values, Answers::WeightedValues];
    for (k, cell) in Cell::ALL.into_iter().enumerate() {
        for (channels, heads) in [(4, vec![4, 2]), (5, vec![7, 1, 33]), (40, vec![70, 64, 5])] {
            for answers in answers {
                let shape = Shape {
                    channels,
                    heads: heads.clone(),
                    answers,
                    ..Shape::new(cell, 30, 4, 37)
                };
                let case = Case::new(&shape, 3);
                let batch = case.batch(case.initial());
                let (scores, expected) =
                    reference::gradients(&case.config, &case.params, &batch).unwrap();
                let order = (k + channels) as u64;
                let (found, double) = gradients::<f64>(&case, order);
                assert!(same_scores(&found, &scores, 1e-12), "{shape:?}");
                assert!(distance(&double.values, &expected.values) < 1e-10, "{shape:?}");
                let (_, single) = gradients::<f32>(&case, order);
                let allowed = if cell.is_smooth() { 1e-4 } else { 0.05 };
                assert!(distance(&single.values, &expected.values) < allowed, "{shape:?}");
            }
        }
    }
}

/// So many rows that products over all steps are cut into 6 splits, and into 14 of which the last is
/// shorter (`Splitting` in src/cuda/pass.rs: 96 rows a step, 512 or more a split).
#[test]
fn long_batches_are_summed_over_all_splits() {
    for (k, cell) in Cell::ALL.into_iter().enumerate() {
        for (steps, answers) in
            [(35, Answers::Classes), (35, Answers::Values), (75, Answers::Values)]
        {
            let shape = Shape { answers, ..Shape::new(cell, 10, steps, 70) };
            let mut case = Case::new(&shape, 2);
            // Nothing that grows over so many steps: its rounding would, too.
            case.params.w_rec *= 0.5;
            let batch = case.batch(case.initial());
            let (_, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
            let (_, found) = gradients::<f64>(&case, (k + steps) as u64);
            assert!(distance(&found.values, &expected.values) < 1e-10, "{shape:?}");
        }
    }
}

/// Where a weight is 0 nothing is asked: the value may be NaN. Equal weights are none.
#[test]
fn values_without_weight_are_not_read() {
    let shape = Shape { answers: Answers::Values, heads: vec![5], ..Shape::leaky(20, 6, 37) };
    let case = Case::new(&shape, 5);
    let initial = case.initial();
    let Target::Values { values, .. } = case.batch(initial).target else { panic!("values") };
    let mut masked = values.to_owned();
    // Trials 0, 3, 6, … from step 4 on; weights of any size.
    let weight =
        |t: usize, b: usize| if t < 4 || !b.is_multiple_of(3) { 0.0 } else { (1 + t + b) as f32 };
    let weights = Array2::from_shape_fn((6, 37), |(t, b)| weight(t, b));
    for ((t, b, _), value) in masked.indexed_iter_mut() {
        if weight(t, b) == 0.0 {
            *value = f32::NAN;
        }
    }
    let with = |values, weights| Batch {
        target: Target::Values { values, weights, head: 0 },
        ..case.batch(initial)
    };
    let batch = with(masked.view(), Some(weights.view()));
    let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
    let mut network = device::<f64>(&case, 2);
    let (found, gradients) = network.gradients(&batch).unwrap();
    assert!(same_scores(&found, &scores, 1e-12), "{found:?} {scores:?}");
    assert!(distance(&gradients.values, &expected.values) < 1e-10);
    assert!(same_scores(&network.evaluate(&batch).unwrap(), &scores, 1e-12));

    let threes = Array2::from_elem((6, 37), 3.0);
    let (weighted, without) = (with(values, Some(threes.view())), with(values, None));
    let (weighted, without) =
        (network.evaluate(&weighted).unwrap().loss(), network.evaluate(&without).unwrap().loss());
    assert!((weighted - without).abs() < 1e-14, "{weighted} {without}");
}
