//! Maximum likelihood of one timescale: the same however it is fed, its error, its bias.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use ndarray::{Array2, s};
use tau_analysis::{
    Error, Mean, OrnsteinUhlenbeck, OrnsteinUhlenbeckStream, Quality, processes, processes::Process,
};
use tau_random::{Key, Purpose};

const KEY: Key = Key::new(21, Purpose::Statistics);

fn trials(tau: f64, units: usize, steps: usize, count: u32) -> Vec<Array2<f32>> {
    let units = vec![Process::exponential(tau).unwrap(); units];
    (0..count).map(|trial| processes::activity(&units, steps, KEY.stage(trial))).collect()
}

fn estimate(trials: &[Array2<f32>], mean: Mean) -> Vec<OrnsteinUhlenbeck> {
    chunked(trials, mean, usize::MAX)
}

fn chunked(trials: &[Array2<f32>], mean: Mean, length: usize) -> Vec<OrnsteinUhlenbeck> {
    let mut stream = OrnsteinUhlenbeckStream::new(trials[0].ncols()).unwrap();
    for trial in trials {
        for chunk in trial.axis_chunks_iter(ndarray::Axis(0), length.min(trial.nrows())) {
            stream.push(chunk).unwrap();
        }
        stream.end_trial().unwrap();
    }
    stream.finish(mean).unwrap()
}

#[test]
fn any_chunking_and_any_number_of_threads_give_the_same_bits() {
    let trials = trials(7.0, 20, 700, 3);
    let whole = estimate(&trials, Mean::PerTrial);
    for (length, threads) in [(1, 1), (13, 2), (699, 3), (700, 7)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| chunked(&trials, Mean::PerTrial, length));
        assert_eq!(found, whole, "chunks of {length}, {threads} threads");
    }
}

#[test]
fn trials_side_by_side_are_trials_one_after_the_other() {
    let trials = trials(7.0, 3, 500, 3);
    let mut all = OrnsteinUhlenbeckStream::new(3).unwrap();
    for trial in &trials {
        let mut one = OrnsteinUhlenbeckStream::new(3).unwrap();
        one.push(trial.view()).unwrap();
        one.end_trial().unwrap();
        all.absorb(&one).unwrap();
    }
    assert_eq!((all.recording().trials, all.recording().steps), (3, 1500));
    assert_eq!(all.finish(Mean::Common).unwrap(), estimate(&trials, Mean::Common));
}

/// Errors divided by the stated standard error: over 300 units their spread is 1 to within
/// 4/√600 = 0.16, and their mean 0 to within 4/√300 = 0.23 plus the bias of the curvature.
#[test]
fn the_standard_error_is_the_scatter_of_recordings() {
    for tau in [2.0, 20.0] {
        for mean in [Mean::PerTrial, Mean::Common] {
            let found = estimate(&trials(tau, 300, 4000, 5), mean);
            let score = |unit: &OrnsteinUhlenbeck| {
                (unit.tau_corrected - tau) / unit.standard_error.unwrap()
            };
            let scores: Vec<f64> = found.iter().map(score).collect();
            let centre = scores.iter().sum::<f64>() / 300.0;
            let spread = (scores.iter().map(|z| (z - centre).powi(2)).sum::<f64>() / 299.0).sqrt();
            assert!((0.84..1.16).contains(&spread), "tau {tau}, {mean:?}: spread {spread}");
            assert!(centre.abs() < 0.3, "tau {tau}, {mean:?}: centre {centre}");
            assert!(found.iter().all(|unit| unit.quality == Quality::Good));
        }
    }
}

/// Ten trials of 200 steps with τ = 10: the mean of each trial takes 2τ/n = 10 % off τ (and the sum
/// over all of them another 2τ/N = 1 %), of which the correction leaves at most a fifth. The mean
/// over 800 units has a standard error of 10 √(2·10/2000)/√800 = 0.035.
#[test]
fn the_correction_takes_the_bias_out() {
    let found = estimate(&trials(10.0, 800, 200, 10), Mean::PerTrial);
    let mean = |of: fn(&OrnsteinUhlenbeck) -> f64| found.iter().map(of).sum::<f64>() / 800.0;
    let (plain, corrected) = (mean(|unit| unit.tau), mean(|unit| unit.tau_corrected));
    assert!((8.7..9.3).contains(&plain), "plain: {plain}");
    assert!((corrected - 10.0).abs() < 0.2 + 4.0 * 0.035, "corrected: {corrected}");
}

