//! τ_net: timescales of the activity, by a fit to its autocorrelation (docs/papers/khajehabdollahi-2024.md §5).

use serde::{Deserialize, Serialize};
use tau_analysis::tau_statistics::moments;
use tau_analysis::{Drive, FitConfig, Quality, tau_net};
use tau_reproduce::{Compat, Error, Measurement, Network, Trained};

use super::trained::{Solved, backend, parity, task};
use crate::ICLR_2024;
use crate::progress::solved;

/// τ_net over the neurons of a network that is driven by random input, at some of its solved N.
pub(crate) enum TauNet {}

/// How τ_net is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Steps of each trial that are measured (10⁵ in the paper).
    steps: usize,
    /// Steps before those (500 in the paper).
    burn_in: usize,
    /// Trials (10 in the paper).
    trials: usize,
    /// Largest lag of the fit, in steps (30 in the paper).
    fit_lags: usize,
    /// Whose input drives the network.
    driven_by: Input,
    /// The neurons whose mean counts.
    mean_over: Neurons,
    /// Every how many N a network is measured, from the first on; the last N always is.
    #[serde(skip_serializing)]
    every: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Input {
    /// The input of the network's own task.
    OwnInput,
    /// The input of N-parity, for every task: as in the published code.
    ParityInput,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Neurons {
    /// Those whose τ_net is [`Quality::Good`].
    Good,
    /// Those with τ_net > 1: as in the published figures.
    AboveOne,
}

/// τ_net over the neurons of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Neurons whose τ_net is trustworthy ([`Quality::Good`]).
    pub(crate) good: usize,
    /// Mean over the neurons that count, in steps; `None` for none.
    pub(crate) mean: Option<f64>,
    /// Standard deviation over those, in steps.
    pub(crate) standard_deviation: Option<f64>,
    /// Mean over all neurons with τ_net > 1, as in the published figures, in steps.
    pub(crate) published_mean: Option<f64>,
    /// Standard deviation over the same neurons, in steps.
    pub(crate) published_standard_deviation: Option<f64>,
    /// τ_net of the summed activity, in steps, if trustworthy.
    pub(crate) population: Option<f64>,
}

impl Measurement for TauNet {
    const ID: &'static str = "tau-net";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = Solved;
    type Output = Summary;

    fn with_quirks(settings: Settings, compat: Compat) -> Settings {
        if !compat.has(&ICLR_2024) {
            return settings;
        }
        Settings { driven_by: Input::ParityInput, mean_over: Neurons::AboveOne, ..settings }
    }

    /// Every `every`-th solved N, and the last.
    fn sites(settings: &Settings, network: &Network, _: &[Network]) -> Vec<Solved> {
        let solved = solved(network);
        let last = solved.len().saturating_sub(1);
        let chosen = |k: usize| k.is_multiple_of(settings.every.max(1)) || k == last;
        let all = solved.into_iter().enumerate();
        all.filter(|(k, _)| chosen(*k)).map(|(_, n)| Solved(n)).collect()
    }

    fn run(
        settings: &Settings,
        at: &Solved,
        trained: &Trained<'_>,
    ) -> Result<Option<Summary>, Error> {
        let spec = trained.run.spec();
        let drive = Drive {
            steps: settings.steps,
            burn_in: settings.burn_in,
            trials: settings.trials,
            max_lag: settings.fit_lags,
            initial_state: spec.initial_state,
            seed: spec.seed,
        };
        let task = match settings.driven_by {
            Input::OwnInput => task(trained, &[at.n()])?,
            Input::ParityInput => parity(trained, &[at.n()])?,
        };
        let found = drive.autocorrelation(&mut *backend(trained, *at)?, &*task, trained.stop)?;
        let fits = tau_net(&found, &FitConfig { lags: settings.fit_lags })?;
        let good = |fit: &&tau_analysis::TauNet| fit.quality == Quality::Good;
        let trusted: Vec<f64> = fits.units.iter().filter(good).map(|fit| fit.tau).collect();
        let published: Vec<f64> =
            fits.units.iter().map(|fit| fit.tau).filter(|tau| *tau > 1.0).collect();
        let over = |values: &[f64]| (!values.is_empty()).then(|| moments(values)).unzip();
        let (mean, standard_deviation) = match settings.mean_over {
            Neurons::Good => over(&trusted),
            Neurons::AboveOne => over(&published),
        };
        let (published_mean, published_standard_deviation) = over(&published);
        Ok(Some(Summary {
            good: trusted.len(),
            mean,
            standard_deviation,
            published_mean,
            published_standard_deviation,
            population: Some(&fits.population).filter(good).map(|fit| fit.tau),
        }))
    }
}
