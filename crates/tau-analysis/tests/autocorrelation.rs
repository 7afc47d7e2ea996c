//! The streaming autocorrelation against its definition, and its independence of how it is run.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::slice::from_ref;

use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};
use tau_analysis::autocorrelation::MAX_LAG_LIMIT;
use tau_analysis::{Autocorrelation, AutocorrelationStream, Component, Error, processes};
use tau_random::{Key, Purpose};

/// The definition of `docs/papers/khajehabdollahi-2024.md` §5, term by term in f64: lag by unit.
fn by_definition(trials: &[Array2<f64>], max_lag: usize) -> Array2<f64> {
    let mut covariance = Array2::zeros((max_lag + 1, trials[0].ncols()));
    for trial in trials {
        let n = trial.nrows();
        for (unit, x) in trial.axis_iter(Axis(1)).enumerate() {
            let mean = x.sum() / n as f64;
            for lag in 0..=max_lag {
                let products = (0..n - lag).map(|t| (x[t] - mean) * (x[t + lag] - mean));
                let average = products.sum::<f64>() / (n - lag) as f64;
                covariance[[lag, unit]] += average / trials.len() as f64;
            }
        }
    }
    covariance
}

fn stream(trials: &[Array2<f32>], max_lag: usize) -> Autocorrelation {
    let mut stream = AutocorrelationStream::new(trials[0].ncols(), max_lag).unwrap();
    for trial in trials {
        stream.push(trial.view()).unwrap();
        stream.end_trial().unwrap();
    }
    stream.finish().unwrap()
}

/// Units with one and with two timescales, at an offset that would ruin naive sums of products.
fn activity(steps: usize, trial: u32) -> Array2<f32> {
    let fast = processes::Process::exponential(2.0).unwrap();
    let both = [Component { tau: 3.0, weight: 0.6 }, Component { tau: 60.0, weight: 0.4 }];
    let slow = processes::Process::mixture(&both).unwrap();
    let key = Key::new(11, Purpose::Statistics).stage(trial);
    let mut activity = processes::activity(&[fast.clone(), slow, fast], steps, key);
    activity.column_mut(2).mapv_inplace(|x| 1000.0 + x);
    activity
}

/// Everything the two must share, to `tolerance` of lag 0.
fn check_definition(trials: &[Array2<f32>], max_lag: usize, tolerance: f64) {
    let found = stream(trials, max_lag);
    let wide: Vec<Array2<f64>> = trials.iter().map(|trial| trial.mapv(f64::from)).collect();
    let sums: Vec<Array2<f64>> =
        wide.iter().map(|trial| trial.sum_axis(Axis(1)).insert_axis(Axis(1))).collect();
    let (units, population) = (by_definition(&wide, max_lag), by_definition(&sums, max_lag));
    for (&found, &expected) in found.variance.iter().zip(units.row(0)) {
        assert!((found / expected - 1.0).abs() < tolerance, "variance: {found}, {expected}");
    }
    assert!((found.population_variance / population[[0, 0]] - 1.0).abs() < tolerance);
    for lag in 0..=max_lag {
        for unit in 0..units.ncols() {
            let expected = units[[lag, unit]] / units[[0, unit]];
            let error = (found.units[[lag, unit]] - expected).abs();
            assert!(error < tolerance, "lag {lag}, unit {unit}: {error:e}");
        }
        let expected = population[[lag, 0]] / population[[0, 0]];
        let error = (found.population[lag] - expected).abs();
        assert!(error < tolerance, "lag {lag}, population: {error:e}");
    }
}

#[test]
fn it_is_the_definition_to_rounding() {
    check_definition(&[activity(9000, 0)], 200, 1e-12);
    check_definition(&[activity(7000, 0), activity(5001, 1), activity(2500, 2)], 31, 1e-12);
}

#[test]
fn it_is_the_definition_where_blocks_end() {
    // A block is 2048 - 200 steps: the trial ends one step before, at, and one step after it.
    for steps in [1847, 1848, 1849, 2 * 1848, 2 * 1848 + 1] {
        check_definition(&[activity(steps, 3)], 200, 1e-12);
    }
    // Fewer steps than a block, and the shortest trial that has the last lag.
    for steps in [201, 202, 350] {
        check_definition(&[activity(steps, 4)], 200, 1e-12);
    }
}

#[test]
fn lags_may_outgrow_the_shortest_transform() {
    check_definition(&[activity(6000, 5)], 1000, 1e-12);
}

#[test]
fn a_hand_worked_trial_gives_its_values() {
    // 1, 2, 3, 6 less their mean 3: -2, -1, 0, 3; squares 14 / 4; lag 1: (2 + 0 + 0) / 3;
    // lag 2: (0 - 3) / 2. The population is the same trace twice over.
    let trial = array![[1.0_f32, 1.0], [2.0, 2.0], [3.0, 3.0], [6.0, 6.0]];
    let found = stream(&[trial], 2);
    let expected = [1.0, (2.0 / 3.0) / 3.5, -1.5 / 3.5];
    for (lag, expected) in expected.into_iter().enumerate() {
        assert!((found.units[[lag, 0]] - expected).abs() < 1e-14);
        assert!((found.population[lag] - expected).abs() < 1e-14);
    }
    assert!((found.variance[0] - 3.5).abs() < 1e-14);
    assert!((found.population_variance - 14.0).abs() < 1e-13);
    assert_eq!((found.recording.trials, found.recording.steps), (1, 4));
}

