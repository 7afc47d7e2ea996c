//! The fits against SciPy, exact curves, and the recovery of known timescales.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use ndarray::{Array1, Array2};
use tau_analysis::timescale::{TAU_MAX, bias_limit, fit};
use tau_analysis::{
    AutocorrelationStream, Component, FitConfig, Model, Quality, Recording, TauNet, processes,
    tau_net,
};
use tau_random::{Key, Purpose};

const LONG: Recording = Recording { trials: 10, steps: 1_000_000, shortest_trial: 100_000 };

fn fit_curve(curve: impl Fn(f64) -> f64) -> TauNet {
    let curve = Array1::from_shape_fn(31, |lag| curve(lag as f64));
    fit(curve.view(), &LONG, &FitConfig::default()).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() < tolerance, "{found}, expected {expected}");
}

/// Best of 120 starts of SciPy 1.17.1's `curve_fit` with the bounds of ICLR 2024, tolerances 1e-15.
#[test]
fn fits_are_those_of_scipy() {
    let two =
        fit_curve(|k| 0.7 * (-k / 2.0).exp() + 0.3 * (-k / 20.0).exp() + 0.01 * (3.0 * k).sin());
    assert_eq!(two.model, Some(Model::Two));
    near(two.tau, 20.14968872, 1e-5);
    near(two.components[1].tau, 2.00601199, 1e-6);
    near(two.components[1].weight, 0.70145439, 1e-6);
    near(two.amplitude, 1.0, 1e-6);
    near(two.tau_one, 6.80589573, 1e-6);
    near(two.aic_one, -160.0670587260509, 1e-6);
    near(two.aic_two, -302.2201284354148, 1e-6);

    let one = fit_curve(|k| (-k / 6.0).exp() + 0.02 * k.sin());
    assert_eq!(one.model, Some(Model::One));
    near(one.tau, 6.00286374, 1e-5);
    near(one.aic_one, -259.96071665070406, 1e-6);
    near(one.aic_two, -255.96071665070411, 1e-4);

    let instant = |k: f64| {
        if k == 0.0 { 0.5 } else { 0.01 * (2.0 * k).sin() }
    };
    let noisy = fit_curve(|k| 0.5 * (-k / 12.0).exp() + instant(k));
    assert_eq!(noisy.model, Some(Model::Two));
    near(noisy.tau, 12.0685645, 1e-5);
    near(noisy.components[1].tau, 0.26280743, 1e-5);
    near(noisy.aic_two, -301.76017972768767, 1e-6);
}

#[test]
fn an_exact_exponential_is_one_exponential() {
    for tau in [0.5, 1.5, 2.0, 5.0, 20.0, 80.0] {
        let found = fit_curve(|k| (-k / tau).exp());
        assert_eq!(found.model, Some(Model::One), "tau: {tau}");
        near(found.tau / tau, 1.0, 1e-4);
        assert!(found.aic_one.is_finite() && found.aic_two.is_finite());
        assert_eq!(found.quality == Quality::Good, tau > 1.0, "tau: {tau}");
    }
}

#[test]
fn an_exact_mixture_is_two_exponentials_and_gives_the_slower() {
    let found = fit_curve(|k| 0.7 * (-k / 2.0).exp() + 0.3 * (-k / 20.0).exp());
    assert_eq!(found.model, Some(Model::Two));
    near(found.tau, 20.0, 0.01);
    near(found.components[1].tau, 2.0, 0.001);
    near(found.components.iter().map(|c| c.weight).sum(), 1.0, 1e-12);
    assert_eq!(found.components[0].tau, found.tau);
}

#[test]
fn a_timescale_beyond_the_bound_is_not_passed_off_as_the_bound() {
    let found = fit_curve(|k| (-k / 300.0).exp());
    assert!(found.tau > 0.999 * TAU_MAX && found.tau <= TAU_MAX, "tau: {}", found.tau);
    assert_eq!(found.quality, Quality::AtBound);
}

#[test]
fn activity_without_memory_is_below_a_step() {
    let found = fit_curve(|k| if k == 0.0 { 1.0 } else { 0.0 });
    assert!(found.tau < 0.2, "tau: {}", found.tau);
    assert_eq!(found.quality, Quality::SubStep);
}

#[test]
fn an_alternating_curve_has_no_timescale_above_a_step() {
    let found = fit_curve(|k| (-0.5_f64).powf(k));
    assert_eq!(found.quality, Quality::SubStep, "tau: {}", found.tau);
}