#[test]
fn a_large_offset_changes_nothing_but_the_rounding_of_f32() {
    let near = trials(5.0, 2, 5000, 2);
    let far: Vec<Array2<f32>> = near.iter().map(|trial| trial.mapv(|x| x + 1000.0)).collect();
    let (near, far) = (estimate(&near, Mean::Common), estimate(&far, Mean::Common));
    for (near, far) in near.iter().zip(&far) {
        // 2⁻¹⁴ of 1: f32 at 1000.
        assert!((near.tau / far.tau - 1.0).abs() < 1e-4);
        assert!((near.variance / far.variance - 1.0).abs() < 1e-4);
    }
}

/// Two trials about other levels: one mean for both takes the levels for a slow process.
#[test]
fn trials_with_means_of_their_own_need_them() {
    let mut trials = trials(5.0, 1, 5000, 2);
    trials[1].mapv_inplace(|x| x + 6.0);
    let (own, common) = (estimate(&trials, Mean::PerTrial), estimate(&trials, Mean::Common));
    assert!((own[0].tau - 5.0).abs() < 4.0 * own[0].standard_error.unwrap());
    assert!(common[0].tau > 30.0, "common: {}", common[0].tau);
}

#[test]
fn what_has_no_timescale_says_so() {
    let mut activity = Array2::zeros((2000, 4));
    for (t, mut row) in activity.axis_iter_mut(ndarray::Axis(0)).enumerate() {
        let noise = KEY.step(77).unit_f32(t as u64);
        row[0] = 0.3;
        // Opposite neighbours, no memory, and a straight line.
        row[1] = if t % 2 == 0 { noise } else { -noise };
        row[2] = noise;
        row[3] = t as f32;
    }
    let found = estimate(&[activity], Mean::PerTrial);
    assert_eq!((found[0].quality, found[0].variance), (Quality::Dead, 0.0));
    assert!(found[0].tau.is_nan() && found[0].standard_error.is_none());
    assert_eq!((found[1].quality, found[1].tau), (Quality::SubStep, 0.0));
    assert!(found[1].phi < 0.0);
    assert_eq!(found[2].quality, Quality::SubStep);
    assert_eq!(found[3].quality, Quality::NotIdentifiable, "{:?}", found[3]);
}

/// But for estimates that come out so low that the recording would be long enough for them.
#[test]
fn a_recording_shorter_than_its_timescale_is_not_identifiable() {
    let found = estimate(&trials(200.0, 50, 150, 1), Mean::PerTrial);
    let good = found.iter().filter(|unit| unit.quality == Quality::Good).count();
    assert!(good < 8, "good: {good} of 50");
}

#[test]
fn what_is_no_activity_is_refused() {
    let none = OrnsteinUhlenbeckStream::new(0).err().unwrap().to_string();
    assert_eq!(none, "number of units: 0 (allowed: 1 or more)");
    let mut stream = OrnsteinUhlenbeckStream::new(2).unwrap();
    let wrong = stream.push(Array2::zeros((4, 3)).view()).unwrap_err();
    let units = "units: 3 (allowed: 2, for which the stream was made)";
    assert_eq!(wrong.to_string(), units);
    let mut chunk = Array2::zeros((4, 2));
    stream.push(chunk.view()).unwrap();
    chunk[[2, 1]] = f32::INFINITY;
    let bad = stream.push(chunk.view()).unwrap_err();
    assert_eq!(bad, Error::Activity { unit: 1, step: 6, trial: 0, value: f32::INFINITY });
    let other = OrnsteinUhlenbeckStream::new(2).unwrap();
    assert_eq!(stream.absorb(&other), Err(Error::OpenTrial { steps: 4 }));
    stream.end_trial().unwrap();
    let three = OrnsteinUhlenbeckStream::new(3).unwrap();
    assert_eq!(stream.absorb(&three).unwrap_err().to_string(), units);
    stream.push(chunk.slice(s![..2, ..])).unwrap();
    assert!(matches!(stream.end_trial(), Err(Error::TooFew { found: 2, needed: 3, .. })));
    assert_eq!(stream.recording().trials, 1);
    stream.push(chunk.slice(s![..2, ..])).unwrap();
    assert_eq!(stream.finish(Mean::Common).err(), Some(Error::OpenTrial { steps: 2 }));
    let none = OrnsteinUhlenbeckStream::new(1).unwrap().finish(Mean::Common);
    assert_eq!(none.err(), Some(Error::NoTrial));
}
