//! What a backend did before changes nothing: work space is used again, for batches of any size.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use tau_rnn::{
    Activation, Backend, Batch, Cell, Config, Cpu, Initial, Isa, Optimiser, Params, Placement,
    Rule, Target, TimeConstants, thread_pool,
};
use tests::{Case, Shape};

fn bits(params: &Params<f32>) -> Vec<u32> {
    params.tensors().flat_map(|(_, values)| values.iter().map(|x| x.to_bits())).collect()
}

/// What happens to the backend between two comparisons.
#[derive(Clone, Debug)]
struct Step {
    steps: usize,
    trials: usize,
    every_step: bool,
    freeze_cell: bool,
    freeze_head: bool,
    simulate: bool,
    poison: bool,
}

/// Any leaky cell, or a gated one.
fn equations() -> impl Strategy<Value = (Cell, Placement, Activation)> {
    let leaky = (
        Just(Cell::Leaky),
        prop::sample::select(vec![Placement::Whole, Placement::Drive]),
        prop::sample::select(Activation::ALL.to_vec()),
    );
    let gated = prop::sample::select(Cell::GATED.to_vec());
    let gated = gated.prop_map(|cell| (cell, Placement::Whole, Activation::LeakyRelu));
    prop_oneof![2 => leaky, 1 => gated]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sizes = (1usize..=30, 1usize..=70);
    let often = prop::bool::weighted(0.5);
    let seldom = prop::bool::weighted(0.2);
    let step = (sizes, often, [seldom, seldom, seldom, seldom]).prop_map(
        |((steps, trials), every_step, [freeze_cell, freeze_head, simulate, poison])| Step {
            steps,
            trials,
            every_step,
            freeze_cell,
            freeze_head,
            simulate,
            poison,
        },
    );
    prop::collection::vec(step, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// After any history, on any threads and instruction set, the next update is that of a new
    /// backend with the same parameters.
    #[test]
    fn a_backend_with_a_history_is_like_a_new_one(
        // Some so large that packing and adding up are shared out.
        hidden_size in prop_oneof![9 => 1usize..=66, 1 => 190usize..=215],
        channels in prop::sample::select(vec![1usize, 2, 16]),
        equations in equations(),
        threads in 1usize..=3,
        history in steps(),
        seed in any::<u64>(),
    ) {
        let shape = |step: &Step| Shape {
            hidden_size,
            channels,
            cell: equations.0,
            placement: equations.1,
            activation: equations.2,
            steps: step.steps,
            trials: step.trials,
            heads: vec![2, 3],
            every_step: step.every_step,
            self_connections: false,
            trains_tau: true,
        };
        let first = Case::new(&shape(&history[0]), seed);
        let isas = Isa::available();
        let isa = isas[seed as usize % isas.len()];
        let pool = thread_pool(Some(threads)).unwrap();
        let mut old = Cpu::<f32>::with_isa(first.config.clone(), first.params.cast(), pool, isa).unwrap();
        for (k, step) in history.iter().enumerate() {
            let case = Case::new(&shape(step), seed.wrapping_add(k as u64));
            let initial: Array2<f32> = case.initial().mapv(|x| x as f32);
            let batch = case.batch(&initial);
            if step.poison {
                let poison = Array2::from_elem(initial.dim(), f32::NAN);
                prop_assert!(old.update(&case.batch(&poison), &Optimiser::paper()).is_err());
            }
            if step.simulate {
                let (mut state, mut activity) = (initial.clone(), Array3::zeros((0, 0, 0)));
                old.advance(&mut state, batch.inputs, &mut activity).unwrap();
            }
            old.freeze_cell(step.freeze_cell);
            old.freeze_head(0, step.freeze_head).unwrap();
            let pool = thread_pool(Some(1)).unwrap();
            let mut new = Cpu::new(case.config.clone(), old.params().unwrap(), pool).unwrap();
            new.freeze_cell(step.freeze_cell);
            new.set_momentum(old.momentum().unwrap()).unwrap();
            let loss = old.evaluate(&batch).unwrap().loss();
            prop_assert_eq!(loss.to_bits(), new.evaluate(&batch).unwrap().loss().to_bits());
            old.update(&batch, &Optimiser::paper()).unwrap();
            new.update(&batch, &Optimiser::paper()).unwrap();
            prop_assert_eq!(bits(&old.params().unwrap()), bits(&new.params().unwrap()));
        }
    }
}

/// Two neurons whose difference overflows: an infinity, then a NaN, that no ReLU may hide.
#[test]
fn a_network_that_overflows_diverges_with_every_activation_that_can() {
    check(Activation::Relu);
    check(Activation::LeakyRelu);

    fn check(activation: Activation) {
        let tau = TimeConstants::Fixed { value: 1.0 };
        let config = Config { activation, tau, self_connections: true, ..Config::paper(2) };
        let params = Params::<f32> {
            tau: ndarray::array![1.0, 1.0],
            w_rec: ndarray::array![[10.0, -1.0], [10.0, -1.0]],
            b_rec: ndarray::array![0.0, 0.0],
            w_in: ndarray::array![[0.0], [0.0]],
            b_in: ndarray::array![0.0, 0.0],
            readouts: vec![tau_rnn::Readout {
                weight: ndarray::array![[1.0, 0.0], [0.0, 1.0]],
                bias: ndarray::array![0.0, 0.0],
                frozen: false,
            }],
        };
        let mut cpu = Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap();
        let (inputs, labels) = (Array3::ones((70, 8, 1)), Array2::zeros((8, 1)));
        let initial = Array2::ones((8, 2));
        let batch = Batch {
            inputs: inputs.view(),
            initial: Initial::Given(initial.view()),
            target: Target::Labels { labels: labels.view(), heads: &[0] },
        };
        let error = cpu.update(&batch, &Optimiser::paper()).unwrap_err().to_string();
        assert!(error.starts_with("diverged at update 0"), "{activation:?}: {error}");
    }
}

fn small() -> (Cpu<f32>, Case) {
    let case = Case::new(&Shape::published(16, 6, 8), 3);
    let pool = thread_pool(Some(1)).unwrap();
    (Cpu::new(case.config.clone(), case.params.cast(), pool).unwrap(), case)
}

#[test]
fn another_rule_begins_with_no_memory() {
    let (mut cpu, case) = small();
    let initial = case.initial().mapv(|x| x as f32);
    let batch = case.batch(&initial);
    let rule =
        Rule::Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
    let adam = Optimiser { rule, clip_norm: Some(2.0) };
    cpu.update(&batch, &Optimiser::paper()).unwrap();
    let pool = thread_pool(Some(1)).unwrap();
    let mut new = Cpu::new(case.config.clone(), cpu.params().unwrap(), pool).unwrap();
    cpu.update(&batch, &adam).unwrap();
    let before = bits(&new.params().unwrap());
    new.update(&batch, &adam).unwrap();
    assert_eq!(bits(&cpu.params().unwrap()), bits(&new.params().unwrap()));
    assert_ne!(bits(&new.params().unwrap()), before);
}

#[test]
fn an_optimiser_out_of_range_and_half_a_memory_are_refused() {
    let (mut cpu, case) = small();
    let initial = case.initial().mapv(|x| x as f32);
    let batch = case.batch(&initial);
    let wrong =
        Optimiser { rule: Rule::Sgd { learning_rate: -0.05, momentum: 0.1 }, clip_norm: None };
    let error = cpu.update(&batch, &wrong).unwrap_err().to_string();
    assert!(error.contains("learning_rate"), "{error}");
    cpu.update(&batch, &Optimiser::paper()).unwrap();
    let mut half = cpu.momentum().unwrap();
    half.slots.truncate(6);
    assert!(cpu.set_momentum(half).is_err());
}
