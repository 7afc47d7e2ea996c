//! What was measured on the trained networks: all that tables and claims are made of.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tau_analysis::tau_statistics::moments;
use tau_analysis::{Probe, Quality, TauStatistics};
use tau_rnn::thread_pool;
use tau_runs::queue::share_out;
use tau_runs::{MetricsRow, Provenance, Run, State, solved};

use crate::cache::{cached, named};
use crate::damage::{Damage, damage};
use crate::measure::{backend, tau_nets};
use crate::retrain::{Retrained, RetrainedOn, retrain};
use crate::{Compat, Error, Planned, Preset, RetrainingSettings};

/// A trained network and its measurements.
#[derive(Clone, Debug)]
pub struct Network {
    /// The condition's name.
    pub series: String,
    /// The run's folder.
    pub name: String,
    /// Root of its random streams.
    pub seed: u64,
    /// One row for each epoch and head.
    pub metrics: Vec<MetricsRow>,
    /// Where its training stands.
    pub state: State,
    /// The program and the machine that trained it.
    pub provenance: Provenance,
    /// The N that it was kept for, increasing.
    pub solved: Vec<usize>,
    /// τ when it had solved each of them; none of a gated network.
    pub tau: Vec<(usize, TauStatistics)>,
    /// τ_net for some of these N.
    pub tau_net: Vec<TauNetSummary>,
    /// Accuracy of new heads for smaller N on the frozen network.
    pub forgetting: Option<Forgetting>,
    /// What is left of it under damage.
    pub damage: Option<Damage>,
    /// How far it gets when it is trained further.
    pub retrained: Option<Retrained>,
}

impl Network {
    /// Largest solved N after `epoch`; 0 for none.
    #[must_use]
    pub fn solved_after(&self, epoch: usize) -> usize {
        self.metrics
            .iter()
            .take_while(|row| row.epoch <= epoch)
            .last()
            .map_or(0, |row| row.solved_n)
    }

    /// Whether its training was sound: a run that diverged is shown and counted in the report, and never
    /// averaged over.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.state != State::Diverged
    }

    /// Largest solved N; 0 for none.
    #[must_use]
    pub fn solved_n(&self) -> usize {
        self.metrics.last().map_or(0, |row| row.solved_n)
    }
}

/// τ_net over the neurons of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TauNetSummary {
    /// The N that the network had solved.
    pub n: usize,
    /// Neurons whose τ_net is trustworthy ([`Quality::Good`]).
    pub good: usize,
    /// Mean over those, in steps; `None` for none.
    pub mean: Option<f64>,
    /// Standard deviation over those, in steps.
    pub standard_deviation: Option<f64>,
    /// Mean over all neurons with τ_net > 1, as in the published figures, in steps.
    pub published_mean: Option<f64>,
    /// Standard deviation over the same.
    pub published_standard_deviation: Option<f64>,
    /// τ_net of the summed activity, in steps, if trustworthy.
    pub population: Option<f64>,
}

/// Accuracy of new linear heads on a frozen network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forgetting {
    /// The N that the network had solved.
    pub n_max: usize,
    /// (N, accuracy in [0, 1]) for N from 2 to `n_max`.
    pub accuracy: Vec<(usize, f64)>,
}

/// What a figure needs besides the training itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// τ_net.
    TauNet,
    /// New heads on frozen networks.
    Forgetting,
    /// Ablation and perturbation.
    Damage,
    /// Training on larger N.
    Retraining,
}

