//! What a backend did before changes nothing: work space is used again, for batches of any size.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use tau_rnn::{
    Activation, Backend, Batch, Cell, Config, Cpu, Initial, Isa, Leaky, Optimiser, Params,
    Placement, Rule, TimeConstants, thread_pool,
};
use tests::{Answers, Case, Shape};

fn bits(params: &Params<f32>) -> Vec<u32> {
    params.tensors().flat_map(|(_, values)| values.iter().map(|x| x.to_bits())).collect()
}

/// What happens to the backend between two comparisons.
#[derive(Clone, Debug)]
struct Step {
    steps: usize,
    trials: usize,
    answers: Answers,
    freeze_cell: bool,
    freeze_head: bool,
    simulate: bool,
    poison: bool,
}

/// Any leaky cell, or a gated one.
fn cells() -> impl Strategy<Value = Cell> {
    let leaky = (
        prop::sample::select(vec![Placement::Whole, Placement::Drive]),
        prop::sample::select(Activation::ALL.to_vec()),
    );
    let leaky = leaky.prop_map(|(placement, activation)| {
        Cell::Leaky(Leaky { placement, activation, ..Leaky::DEFAULT })
    });
    prop_oneof![2 => leaky, 1 => prop::sample::select(Cell::GATED.to_vec())]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sizes = (1usize..=30, 1usize..=70);
    let answers = [Answers::Classes, Answers::Values, Answers::WeightedValues];
    let answers = prop::sample::select(answers.to_vec());
    let seldom = prop::bool::weighted(0.2);
    let step = (sizes, answers, [seldom, seldom, seldom, seldom]).prop_map(
        |((steps, trials), answers, [freeze_cell, freeze_head, simulate, poison])| Step {
            steps,
            trials,
            answers,
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
        cell in cells(),
        threads in 1usize..=3,
        history in steps(),
        seed in any::<u64>(),
    ) {
        let shape = |step: &Step| Shape {
            channels,
            heads: vec![2, 3],
            answers: step.answers,
            ..Shape::new(cell, hidden_size, step.steps, step.trials)
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
                prop_assert!(old.update(&case.batch(&poison), &Optimiser::nesterov()).is_err());
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
            old.update(&batch, &Optimiser::nesterov()).unwrap();
            new.update(&batch, &Optimiser::nesterov()).unwrap();
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
        let leaky = Leaky { activation, tau, self_connections: true, ..Leaky::DEFAULT };
        let config = Config::new(leaky, 2, 1);
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
        let initial = Array2::<f32>::ones((8, 2));
        let batch = Batch::classes(&inputs, &labels).starting(Initial::Given(initial.view()));
        let error = cpu.update(&batch, &Optimiser::nesterov()).unwrap_err().to_string();
        assert!(error.starts_with("diverged at update 0"), "{activation:?}: {error}");
    }
}

fn small() -> (Cpu<f32>, Case) {
    let case = Case::new(&Shape::leaky(16, 6, 8), 3);
    let pool = thread_pool(Some(1)).unwrap();
    (Cpu::new(case.config.clone(), case.params.cast(), pool).unwrap(), case)
}

#[test]
fn another_rule_begins_with_no_memory() {
    let (mut cpu, case) = small();
    let initial = case.initial().mapv(|x| x as f32);
    let batch = case.batch(&initial);
    let adam = Optimiser::adam();
    cpu.update(&batch, &Optimiser::nesterov()).unwrap();
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
    cpu.update(&batch, &Optimiser::nesterov()).unwrap();
    let mut half = cpu.momentum().unwrap();
    half.slots.truncate(6);
    assert!(cpu.set_momentum(half).is_err());
}
