//! Every estimator of a timescale recovers known ones: the fast part of `examples/recovery.rs`.
//!
//! For an Ornstein–Uhlenbeck process and N steps in all, the relative variance of τ is about 2τ/N by
//! maximum likelihood (no estimator without bias has less), four times that by a fit to thirty lags,
//! and 2(2W + 1)/N with W ≈ 5τ by the integrated time. Of 40 units none is to be off by five standard
//! deviations, and their median not by one, beyond the bias that the length of a trial leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use tau_analysis::{
    AutocorrelationStream, FitConfig, IntegratedConfig, Mean, OrnsteinUhlenbeckStream, Quality,
    integrated, processes, processes::Process, tau_net,
};
use tau_random::{Key, Purpose};

const UNITS: usize = 40;
const TRIALS: usize = 10;

struct Found {
    one: Vec<f64>,
    likely: Vec<f64>,
    corrected: Vec<f64>,
    sum: Vec<f64>,
    /// That the sums claim to be good.
    good: usize,
}

fn recover(tau: f64, steps: usize) -> Found {
    let units = vec![Process::exponential(tau).unwrap(); UNITS];
    let max_lag = (30 + (7.0 * tau) as usize).min(steps / 2);
    let mut curves = AutocorrelationStream::new(UNITS, max_lag).unwrap();
    let mut likelihood = OrnsteinUhlenbeckStream::new(UNITS).unwrap();
    for trial in 0..TRIALS {
        let key = Key::new(51, Purpose::Statistics).stage(trial as u32);
        let activity = processes::activity(&units, steps, key);
        curves.push(activity.view()).unwrap();
        curves.end_trial().unwrap();
        likelihood.push(activity.view()).unwrap();
        likelihood.end_trial().unwrap();
    }
    let curves = curves.finish().unwrap();
    let nets = tau_net(&curves, &FitConfig::default()).unwrap().units;
    let sums = integrated(&curves, &IntegratedConfig::default()).unwrap().0;
    let likely = likelihood.finish(Mean::PerTrial).unwrap();
    Found {
        one: nets.iter().map(|net| net.tau_one).collect(),
        likely: likely.iter().map(|one| one.tau).collect(),
        corrected: likely.iter().map(|one| one.tau_corrected).collect(),
        sum: sums.iter().map(|sum| sum.tau).collect(),
        good: sums.iter().filter(|sum| sum.quality == Quality::Good).count(),
    }
}

/// `deviation`: relative standard deviation of one estimate; `bias`: relative, of either sign.
fn check(what: &str, tau: f64, taus: &[f64], deviation: f64, bias: f64) {
    let mut errors: Vec<f64> = taus.iter().map(|found| found / tau - 1.0).collect();
    errors.sort_by(f64::total_cmp);
    let median = errors[UNITS / 2];
    assert!(median.abs() < deviation + bias, "{what}, tau {tau}: median {median}");
    let worst = errors[0].abs().max(errors[UNITS - 1].abs());
    let bound = 5.0 * deviation + bias;
    assert!(worst < bound, "{what}, tau {tau}: worst {worst}, bound {bound}");
}

fn check_length(tau: f64, steps: usize) {
    let all = (TRIALS * steps) as f64;
    // What the mean of each trial and the ratio take off, in first order.
    let bias = 2.0 * tau / steps as f64 + 2.0 * tau / all;
    let found = recover(tau, steps);
    let fisher = (2.0 * tau / all).sqrt();
    check("maximum likelihood", tau, &found.likely, fisher, bias);
    check("corrected", tau, &found.corrected, fisher, bias * bias);
    // At τ = 100 the bound of the search cuts errors off, it does not add any.
    check("one exponential", tau, &found.one, 2.0 * fisher, bias);
    let window = (2.0 * (10.0 * tau + 1.0) / all).sqrt();
    // exp(−5) is beyond the window.
    check("integrated", tau, &found.sum, window, bias * bias + 0.01);
    assert_eq!(found.good, UNITS, "integrated, tau {tau}");
}

#[test]
fn every_estimator_recovers_short_timescales_from_5000_steps() {
    for tau in [2.0, 5.0, 10.0] {
        check_length(tau, 5_000);
    }
}

#[test]
fn every_estimator_recovers_long_timescales_from_20_000_steps() {
    for tau in [20.0, 50.0, 100.0] {
        check_length(tau, 20_000);
    }
}

/// Trials as long as those of ICLR 2024; the test takes some seconds.
#[test]
#[ignore = "long: cargo test -p tau-analysis --test recovery -- --ignored"]
fn every_estimator_recovers_every_timescale_from_100_000_steps() {
    for tau in [2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        check_length(tau, 100_000);
    }
}
