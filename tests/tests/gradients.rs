//! Every gradient, in f64, against central differences and against the reference; and the fast
//! path in f32 against the reference.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::Array2;
use proptest::prelude::*;
use tau_rnn::{
    Activation, Backend, Cell, Config, Cpu, Gradients, Isa, Leaky, Params, Tensor, reference,
    thread_pool,
};
use tests::{Answers, Case, Shape, all_shapes, partial_shapes, relative_distance, worst};

fn fast_gradients(case: &Case, isa: Isa) -> (f64, Gradients<f64>) {
    let pool = thread_pool(Some(1)).unwrap();
    let mut cpu = Cpu::with_isa(case.config.clone(), case.params.clone(), pool, isa).unwrap();
    let (scores, gradients) = cpu.gradients(&case.batch(case.initial())).unwrap();
    (scores.loss(), gradients)
}

fn reference_loss(case: &Case, params: &Params<f64>) -> f64 {
    reference::evaluate(&case.config, params, &case.batch(case.initial())).unwrap().loss()
}

/// dL/dθ of one number by central differences; `None` where the loss has a kink so near that step
/// widths disagree.
fn central_difference(case: &Case, tensor: Tensor, index: usize) -> Option<f64> {
    let slope = |step: f64| {
        let loss = |shift: f64| {
            let mut params = case.params.clone();
            for (other, values) in params.tensors_mut() {
                if other == tensor {
                    values[index] += shift;
                }
            }
            reference_loss(case, &params)
        };
        (loss(step) - loss(-step)) / (2.0 * step)
    };
    // Around a kink that lies nearer than both, two widths would agree on the mean of its slopes.
    let (coarse, fine, finest) = (slope(1e-5), slope(2e-6), slope(5e-7));
    let agree = |other: f64| (other - fine).abs() <= 1e-8 + 1e-5 * fine.abs();
    (agree(coarse) && agree(finest)).then_some(fine)
}

/// A few places of an array of that length, the first and the last among them.
fn picked(pick: u64, len: usize) -> impl Iterator<Item = usize> {
    let inner = (1..=2).map(move |k| (pick.wrapping_mul(k) % len as u64) as usize);
    std::collections::BTreeSet::from_iter(inner.chain([0, len - 1])).into_iter()
}

/// Every array with a gradient has the one of central differences, at a few places.
fn gradients_are_central_differences(shape: &Shape, seed: u64, pick: u64) {
    let case = Case::new(shape, seed);
    let (_, gradients) = fast_gradients(&case, Isa::detect());
    let (mut compared, mut kinks) = (0, 0);
    for (tensor, values) in gradients.values.tensors() {
        if !gradients.has(tensor) {
            continue;
        }
        for index in picked(pick, values.len()) {
            let is_self = tensor == Tensor::WRec && index.is_multiple_of(shape.hidden_size + 1);
            if is_self && shape.clears_diagonal() {
                // The loss does not depend on it, but its gradient is kept: see the test below.
                continue;
            }
            let Some(expected) = central_difference(&case, tensor, index) else {
                kinks += 1;
                continue;
            };
            compared += 1;
            let error = (values[index] - expected).abs();
            assert!(
                error <= 1e-7 + 2e-5 * expected.abs(),
                "{tensor}[{index}]: {} (central difference: {expected})",
                values[index]
            );
        }
    }
    assert!(!shape.cell.is_smooth() || kinks == 0, "{kinks} kinks of a smooth function");
    let any = gradients.values.tensors().any(|(tensor, _)| gradients.has(tensor));
    assert!(compared > kinks || !any, "{compared} numbers compared, {kinks} near a kink");
}