/// Measures all networks of a plan, each for what its series needs. What was measured before is read
/// back from the runs' folders.
///
/// # Errors
/// [`Error::Interrupted`] once `stop` is set; files that cannot be read or written.
pub fn gather(
    preset: &Preset,
    plan: &[Planned],
    needs: &(dyn Fn(&str, Need) -> bool + Sync),
    threads: usize,
    stop: &AtomicBool,
    done: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Network>, Error> {
    let mut networks = Vec::new();
    for planned in plan {
        networks.push(trained(planned, preset.compat)?);
    }
    let common = common_n(&networks);
    let up_to = |n_at_most: usize| common.iter().copied().rfind(|n| *n <= n_at_most);
    let (damaged_n, retrained_n) =
        (up_to(preset.damage.n_at_most), up_to(preset.retraining.n_at_most));
    let measure = |network: &mut Network, planned: &Planned| -> Result<(), Error> {
        let run = &planned.run;
        let needed = |need| needs(&planned.series, need);
        if needed(Need::TauNet) {
            for n in chosen(network, preset.tau_net.every) {
                network.tau_net.push(tau_net(preset, run, n, stop)?);
                done(&format!("{}: τ_net at N = {n}", run.name()));
            }
        }
        // Networks of a window that moves by more than 1 may have left a common N out.
        let mine =
            |most: Option<usize>| network.solved.iter().copied().filter(|n| Some(*n) <= most).max();
        let (whole, damaged, further) =
            (mine(common.last().copied()), mine(damaged_n), mine(retrained_n));
        if let (true, Some(n_max @ 3..)) = (needed(Need::Forgetting), whole) {
            network.forgetting = Some(forgetting(preset, run, n_max, stop)?);
            done(&format!("{}: new heads up to N = {n_max}", run.name()));
        }
        if let (true, Some(n)) = (needed(Need::Damage), damaged) {
            let settings = &preset.damage;
            let name = named("damage", n, preset.compat);
            network.damage = Some(cached(run, &name, settings, || {
                damage(run, n, settings, preset.compat, stop)
            })?);
            done(&format!("{}: damage at N = {n}", run.name()));
        }
        let settings = &preset.retraining;
        let place = network.seed - preset.first_seed.min(network.seed);
        if let (true, Some(n)) = (needed(Need::Retraining), further)
            && place < settings.networks as u64
        {
            network.retrained = Some(retrained(settings, run, n, stop, done)?);
        }
        Ok(())
    };
    // Estimators spread their work over the pool in which they are called: here over one thread.
    let mut pools = Vec::new();
    for _ in 0..threads.min(plan.len()) {
        pools.push(thread_pool(Some(1))?);
    }
    let pairs = networks.iter_mut().zip(plan);
    let results = share_out(pools, pairs, |pool, _, (network, planned)| {
        if !network.is_sound() {
            return Some(Ok(()));
        }
        Some(pool.install(|| measure(network, planned)))
    });
    results.into_iter().flatten().collect::<Result<(), Error>>()?;
    Ok(networks)
}

/// The N, in their order, at which every single-head and multi-head network (those that are compared)
/// was kept.
fn common_n(networks: &[Network]) -> Vec<usize> {
    let compared = |network: &&Network| {
        network.is_sound() && ["single-head", "multi-head"].contains(&&*network.series)
    };
    let mut solved = networks
        .iter()
        .filter(compared)
        .map(|network| network.solved.iter().copied().collect::<BTreeSet<usize>>());
    let first = solved.next().unwrap_or_default();
    solved.fold(first, |common, more| &common & &more).into_iter().collect()
}

/// The network with what its training left behind.
fn trained(planned: &Planned, compat: Compat) -> Result<Network, Error> {
    let metrics = planned.run.metrics()?;
    let solved: Vec<usize> = solved(&metrics).collect();
    let mut tau = Vec::new();
    // A gated network has no τ.
    for &n in solved.iter().filter(|_| !planned.run.spec().network.cell.gated()) {
        let checkpoint = planned.run.checkpoint(n)?;
        let mut found = TauStatistics::new(checkpoint.params.tau.iter().copied())?;
        if compat == Compat::Iclr2024 {
            found.mean = found.raw_mean;
            found.standard_deviation = found.raw_standard_deviation;
        }
        tau.push((n, found));
    }
    let state = planned.run.status()?.map_or(State::Unfinished, |status| status.state);
    Ok(Network {
        series: planned.series.clone(),
        name: planned.run.name(),
        seed: planned.run.spec().seed,
        metrics,
        state,
        provenance: planned.run.manifest().ok().flatten().map_or_else(unknown, |found| found.by),
        solved,
        tau,
        tau_net: Vec::new(),
        forgetting: None,
        damage: None,
        retrained: None,
    })
}

/// In place of a manifest that is lost or damaged: it decides nothing.
fn unknown() -> Provenance {
    let unknown = || "unknown".to_owned();
    Provenance { version: unknown(), commit: unknown(), device: unknown(), threads: 0 }
}

/// Every `every`-th solved N, and the last.
fn chosen(network: &Network, every: usize) -> Vec<usize> {
    let last = network.solved.len().saturating_sub(1);
    let solved = network.solved.iter().enumerate();
    solved.filter(|(k, _)| k % every.max(1) == 0 || *k == last).map(|(_, n)| *n).collect()
}

fn tau_net(
    preset: &Preset,
    run: &Run,
    n: usize,
    stop: &AtomicBool,
) -> Result<TauNetSummary, Error> {
    let settings = &preset.tau_net;
    let mut found = cached(run, &named("tau_net", n, preset.compat), settings, || {
        let fits = tau_nets(run, n, settings, preset.compat, stop)?;
        let good = |fit: &&tau_analysis::TauNet| fit.quality == Quality::Good;
        let trusted: Vec<f64> = fits.units.iter().filter(good).map(|fit| fit.tau).collect();
        let published: Vec<f64> =
            fits.units.iter().map(|fit| fit.tau).filter(|tau| *tau > 1.0).collect();
        let over = |values: &[f64]| (!values.is_empty()).then(|| moments(values)).unzip();
        let (mean, standard_deviation) = over(&trusted);
        let (published_mean, published_standard_deviation) = over(&published);
        Ok(TauNetSummary {
            n,
            good: trusted.len(),
            mean,
            standard_deviation,
            published_mean,
            published_standard_deviation,
            population: Some(&fits.population).filter(good).map(|fit| fit.tau),
        })
    })?;
    if preset.compat == Compat::Iclr2024 {
        found.mean = found.published_mean;
        found.standard_deviation = found.published_standard_deviation;
    }
    Ok(found)
}

fn forgetting(
    preset: &Preset,
    run: &Run,
    n_max: usize,
    stop: &AtomicBool,
) -> Result<Forgetting, Error> {
    let settings = &preset.forgetting;
    cached(run, &named("forgetting", n_max, Compat::Clean), settings, || {
        let spec = run.spec();
        let memory: Vec<usize> = (2..=n_max).collect();
        let probe = Probe {
            updates: settings.updates,
            batch_size: spec.batch_size,
            test_batches: settings.test_batches,
            initial_state: spec.initial_state,
            optimiser: spec.optimiser,
            seed: spec.seed,
        };
        let task =
            spec.task.with_coding(&memory, spec.coding).map_err(tau_curricula::Error::from)?;
        let accuracy = probe.accuracy(&mut *backend(run, n_max)?, &*task, stop)?;
        Ok(Forgetting { n_max, accuracy: memory.into_iter().zip(accuracy).collect() })
    })
}

/// Each larger N is kept for itself: at 500 neurons it takes minutes.
fn retrained(
    settings: &RetrainingSettings,
    run: &Run,
    n: usize,
    stop: &AtomicBool,
    done: &(dyn Fn(&str) + Sync),
) -> Result<Retrained, Error> {
    let train = |on: usize, epochs: usize| {
        let found = cached(run, &format!("retraining_N{n:03}_N{on:03}"), &epochs, || {
            retrain(run, n, on, epochs, stop)
        })?;
        done(&format!("{}: trained further from N = {n} on N = {on}", run.name()));
        Ok::<_, Error>(found)
    };
    let accuracy = train(n, 0)?.first().copied().unwrap_or(0.5);
    let mut on = Vec::new();
    for more in &settings.more {
        on.push(RetrainedOn { n: n + more, accuracy: train(n + more, settings.epochs)? });
    }
    Ok(Retrained { n, accuracy, on })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(series: &str, state: State, solved: &[usize]) -> Network {
        let tau = |&n: &usize| (n, TauStatistics::new([1.5f64, 2.0]).unwrap());
        Network {
            series: series.to_owned(),
            name: String::new(),
            seed: 0,
            metrics: Vec::new(),
            state,
            provenance: Provenance::default(),
            solved: solved.to_vec(),
            tau: solved.iter().map(tau).collect(),
            tau_net: Vec::new(),
            forgetting: None,
            damage: None,
            retrained: None,
        }
    }

    #[test]
    fn networks_are_compared_at_the_n_that_all_of_them_kept() {
        let (ended, diverged) = (State::OutOfEpochs, State::Diverged);
        let networks = [
            network("single-head", ended, &[2, 3, 4, 5]),
            network("multi-head", State::Finished, &[2, 3, 4, 5, 6]),
            network("multi-head", diverged, &[2]),
            network("sliding", ended, &[5, 7, 9]),
        ];
        assert_eq!(common_n(&networks), [2, 3, 4, 5]);
        assert!(common_n(&[network("single-head", ended, &[])]).is_empty());
        assert!(common_n(&[network("sliding", ended, &[5])]).is_empty());
    }
}