/// However long the recording: half a percent of the variance is not the unit's timescale.
#[test]
fn a_trace_of_a_slow_component_does_not_pass_for_the_timescale() {
    let endless =
        Recording { trials: 1, steps: 1_000_000_000_000, shortest_trial: 1_000_000_000_000 };
    for (weight, quality) in [(0.005, Quality::NotIdentifiable), (0.02, Quality::Good)] {
        let curve = Array1::from_shape_fn(31, |lag| {
            let k = lag as f64;
            (1.0 - weight) * (-k / 3.0).exp() + weight * (-k / 50.0).exp()
        });
        let found = fit(curve.view(), &endless, &FitConfig::default()).unwrap();
        near(found.tau, 50.0, 1.0);
        assert_eq!(found.quality, quality, "weight: {weight}");
    }
}

#[test]
fn the_same_curve_is_worth_more_from_a_longer_recording() {
    let curve = Array1::from_shape_fn(31, |lag| {
        let k = lag as f64;
        0.97 * (-k / 3.0).exp() + 0.03 * (-k / 30.0).exp()
    });
    let from = |steps: usize| {
        let recording = Recording { trials: 1, steps, shortest_trial: steps };
        fit(curve.view(), &recording, &FitConfig::default()).unwrap()
    };
    let (short, long) = (from(10_000), from(10_000_000));
    assert_eq!((short.quality, long.quality), (Quality::NotIdentifiable, Quality::Good));
    assert_eq!(short.tau, long.tau);
    // Errors shrink with the root of the length.
    let ratio = short.standard_error.unwrap() / long.standard_error.unwrap();
    near(ratio, 1000_f64.sqrt(), 1e-9);
}

#[test]
fn a_dead_unit_has_no_timescale() {
    let curve = Array1::from_elem(31, f64::NAN);
    let found = fit(curve.view(), &LONG, &FitConfig::default()).unwrap();
    assert_eq!((found.quality, found.model), (Quality::Dead, None));
    assert!(found.tau.is_nan() && found.standard_error.is_none());
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!((json["tau"].is_null(), json["quality"].as_str()), (true, Some("dead")));
}

#[test]
fn a_curve_too_large_to_fit_fails_without_a_panic() {
    let curve = Array1::from_elem(31, 1e300);
    let found = fit(curve.view(), &LONG, &FitConfig::default()).unwrap();
    assert_eq!((found.quality, found.model), (Quality::Failed, None));
}

#[test]
fn lags_must_determine_four_parameters_and_exist() {
    let curve = Array1::from_shape_fn(31, |lag| (-(lag as f64)).exp());
    for lags in [0, 4, 31] {
        let refused = fit(curve.view(), &LONG, &FitConfig { lags }).unwrap_err();
        let allowed = "(allowed: 5 to 30, the largest lag of the autocorrelation)";
        assert_eq!(refused.to_string(), format!("last lag to fit: {lags} {allowed}"));
    }
    assert!(fit(curve.view(), &LONG, &FitConfig { lags: 5 }).is_ok());
}

/// τ_net of `count` units with the same `components`, from `trials` trials of `steps` steps.
fn recover(components: &[Component], trials: u32, steps: usize, count: usize) -> Vec<TauNet> {
    let units = vec![processes::Process::mixture(components).unwrap(); count];
    let mut stream = AutocorrelationStream::new(count, 30).unwrap();
    for trial in 0..trials {
        let key = Key::new(3, Purpose::Statistics).stage(trial);
        stream.push(processes::activity(&units, steps, key).view()).unwrap();
        stream.end_trial().unwrap();
    }
    tau_net(&stream.finish().unwrap(), &FitConfig::default()).unwrap().units
}

/// At least `least` of 32 units are `Good`. Each of those lies within four of its own standard
/// errors (one in 16 000 would not, if normal) plus the bias 4τ²/T that the length explains, and
/// their mean lies within three standard errors of a mean of so many. The mean of `tau_one` over
/// all units lies within five standard errors plus that bias; one unit's is taken as twice the
/// τ√(2τ/T) of an AR(1) process's maximum likelihood, as a fit to 31 lags is less efficient.
fn check_recovery(tau: f64, steps: usize, least: usize) {
    let found = recover(&[Component { tau, weight: 1.0 }], 1, steps, 32);
    let bias = 4.0 * tau * tau / steps as f64;
    let good: Vec<&TauNet> = found.iter().filter(|unit| unit.quality == Quality::Good).collect();
    assert!(good.len() >= least, "tau {tau}, {steps} steps: {} are good", good.len());
    for unit in &good {
        let allowed = 4.0 * unit.standard_error.unwrap() + bias;
        assert!((unit.tau - tau).abs() < allowed, "tau {tau}, {steps} steps: {unit:?}");
    }
    let count = good.len() as f64;
    let mean = good.iter().map(|unit| unit.tau).sum::<f64>() / count;
    let error = good.iter().map(|unit| unit.standard_error.unwrap()).sum::<f64>() / count;
    let allowed = 3.0 * error / count.sqrt() + bias;
    assert!((mean - tau).abs() < allowed, "tau {tau}, {steps} steps: mean {mean} ± {allowed}");
    let deviation = 2.0 * tau * (2.0 * tau / steps as f64).sqrt();
    let mean = found.iter().map(|unit| unit.tau_one).sum::<f64>() / 32.0;
    let allowed = 5.0 * deviation / 32_f64.sqrt() + bias;
    assert!((mean - tau).abs() < allowed, "tau {tau}, {steps} steps: tau_one {mean} ± {allowed}");
}

