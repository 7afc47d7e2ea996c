//! A number depends on its key, trial and word only, and never changes.

use proptest::prelude::*;
use tau_random::{BitRule, Bits, Chance, Coding, DrawnBits, Draws, Error, Key, Purpose};

fn key() -> Key {
    Key::new(1, Purpose::Inputs)
}

fn check<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.expect_err(message).to_string(), message);
}

proptest! {
    /// The layout in the documentation of `Draws`, spelled out.
    #[test]
    fn a_number_is_where_the_layout_says(
        trial in 0_usize..16383, word in 0_usize..1_048_572, seed: u64,
    ) {
        let key = Key::new(seed, Purpose::Inputs);
        let draws = Draws::new(key, 1_048_572, 16383, 1).unwrap();
        let region = (trial as u32 + 1) * (1 << 18);
        let block = key.block(region + 1 + word as u32 / 4);
        prop_assert_eq!(draws.of_trial(trial), key.block(region));
        prop_assert_eq!(draws.block(trial, word / 4), block);
        let expected = block[word % 4] >> 8;
        prop_assert_eq!(draws.unit_f32(trial, word), expected as f32 / (1 << 24) as f32);
    }

    #[test]
    fn a_length_is_within_its_range(first in 1_usize..1000, more in 0_usize..1000, seed: u64) {
        let key = Key::new(seed, Purpose::Inputs);
        let length = Draws::length(key, first..=first + more);
        prop_assert!((first..=first + more).contains(&length));
    }
}

/// A change here changes the input of every run ever made with a seed. The values were computed
/// from the documented layout by an independent program.
#[test]
fn draws_are_pinned() {
    let draws = Draws::new(Key::new(42, Purpose::Inputs).stage(2), 32, 3, 1).unwrap();
    let bits = |chance| {
        [0, 1, 2].map(|trial| {
            let limit = Bits { chance, coding: Coding::Bits }.limit(&draws, trial);
            let words = (0..8).flat_map(|index| draws.block(trial, index));
            words.map(|word| if word < limit { '1' } else { '0' }).collect::<String>()
        })
    };
    assert_eq!(bits(Chance::Uniform), UNIFORM);
    assert_eq!(bits(Chance::Half), HALF);
}
const UNIFORM: [&str; 3] = [
    "01000100100000101011111001010000",
    "11101111101100001110010110101011",
    "11011111001111011000110011000101",
];
const HALF: [&str; 3] = [
    "01110111110100111111111101010000",
    "10101111101100001110010110100011",
    "11011111001101011000010011000101",
];

/// An independent program computed these values, too.
#[test]
fn normal_numbers_are_pinned() {
    let draws = Draws::new(Key::new(42, Purpose::Inputs).stage(2), 32, 3, 1).unwrap();
    let found = [draws.normal_f32(0, 0), draws.normal_f32(0, 1), draws.normal_f32(2, 7)];
    assert_eq!(found, NORMAL);
}
const NORMAL: [[f32; 2]; 3] =
    [[0.767_908_33, 0.724_982_8], [-0.504_05, 1.251_872_5], [0.795_426_37, 0.023_694_41]];

#[test]
fn the_last_trial_ends_with_the_keys_last_block() {
    let last = Draws::new(key(), 1, Draws::MAX_TRIALS, 1).unwrap();
    let block = last.block(Draws::MAX_TRIALS - 1, Draws::MAX_WORDS / 4 - 1);
    assert_eq!(block, key().block(u32::MAX));
    assert!(Draws::new(key(), Draws::MAX_WORDS, 1, 1).is_ok());
}

#[test]
fn a_key_has_numbers_for_so_many_steps_and_trials() {
    let trials = |n| {
        format!(
            "trials: {n} (allowed: 1..=16383 under one key; \
             draw more under another stage or step of the key)"
        )
    };
    check(Draws::new(key(), 1, 0, 1), &trials(0));
    check(Draws::new(key(), 1, 16_384, 1), &trials(16_384));
    let short = "length: 0 (allowed: at least 1 steps; use longer sequences)";
    check(Draws::new(key(), 0, 1, 1), short);
    let long = |length: usize, most: usize| {
        format!(
            "length: {length} (allowed: at most {most} steps under one key; \
             use several trials instead of one long one)"
        )
    };
    check(Draws::new(key(), 1_048_573, 1, 1), &long(1_048_573, 1_048_572));
    check(Draws::new(key(), 349_525, 1, 3), &long(349_525, 349_524));
}

#[test]
fn drawn_bits_hold_the_largest_n() {
    let bits = Bits { chance: Chance::Half, coding: Coding::Signs };
    let (rule, memory) = (BitRule::Match, &[3, 5][..]);
    let drawn = DrawnBits { key: key(), steps: 5, trials: 2, bits, rule, memory };
    assert!(drawn.draws().is_ok());
    let short = "length: 4 (allowed: at least 5 steps; use longer sequences)";
    check(DrawnBits { steps: 4, ..drawn }.draws(), short);
    check(
        DrawnBits { steps: 0, memory: &[], ..drawn }.draws(),
        "length: 0 (allowed: at least 1 steps; use longer sequences)",
    );
}

#[test]
fn codings_are_spelled_as_in_files() {
    let codings = serde_json::to_string(&[Coding::Bits, Coding::Signs]).unwrap();
    assert_eq!(codings, "[\"bits\",\"signs\"]");
    assert_eq!([Coding::Bits.values(), Coding::Signs.values()], [[0.0, 1.0], [-1.0, 1.0]]);
}
