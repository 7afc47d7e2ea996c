use super::*;
use crate::Measure;
use crate::test_networks::{follower, on_cpu, symbol_reader};
use crate::test_tasks::{Echo, Symbols};
use ndarray::{Array1, Array2};
use tau_rnn::{Config, Cpu, Leaky, Params, TimeConstants, thread_pool};
use tau_tasks::TaskSpec;

const PROBE: Probe = Probe {
    updates: 1500,
    batch_size: 128,
    test_batches: 20,
    initial_state: 0.0,
    optimiser: Optimiser {
        rule: tau_rnn::Rule::Sgd { learning_rate: 0.05, momentum: 0.1 },
        clip_norm: Some(2.0),
    },
    chance: ChanceLevel::OneOfClasses,
    seed: 3,
};

/// Three neurons in a row, each a copy of the one before a step later: a delay line. The last
/// bit and the one before are linear functions of its state, the parity of both is not one.
fn delay_line() -> Cpu<f32> {
    let tau = TimeConstants::Fixed { value: 1.0 };
    let config = Config::new(Leaky { tau, ..Leaky::DEFAULT }, 3, 1);
    let mut w_rec = Array2::zeros((3, 3));
    w_rec[[1, 0]] = 1.0;
    w_rec[[2, 1]] = 1.0;
    let params = Params {
        tau: Array1::ones(3),
        w_rec,
        b_rec: Array1::zeros(3),
        w_in: ndarray::array![[1.0], [0.0], [0.0]],
        b_in: Array1::zeros(3),
        readouts: Vec::new(),
    };
    Cpu::new(config, params, thread_pool(Some(1)).unwrap()).unwrap()
}

#[test]
fn a_head_reads_what_the_activity_holds_and_no_more() {
    let mut network = delay_line();
    let before = network.params().unwrap();
    let last_bit = TaskSpec::parity(&[1]).build().unwrap();
    let go_on = AtomicBool::new(false);
    let found = PROBE.run(&mut network, &*last_bit, &go_on).unwrap();
    assert!(found[0].value > 0.99, "{found:?}");
    assert_eq!(found[0].measure, Measure::Accuracy { chance: 0.5 });
    let match_two = TaskSpec::dms(&[2]).build().unwrap();
    let found = PROBE.run(&mut network, &*match_two, &go_on).unwrap();
    // "Equal" of two fair bits is exclusive-or: three quarters at best for a linear reader.
    assert!((0.4..0.8).contains(&found[0].value), "{found:?}");
    let stopped = PROBE.run(&mut network, &*match_two, &AtomicBool::new(true));
    assert!(matches!(stopped, Err(Error::Stopped)));
    let after = network.params().unwrap();
    assert_eq!((before.tau, before.w_rec, before.w_in), (after.tau, after.w_rec, after.w_in));
}

/// A new head for each head of a task without N: three classes, and two.
#[test]
fn new_heads_have_as_many_classes_as_the_task_asks() {
    let (config, params) = symbol_reader();
    let mut network = on_cpu(config, params).unwrap();
    let task = Symbols::new(3, &[0, 1, 2, 2]).with_second_head();
    let probe = Probe { updates: 300, chance: ChanceLevel::CommonestClass, ..PROBE };
    let found = probe.run(&mut *network, &task, &AtomicBool::new(false)).unwrap();
    for head in &found {
        // A sum of twenty twentieths.
        approx::assert_abs_diff_eq!(head.value, 1.0, epsilon = 1e-12);
    }
    let chances = found.iter().map(|head| head.measure.chance());
    assert_eq!(chances.collect::<Vec<_>>(), [Some(0.5), Some(0.75)]);
    let sizes = network.params().unwrap().readouts.iter().map(Readout::outputs).collect::<Vec<_>>();
    assert_eq!(sizes, [3, 2]);
}

#[test]
fn a_new_head_for_values_is_scored_by_its_loss() {
    let (config, params) = follower(0.0);
    let mut network = on_cpu(config, params).unwrap();
    let task = Echo::new(None);
    let go_on = AtomicBool::new(false);
    let probe = Probe { updates: 300, ..PROBE };
    let found = probe.run(&mut *network, &task, &go_on).unwrap()[0];
    assert_eq!(found.measure, Measure::Loss);
    assert!(found.value < 1e-3, "{found:?}");
    let untested = Probe { test_batches: 0, ..probe }.run(&mut *network, &task, &go_on);
    assert!(matches!(untested, Err(Error::TooFew { found: 0, needed: 1, .. })));
}