#[test]
fn known_timescales_are_recovered_from_long_trials() {
    for tau in [2.0, 5.0, 20.0, 80.0] {
        check_recovery(tau, 100_000, 12);
    }
}

#[test]
fn known_timescales_are_recovered_from_shorter_trials() {
    for tau in [2.0, 5.0, 20.0, 80.0] {
        check_recovery(tau, 5_000, 12);
    }
}

/// From trials of 500 steps τ = 80 reads far too short. Only an estimate below 12.5 steps can claim
/// to be good; of 400 others 3 did, so two of 32 would be many.
#[test]
fn short_trials_are_biased_and_say_so() {
    let found = recover(&[Component { tau: 80.0, weight: 1.0 }], 1, 500, 32);
    let mut taus: Vec<f64> = found.iter().map(|unit| unit.tau_one).collect();
    taus.sort_by(f64::total_cmp);
    assert!((30.0..60.0).contains(&taus[16]), "median: {}", taus[16]);
    let good = found.iter().filter(|unit| unit.quality == Quality::Good).count();
    assert!(good < 2, "good: {good}");
}

#[test]
fn the_bias_limit_is_the_one_worked_by_hand() {
    // 0.1 / (2/500 + 2/500) and 0.1 / (2/1000 + 2/10000)
    let one = Recording { trials: 1, steps: 500, shortest_trial: 500 };
    let ten = Recording { trials: 10, steps: 10_000, shortest_trial: 1_000 };
    near(bias_limit(&one), 12.5, 1e-12);
    near(bias_limit(&ten), 0.1 / 0.0022, 1e-12);
}

/// Over many recordings, errors divided by the stated standard error have a spread near 1.
#[test]
fn the_standard_error_is_the_scatter_of_recordings() {
    for tau in [2.0, 20.0] {
        let found = recover(&[Component { tau, weight: 1.0 }], 1, 20_000, 200);
        let ones = found.iter().filter(|unit| unit.model == Some(Model::One));
        let scores: Vec<f64> =
            ones.map(|unit| (unit.tau - tau) / unit.standard_error.unwrap()).collect();
        let count = scores.len() as f64;
        assert!(count > 80.0, "one exponential: {count} of 200");
        let spread = (scores.iter().map(|z| z * z).sum::<f64>() / count).sqrt();
        assert!((0.8..1.25).contains(&spread), "tau {tau}: spread {spread}");
    }
}

#[test]
fn two_known_timescales_are_recovered() {
    let truth = [Component { tau: 20.0, weight: 0.4 }, Component { tau: 2.0, weight: 0.6 }];
    let found = recover(&truth, 2, 100_000, 16);
    for unit in &found {
        assert_eq!((unit.model, unit.quality), (Some(Model::Two), Quality::Good), "{unit:?}");
        let error = unit.standard_error.unwrap();
        assert!(error < 3.0, "standard error: {error}");
        near(unit.tau, 20.0, 4.0 * error);
        near(unit.components[1].tau, 2.0, 0.3);
        near(unit.components[0].weight, 0.4, 0.1);
    }
}

#[test]
fn dead_units_stand_among_living_ones() {
    let mut activity =
        processes::activity(&vec![processes::Process::exponential(4.0).unwrap(); 3], 50_000, KEY);
    activity.column_mut(1).fill(-0.3);
    let found = nets(&activity, 1);
    assert_eq!(found.units[1].quality, Quality::Dead);
    assert!(found.units[0].tau > 3.0 && found.units[2].tau > 3.0);
    assert!(found.population.tau > 3.0);
}

#[test]
fn any_number_of_threads_gives_the_same_fits() {
    let units = vec![processes::Process::exponential(4.0).unwrap(); 20];
    let activity = processes::activity(&units, 3_000, KEY);
    let one = nets(&activity, 1);
    for threads in [2, 3, 7] {
        assert_eq!(nets(&activity, threads), one, "{threads} threads");
    }
}

const KEY: Key = Key::new(8, Purpose::Statistics);

fn nets(activity: &Array2<f32>, threads: usize) -> tau_analysis::timescale::TauNets {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut stream = AutocorrelationStream::new(activity.ncols(), 30).unwrap();
        stream.push(activity.view()).unwrap();
        stream.end_trial().unwrap();
        tau_net(&stream.finish().unwrap(), &FitConfig::default()).unwrap()
    })
}
