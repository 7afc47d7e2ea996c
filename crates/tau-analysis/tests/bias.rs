//! A fit checked on what it says: long recordings pass, short ones are found out.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use ndarray::Array1;
use tau_analysis::timescale::fit;
use tau_analysis::{
    BiasConfig, Component, Error, FitConfig, Model, Quality, Recording, TauNet, bias_check,
};
use tau_random::{Key, Purpose};

const KEY: Key = Key::new(41, Purpose::Statistics);

fn fitted(curve: impl Fn(f64) -> f64, trials: usize, steps: usize) -> TauNet {
    let curve = Array1::from_shape_fn(31, |lag| curve(lag as f64));
    let recording = Recording { trials, steps: trials * steps, shortest_trial: steps };
    fit(curve.view(), &recording, &FitConfig::default()).unwrap()
}

fn few(repetitions: usize) -> BiasConfig {
    BiasConfig { repetitions, ..BiasConfig::default() }
}

/// One exponential, ten trials of 10 000 steps: the spread over 60 recordings is the standard error by
/// formula, to 4/√120 of it, and to the 1.5 times that a quantile scatters more.
#[test]
fn a_long_recording_of_one_timescale_passes() {
    let found = fitted(|k| (-k / 6.0).exp(), 10, 10_000);
    assert_eq!(found.model, Some(Model::One));
    let check = bias_check(&found, &[10_000; 10], &few(60), KEY).unwrap();
    assert_eq!((check.quality, check.repetitions), (Quality::Good, 60));
    assert!(check.relative_bias.abs() < 0.1, "{check:?}");
    let by_formula = found.standard_error.unwrap() / found.tau;
    let ratio = check.relative_spread / by_formula;
    assert!((0.5..1.55).contains(&ratio), "{check:?}, formula {by_formula}");
    assert!(check.central[0] < found.tau && check.central[1] > found.tau);
    assert!(check.same_model > 0.3 && check.good > 0.3, "{check:?}");
}

#[test]
fn a_long_recording_of_two_timescales_passes() {
    let found = fitted(|k| 0.6 * (-k / 2.0).exp() + 0.4 * (-k / 20.0).exp(), 10, 30_000);
    assert_eq!(found.model, Some(Model::Two));
    let check = bias_check(&found, &[30_000; 10], &few(30), KEY).unwrap();
    assert_eq!(check.quality, Quality::Good);
    assert!(check.relative_bias.abs() < 0.1 && check.same_model > 0.9, "{check:?}");
}

/// One trial of six time constants.
#[test]
fn a_fit_that_its_recording_cannot_support_is_not_identifiable() {
    let found = fitted(|k| (-k / 80.0).exp(), 1, 500);
    let check = bias_check(&found, &[500], &few(60), KEY).unwrap();
    assert_eq!(check.quality, Quality::NotIdentifiable);
    // 47 of 80 in the median, as the library's page says.
    assert!((-0.6..-0.2).contains(&check.relative_bias), "{check:?}");
    assert!(check.good < 0.1, "{check:?}");
}

/// Half of the variance without memory: white noise is part of what is simulated.
#[test]
fn an_amplitude_below_one_is_simulated_as_white_noise() {
    let half = |k: f64| if k == 0.0 { 1.0 } else { 0.5 * (-k / 10.0).exp() };
    let found = fitted(half, 10, 30_000);
    assert_eq!(found.model, Some(Model::Two));
    let one = TauNet {
        model: Some(Model::One),
        amplitude: 0.5,
        components: vec![Component { tau: 10.0, weight: 1.0 }],
        ..found
    };
    let check = bias_check(&one, &[30_000; 10], &few(30), KEY).unwrap();
    // Refits see the instant as a second, fast exponential; one alone has to make up for it.
    assert!(check.relative_bias < 0.0 && check.same_model < 0.2, "{check:?}");
}

#[test]
fn what_has_no_timescale_is_answered_without_simulating() {
    let dead = fitted(|_| f64::NAN, 10, 1000);
    let bound = fitted(|k| (-k / 300.0).exp(), 10, 1000);
    let white = fitted(|k| if k == 0.0 { 1.0 } else { 0.0 }, 10, 1000);
    let cases = [(dead, Quality::Dead), (bound, Quality::AtBound), (white, Quality::SubStep)];
    for (found, quality) in cases {
        let check = bias_check(&found, &[1000; 10], &few(20), KEY).unwrap();
        assert_eq!((check.quality, check.repetitions), (quality, 0));
        assert!(check.relative_bias.is_nan() && check.central[0].is_nan());
    }
}

#[test]
fn threads_change_nothing_and_the_key_everything() {
    let found = fitted(|k| (-k / 6.0).exp(), 3, 1000);
    let run = |threads: usize, key: Key| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bias_check(&found, &[1000, 500, 800], &few(20), key).unwrap())
    };
    let one = run(1, KEY);
    assert_eq!(run(3, KEY), one);
    assert_ne!(run(1, Key::new(42, Purpose::Statistics)), one);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let found = fitted(|k| (-k / 6.0).exp(), 10, 1000);
    let check = |steps: &[usize], config| bias_check(&found, steps, &config, KEY).unwrap_err();
    let once = check(&[1000], few(19));
    assert_eq!(once.to_string(), "repetitions: 19 (allowed: 20 or more)");
    assert_eq!(check(&[], few(20)), Error::NoTrial);
    assert_eq!(check(&[1000, 30], few(20)), Error::ShortTrial { steps: 30, max_lag: 30 });
    let lags = check(&[1000], BiasConfig { fit: FitConfig { lags: 4 }, ..few(20) });
    assert!(lags.to_string().starts_with("last lag to fit: 4 (allowed: 5 to "), "{lags}");
}
