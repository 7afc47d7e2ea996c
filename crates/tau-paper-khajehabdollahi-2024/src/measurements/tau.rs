//! Mean and spread of τ over the neurons of a network, at every solved N.

use std::fmt;

use serde::{Deserialize, Serialize};
use tau_analysis::TauStatistics;
use tau_reproduce::{Compat, Error, Measurement, Network, Trained};

use super::trained::checkpoint;
use crate::ICLR_2024;
use crate::progress::solved;

/// Statistics of τ: (N, those when the network had just solved it) for each solved N. A gated network
/// has none.
pub(crate) enum Tau {}

/// How τ counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Which τ of a neuron.
    statistics_of: Statistic,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Statistic {
    /// What acts: max(τ_raw, 1).
    Effective,
    /// The trained parameter.
    Raw,
}

/// Mean and standard deviation (divided by n) over neurons, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) standard_deviation: f64,
}

/// All checkpoints up to the last one, which solved this N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpTo(pub(crate) usize);

impl fmt::Display for UpTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up-to-N{:03}", self.0)
    }
}

impl Measurement for Tau {
    const ID: &'static str = "tau";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = UpTo;
    type Output = Vec<(usize, Moments)>;

    fn with_quirks(settings: Settings, compat: Compat) -> Settings {
        if compat.has(&ICLR_2024) { Settings { statistics_of: Statistic::Raw } } else { settings }
    }

    fn sites(_: &Settings, network: &Network, _: &[Network]) -> Vec<UpTo> {
        solved(network).last().copied().map(UpTo).into_iter().collect()
    }

    fn run(
        settings: &Settings,
        _: &UpTo,
        trained: &Trained<'_>,
    ) -> Result<Option<Self::Output>, Error> {
        if trained.run.spec().network.leaky_cell().is_none() {
            return Ok(None);
        }
        let mut all = Vec::new();
        for n in solved(trained.network) {
            let checkpoint = checkpoint(trained, n)?;
            let found = TauStatistics::new(checkpoint.params.tau.iter().copied())?;
            let (mean, standard_deviation) = match settings.statistics_of {
                Statistic::Effective => (found.mean, found.standard_deviation),
                Statistic::Raw => (found.raw_mean, found.raw_standard_deviation),
            };
            all.push((n, Moments { mean, standard_deviation }));
        }
        Ok(Some(all))
    }
}
