//! A training that cannot be is refused before it begins, with the value and what is allowed.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use tau_curricula::{Curriculum, Trainer, TrainingSpec};
use tau_rnn::{Cpu, Placement, Readout, Rule, TimeConstants, thread_pool};
use tau_tasks::TaskKind;

fn spec() -> TrainingSpec {
    TrainingSpec {
        n_end: 5,
        updates_per_epoch: 1,
        test_batches: 1,
        ..TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 4, 0)
    }
}

/// `check` refuses the spoiled spec with this message, and so does a trainer.
fn check(spoil: impl Fn(&mut TrainingSpec), message: &str) {
    let mut spoiled = spec();
    spoil(&mut spoiled);
    assert_eq!(spoiled.check().expect_err(message).to_string(), message);
    let params = spec().initial_params::<f32>().unwrap();
    let network = Cpu::new(spec().network, params, thread_pool(Some(1)).unwrap()).unwrap();
    let refused = Trainer::new(spoiled, Box::new(network)).err().expect(message);
    assert_eq!(refused.to_string(), message);
}

#[test]
fn a_memory_that_the_task_cannot_have_is_refused() {
    check(|spec| spec.n_start = 0, "N: 0 (allowed for parity: 1..=100000)");
    check(
        |spec| (spec.task, spec.n_start) = (TaskKind::Dms, 1),
        "N: 1 (allowed for dms: 2..=100000)",
    );
    check(|spec| spec.n_end = 100_001, "N: 100001 (allowed for parity: 1..=100000)");
    check(|spec| (spec.n_start, spec.n_end) = (6, 5), "n_end: 5 (allowed: n_start = 6 or more)");
}

/// Extremes that a file may hold: refused as all others, without a panic and without the memory
/// that such a window would take.
#[test]
fn a_window_without_bounds_is_refused() {
    let wide = Curriculum::Sliding { heads: 1 << 60, forget: 1 };
    let mut spec = spec();
    spec.curriculum = wide;
    assert!(spec.check().is_err());
    spec.curriculum = Curriculum::MultiHead;
    (spec.n_start, spec.n_end) = (usize::MAX, usize::MAX);
    assert!(spec.check().is_err());
}

#[test]
fn sizes_rates_and_time_constants_out_of_range_are_refused() {
    check(|spec| spec.network.hidden_size = 0, "hidden_size: 0 (allowed: 1 to 65536)");
    check(
        |spec| spec.network.tau = TimeConstants::Fixed { value: 0.5 },
        "fixed tau: 0.5 steps (allowed: 1 or more; a time constant below one step has no meaning \
         in this discretisation)",
    );
    check(
        |spec| spec.network.tau = TimeConstants::Trainable { start: 0.99 },
        "start of tau: 0.99 steps (allowed: 1 or more)",
    );
    check(
        |spec| spec.network.placement = Placement::Continuous { steps_per_unit: 0 },
        "steps_per_unit: 0 (allowed: 1 or more)",
    );
    check(
        |spec| spec.optimiser.rule = Rule::Sgd { learning_rate: -0.05, momentum: 0.1 },
        "learning_rate: -0.05 (allowed: above 0, finite)",
    );
    check(|spec| spec.max_epochs = 0, "max_epochs: 0 (allowed: 1 to 4294967295)");
    check(|spec| spec.updates_per_epoch = 0, "updates_per_epoch: 0 (allowed: 1 to 4294967295)");
    check(|spec| spec.test_batches = 0, "test_batches: 0 (allowed: 1 to 4294967295)");
    check(
        |spec| spec.success_accuracy = f64::NAN,
        "success_accuracy: NaN (allowed: 0 or more, below 1)",
    );
    check(
        |spec| spec.initial_state = f64::INFINITY,
        "initial_state: inf (allowed: 0 or more, finite)",
    );
}

/// What passes the check can be trained: nothing is found out only after training has begun.
#[test]
fn what_the_tasks_cannot_draw_is_refused_at_the_door() {
    let refused = |spoil: fn(&mut TrainingSpec)| {
        let mut spec = spec();
        spoil(&mut spec);
        spec.check().is_err()
    };
    assert!(refused(|spec| spec.batch_size = 16_384), "a batch has at most 16383 trials");
    assert!(refused(|spec| spec.network.input_size = 2), "the tasks have one channel");
}

/// A name in a file is answered as one on a command line.
#[test]
fn names_in_a_file_are_answered_with_the_known_ones() {
    let text = toml::to_string(&spec()).unwrap();
    assert_eq!(toml::from_str::<TrainingSpec>(&text).unwrap(), spec());
    check(
        "curriculum",
        "multi-head",
        "multi",
        "unknown curriculum: \"multi\" (known: single-head, ",
    );
    check(
        "curriculum",
        "multi-head",
        "sliding-2-3",
        "sliding window: 2 heads moving by 3 (allowed: ",
    );
    check("task", "parity", "xor", "task: xor (known: parity, dms)");
    fn check(key: &str, from: &str, to: &str, message: &str) {
        let text = toml::to_string(&spec()).unwrap();
        let spoiled = text.replace(&format!("{key} = \"{from}\""), &format!("{key} = \"{to}\""));
        assert_ne!(spoiled, text);
        let error = toml::from_str::<TrainingSpec>(&spoiled).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let unknown = toml::from_str::<TrainingSpec>(&format!("batchsize = 3\n{text}")).unwrap_err();
    assert!(unknown.to_string().contains("unknown field `batchsize`"), "{unknown}");
}

#[test]
fn a_network_of_another_kind_is_not_trained() {
    let other = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 5, 0);
    let mut params = other.initial_params::<f32>().unwrap();
    let mut random = tau_random::Key::new(0, tau_random::Purpose::Readout).stream();
    params.readouts.push(Readout::init(2, 5, &mut random));
    let network = Cpu::new(other.network, params, thread_pool(Some(1)).unwrap()).unwrap();
    let refused = Trainer::new(spec(), Box::new(network)).err().unwrap().to_string();
    assert!(refused.starts_with("cannot resume: the checkpoint's network is Config"), "{refused}");
    assert!(refused.contains("hidden_size: 5") && refused.contains("hidden_size: 4"), "{refused}");
}