/// On every instruction set.
fn fast_gradients_are_those_of_the_reference(shape: &Shape, seed: u64) {
    let case = Case::new(shape, seed);
    let batch = case.batch(case.initial());
    let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
    for isa in Isa::available() {
        let (loss, gradients) = fast_gradients(&case, isa);
        assert!((loss - scores.loss()).abs() <= 1e-12 * loss.abs().max(1.0));
        for ((tensor, fast), (_, slow)) in gradients.values.tensors().zip(expected.values.tensors())
        {
            let distance = relative_distance(fast, slow);
            // A head that is sure has errors p − 1 of which little is left but rounding.
            let apart = worst(fast.iter().zip(slow).map(|(a, b)| (a - b).abs()));
            assert!(distance < 1e-10 || apart < 1e-13, "{isa:?} {tensor}: {distance:e}");
            assert_eq!(gradients.has(tensor), expected.has(tensor), "{tensor}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// dL/dθ = lim (L(θ + ε) − L(θ − ε)) / 2ε, for the fast path, in every array.
    #[test]
    fn gradients_are_the_derivatives_of_the_loss(
        shape in all_shapes(20, 21, 37),
        seed in any::<u64>(), pick in any::<u64>(),
    ) {
        gradients_are_central_differences(&shape, seed, pick);
    }

    /// Weights of values, arrays that are not trained and biases that are absent do not change what the
    /// gradient of the others is.
    #[test]
    fn gradients_of_parts_are_the_derivatives_of_the_loss(
        shape in partial_shapes(20, 21, 37),
        seed in any::<u64>(), pick in any::<u64>(),
    ) {
        gradients_are_central_differences(&shape, seed, pick);
    }

    /// The fast path and the reference are the same function.
    #[test]
    fn fast_gradients_are_the_references(shape in all_shapes(20, 21, 37), seed in any::<u64>()) {
        fast_gradients_are_those_of_the_reference(&shape, seed);
    }

    #[test]
    fn fast_gradients_of_parts_are_the_references(
        shape in partial_shapes(20, 21, 37), seed in any::<u64>(),
    ) {
        fast_gradients_are_those_of_the_reference(&shape, seed);
    }

    /// An array that is not trained and a bias that is absent have no gradient, and all others have
    /// the same one as if everything were trained.
    #[test]
    fn what_is_not_trained_changes_no_other_gradient(
        shape in partial_shapes(20, 21, 37), seed in any::<u64>(),
    ) {
        let case = Case::new(&shape, seed);
        let mut whole = case.clone();
        whole.config.arrays = tau_rnn::Arrays::of(&shape.cell);
        let (_, part) = fast_gradients(&case, Isa::detect());
        let (_, whole) = fast_gradients(&whole, Isa::detect());
        let mut square = 0.0;
        for ((tensor, part_values), (_, whole_values)) in
            part.values.tensors().zip(whole.values.tensors())
        {
            prop_assert_eq!(part.has(tensor), whole.has(tensor) && case.config.trains(tensor));
            if part.has(tensor) {
                prop_assert_eq!(part_values, whole_values, "{}", tensor);
                square += part_values.iter().map(|x| x * x).sum::<f64>();
            } else {
                prop_assert!(part_values.iter().all(|&x| x == 0.0), "{}", tensor);
            }
        }
        prop_assert!((part.norm() - square.sqrt()).abs() <= 1e-12 * square.sqrt());
    }

    /// f32 differs from f64 by rounding, here at most 1e-4 of an array's norm. One unit whose
    /// argument rounds across the kink of a ReLU may add its share: 5 % is allowed for those.
    #[test]
    fn single_precision_is_double_precision_rounded(
        shape in all_shapes(20, 21, 37),
        seed in any::<u64>(),
    ) {
        let case = Case::new(&shape, seed);
        let (loss, expected) = fast_gradients(&case, Isa::detect());
        let pool = thread_pool(Some(1)).unwrap();
        let mut single = Cpu::<f32>::new(case.config.clone(), case.params.cast(), pool).unwrap();
        let initial: Array2<f32> = case.initial().mapv(|x| x as f32);
        let (scores, gradients) = single.gradients(&case.batch(&initial)).unwrap();
        prop_assert!((scores.loss() - loss).abs() <= 1e-5 * loss.abs().max(1.0));
        let bound = if shape.cell.is_smooth() { 1e-4 } else { 0.05 };
        for ((tensor, single), (_, double)) in gradients.values.tensors().zip(expected.values.tensors()) {
            let single: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
            if double.iter().any(|x| x.abs() > 1e-5) {
                let distance = relative_distance(&single, double);
                prop_assert!(distance < bound, "{tensor}: {distance:e}");
            }
        }
    }
}

/// The diagonal is zeroed before the forward pass, not masked in the gradient, so it counts in the
/// norm that is clipped: it is dL/dW as if self-connections existed at 0.
#[test]
fn the_diagonal_has_the_gradient_of_a_self_connection_at_zero() {
    let leaky = Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT };
    let case = Case::new(&Shape::new(leaky, 6, 9, 5), 3);
    let (_, gradients) = fast_gradients(&case, Isa::detect());
    let mut open = case.clone();
    open.config.cell = Cell::Leaky(Leaky { self_connections: true, ..leaky });
    for i in 0..6 {
        let expected = central_difference(&open, Tensor::WRec, i * 7).unwrap();
        let found = gradients.values.w_rec[[i, i]];
        assert!((found - expected).abs() < 1e-8, "{found} (expected: {expected})");
        assert!(expected.abs() > 1e-7, "a vanishing gradient would prove nothing");
    }
}

/// The gradient through max(τ_raw, 1) is 0 below 1.
#[test]
fn a_neuron_whose_tau_fell_below_one_gets_no_gradient() {
    let shape = Shape::leaky(20, 9, 8);
    let case = Case::new(&shape, 4);
    let (_, gradients) = fast_gradients(&case, Isa::detect());
    let dead = case.params.tau.iter().filter(|&&tau| tau < 1.0).count();
    assert!((1..20).contains(&dead), "the case must have both kinds: {dead} of 20 are dead");
    for (tau, gradient) in case.params.tau.iter().zip(&gradients.values.tau) {
        assert_eq!(*tau < 1.0, *gradient == 0.0, "tau {tau}: gradient {gradient}");
    }
}

/// At a usual size in f32: a long memory, and errors that vanish on the way back.
#[test]
fn at_500_neurons_single_precision_agrees_with_the_reference() {
    single_precision_agrees(&Shape { heads: vec![2, 2], ..Shape::leaky(500, 25, 34) });
}

/// The same of the gated cells; shorter, since the reference computes three or four times as much.
#[test]
fn at_500_gated_neurons_single_precision_agrees_with_the_reference() {
    for cell in Cell::GATED {
        single_precision_agrees(&Shape { heads: vec![2, 2], ..Shape::new(cell, 500, 11, 34) });
    }
}

fn single_precision_agrees(shape: &Shape) {
    let case = Case::new(shape, 11);
    let batch = case.batch(case.initial());
    let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
    let pool = thread_pool(Some(2)).unwrap();
    let config: Config = case.config.clone();
    let mut single = Cpu::<f32>::new(config, case.params.cast(), pool).unwrap();
    let initial: Array2<f32> = case.initial().mapv(|x| x as f32);
    let (found, gradients) = single.gradients(&case.batch(&initial)).unwrap();
    assert!((found.loss() - scores.loss()).abs() < 1e-5);
    for ((tensor, single), (_, double)) in gradients.values.tensors().zip(expected.values.tensors())
    {
        let single: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
        let distance = relative_distance(&single, double);
        assert!(distance < 1e-3, "{tensor}: {distance:e}");
    }
}

/// Weights of 1 are no weights, to the last bit; only their ratios count; what has weight 0 is not read,
/// even if it is NaN.
#[test]
fn weights_say_how_much_a_value_counts() {
    let case = Case::new(&Shape { answers: Answers::Values, ..Shape::leaky(9, 7, 5) }, 8);
    let batch = case.batch(case.initial());
    let pool = thread_pool(Some(1)).unwrap();
    let mut cpu = Cpu::new(case.config.clone(), case.params.clone(), pool).unwrap();
    let mut weighted = |weights: &Array2<f32>| {
        let (scores, gradients) = cpu.gradients(&batch.weighted(weights)).unwrap();
        (scores.loss(), gradients.values)
    };
    let (loss, gradients) = fast_gradients(&case, Isa::detect());
    let (found, values) = weighted(&Array2::ones((7, 5)));
    assert_eq!((found.to_bits(), &values), (loss.to_bits(), &gradients.values));

    let some = Array2::from_shape_fn((7, 5), |(t, trial)| if t < 4 { 0.0 } else { trial as f32 });
    let (loss, expected) = weighted(&some);
    let (doubled, values) = weighted(&(2.0 * &some));
    assert_eq!((doubled.to_bits(), values), (loss.to_bits(), expected.clone()));

    let tau_rnn::Target::Values { values, head, .. } = batch.target else { panic!("values") };
    let mut values = values.to_owned();
    values.slice_mut(ndarray::s![..4, .., ..]).fill(f32::NAN);
    let target = tau_rnn::Target::Values { values: values.view(), weights: None, head };
    let batch = tau_rnn::Batch { target, ..batch }.weighted(&some);
    let (scores, gradients) = cpu.gradients(&batch).unwrap();
    assert_eq!((scores.loss().to_bits(), gradients.values), (loss.to_bits(), expected.clone()));
    let (scores, slow) = reference::gradients(&case.config, &case.params, &batch).unwrap();
    assert!((scores.loss() - loss).abs() < 1e-14);
    for ((tensor, slow), (_, fast)) in slow.values.tensors().zip(expected.tensors()) {
        assert!(relative_distance(fast, slow) < 1e-12, "{tensor}");
    }
}

#[test]
fn weights_that_are_none_are_refused() {
    let case = Case::new(&Shape { answers: Answers::Values, ..Shape::leaky(3, 4, 2) }, 8);
    let batch = case.batch(case.initial());
    let refused = |weights: Array2<f32>, message: &str| {
        let error = reference::evaluate(&case.config, &case.params, &batch.weighted(&weights));
        assert_eq!(error.unwrap_err().to_string(), message);
    };
    refused(Array2::ones((4, 3)), "shape of weights: [4, 3] (expected: [4, 2])");
    refused(
        Array2::zeros((4, 2)),
        "weights: all 0 (allowed: at least one above 0; without it nothing is asked)",
    );
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let mut weights = Array2::ones((4, 2));
        weights[[2, 1]] = bad;
        refused(
            weights,
            &format!("weights hold {bad} at step 2, trial 1 (allowed: 0 or more, finite)"),
        );
    }
}

/// e^1000 is infinite, the cross-entropy of such outputs is not.
#[test]
fn huge_outputs_have_a_finite_loss_in_the_reference_too() {
    let mut case = Case::new(&Shape::leaky(3, 2, 4), 1);
    case.params.readouts[0].weight *= 1e4;
    case.params.readouts[0].bias.fill(1e4);
    let batch = case.batch(case.initial());
    let (scores, expected) = reference::gradients(&case.config, &case.params, &batch).unwrap();
    let (loss, gradients) = fast_gradients(&case, Isa::detect());
    assert!(scores.loss().is_finite() && (loss - scores.loss()).abs() < 1e-12 * loss);
    for ((tensor, fast), (_, slow)) in gradients.values.tensors().zip(expected.values.tensors()) {
        assert!(relative_distance(fast, slow) < 1e-10, "{tensor}");
    }
}
