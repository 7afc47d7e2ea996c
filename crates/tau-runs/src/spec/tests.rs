use super::*;
use tau_curricula::{MultiHead, Schedule, SingleHead, Sliding};
use tau_random::Coding;
use tau_rnn::{
    Activation, ArraySpec, Cell, Config, Init, Leaky, Optimiser, Placement, Rule, TimeConstants,
};
use tau_tasks::{Dms, FlipFlop, Parity, TaskSpec};
use tau_training::{Data, Stop};

/// A training like those of a paper on ladders.
fn ladder() -> TrainingSpec {
    TrainingSpec {
        max_epochs: 1000,
        batch_size: 256,
        initial_state: 0.1,
        schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end: 101 }),
        stop: Some(Stop::AccuracyAbove(0.98)),
        data: Data::Fresh { updates_per_epoch: 600, test_batches: 50 },
        optimiser: Optimiser::nesterov(),
        ..TrainingSpec::plain(TaskSpec::parity(&[]), 500, 0).unwrap()
    }
}

/// The same with another cell.
fn gated(network: Config) -> TrainingSpec {
    let optimiser = Optimiser::adam();
    TrainingSpec { network, optimiser, initial_state: 0.0, ..ladder() }
}

fn is_ladder(task: &TaskSpec) -> bool {
    task.memory().is_some()
}

const BASES: &[Base] = &[
    Base { name: "ladder", about: "leaky neurons", spec: ladder, fits: is_ladder },
    Base {
        name: "ladder-lstm",
        about: "LSTM",
        spec: || gated(Config::lstm(500, 1)),
        fits: is_ladder,
    },
];

