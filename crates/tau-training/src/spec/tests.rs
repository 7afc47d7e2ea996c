use super::*;
use tau_curricula::MultiHead;
use tau_random::Coding;
use tau_rnn::{Leaky, TimeConstants};
use tau_tasks::{FlipFlop, Parity, Pulse};

/// A multi-head training on parity of ten neurons.
fn ladder() -> TrainingSpec {
    TrainingSpec {
        schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end: 9 }),
        stop: Some(Stop::AccuracyAbove(0.98)),
        ..TrainingSpec::plain(TaskSpec::parity(&[]), 10, 0).unwrap()
    }
}

fn flip_flop() -> TrainingSpec {
    TrainingSpec {
        data: Data::Fixed { trials: 100, held_out: 5, data_seed: 1 },
        ..TrainingSpec::plain(TaskSpec::FlipFlop(FlipFlop::default()), 10, 0).unwrap()
    }
}

#[test]
fn a_plain_training_is_valid_for_every_task() {
    for task in TaskSpec::all() {
        let mut spec = TrainingSpec::plain(task, 10, 0).unwrap();
        if let Some(filled) = spec.task.with_memory(&[2]) {
            spec.task = filled;
        }
        spec.check().unwrap();
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<TrainingSpec>(&text).unwrap(), spec, "{text}");
    }
    ladder().check().unwrap();
    flip_flop().check().unwrap();
    assert_eq!(flip_flop().network.input_size, 2);
}

#[test]
fn a_fixed_data_set_has_a_short_last_batch() {
    let spec = flip_flop();
    assert_eq!((spec.updates_per_epoch(), spec.data.test_batches(spec.batch_size)), (2, 1));
    let task = spec.task.build().unwrap();
    assert_eq!(spec.data.bytes(&*task), 100 * 1010 * 3 * 4);
    assert_eq!(ladder().data.bytes(&*TaskSpec::parity(&[2]).build().unwrap()), 0);
}

#[test]
fn a_training_in_continuous_time_says_at_which_time_steps() {
    assert_eq!((ladder().time_steps(), ladder().batches_per_update()), (vec![1], 1));
    let spec = ladder().in_continuous_time(&[2, 5, 3]);
    spec.check().unwrap();
    assert_eq!((spec.time_steps(), spec.batches_per_update()), (vec![2, 5, 3], 3));
    let own = TrainingSpec { steps_per_unit: Vec::new(), ..spec.clone() };
    own.check().unwrap();
    assert_eq!((own.time_steps(), own.batches_per_update()), (vec![5], 1));
    let check = |steps: &[u32], network: &Config, message: &str| {
        let (steps_per_unit, network) = (steps.to_vec(), network.clone());
        let spoiled = TrainingSpec { steps_per_unit, network, ..ladder() };
        assert_eq!(spoiled.check().unwrap_err().to_string(), message);
    };
    let whole = "steps_per_unit: 2 (allowed: none, unless the network's placement is continuous)";
    check(&[2], &ladder().network, whole);
    check(&[2], &Config::lstm(10, 1), whole);
    check(&[5, 0], &spec.network, "steps_per_unit: 0 (allowed: 1 or more)");
    check(&[5, 2, 5], &spec.network, "steps_per_unit: 5 (allowed: each once)");
    let other = "steps_per_unit: 5 (allowed: for the network: one of those that it is trained at)";
    check(&[2, 3], &spec.network, other);
    let data = Data::Fresh { updates_per_epoch: 1 << 31, test_batches: 1 };
    let many = TrainingSpec { data, ..spec }.check().unwrap_err().to_string();
    assert!(many.contains("divided by the number of steps_per"), "{many}");
}

