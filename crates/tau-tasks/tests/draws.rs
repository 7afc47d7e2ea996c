//! A number depends on its key, trial and step only, and never changes.

use ndarray::s;
use proptest::prelude::*;
use tau_random::{Bits, Chance, Coding, Draws, Key, Purpose};
use tau_tasks::{TaskSpec, draw_bits};

proptest! {
    #[test]
    fn the_first_trials_and_steps_are_the_same_however_many_follow(
        spec in proptest::sample::select(TaskSpec::all()),
        length in 1_usize..30, more_steps in 0_usize..30,
        trials in 1_usize..10, more_trials in 0_usize..10, seed: u64,
    ) {
        let task = spec.with_memory(&[2]).unwrap_or(spec).build().unwrap();
        let key = Key::new(seed, Purpose::Inputs);
        let part = task.drive(length, trials, key).unwrap();
        let whole = task.drive(length + more_steps, trials + more_trials, key).unwrap();
        prop_assert_eq!(whole.slice(s![..length, ..trials, ..]), part);
    }

    /// The layout in the documentation of `Draws`, spelled out.
    #[test]
    fn a_bit_is_where_the_layout_says(
        length in 1_usize..40, trials in 1_usize..6, seed: u64,
    ) {
        let key = Key::new(seed, Purpose::Inputs);
        let bits =
            |chance| draw_bits(Bits { chance, coding: Coding::Bits }, length, trials, key);
        let (fair, uniform) = (bits(Chance::Half).unwrap(), bits(Chance::Uniform).unwrap());
        for ((t, trial, _), &fair) in fair.indexed_iter() {
            let region = (trial as u32 + 1) * (1 << 18);
            let word = key.block(region + 1 + t as u32 / 4)[t % 4];
            prop_assert_eq!(fair == 1.0, word < 1 << 31);
            prop_assert_eq!(uniform[[t, trial, 0]] == 1.0, word < key.block(region)[0]);
        }
    }

    #[test]
    fn words_and_blocks_are_the_same_numbers(trial in 0_usize..16383, word in 0_usize..1048572) {
        let draws = Draws::new(Key::new(1, Purpose::Inputs), 1048572, 16383, 1).unwrap();
        let expected = draws.block(trial, word / 4)[word % 4] >> 8;
        prop_assert_eq!(draws.unit_f32(trial, word), expected as f32 / (1 << 24) as f32);
    }
}

/// A change here changes the input of every run ever made with a seed. The values were computed
/// from the documented layout by an independent program.
#[test]
fn draws_are_pinned() {
    check(TaskSpec::parity(&[25]), [56, 62, 93], PARITY);
    check(TaskSpec::dms(&[25]), [56, 62, 93], DMS);
    fn check(spec: TaskSpec, lengths: [usize; 3], expected: [&str; 3]) {
        let task = spec.build().unwrap();
        let key = Key::new(42, Purpose::Inputs).stage(2);
        assert_eq!([0, 1, 2].map(|step| task.ladder().unwrap().length(key.step(step))), lengths);
        let inputs = task.drive(32, 3, key).unwrap();
        let drawn = [0, 1, 2].map(|trial| {
            let bits = inputs.slice(s![.., trial, 0]);
            bits.iter().map(|&x| if x == 1.0 { '1' } else { '0' }).collect::<String>()
        });
        assert_eq!(drawn, expected);
    }
}
const PARITY: [&str; 3] = [
    "01000100100000101011111001010000",
    "11101111101100001110010110101011",
    "11011111001111011000110011000101",
];
const DMS: [&str; 3] = [
    "01110111110100111111111101010000",
    "10101111101100001110010110100011",
    "11011111001101011000010011000101",
];

#[test]
fn long_drives_and_large_batches_fit_under_one_key() {
    let key = Key::new(2, Purpose::DriveInputs);
    check(101_000, 10);
    check(401, 256);
    check(4, Draws::MAX_TRIALS);
    check(Draws::MAX_WORDS, 1);
    let last = Draws::new(key, 1, Draws::MAX_TRIALS, 1).unwrap();
    let block = last.block(Draws::MAX_TRIALS - 1, Draws::MAX_WORDS / 4 - 1);
    assert_eq!(block, key.block(u32::MAX), "the last number is the key's last");
    fn check(length: usize, trials: usize) {
        let task = TaskSpec::parity(&[2]).build().unwrap();
        let inputs = task.drive(length, trials, Key::new(2, Purpose::DriveInputs)).unwrap();
        assert_eq!(inputs.dim(), (length, trials, 1));
    }
}

#[test]
fn every_trial_and_every_key_has_numbers_of_its_own() {
    let bits = |key: Key| {
        let bits = Bits { chance: Chance::Half, coding: Coding::Bits };
        draw_bits(bits, 64, 50, key).unwrap()
    };
    let key = Key::new(3, Purpose::Inputs);
    let mut seen = std::collections::HashSet::new();
    for key in [key, key.step(1), key.stage(1), Key::new(3, Purpose::TestInputs)] {
        for trial in bits(key).lanes(ndarray::Axis(0)) {
            assert!(seen.insert(trial.iter().map(|&x| x == 1.0).collect::<Vec<_>>()));
        }
    }
}