fn read(text: &str) -> TrainingSpec {
    read_spec(text, &[], BASES).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn seeded(seed: u64, spec: TrainingSpec) -> TrainingSpec {
    TrainingSpec { seed, ..spec }
}

fn sets(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_is_not_said_is_as_in_the_base() {
    assert_eq!(read("seed = 7"), seeded(7, ladder()));
    assert_eq!(read("seed = 7\nbase = \"ladder-lstm\"").network.cell, Cell::Lstm);
    let spec = read("seed = 7\n[network]\nhidden_size = 64");
    let network = Config { hidden_size: 64, ..ladder().network };
    assert_eq!(spec, TrainingSpec { network, ..seeded(7, ladder()) });
    assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
    let dms = read("seed = 7\ntask = \"dms\"");
    assert_eq!(dms, TrainingSpec { task: TaskSpec::dms(&[]), ..seeded(7, ladder()) });
}

#[test]
fn a_task_that_no_base_fits_has_a_plain_training() {
    let task = TaskSpec::FlipFlop(FlipFlop::default());
    let plain = TrainingSpec::plain(task, 100, 7).unwrap();
    assert_eq!(read("seed = 7\ntask = \"flip-flop\""), plain);
    assert_eq!(plain.network.input_size, 2);
    let parity = read("seed = 7\nbase = \"plain\"\ntask = { kind = \"parity\", n = [3] }");
    assert_eq!(parity, TrainingSpec::plain(TaskSpec::parity(&[3]), 100, 7).unwrap());
}

#[test]
fn sets_go_before_the_text() {
    let pairs = [
        ("network.hidden_size", "20"),
        ("task", "dms"),
        ("schedule.n_end", "5"),
        ("schedule", "single-head"),
        ("data.fixed.trials", "3"),
        ("seed", "3"),
    ];
    let text = "seed = 7\ntask = { kind = \"parity\", coding = \"signs\" }\n\
                schedule = { kind = \"multi-head\", n_end = 9 }";
    let spec = read_spec(text, &sets(&pairs[..4]), BASES).unwrap();
    assert_eq!(spec.network.hidden_size, 20);
    // A name is the kind of a table, whose other keys stay.
    assert_eq!(spec.task, TaskSpec::Dms(Dms { n: vec![], coding: Coding::Signs }));
    assert_eq!(spec.schedule, Schedule::SingleHead(SingleHead { n_start: 2, n_end: 5 }));
    assert_eq!(read_spec("seed = 7", &sets(&[("seed", "3")]), BASES).unwrap().seed, 3);
    // Below a name, and in place of another one of several.
    let pairs = [("task.gap", "30"), ("data.fixed.held_out", "2"), ("data.fixed.data_seed", "4")];
    let text =
        "seed = 1\ntask = \"flip-flop\"\n[data.fresh]\nupdates_per_epoch = 3\ntest_batches = 1";
    let more = [&sets(&pairs)[..], &sets(&[("data.fixed.trials", "8")])].concat();
    let spec = read_spec(text, &more, BASES).unwrap();
    assert_eq!(spec.data, Data::Fixed { trials: 8, held_out: 2, data_seed: 4 });
    assert_eq!(spec.task, TaskSpec::FlipFlop(FlipFlop { gap: 30, noise: true }));
}

#[test]
fn a_different_kind_replaces_a_table_whole() {
    let single = read("seed = 7\nschedule = \"single-head\"").schedule;
    assert_eq!(single, Schedule::SingleHead(SingleHead::default()));
    let longer = read("seed = 7\n[schedule]\nn_end = 9").schedule;
    assert_eq!(longer, Schedule::MultiHead(MultiHead { n_start: 2, n_end: 9 }));
    let authors = read("seed = 7\n[schedule]\nkind = \"sliding_4_2\"\nn_end = 9").schedule;
    let sliding = Sliding { heads: 4, forget: 2, n_start: 2, n_end: 9 };
    assert_eq!(authors, Schedule::Sliding(sliding));
    let text = "seed = 7\nschedule = \"none\"\nbase = \"ladder\"\n[task]\nn = [4, 2]";
    let spec = read(text);
    let parity = Parity { n: vec![4, 2], coding: Coding::Bits };
    assert_eq!((spec.task, spec.schedule), (TaskSpec::Parity(parity), Schedule::None));
}

#[test]
fn a_different_variant_replaces_the_one_of_the_base() {
    let text =
        "seed = 1\n[optimiser]\nclip_norm = \"none\"\n[optimiser.rule.sgd]\nlearning_rate = 0.5";
    let spec = read(text);
    assert_eq!(spec.optimiser.rule, Rule::Sgd { learning_rate: 0.5, momentum: 0.1 });
    assert_eq!(spec.optimiser.clip_norm, None);
    let adam = "beta1 = 0.8\nbeta2 = 0.99\nepsilon = 1e-6\ndecay = 1e-4\nform = \"keras\"";
    let text = format!("seed = 1\n[optimiser.rule.adam]\nlearning_rate = 0.5\n{adam}");
    assert!(matches!(read(&text).optimiser.rule, Rule::Adam { beta1: 0.8, .. }));
    let text = "seed = 1\nkeep_every = 3\nstop.loss_below = 0.5";
    let spec = read(text);
    assert_eq!((spec.keep_every, spec.stop), (Some(3), Some(Stop::LossBelow(0.5))));
    let text =
        "seed = 1\nstop = \"none\"\nkeep_every = \"none\"\nschedule = \"none\"\ntask.n = [2]";
    assert_eq!(read(text).stop, None);
    let text = "seed = 1\nnetwork.cell.placement = \"drive\"\nnetwork.cell.tau.fixed.value = 3";
    let leaky = Leaky {
        placement: Placement::Drive,
        tau: TimeConstants::Fixed { value: 3.0 },
        ..Leaky::DEFAULT
    };
    assert_eq!(read(text).network.cell, Cell::Leaky(leaky));
}

/// What is not said of Adam is as published (Kingma & Ba 2015, algorithm 1).
#[test]
fn adam_may_say_some_of_its_numbers_only() {
    let rule = |text: &str| read(&format!("seed = 1\n{text}")).optimiser.rule;
    assert_eq!(rule("optimiser.rule = \"adam\""), Optimiser::adam().rule);
    let Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, .. } =
        rule("optimiser.rule.adam.learning_rate = 0.5")
    else {
        panic!("not Adam")
    };
    let numbers = [learning_rate, beta1, beta2, epsilon, decay];
    assert_eq!(numbers, [0.5, 0.9, 0.999, 1e-8, 0.0]);
    // One that the base has keeps its numbers.
    let text = "seed = 1\nbase = \"ladder-lstm\"\noptimiser.rule.adam.decay = 0.1";
    assert!(matches!(
        read(text).optimiser.rule,
        Rule::Adam { decay: 0.1, learning_rate: 1e-3, .. }
    ));
}

#[test]
fn the_cell_decides_what_is_not_said_of_it() {
    // The base that has the cell.
    let spec = read("seed = 7\nnetwork.cell.kind = \"lstm\"");
    assert_eq!(spec, seeded(7, gated(Config::lstm(500, 1))));
    // Without one: the first base, with the arrays and the state that are usual for the cell.
    let spec = read("seed = 7\nnetwork.cell = \"gru\"\nnetwork.hidden_size = 32");
    let expected = TrainingSpec { network: Config::gru(32, 1), initial_state: 0.0, ..ladder() };
    assert_eq!(spec, seeded(7, expected));
    assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
    let spec = read("seed = 7\nnetwork.cell = { kind = \"leaky\", activation = \"tanh\" }");
    let Cell::Leaky(leaky) = spec.network.cell else { panic!("no leaky cell") };
    assert_eq!(leaky, Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT });
    let text = "seed = 7\nbase = \"ladder-lstm\"\nnetwork.cell = \"leaky\"";
    assert_eq!(read(text).network, Config::leaky(500, 1));
}

