//! Each error says what was wrong, what is allowed and what to do.

use ndarray::Array3;
use tau_random::{Coding, Key, Purpose};
use tau_tasks::{Error, MAX_N, MemoryTask, Task, TaskSpec};

fn key() -> Key {
    Key::new(1, Purpose::Inputs)
}

fn check<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.expect_err(message).to_string(), message);
}

fn n_of(task: &dyn Task) -> &[usize] {
    ladder(task).memory()
}

fn ladder(task: &dyn Task) -> &dyn MemoryTask {
    task.ladder().expect("parity and DMS are ladders")
}

#[test]
fn a_set_of_n_is_checked_when_the_task_is_made() {
    let parity = |memory: &[usize]| TaskSpec::parity(memory).build();
    check(
        parity(&[]),
        "n: none (give at least one, for instance n = [2], or a schedule that fills it)",
    );
    check(parity(&[2, 0]), "n: 0 (allowed for parity: 1 to 100000)");
    check(TaskSpec::dms(&[1]).build(), "n: 1 (allowed for dms: 2 to 100000)");
    check(parity(&[MAX_N + 1]), "n: 100001 (allowed for parity: 1 to 100000)");
    check(parity(&[3, 2, 3]), "n: 3 more than once (give each N once, it has one head)");
    assert_eq!(n_of(&*parity(&[MAX_N, 1]).unwrap()), [MAX_N, 1]);
    assert_eq!(n_of(&*TaskSpec::dms(&[2]).build().unwrap()), [2]);
}

#[test]
fn a_sample_holds_the_largest_n() {
    let task = TaskSpec::dms(&[5, 3]).build().unwrap();
    let task = ladder(&*task);
    check(task.sample(4, 1, key()), "length: 4 (allowed: at least 5 steps; use longer sequences)");
    assert_eq!(task.sample(5, 1, key()).unwrap().inputs.dim(), (5, 1, 1));
}

#[test]
fn a_key_has_numbers_for_so_many_steps_and_trials() {
    let task = TaskSpec::parity(&[2]).build().unwrap();
    let trials = |n| {
        format!(
            "trials: {n} (allowed: 1..=16383 under one key; \
             draw more under another stage or step of the key)"
        )
    };
    check(task.drive(1, 0, key()), &trials(0));
    check(task.batch(16_384, key()), &trials(16_384));
    check(task.drive(0, 1, key()), "length: 0 (allowed: at least 1 steps; use longer sequences)");
    let long = "length: 1048573 (allowed: at most 1048572 steps under one key; \
                use several trials instead of one long one)";
    check(ladder(&*task).sample(1_048_573, 1, key()), long);
    check(
        TaskSpec::all()[2].build().unwrap().drive(262_144, 1, key()),
        "length: 262144 (allowed: at most 262143 steps under one key; \
         use several trials instead of one long one)",
    );
}

#[test]
fn running_labels_are_for_input_of_the_task() {
    let task = TaskSpec::parity(&[2]).build().unwrap();
    check(
        ladder(&*task).running_labels(Array3::zeros((5, 1, 2)).view()),
        "channels: 2 (allowed: 1; give input of shape (time, trial, channel))",
    );
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let message = "task: xor (known: parity, dms, pulse, flip-flop)";
    check("xor".parse::<TaskSpec>(), message);
    check("Parity".parse::<TaskSpec>(), &message.replace("xor", "Parity"));
    let in_file = toml::from_str::<TaskSpec>("kind = \"xor\"").unwrap_err().to_string();
    assert!(in_file.contains("unknown variant `xor`, expected one of `parity`"), "{in_file}");
    let unknown = toml::from_str::<TaskSpec>("kind = \"pulse\"\ngaps = 3").unwrap_err();
    assert!(unknown.to_string().contains("unknown field `gaps`, expected one of"), "{unknown}");
}

#[test]
fn names_are_the_same_in_text_in_files_and_on_the_task() {
    for task in TaskSpec::all() {
        let name = task.to_string();
        assert_eq!(name.parse().as_ref(), Ok(&task));
        let text = toml::to_string(&task).unwrap();
        assert!(text.starts_with(&format!("kind = \"{name}\"\n")), "{text}");
        assert_eq!(toml::from_str::<TaskSpec>(&text).unwrap(), task);
        let short = format!("kind = \"{name}\"");
        assert_eq!(toml::from_str::<TaskSpec>(&short).unwrap(), task);
        let filled = task.with_memory(&[2]).unwrap_or_else(|| task.clone());
        assert_eq!(filled.build().unwrap().name(), name);
        assert_eq!(filled.memory().is_some(), filled.build().unwrap().ladder().is_some());
    }
    let codings = serde_json::to_string(&[Coding::Bits, Coding::Signs]).unwrap();
    assert_eq!(codings, "[\"bits\",\"signs\"]");
}
