//! Simulated processes have the law they are documented to have.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use tau_analysis::Component;
use tau_analysis::processes::{Process, activity};
use tau_random::{Key, Purpose};

const KEY: Key = Key::new(21, Purpose::Statistics);
const MIXTURE: [Component; 2] =
    [Component { tau: 2.0, weight: 0.7 }, Component { tau: 20.0, weight: 0.3 }];

#[test]
fn the_true_autocorrelation_is_the_sum_of_the_exponentials() {
    let process = Process::mixture(&MIXTURE).unwrap();
    assert_eq!(process.autocorrelation(0), 1.0);
    let expected = 0.7 * (-2.0_f64).exp() + 0.3 * (-0.2_f64).exp();
    assert!((process.autocorrelation(4) - expected).abs() < 1e-15);
}

/// Products at a lag, averaged over independent trials instead of over time: their law at any
/// step is the stationary one, from the first step on.
#[test]
fn trials_have_unit_variance_and_the_true_autocorrelation_from_the_first_step() {
    let process = Process::mixture(&MIXTURE).unwrap();
    let trials: Vec<Vec<f32>> =
        (0..20_000).map(|trial| process.sample(12, KEY.stage(trial))).collect();
    for lag in [0, 1, 5, 11] {
        let products = trials.iter().map(|x| f64::from(x[0]) * f64::from(x[lag]));
        let found = products.sum::<f64>() / trials.len() as f64;
        // The product of two unit normals has variance 1 + ρ² ≤ 2: five standard errors.
        let error = (found - process.autocorrelation(lag)).abs();
        assert!(error < 5.0 * (2.0_f64 / 20_000.0).sqrt(), "lag {lag}: {found}");
    }
}

#[test]
fn units_are_independent_and_named_by_the_key() {
    let process = Process::exponential(3.0).unwrap();
    let both = activity(&[process.clone(), process.clone()], 5, KEY);
    assert_eq!(both.dim(), (5, 2));
    assert_eq!(both.column(0).to_vec(), process.sample(5, KEY.step(0)));
    assert_eq!(both.column(1).to_vec(), process.sample(5, KEY.step(1)));
    assert_ne!(both.column(0), both.column(1));
}

#[test]
fn impossible_processes_are_refused() {
    for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = Process::exponential(tau).unwrap_err().to_string();
        let allowed = "(allowed: finite and above 0, in steps)";
        assert_eq!(refused, format!("tau to simulate: {tau} {allowed}"));
    }
    for weights in [[0.5, 0.6], [1.5, -0.5], [f64::NAN, 1.0]] {
        let components = weights.map(|weight| Component { tau: 1.0, weight });
        let refused = Process::mixture(&components).unwrap_err().to_string();
        let allowed = "(allowed: each in [0, 1], with the sum 1)";
        assert_eq!(refused, format!("weights of the components: {weights:?} {allowed}"));
    }
    let none = Process::mixture(&[]).unwrap_err().to_string();
    assert_eq!(none, "weights of the components: [] (allowed: each in [0, 1], with the sum 1)");
}