#[test]
fn arrays_are_named_one_by_one() {
    let text = "seed = 1\n[network.arrays]\nb_in = \"none\"\nw_in.trained = false\n\
                w_rec.init.orthogonal.gain = 1\nreadout_bias.init = \"zero\"";
    let arrays = read(text).network.arrays;
    assert_eq!(arrays.b_in, None);
    assert_eq!(arrays.w_in, ArraySpec::kept(Init::FanIn));
    assert_eq!(arrays.w_rec, ArraySpec::trained(Init::Orthogonal { gain: 1.0 }));
    assert_eq!(arrays.readout_bias, Some(ArraySpec::trained(Init::Zero)));
    // A bias that the base does not have begins as is usual for the cell.
    const BARE: &[Base] = &[Base {
        name: "bare",
        about: "",
        spec: || {
            let mut spec = gated(Config::gru(9, 1));
            (spec.network.arrays.b_rec, spec.network.arrays.b_in) = (None, None);
            spec
        },
        fits: is_ladder,
    }];
    let arrays = read_spec("seed = 1\nnetwork.arrays.b_rec.trained = false", &[], BARE);
    let arrays = arrays.unwrap().network.arrays;
    assert_eq!((arrays.b_rec, arrays.b_in), (Some(ArraySpec::kept(Init::HiddenSize)), None));
}

#[test]
fn a_training_in_continuous_time_says_at_which_time_steps() {
    let text = "seed = 7\nsteps_per_unit = [7, 8, 9, 10]\n\
                [network.cell.placement.continuous]\nsteps_per_unit = 10";
    let spec = read(text);
    assert_eq!(spec, seeded(7, ladder().in_continuous_time(&[7, 8, 9, 10])));
    assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
    let pairs = sets(&[("network.cell.placement.continuous.steps_per_unit", "3"), ("seed", "1")]);
    assert_eq!(read_spec("", &pairs, BASES).unwrap().time_steps(), [3]);
    let own = read_spec("steps_per_unit = [7, 8]\n", &pairs, BASES).unwrap_err().to_string();
    assert!(own.contains("steps_per_unit: 3 (allowed: for the network: one of"), "{own}");
    let whole = read_spec("seed = 1\nsteps_per_unit = [7, 8]", &[], BASES).unwrap_err().to_string();
    let expected = "line 2, column 18: steps_per_unit: 7 (allowed: none, unless";
    assert!(whole.starts_with(expected), "{whole}");
}

