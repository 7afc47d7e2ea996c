//! The laws of ICLR 2024, §2: lengths, bits, and the balance of labels that follows.

use ndarray::Axis;
use tau_random::{Bits, Chance, Coding, Key, Purpose};
use tau_tasks::{Dms, Parity, Targets, TaskSpec, draw_bits};

fn parity(n: usize, coding: Coding) -> TaskSpec {
    TaskSpec::Parity(Parity { n: vec![n], coding })
}

fn dms(n: usize, coding: Coding) -> TaskSpec {
    TaskSpec::Dms(Dms { n: vec![n], coding })
}

/// Counts whose expectation is `expected` each: chi square within 5 standard deviations.
fn check_uniform(counts: &[usize], expected: f64) {
    let square = counts.iter().map(|&n| (n as f64 - expected).powi(2) / expected).sum::<f64>();
    let freedom = counts.len() as f64 - 1.0;
    assert!((square - freedom).abs() < 5.0 * (2.0 * freedom).sqrt() + 5.0, "{square} {counts:?}");
}

/// A share of `draws` independent draws that has probability `expected`: within 5 deviations.
fn check_share(share: f64, expected: f64, draws: usize) {
    let deviation = (expected * (1.0 - expected) / draws as f64).sqrt();
    assert!((share - expected).abs() < 5.0 * deviation, "share {share}, expected {expected}");
}

#[test]
fn the_task_says_the_lengths_of_its_batches() {
    let steps = TaskSpec::parity(&[3, 10, 2]).build().unwrap().steps();
    assert_eq!((steps.least, steps.mean, steps.most), (12, 26.5, 41));
}

/// T ~ U{N_max + 2, …, 4 N_max + 1}.
#[test]
fn lengths_are_uniform_and_reach_both_bounds() {
    check(&[1], 3, 5);
    check(&[2], 4, 9);
    check(&[3, 10, 2], 12, 41);
    check(&[100], 102, 401);
    fn check(memory: &[usize], shortest: usize, longest: usize) {
        let task = TaskSpec::parity(memory).build().unwrap();
        let mut counts = vec![0; longest - shortest + 1];
        for draw in 0..30_000 {
            let key = Key::new(5, Purpose::Inputs).stage(draw % 7).step(draw / 7);
            let length = task.ladder().unwrap().length(key);
            assert!((shortest..=longest).contains(&length), "length {length}");
            counts[length - shortest] += 1;
        }
        assert!(counts[0] > 0 && counts[counts.len() - 1] > 0);
        check_uniform(&counts, 30_000.0 / counts.len() as f64);
    }
}

#[test]
fn the_length_is_that_of_the_largest_n_and_of_no_other() {
    let key = Key::new(8, Purpose::Inputs);
    let alone = TaskSpec::parity(&[9]).build().unwrap();
    let among = TaskSpec::dms(&[2, 9, 4]).build().unwrap();
    for step in 0..100 {
        let [alone, among] = [&alone, &among].map(|task| task.ladder().unwrap());
        assert_eq!(alone.length(key.step(step)), among.length(key.step(step)));
    }
}

#[test]
fn every_parity_sequence_has_its_own_p_uniform_on_0_to_1() {
    let task = TaskSpec::parity(&[2]).build().unwrap();
    let inputs = task.drive(2000, 5000, Key::new(6, Purpose::DriveInputs)).unwrap();
    let mut counts = [0; 10];
    for mean in inputs.mean_axis(Axis(0)).unwrap() {
        counts[(mean * 10.0).min(9.0) as usize] += 1;
    }
    check_uniform(&counts, 500.0);
}

#[test]
fn dms_bits_are_fair_and_independent_over_time_and_trials() {
    let task = TaskSpec::dms(&[2]).build().unwrap();
    let bits = task.drive(1000, 1000, Key::new(7, Purpose::DriveInputs)).unwrap();
    check_share(f64::from(bits.sum()) / 1e6, 0.5, 1_000_000);
    for axis in [Axis(0), Axis(1)] {
        for lag in [1, 2, 4, 16] {
            let (early, _) = bits.view().split_at(axis, 1000 - lag);
            let (_, late) = bits.view().split_at(axis, lag);
            let equal = early.iter().zip(late).filter(|(a, b)| a == b).count();
            check_share(equal as f64 / early.len() as f64, 0.5, early.len());
        }
    }
}

#[test]
fn signs_are_fair_in_every_task() {
    for kind in [parity, dms] {
        let task = kind(2, Coding::Signs).build().unwrap();
        let inputs = task.drive(1000, 100, Key::new(8, Purpose::DriveInputs)).unwrap();
        assert!(inputs.iter().all(|&x| x == -1.0 || x == 1.0));
        check_share(f64::from(inputs.sum()) / 2e5 + 0.5, 0.5, 100_000);
        for sum in inputs.sum_axis(Axis(0)) {
            check_share(f64::from(sum) / 2000.0 + 0.5, 0.5, 1000);
        }
    }
}

#[test]
fn the_two_codings_show_the_same_fair_bits() {
    let key = Key::new(9, Purpose::Inputs);
    let draw = |coding| draw_bits(Bits { chance: Chance::Half, coding }, 50, 20, key).unwrap();
    assert_eq!(draw(Coding::Signs), draw(Coding::Bits) * 2.0 - 1.0);
}

/// An odd number of ones among N has probability ∫ (1 − (1 − 2p)^N) / 2 dp: 1/2 for odd N, but
/// N / (2(N + 1)) for even N, because a p near 0 or 1 makes an even number likely.
#[test]
fn parity_labels_are_balanced_as_a_uniform_p_implies() {
    check(parity, Coding::Bits, 1, 0.5);
    check(parity, Coding::Bits, 2, 1.0 / 3.0);
    check(parity, Coding::Bits, 3, 0.5);
    check(parity, Coding::Bits, 10, 5.0 / 11.0);
    check(parity, Coding::Bits, 11, 0.5);
    check(parity, Coding::Signs, 2, 0.5);
    check(dms, Coding::Bits, 2, 0.5);
    check(dms, Coding::Bits, 7, 0.5);
    fn check(kind: fn(usize, Coding) -> TaskSpec, coding: Coding, n: usize, expected: f64) {
        let task = kind(n, coding).build().unwrap();
        let (mut odd, mut draws) = (0, 0);
        for step in 0..20 {
            let batch = task.batch(2000, Key::new(10, Purpose::Inputs).step(step)).unwrap();
            let Targets::Classes(labels) = batch.targets else { panic!("no classes") };
            odd += labels.iter().map(|&label| usize::from(label)).sum::<usize>();
            draws += labels.len();
        }
        check_share(odd as f64 / draws as f64, expected, draws);
    }
}
