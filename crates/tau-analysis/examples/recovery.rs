//! How well every estimator of a timescale recovers a known one, as Markdown.
//!
//! `cargo run -p tau-analysis --release --example recovery -- [REPETITIONS]` (default 1000; some ten
//! minutes on two cores). The tables of docs/estimators.md are its output.
//!
//! Each repetition is one unit in ten trials of T steps: an Ornstein–Uhlenbeck process with time
//! constant τ.

use ndarray::{ArrayView1, Axis};
use rayon::prelude::*;
use tau_analysis::{
    AutocorrelationStream, Error, FitConfig, IntegratedConfig, Mean, OrnsteinUhlenbeckStream,
    Quality, integrated, processes::Process, tau_net,
};
use tau_random::{Key, Purpose};

const TAUS: [f64; 6] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const STEPS: [usize; 4] = [500, 5_000, 20_000, 100_000];
const TRIALS: u32 = 10;

/// Fewest estimates of which quantiles are printed.
const LEAST: usize = 10;

const NAMES: [&str; 5] = [
    "τ_net (one or two exponentials by AIC, the slower)",
    "One exponential (`tau_one`)",
    "Ornstein–Uhlenbeck, maximum likelihood (`tau`)",
    "Ornstein–Uhlenbeck, corrected (`tau_corrected`)",
    "Integrated autocorrelation time (`tau`)",
];

/// One estimate: τ, and whether it claims to be good. τ_net's claim is shown beside `tau_one` too.
type Found = [(f64, bool); NAMES.len()];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repetitions = std::env::args().nth(1).map_or(Ok(1000), |count| count.parse::<u32>())?;
    let mut cells = vec![vec![Vec::new(); STEPS.len()]; TAUS.len()];
    for (row, &tau) in TAUS.iter().enumerate() {
        for (column, &steps) in STEPS.iter().enumerate() {
            let key = Key::new((row * STEPS.len() + column) as u64, Purpose::Statistics);
            let all = (0..repetitions).into_par_iter();
            let found: Result<Vec<Found>, Error> =
                all.map(|r| repetition(tau, steps, key.stage(r))).collect();
            cells[row][column] = found?;
            eprintln!("tau {tau}, {steps} steps");
        }
    }
    println!("{repetitions} repetitions.");
    for (estimator, name) in NAMES.iter().enumerate() {
        let sizes = |found: &[Found], tau: f64| {
            let mut errors = relative(found, estimator, tau);
            errors.iter_mut().for_each(|error| *error = error.abs());
            errors.sort_by(f64::total_cmp);
            middle_and_tail(&errors)
        };
        table(
            name,
            "median / 99th percentile of the relative error |τ̂/τ − 1|, %",
            &|i, j| sizes(&cells[i][j], TAUS[i]),
        );
        table(name, "the same of those that are `Good`", &|i, j| {
            let good = cells[i][j].iter().filter(|found| found[estimator].1);
            sizes(&good.copied().collect::<Vec<_>>(), TAUS[i])
        });
        table(name, "relative bias of the median, %; share that is `Good`, %", &|i, j| {
            let mut errors = relative(&cells[i][j], estimator, TAUS[i]);
            errors.sort_by(f64::total_cmp);
            let good = cells[i][j].iter().filter(|found| found[estimator].1).count();
            let share = 100.0 * good as f64 / f64::from(repetitions);
            format!("{:+.1}; {share:.0}", 100.0 * quantile(&errors, 0.5))
        });
    }
    Ok(())
}

fn repetition(tau: f64, steps: usize, key: Key) -> Result<Found, Error> {
    // Sokal's window ends at five τ, give or take; the fit needs 30 lags.
    let max_lag = (30 + (7.0 * tau) as usize).min(steps / 2);
    let process = Process::exponential(tau)?;
    let mut autocorrelation = AutocorrelationStream::new(1, max_lag)?;
    let mut likelihood = OrnsteinUhlenbeckStream::new(1)?;
    for trial in 0..TRIALS {
        let activity = process.sample(steps, key.step(trial));
        let column = ArrayView1::from(&activity).insert_axis(Axis(1));
        autocorrelation.push(column)?;
        autocorrelation.end_trial()?;
        likelihood.push(column)?;
        likelihood.end_trial()?;
    }
    let curves = autocorrelation.finish()?;
    let net = &tau_net(&curves, &FitConfig::default())?.units[0];
    let sum = &integrated(&curves, &IntegratedConfig::default())?.0[0];
    let likely = &likelihood.finish(Mean::PerTrial)?[0];
    let good = |quality| quality == Quality::Good;
    Ok([
        (net.tau, good(net.quality)),
        (net.tau_one, good(net.quality)),
        (likely.tau, good(likely.quality)),
        (likely.tau_corrected, good(likely.quality)),
        (sum.tau, good(sum.quality)),
    ])
}

/// An estimate that does not exist is infinitely wrong.
fn relative(found: &[Found], estimator: usize, tau: f64) -> Vec<f64> {
    let error = |found: &Found| found[estimator].0 / tau - 1.0;
    found.iter().map(error).map(|e| if e.is_nan() { f64::INFINITY } else { e }).collect()
}

fn table(name: &str, what: &str, cell: &dyn Fn(usize, usize) -> String) {
    println!("\n{name}: {what}\n");
    let heads: Vec<String> = STEPS.iter().map(|steps| format!("T = {steps}")).collect();
    println!("| τ | {} |", heads.join(" | "));
    println!("|---|{}", "---|".repeat(STEPS.len()));
    for (i, tau) in TAUS.iter().enumerate() {
        let row: Vec<String> = (0..STEPS.len()).map(|j| cell(i, j)).collect();
        println!("| {tau} | {} |", row.join(" | "));
    }
}

fn middle_and_tail(sorted: &[f64]) -> String {
    // A handful of estimates has no tail.
    if sorted.len() < LEAST {
        return "few".to_owned();
    }
    format!("{} / {}", percent(quantile(sorted, 0.5)), percent(quantile(sorted, 0.99)))
}

fn quantile(sorted: &[f64], p: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * p).round() as usize]
}

fn percent(share: f64) -> String {
    if share.is_infinite() { "none".to_owned() } else { format!("{:.2}", 100.0 * share) }
}
