//! Each error says what was wrong, what is allowed and what to do.

use ndarray::Array3;
use tau_random::{Key, Purpose};
use tau_tasks::{Coding, Draws, Error, MAX_N, TaskKind};

fn key() -> Key {
    Key::new(1, Purpose::Inputs)
}

fn check<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.expect_err(message).to_string(), message);
}

#[test]
fn a_set_of_n_is_checked_when_the_task_is_made() {
    let parity = |memory: &[usize]| TaskKind::Parity.with_memory(memory);
    check(parity(&[]), "N: none (give at least one, for instance [2])");
    check(parity(&[2, 0]), "N: 0 (allowed for parity: 1..=100000)");
    check(TaskKind::Dms.with_memory(&[1]), "N: 1 (allowed for dms: 2..=100000)");
    check(parity(&[MAX_N + 1]), "N: 100001 (allowed for parity: 1..=100000)");
    check(parity(&[3, 2, 3]), "N: 3 more than once (give each N once, it has one head)");
    assert_eq!(parity(&[MAX_N, 1]).unwrap().memory(), [MAX_N, 1]);
    assert_eq!(TaskKind::Dms.with_memory(&[2]).unwrap().memory(), [2]);
}

#[test]
fn a_sample_holds_the_largest_n() {
    let task = TaskKind::Dms.with_memory(&[5, 3]).unwrap();
    check(task.sample(4, 1, key()), "length: 4 (allowed: at least 5 steps; use longer sequences)");
    assert_eq!(task.sample(5, 1, key()).unwrap().inputs.dim(), (5, 1, 1));
}

#[test]
fn a_key_has_numbers_for_so_many_steps_and_trials() {
    let task = TaskKind::Parity.with_memory(&[2]).unwrap();
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
    check(task.sample(1_048_573, 1, key()), long);
    check(
        Draws::new(key(), 349_525, 1, 3),
        "length: 349525 (allowed: at most 349524 steps under one key; \
         use several trials instead of one long one)",
    );
}

#[test]
fn running_labels_are_for_input_of_the_task() {
    let task = TaskKind::Parity.with_memory(&[2]).unwrap();
    check(
        task.running_labels(Array3::zeros((5, 1, 2)).view()),
        "channels: 2 (allowed: 1; give input of shape (time, trial, channel))",
    );
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let message = "task: xor (known: parity, dms)";
    check("xor".parse::<TaskKind>(), message);
    check("Parity".parse::<TaskKind>(), "task: Parity (known: parity, dms)");
    let in_file = serde_json::from_str::<TaskKind>("\"xor\"").unwrap_err();
    assert!(in_file.to_string().contains(message), "{in_file}");
}

#[test]
fn names_are_the_same_in_text_in_files_and_on_the_task() {
    for &kind in TaskKind::ALL {
        let name = kind.to_string();
        assert_eq!(name.parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<TaskKind>(&format!("\"{name}\"")).unwrap(), kind);
        assert_eq!(kind.with_memory(&[2]).unwrap().name(), name);
    }
    assert_eq!(TaskKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>(), ["parity", "dms"]);
    let codings = serde_json::to_string(&[Coding::Bits, Coding::Signs]).unwrap();
    assert_eq!(codings, "[\"bits\",\"signs\"]");
}