#[test]
fn values_out_of_range_are_named() {
    check(ladder, |s| s.network.hidden_size = 0, "hidden_size: 0 (allowed: 1 to 65536)");
    check(ladder, |s| s.batch_size = 0, "batch_size: 0 (allowed: 1 to 16383)");
    check(ladder, |s| s.batch_size = 16_384, "batch_size: 16384 (allowed: 1 to 16383)");
    check(ladder, |s| s.max_epochs = 0, "max_epochs: 0 (allowed: 1 to 4294967295)");
    check(ladder, |s| s.keep_every = Some(0), "keep_every: 0 (allowed: 1 to 4294967295)");
    check(
        ladder,
        |s| s.seed = 1 << 63,
        "seed: 9223372036854775808 (allowed: 0 to 9223372036854775807)",
    );
    check(ladder, |s| s.initial_state = -0.1, "initial_state: -0.1 (allowed: 0 or more, finite)");
    check(
        ladder,
        |s| s.stop = Some(Stop::AccuracyAbove(98.0)),
        "stop.accuracy_above: 98 (allowed: 0 or more, below 1)",
    );
    check(
        ladder,
        |s| s.stop = Some(Stop::LossBelow(0.0)),
        "stop.loss_below: 0 (allowed: above 0, finite)",
    );
    check(
        ladder,
        |s| s.stop = None,
        "stop: none (allowed: with a schedule: accuracy_above or loss_below, which says when a \
         stage is solved)",
    );
    check(
        ladder,
        |s| s.data = Data::Fresh { updates_per_epoch: 0, test_batches: 1 },
        "data.fresh.updates_per_epoch: 0 (allowed: 1 to 4294967295)",
    );
    check(
        ladder,
        |s| {
            s.network.cell =
                Cell::Leaky(Leaky { tau: TimeConstants::Fixed { value: 0.5 }, ..Leaky::default() })
        },
        "fixed tau: 0.5 steps (allowed: 1 or more; a time constant below one step has no meaning \
         in this discretisation)",
    );
    check(
        ladder,
        |s| (s.network, s.initial_state) = (Config::gru(10, 1), 0.1),
        "initial_state: 0.1 (allowed: 0 for a gated cell, whose state begins with zeros)",
    );
}

#[test]
fn what_does_not_fit_the_task_is_refused() {
    check(
        flip_flop,
        |s| s.network.input_size = 1,
        "network.input_size: 1 (allowed: 2, the channels of the task flip-flop)",
    );
    check(
        flip_flop,
        |s| s.stop = Some(Stop::AccuracyAbove(0.9)),
        "stop.accuracy_above: 0.9 (allowed: for a task with values: stop.loss_below; values have no \
         accuracy)",
    );
    check(
        flip_flop,
        |s| s.data = Data::Fixed { trials: 100, held_out: 100, data_seed: 1 },
        "data.fixed.held_out: 100 (allowed: 0 to 99, one less than the trials)",
    );
    check(
        flip_flop,
        |s| s.task = TaskSpec::FlipFlop(FlipFlop { gap: 100, noise: true }),
        "gap of flip-flop: 100 (allowed: 0 to 99: the reply must come before the next event)",
    );
    check(
        ladder,
        |s| s.data = Data::Fixed { trials: 100, held_out: 5, data_seed: 1 },
        "data.fixed.trials: 100 (allowed: for tasks whose trials have one length; those of parity \
         have 4 to 9 steps: use data.fresh)",
    );
    check(
        ladder,
        |s| s.task = TaskSpec::Pulse(Pulse::default()),
        "schedule: multi-head for the task pulse, which has no N (allowed: none)",
    );
    check(
        ladder,
        |s| s.task = TaskSpec::Parity(Parity { n: vec![2], coding: Coding::Bits }),
        "n of parity: [2] together with the schedule multi-head (allowed: one of the two; leave n \
         out, or say schedule.kind = \"none\")",
    );
}

fn check(make: fn() -> TrainingSpec, spoil: impl Fn(&mut TrainingSpec), message: &str) {
    let mut spec = make();
    spoil(&mut spec);
    assert_eq!(spec.check().unwrap_err().to_string(), message);
}