#[test]
fn the_text_of_a_run_says_everything_and_its_format() {
    let text = write(&seeded(7, ladder())).unwrap();
    assert!(text.starts_with("format = 1\nseed = 7\nmax_epochs = 1000\n"), "{text}");
    for part in ["task", "schedule", "data.fresh", "network.cell", "network.arrays.b_rec"] {
        assert!(text.contains(&format!("[{part}]\n")), "{part}: {text}");
    }
    let refused = |from: &str, to: &str, message: &str| {
        let error = read_resolved(&text.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    };
    let newer = "line 1, column 10: format: 2 (allowed: 1; a newer tau wrote it: use that one)";
    refused("format = 1", "format = 2", newer);
    refused("format = 1\n", "", "format: none (allowed: 1; this tau did not write it)");
    refused("seed = 7\n", "", "seed: missing (say it, for instance seed = 1)");
    refused("batch_size = 256", "batch_size = 0", "line 4, column 14: batch_size: 0 (allowed: 1");
}

/// The digest that names a run is made of this text.
#[test]
fn the_canonical_form_does_not_depend_on_order_or_format() {
    let spec = read("seed = 7\n[network]\nhidden_size = 3\ncell.activation = \"tanh\"");
    let text = canonical(&spec).unwrap();
    let again =
        read("network.cell = { activation = \"tanh\" }\nnetwork.hidden_size = 0x3\nseed = +7");
    assert_eq!(canonical(&again).unwrap(), text);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.is_sorted());
    for line in ["batch_size = 256", "task.kind = \"parity\"", "initial_state = 0.1"] {
        assert!(lines.contains(&line), "{text}");
    }
    let other = read("seed = 7\n[network]\nhidden_size = 3");
    assert_ne!(canonical(&other).unwrap(), text);
    assert_eq!(spec_values(&spec)["network.cell.activation"], "tanh");
}

#[test]
fn differences_are_those_that_a_person_would_say() {
    let differences = |text: &str| -> Vec<String> {
        let all = spec_differences(&read(text), &seeded(7, ladder()));
        all.into_iter().map(|(key, value)| format!("{key} = {value}")).collect()
    };
    assert_eq!(differences("seed = 7"), Vec::<String>::new());
    let text = "seed = 7\noptimiser.clip_norm = \"none\"\nnetwork.arrays.b_in = \"none\"\n\
                data.fixed = { trials = 3, held_out = 1, data_seed = 2 }\n\
                task = { kind = \"pulse\" }\nschedule = \"none\"\nstop.loss_below = 1\nbase = \"ladder\"";
    let expected = [
        "data.fixed.data_seed = 2",
        "data.fixed.held_out = 1",
        "data.fixed.trials = 3",
        "network.arrays.b_in = none",
        "optimiser.clip_norm = none",
        "schedule.kind = none",
        "stop.loss_below = 1.0",
        "task.gap = 20",
        "task.kind = pulse",
        "task.noise = true",
        "task.parameters = paper",
    ];
    assert_eq!(differences(text), expected);
}

#[test]
fn seeds_are_drawn_and_differ() {
    let seeds: Vec<u64> = ["", "seed = \"random\"", ""].map(|text| read(text).seed).into();
    assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2], "{seeds:?}");
}

