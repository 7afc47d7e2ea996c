//! Updates of the CUDA backend, on the emulator, against the CPU backend.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{device, distance, processor};
use emulator::Emulator;
use ndarray::Array2;
use proptest::prelude::*;
use tau_random::{Key, Purpose};
use tau_rnn::cuda::Cuda;
use tau_rnn::{
    Activation, AdamForm, ArraySpec, Arrays, Backend, Batch, Cell, Error, Init, Leaky, Momentum,
    Optimiser, Readout, Rule, Target,
};
use tests::{Answers, Case, Shape, partial_shapes, relative_distance};

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
    OtherRule(Law),
    Evaluate,
}

/// Of an optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    Sgd,
    Adam(AdamForm),
}

impl Law {
    const ALL: [Self; 3] = [Self::Sgd, Self::Adam(AdamForm::Pytorch), Self::Adam(AdamForm::Keras)];
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        Just(Event::Nothing),
        Just(Event::AddHead),
        Just(Event::DropFirstHead),
        any::<bool>().prop_map(Event::FreezeFirstHead),
        any::<bool>().prop_map(Event::FreezeCell),
        Just(Event::Resume),
        prop::sample::select(Law::ALL.to_vec()).prop_map(Event::OtherRule),
        Just(Event::Evaluate),
    ];
    prop::collection::vec(event, 3..8)
}

fn optimiser(law: Law) -> Optimiser {
    let rule = match law {
        Law::Sgd => Rule::Sgd { learning_rate: 0.05, momentum: 0.5 },
        Law::Adam(form) => {
            // An ε that tells the two forms apart.
            let (learning_rate, beta1, beta2, epsilon, decay) = (0.01, 0.9, 0.99, 1e-3, 0.1);
            Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, form }
        }
    };
    // A norm that clips some gradients and not others.
    Optimiser { rule, clip_norm: Some(0.7) }
}

