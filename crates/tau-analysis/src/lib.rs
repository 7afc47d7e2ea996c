//! Estimators of the timescales of a trained network, from its time constants and its activity.
//!
//! Numbers go in and come out: τ of the neurons ([`TauStatistics`]), activity as it is produced
//! ([`AutocorrelationStream`]), the network timescale τ_net of every neuron ([`tau_net`]), and
//! the evidence that a set of networks gives for or against a claim ([`Estimate`], [`Verdict`]).
//! Definitions follow Khajehabdollahi et al. (ICLR 2024) and their published code where they have one
//! (`docs/papers/khajehabdollahi-2024.md` §5).
//!
//! The autocorrelation of a neuron's activity x at lag k, with the mean m of the trial removed,
//! averaged over trials of n steps and divided by its value at lag 0, is fitted by one or two
//! decaying exponentials; τ_net is the slower time constant of the better model:
//!
//! $$ \rho(k) \propto \Big\langle \frac{1}{n-k} \sum_{t=0}^{n-k-1} (x_t - m)(x_{t+k} - m)
//! \Big\rangle, \qquad \rho(k) \approx a \big( c\, e^{-k/\tau_1} + (1-c)\, e^{-k/\tau_2} \big) $$
//!
//! ```
//! use tau_analysis::{AutocorrelationStream, FitConfig, Quality, processes, tau_net};
//! use tau_random::{Key, Purpose};
//!
//! let units = vec![processes::Process::exponential(5.0)?; 8];
//! let mut stream = AutocorrelationStream::new(8, 200)?;
//! for trial in 0..4 {
//!     let key = Key::new(1, Purpose::Statistics).stage(trial);
//!     stream.push(processes::activity(&units, 20_000, key).view())?;
//!     stream.end_trial()?;
//! }
//! let found = tau_net(&stream.finish()?, &FitConfig::default())?;
//! let good: Vec<_> = found.units.iter().filter(|unit| unit.quality == Quality::Good).collect();
//! assert!(good.len() >= 4);
//! assert!(good.iter().all(|unit| (unit.tau - 5.0).abs() < 1.0));
//! # Ok::<(), tau_analysis::Error>(())
//! ```
//!
//! τ_net has an interval by resampling trials ([`tau_interval`]) and a check against recordings
//! simulated from its own answer ([`bias_check`]). Two more estimators of a timescale stand beside
//! it: maximum likelihood for one ([`OrnsteinUhlenbeckStream`]), and the integrated autocorrelation
//! time, without a model ([`mod@integrated`]). docs/estimators.md says which to use when, and how well
//! each recovers what is known. [`CovarianceStream`] counts the dimensions of activity,
//! [`eigenvalues`] and [`Lyapunov`] say how a network forgets.
//!
//! [`Drive`] runs a network under random input of any task and gives its autocorrelation, or, in the
//! same pass, all that estimators want ([`Activity`]). [`Probe`] asks what a frozen network still tells
//! about a different task, [`Retraining`] trains it further on one; [`Ablation`] and [`Perturbation`]
//! damage it and score what is left ([`Scoring`]); [`TimeStep`] scores one in continuous time at
//! different time steps. Whatever says how well a network did names its [`Measure`]: the accuracy of
//! heads with any number of classes, with the accuracy of a guess beside it ([`ChanceLevel`]), or the
//! loss of a head with values.
//! [`portrait`] has all that can be said of one network, neuron by neuron.
//!
//! What it does not know: how networks are trained, files, tables and figures,
//! and the truth: an estimate that its recording does not support says so ([`Quality`]); τ_net is
//! not corrected. τ = 80 in a trial of 500 steps reads 47 in the median, and 397 of 400 such
//! estimates are not `Good`.

mod ablation;
mod activity;
mod batch;
mod chance;
mod drive;
mod error;
mod heads;
mod measure;
mod perturbation;
mod probe;
mod retraining;
mod scoring;
mod simulation;
mod subject;
#[cfg(test)]
mod test_networks;
#[cfg(test)]
mod test_tasks;
mod time_step;

pub mod autocorrelation;
pub mod dimensionality;
pub mod effect;
pub mod integrated;
pub mod lyapunov;
pub mod ornstein_uhlenbeck;
pub mod portrait;
pub mod processes;
pub mod spectrum;
pub mod tau_statistics;
pub mod timescale;

pub use ablation::{Ablated, Ablation, AblationResult, Removal, ablate_each};
pub use activity::Activity;
pub use autocorrelation::{
    Autocorrelation, AutocorrelationStream, Recording, TrialAutocovariances,
};
pub use chance::ChanceLevel;
pub use dimensionality::{CovarianceStream, Dimensionality};
pub use drive::Drive;
pub use effect::{Estimate, Prediction, Verdict};
pub use error::Error;
pub use integrated::{Integrated, IntegratedConfig, integrated};
pub use lyapunov::{Lyapunov, LyapunovExponents};
pub use measure::{Measure, Performance, Score, relative_accuracy, relative_loss};
pub use ornstein_uhlenbeck::{Mean, OrnsteinUhlenbeck, OrnsteinUhlenbeckStream};
pub use perturbation::{Perturbation, PerturbationResult, Perturbed};
pub use probe::Probe;
pub use retraining::{Retraining, RetrainingResult};
pub use scoring::{Protocol, Scored, Scoring};
pub use spectrum::{eigenvalues, linearised_step};
pub use subject::{Make, Subject};
pub use tau_statistics::TauStatistics;
pub use time_step::{TimeStep, TimeStepResult};
pub use timescale::{
    BiasCheck, BiasConfig, Component, FitConfig, IntervalConfig, Model, Quality, TauInterval,
    TauIntervals, TauNet, TauNets, bias_check, tau_interval, tau_net,
};

use std::sync::atomic::{AtomicBool, Ordering};

/// [`Error::Stopped`] once `stop` is set.
fn go_on(stop: &AtomicBool) -> Result<(), Error> {
    if stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
}
