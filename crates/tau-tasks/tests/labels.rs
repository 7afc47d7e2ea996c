//! Labels against the definition in ICLR 2024, §2,, on random sequences.

use ndarray::{Array2, Array3, s};
use proptest::prelude::*;
use tau_random::{Coding, Key, Purpose};
use tau_tasks::{Batch, Dms, MemoryTask, NO_LABEL, Parity, Targets, Task, TaskSpec};

/// The definition, word by word: x_1 … x_T are `bits`.
fn defined(kind: &TaskSpec, bits: &[u8], n: usize) -> u8 {
    let x = |i: usize| bits[i - 1];
    let end = bits.len();
    match kind {
        TaskSpec::Parity(_) => (end - n + 1..=end).map(x).sum::<u8>() % 2,
        TaskSpec::Dms(_) => u8::from(x(end - n + 1) == x(end)),
        other => unreachable!("{other} is no ladder"),
    }
}

fn bits(inputs: &Array3<f32>, trial: usize) -> Vec<u8> {
    inputs.slice(s![.., trial, 0]).iter().map(|&x| u8::from(x == 1.0)).collect()
}

fn labels(batch: &Batch) -> &Array2<u8> {
    let Targets::Classes(labels) = &batch.targets else { panic!("a ladder has classes") };
    labels
}

fn task() -> impl Strategy<Value = (TaskSpec, Box<dyn Task>)> {
    let memory = proptest::collection::hash_set(2_usize..20, 1..6);
    let coding = proptest::sample::select(&[Coding::Bits, Coding::Signs][..]);
    (proptest::bool::ANY, memory, coding).prop_map(|(parity, memory, coding)| {
        let n: Vec<usize> = memory.into_iter().collect();
        let spec = if parity {
            TaskSpec::Parity(Parity { n, coding })
        } else {
            TaskSpec::Dms(Dms { n, coding })
        };
        let task = spec.build().expect("the set of N is legal");
        (spec, task)
    })
}

fn ladder(task: &dyn Task) -> &dyn MemoryTask {
    task.ladder().expect("parity and DMS are ladders")
}

proptest! {
    #[test]
    fn the_labels_of_a_sample_are_those_of_the_definition(
        (kind, task) in task(), extra in 0_usize..30, trials in 1_usize..9, seed: u64,
    ) {
        let task = ladder(&*task);
        let length = task.memory().iter().max().unwrap() + extra;
        let batch = task.sample(length, trials, Key::new(seed, Purpose::Inputs)).unwrap();
        prop_assert_eq!(batch.inputs.dim(), (length, trials, 1));
        prop_assert_eq!(labels(&batch).dim(), (trials, task.memory().len()));
        for ((trial, head), &label) in labels(&batch).indexed_iter() {
            let expected = defined(&kind, &bits(&batch.inputs, trial), task.memory()[head]);
            prop_assert_eq!(label, expected, "trial {} head {}", trial, head);
        }
    }

    #[test]
    fn running_labels_are_those_of_the_definition_for_every_prefix(
        (kind, task) in task(), length in 1_usize..50, seed: u64,
    ) {
        let task = ladder(&*task);
        let inputs = task.drive(length, 3, Key::new(seed, Purpose::DriveInputs)).unwrap();
        let running = task.running_labels(inputs.view()).unwrap();
        prop_assert_eq!(running.dim(), (length, 3, task.memory().len()));
        for ((t, trial, head), &label) in running.indexed_iter() {
            let n = task.memory()[head];
            let seen = &bits(&inputs, trial)[..=t];
            let expected = if t + 1 < n { NO_LABEL } else { defined(&kind, seen, n) };
            prop_assert_eq!(label, expected, "t {} trial {} head {}", t, trial, head);
        }
    }

    #[test]
    fn a_shorter_sample_ends_with_the_running_labels_of_a_longer_one(
        (_, task) in task(), extra in 0_usize..20, seed: u64,
    ) {
        let task = ladder(&*task);
        let key = Key::new(seed, Purpose::TestInputs);
        let length = task.memory().iter().max().unwrap() + extra;
        let longer = task.sample(length + 7, 4, key).unwrap();
        let running = task.running_labels(longer.inputs.view()).unwrap();
        let shorter = task.sample(length, 4, key).unwrap();
        prop_assert_eq!(running.slice(s![length - 1, .., ..]), labels(&shorter));
    }
}

#[test]
fn a_batch_is_the_sample_of_its_own_length() {
    for spec in [TaskSpec::parity(&[2, 5]), TaskSpec::dms(&[2, 5])] {
        let task = spec.build().unwrap();
        for step in 0..50 {
            let key = Key::new(4, Purpose::Inputs).step(step);
            let batch = task.batch(6, key).unwrap();
            let ladder = ladder(&*task);
            assert_eq!(batch, ladder.sample(ladder.length(key), 6, key).unwrap());
        }
    }
}