/// The batch for the heads that there are.
fn with_heads<R>(case: &Case, heads: usize, use_batch: impl FnOnce(&Batch<'_, f64>) -> R) -> R {
    let labels =
        Array2::from_shape_fn((case.initial().nrows(), heads), |(b, k)| ((b + k) % 2) as u8);
    let all: Vec<usize> = (0..heads).rev().collect();
    let target = Target::Classes { labels: labels.view(), heads: &all };
    use_batch(&Batch { target, ..case.batch(case.initial()) })
}

fn apply(network: &mut dyn Backend<f64>, event: Event, case: &Case, k: usize) {
    let heads = network.params().unwrap().readouts.len();
    match event {
        Event::AddHead => {
            let mut random = Key::new(k as u64, Purpose::Readout).stream();
            network.add_head(Readout::init(&case.config, 2, &mut random)).map(drop)
        }
        Event::DropFirstHead if heads > 1 => network.drop_head(0),
        Event::FreezeFirstHead(frozen) => network.freeze_head(0, frozen),
        Event::FreezeCell(frozen) => {
            network.freeze_cell(frozen);
            Ok(())
        }
        Event::Resume => network.momentum().and_then(|memory| network.set_momentum(memory)),
        Event::Evaluate => with_heads(case, heads, |batch| network.evaluate(batch).map(drop)),
        Event::Nothing | Event::DropFirstHead | Event::OtherRule(_) => Ok(()),
    }
    .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to them, and whichever arrays they train, both backends stay the same network
    /// with the same memory.
    #[test]
    fn a_network_with_a_history_is_the_cpus(
        shape in partial_shapes(12, 4, 34), events in events(), seed in any::<u64>()
    ) {
        let heads = vec![2; shape.heads.len()];
        let shape = Shape { answers: Answers::Classes, heads, ..shape };
        let case = Case::new(&shape, seed);
        let (mut cpu, mut gpu) = (processor::<f64>(&case), device::<f64>(&case, seed));
        let mut law = Law::Sgd;
        for (k, &event) in events.iter().enumerate() {
            if let Event::OtherRule(other) = event {
                law = other;
            }
            apply(&mut cpu, event, &case, k);
            apply(&mut gpu, event, &case, k);
            for _ in 0..2 {
                let heads = cpu.params().unwrap().readouts.len();
                with_heads(&case, heads, |batch| {
                    cpu.update(batch, &optimiser(law)).unwrap();
                    gpu.update(batch, &optimiser(law)).unwrap();
                });
            }
            let (expected, found) = (cpu.params().unwrap(), gpu.params().unwrap());
            prop_assert!(distance(&found, &expected) < 1e-9, "{:?}", &events[..=k]);
            let (expected, found) = (cpu.momentum().unwrap(), gpu.momentum().unwrap());
            compare_momentum(&found, &expected);
            let losses = [cpu.take_mean_loss(), gpu.take_mean_loss()];
            let [expected, found] = losses.map(|loss| loss.unwrap().unwrap());
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

/// ε stands behind the correction in PyTorch's form and before it in Keras's: with a large ε the first
/// steps differ by about √(1 − β₂ᵗ).
#[test]
fn the_forms_of_adam_are_those_of_the_processor() {
    let case = Case::new(&Shape { answers: Answers::WeightedValues, ..Shape::leaky(9, 4, 33) }, 7);
    let train = |network: &mut dyn Backend<f64>, form| {
        let (learning_rate, beta1, beta2, epsilon, decay) = (0.01, 0.9, 0.99, 0.1, 0.0);
        let rule = Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, form };
        for _ in 0..4 {
            let optimiser = Optimiser { rule, clip_norm: None };
            network.update(&case.batch(case.initial()), &optimiser).unwrap();
        }
        network.params().unwrap()
    };
    let trained = [AdamForm::Pytorch, AdamForm::Keras].map(|form| {
        let expected = train(&mut processor(&case), form);
        let found = train(&mut device(&case, 2), form);
        assert!(distance(&found, &expected) < 1e-12, "{form:?}");
        found
    });
    assert!(distance(&trained[0], &trained[1]) > 1e-3);
}

/// Only the head learns: a reservoir.
#[test]
fn arrays_that_are_not_trained_keep_every_bit() {
    for cell in Cell::ALL {
        let arrays = Arrays {
            w_rec: ArraySpec::kept(Init::HiddenSize),
            b_rec: None,
            w_in: ArraySpec::kept(Init::FanIn),
            b_in: Some(ArraySpec::kept(Init::FanIn)),
            readout_bias: None,
            ..Arrays::of(&cell)
        };
        // τ of the leaky cell is trained in one of two cases.
        for w_in in [arrays.w_in, ArraySpec::trained(Init::FanIn)] {
            let case = Case::new(
                &Shape { arrays: Arrays { w_in, ..arrays }, ..Shape::new(cell, 9, 4, 33) },
                7,
            );
            let initial = case.initial().mapv(|x| x as f32);
            let mut network = device::<f32>(&case, 3);
            let before = network.params().unwrap();
            for law in Law::ALL {
                network.update(&case.batch(&initial), &optimiser(law)).unwrap();
            }
            let after = network.params().unwrap();
            for ((tensor, before), (_, after)) in before.tensors().zip(after.tensors()) {
                let trained = case.config.trains(tensor) && !before.is_empty();
                assert_eq!(before != after, trained, "{cell:?}: {tensor}");
            }
            let zeros = after.b_rec.iter().chain(&after.readouts[0].bias);
            assert!(zeros.into_iter().all(|&bias| bias == 0.0), "{cell:?}");
        }
    }
}

#[test]
fn divergence_is_told_later_and_keeps_the_last_good_parameters() {
    let relu = Leaky { activation: Activation::Relu, ..Leaky::DEFAULT };
    let mut case = Case::new(&Shape::new(relu, 9, 30, 5), 3);
    let initial = case.initial().mapv(|x| x as f32);
    let mut network = device::<f32>(&case, 1);
    network.update(&case.batch(&initial), &Optimiser::nesterov()).unwrap();
    let good = network.params().unwrap();
    assert!(network.take_mean_loss().unwrap().unwrap().is_finite());

    case.params.w_rec.fill(1e30);
    let mut network = Cuda::new(case.config.clone(), case.params.cast(), Emulator::new(1)).unwrap();
    let before = network.params().unwrap();
    for _ in 0..3 {
        network.update(&case.batch(&initial), &Optimiser::nesterov()).unwrap();
    }
    let error = network.take_mean_loss().unwrap_err();
    assert!(matches!(error, Error::Diverged { update: 0, what: "loss", .. }), "{error}");
    assert_eq!(network.params().unwrap(), before);
    assert_ne!(good, before);
    // It is told once.
    assert_eq!(network.take_mean_loss().unwrap(), None);
}