#[test]
fn trials_count_equally_whatever_their_length() {
    let trials = [activity(4000, 0), activity(900, 1)];
    let found = stream(&trials, 10);
    let alone = trials.each_ref().map(|trial| stream(from_ref(trial), 10).variance[0]);
    assert!((found.variance[0] - (alone[0] + alone[1]) / 2.0).abs() < 1e-12);
    assert_eq!(found.recording.shortest_trial, 900);
    assert_eq!(found.recording.steps, 4900);
}

#[test]
fn chunks_of_any_size_give_the_same_bits() {
    let trial = activity(4500, 6);
    let whole = stream(&[trial.clone(), trial.clone()], 50);
    for size in [1, 7, 500, 1998, 4499] {
        let mut stream = AutocorrelationStream::new(3, 50).unwrap();
        for _ in 0..2 {
            for chunk in trial.axis_chunks_iter(Axis(0), size) {
                stream.push(chunk).unwrap();
            }
            stream.end_trial().unwrap();
        }
        assert_eq!(stream.finish().unwrap(), whole, "chunks of {size}");
    }
}

#[test]
fn any_memory_layout_gives_the_same_bits() {
    let trial = activity(3000, 6);
    let columns_first = trial.t().as_standard_layout().into_owned();
    assert_eq!(stream(&[columns_first.t().to_owned()], 20), stream(&[trial], 20));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let parts: Vec<Array2<f32>> = (0..15).map(|part| activity(3000, part)).collect();
    let views: Vec<ArrayView2<f32>> = parts.iter().map(|part| part.view()).collect();
    let wide = concatenate(Axis(1), &views).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| stream(from_ref(&wide), 100))
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn a_dead_unit_is_nan_and_harms_no_other() {
    let mut trial = activity(3000, 8);
    let alone = stream(&[trial.slice(s![.., ..2]).to_owned()], 30);
    // 0.1 is no binary fraction, and one step flickers in the last bit.
    trial.column_mut(2).fill(0.1);
    trial[[1234, 2]] = 0.1_f32.next_up();
    let found = stream(&[trial], 30);
    assert!(found.units.column(2).iter().all(|value| value.is_nan()));
    assert_eq!(found.variance[2], 0.0);
    assert_eq!(found.units.slice(s![.., ..2]), alone.units);
}

#[test]
fn a_unit_that_lives_in_one_trial_only_is_not_dead() {
    let still = Array2::from_elem((3000, 3), 0.7);
    let found = stream(&[still, activity(3000, 9)], 5);
    let alone = stream(&[activity(3000, 9)], 5);
    assert_eq!(found.units, alone.units);
    assert!((found.variance[0] / alone.variance[0] - 0.5).abs() < 1e-15);
}

#[test]
fn a_diverged_unit_is_named() {
    let mut stream = AutocorrelationStream::new(3, 5).unwrap();
    stream.push(activity(100, 0).view()).unwrap();
    stream.end_trial().unwrap();
    stream.push(activity(40, 1).view()).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut chunk = activity(40, 1);
        chunk[[7, 1]] = bad;
        chunk[[8, 0]] = bad;
        let refused = stream.push(chunk.view()).unwrap_err();
        assert!(
            matches!(refused, Error::Activity { unit: 1, step: 47, trial: 1, .. }),
            "{refused}"
        );
    }
}

#[test]
fn a_refused_chunk_and_a_short_trial_leave_no_trace() {
    let clean = stream(&[activity(3000, 0), activity(3000, 1)], 30);
    let mut stream = AutocorrelationStream::new(3, 30).unwrap();
    stream.push(activity(3000, 0).view()).unwrap();
    stream.push(Array2::from_elem((5, 3), f32::NAN).view()).unwrap_err();
    stream.end_trial().unwrap();
    stream.push(activity(30, 7).view()).unwrap();
    assert_eq!(stream.end_trial(), Err(Error::ShortTrial { steps: 30, max_lag: 30 }));
    stream.push(activity(3000, 1).view()).unwrap();
    stream.end_trial().unwrap();
    assert_eq!(stream.finish().unwrap(), clean);
}

#[test]
fn impossible_requests_are_refused() {
    let refused = |units, max_lag| {
        AutocorrelationStream::new(units, max_lag).err().map(|error| error.to_string())
    };
    assert_eq!(refused(0, 5).as_deref(), Some("number of units: 0 (allowed: 1 or more)"));
    for max_lag in [0, usize::MAX] {
        let expected = format!("max_lag: {max_lag} (allowed: 1 to {MAX_LAG_LIMIT})");
        assert_eq!(refused(1, max_lag), Some(expected));
    }
    let mut stream = AutocorrelationStream::new(2, 5).unwrap();
    let three = activity(10, 0);
    let units = stream.push(three.view()).unwrap_err().to_string();
    assert_eq!(units, "units: 3 (allowed: 2, for which the stream was made)");
    stream.push(three.slice(s![.., ..2])).unwrap();
    assert_eq!(stream.finish().unwrap_err(), Error::OpenTrial { steps: 10 });
    let empty = AutocorrelationStream::new(2, 5).unwrap();
    assert_eq!(empty.finish().unwrap_err(), Error::NoTrial);
}