/// The whole message.
#[track_caller]
fn check(text: &str, expected: &str) {
    let error = read_spec(text, &[], BASES).unwrap_err();
    assert!(error.is_spec());
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn unknown_keys_are_answered_with_what_was_meant() {
    check("sede = 1", "line 1, column 8: unknown key: sede (did you mean seed?)");
    check(
        "[network]\nhidden_sizes = 4",
        "line 2, column 16: unknown key: network.hidden_sizes (did you mean network.hidden_size?)",
    );
    check(
        "hidden_size = 4",
        "line 1, column 15: unknown key: hidden_size (did you mean network.hidden_size?)",
    );
    check(
        "network.cel = \"gru\"",
        "line 1, column 15: unknown key: network.cel (did you mean network.cell.kind?)",
    );
    check(
        "[network.cell.tau.fixed]\nvalue = 5\nvalue_of = 6",
        "line 3, column 12: unknown key: network.cell.tau.fixed.value_of (did you mean \
         network.cell.tau.fixed.value?)",
    );
    check(
        "seed = 1\n[optimiser.rule.adam]\nlearning_rates = 1",
        "line 3, column 18: unknown key: optimiser.rule.adam.learning_rates (did you mean \
         optimiser.rule.adam.learning_rate?)",
    );
    check(
        "task = { kind = \"parity\", gap = 3 }",
        "line 1, column 33: unknown key: task.gap (allowed with task.kind = \"parity\": coding, n)",
    );
    check(
        "schedule = \"none\"\ntask.n = [2]\nschedule.n_end = 3",
        "line 3, column 1: no TOML: cannot extend value of type string with a dotted key (allowed: a \
         table in place of the name, for instance task = { kind = \"parity\", n = [3] })",
    );
    check(
        "task.n = [2]\n[schedule]\nkind = \"none\"\nn_end = 3",
        "line 4, column 9: unknown key: schedule.n_end (allowed with schedule.kind = \"none\": none)",
    );
}

#[test]
fn values_of_the_wrong_kind_are_named_in_our_words() {
    check(
        "max_epochs = 1e3",
        "line 1, column 14: max_epochs: 1e3, a number with a fraction (allowed: a whole number, for \
         instance 1000)",
    );
    check(
        "batch_size = 256.0",
        "line 1, column 14: batch_size: 256.0, a number with a fraction (allowed: a whole number, for \
         instance 256)",
    );
    check(
        "seed = \"1\"",
        "line 1, column 8: seed: \"1\", a text (allowed: a whole number, for instance 1)",
    );
    check("seed = -1", "line 1, column 8: seed: -1 (allowed: a whole number, 0 or more)");
    check(
        "batch_size = \"many\"",
        "line 1, column 14: batch_size: \"many\", a text (allowed: a whole number, for instance 64)",
    );
    check(
        "network.cell.tau.fixed = 2",
        "line 1, column 26: network.cell.tau.fixed: 2, a whole number (allowed: a table, for instance \
         network.cell.tau.fixed.value = 2.0)",
    );
    check(
        "network.cell.tau = \"fixed\"",
        "line 1, column 20: network.cell.tau: \"fixed\" (allowed: trainable, fixed, for instance \
         network.cell.tau.fixed.value = 2.0)",
    );
    check(
        "network.cell = 3",
        "line 1, column 16: network.cell: 3, a whole number (allowed: leaky, lstm, gru; or a table \
         with kind, for instance network.cell.kind = \"leaky\")",
    );
    check(
        "steps_per_unit = 7",
        "line 1, column 18: steps_per_unit: 7, a whole number (allowed: a list, for instance [7])",
    );
    check(
        "[batch_size]\na = 1",
        "line 1, column 2: batch_size: a table (allowed: a whole number, for instance 64)",
    );
    check(
        "task = ",
        "line 1, column 8: no TOML: string values must be quoted, expected literal string (allowed: \
         lines of key = value, for instance seed = 1)",
    );
}

#[test]
fn words_that_are_none_are_answered_with_those_that_are() {
    check(
        "network.cell = \"rnn\"",
        "line 1, column 16: network.cell.kind: \"rnn\" (allowed: leaky, lstm, gru)",
    );
    check(
        "task.kind = \"party\"",
        "line 1, column 13: task.kind: \"party\" (allowed: parity, dms, pulse, flip-flop)",
    );
    check(
        "task = { kind = \"parity\", coding = \"sign\" }",
        "line 1, column 36: task.coding: \"sign\" (allowed: bits, signs)",
    );
    check(
        "seed = 1\nnetwork.cell.activation = \"swish\"",
        "line 2, column 27: network.cell.activation: \"swish\" (allowed: leaky-relu, relu, tanh, \
         sigmoid)",
    );
    check(
        "schedule = \"multi\"",
        "line 1, column 12: schedule.kind: schedule: \"multi\" (known: none, single-head, multi-head, \
         sliding-{heads}-{forget})",
    );
    check(
        "base = \"laddder\"",
        "line 1, column 8: base: \"laddder\" (allowed: ladder, ladder-lstm, plain; did you mean ladder?)",
    );
    check(
        "seed = 1\nbase = \"plain\"",
        "task: none (allowed: parity, dms, pulse, flip-flop; or a table with kind, for instance \
         task.kind = \"parity\")",
    );
    check(
        "data = { fresh = { test_batches = 1 }, fixed = { trials = 3 } }",
        "line 1, column 1: data: fixed, fresh (allowed: one of fresh, fixed)",
    );
}

#[test]
fn values_out_of_range_are_named_with_key_and_line() {
    check("batch_size = 0", "line 1, column 14: batch_size: 0 (allowed: 1 to 16383)");
    check(
        "seed = 1\n[schedule]\nn_end = 1",
        "line 3, column 9: schedule.n_end: 1 (allowed: n_start = 2 or more)",
    );
    check(
        "[network]\nhidden_size = 0",
        "line 2, column 15: network.hidden_size: 0 (allowed: 1 to 65536)",
    );
    check(
        "seed = 1\nnetwork.cell.tau.fixed.value = 0.5",
        "line 2, column 32: network.cell.tau.fixed.value: fixed tau: 0.5 steps (allowed: 1 or more; a \
         time constant below one step has no meaning in this discretisation)",
    );
    check(
        "initial_state = 0.1\nnetwork.cell = \"gru\"",
        "line 1, column 17: initial_state: 0.1 (allowed: 0 for a gated cell, whose state begins with \
         zeros)",
    );
    check(
        "seed = 1\n[optimiser.rule.adam]\nbeta1 = 1.5",
        "line 3, column 9: optimiser.rule.adam.beta1: 1.5 (allowed: 0 or more, below 1)",
    );
    check(
        "base = \"ladder-lstm\"\n[optimiser.rule.sgd]\nlearning_rate = 1",
        "line 2, column 17: optimiser.rule.sgd.momentum: missing (say it, for instance \
         optimiser.rule.sgd.momentum = 0.1)",
    );
    check(
        "seed = 1\ntask = { kind = \"flip-flop\", gap = 100 }",
        "line 2, column 36: task.gap: gap of flip-flop: 100 (allowed: 0 to 99: the reply must come \
         before the next event)",
    );
    check(
        "seed = 1\ntask = \"flip-flop\"\nstop.accuracy_above = 0.9",
        "line 3, column 23: stop.accuracy_above: 0.9 (allowed: for a task with values: \
         stop.loss_below; values have no accuracy)",
    );
    check(
        "network.arrays.b_rec.init.normal.sd = 0",
        "line 1, column 39: network.arrays.b_rec.init.normal.sd: sd of b_rec: 0 (allowed: above 0, \
         finite)",
    );
    check(
        "format = 2",
        "line 1, column 10: format: 2 (allowed: 1; a newer tau wrote it: use that one)",
    );
    let set = read_spec("seed = 1", &sets(&[("batch_size", "0")]), BASES).unwrap_err();
    assert_eq!(set.to_string(), "batch_size: 0 (allowed: 1 to 16383)");
    assert_eq!((set.place(), set.key()), (Some(Place::Set), Some("batch_size")));
}
