//! The rows of the tables: docs/files.md describes their columns for those who read them.

use serde::{Deserialize, Serialize};
use tau_analysis::tau_statistics::moments;
use tau_analysis::{Quality, TauStatistics};
use tau_runs::MetricsRow;

/// One neuron of the network that had solved N. `None`: not measured, or there is no such number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeuronRow {
    /// The N.
    pub n: usize,
    /// Counted from 0.
    pub neuron: usize,
    /// The trained parameter, in steps; `None` of a gated network.
    pub tau_raw: Option<f64>,
    /// What acts, max(τ_raw, 1), in steps; `None` of a gated network.
    pub tau_eff: Option<f64>,
    /// Decay time of the activity's autocorrelation, in steps; `None` for a neuron without one.
    pub tau_net: Option<f64>,
    /// Lower end of its 95 % interval by resampling trials, in steps; five trials or more.
    pub tau_net_low: Option<f64>,
    /// Upper end, in steps.
    pub tau_net_high: Option<f64>,
    /// Standard error of `tau_net` by Bartlett's formula, in steps.
    pub tau_net_error: Option<f64>,
    /// Whether `tau_net` measures a timescale.
    pub quality: Option<Quality>,
    /// One timescale by maximum likelihood, corrected for its bias, in steps; only if it is `Good`.
    pub tau_ou: Option<f64>,
    /// τ of the integrated autocorrelation time, in steps; only if it is `Good`.
    pub tau_integrated: Option<f64>,
    /// (median of τ_net fitted to recordings simulated from its fit − τ_net) / τ_net.
    pub tau_net_bias: Option<f64>,
    /// 1 − relative accuracy of the newest head without the neuron: 0 nothing lost, 1 chance.
    pub ablation_effect: Option<f64>,
    /// Norm of its input weights, of all gates.
    pub w_in_norm: Option<f64>,
    /// Norm of its row of W, of all gates: weights onto it.
    pub w_rec_in_norm: Option<f64>,
    /// Norm of its column of W, of all gates: weights from it.
    pub w_rec_out_norm: Option<f64>,
    /// Norm of its columns in all heads.
    pub w_out_norm: Option<f64>,
    /// Loading on the first principal component of activity.
    pub pca_1: Option<f64>,
    /// On the second.
    pub pca_2: Option<f64>,
    /// On the third.
    pub pca_3: Option<f64>,
    /// Steps of each trial that were simulated.
    pub steps: Option<usize>,
    /// Trials.
    pub trials: Option<usize>,
}

/// One network. Means and standard deviations (divided by n) over neurons, in steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkRow {
    /// The N that it had solved.
    pub n: usize,
    /// Of the newest head, in the epoch that solved it.
    pub accuracy: Option<f64>,
    /// Of τ_eff; `None` of a gated network.
    pub tau_mean: Option<f64>,
    /// Of τ_eff.
    pub tau_sd: Option<f64>,
    /// Of the trustworthy τ_net.
    pub tau_net_mean: Option<f64>,
    /// Of the trustworthy τ_net.
    pub tau_net_sd: Option<f64>,
    /// Number of trustworthy τ_net.
    pub trustworthy: Option<usize>,
    /// Neurons.
    pub neurons: usize,
    /// Share of neurons with τ_raw < 1, whose τ acts as 1 and has no gradient.
    pub tau_clamped_share: Option<f64>,
    /// τ_net of the summed activity, in steps; only if it is `Good`.
    pub tau_net_population: Option<f64>,
    /// Accuracy of the whole network where neurons are taken out.
    pub ablation_baseline: Option<f64>,
    /// Principal components that explain 90 % of the variance of activity.
    pub dimensionality: Option<usize>,
    /// (Σλ)²/Σλ² of the same eigenvalues.
    pub participation_ratio: Option<f64>,
    /// Largest modulus of an eigenvalue of the linearised step.
    pub spectral_radius: Option<f64>,
    /// Largest Lyapunov exponent, per step; −∞ for a direction that is lost.
    pub lyapunov_1: Option<f64>,
    /// Its standard error.
    pub lyapunov_1_error: Option<f64>,
    /// The second.
    pub lyapunov_2: Option<f64>,
    /// The third.
    pub lyapunov_3: Option<f64>,
}

/// One eigenvalue of the linearised step of the network that had solved N.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeRow {
    /// The N.
    pub n: usize,
    /// Counted from 0, largest modulus first.
    pub index: usize,
    /// Real part.
    pub real: f64,
    /// Imaginary part.
    pub imaginary: f64,
    /// Modulus.
    pub modulus: f64,
    /// −1/ln(modulus), in steps; `None` for a mode that does not decay.
    pub timescale: Option<f64>,
}

/// What is known of one network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// In the order of the neurons.
    pub neurons: Vec<NeuronRow>,
    /// The network itself.
    pub network: NetworkRow,
    /// Largest modulus first; empty of a gated network.
    pub modes: Vec<ModeRow>,
}

impl Measured {
    /// Takes what was measured before; with `simulation`, the steps and trials of one that is about to
    /// be made, nothing that comes from one of other length.
    pub(super) fn take_over(&mut self, before: Self, simulation: Option<(usize, usize)>) {
        self.modes = before.modes;
        let of = |row: &NeuronRow| row.steps.zip(row.trials);
        let same =
            simulation.is_none_or(|new| before.neurons.iter().all(|row| of(row) == Some(new)));
        for (row, before) in self.neurons.iter_mut().zip(before.neurons) {
            *row = NeuronRow {
                tau_raw: row.tau_raw,
                tau_eff: row.tau_eff,
                w_in_norm: row.w_in_norm,
                w_rec_in_norm: row.w_rec_in_norm,
                w_rec_out_norm: row.w_rec_out_norm,
                w_out_norm: row.w_out_norm,
                ablation_effect: before.ablation_effect,
                ..if same { before } else { row.clone() }
            };
        }
        let new = NetworkRow {
            ablation_baseline: before.network.ablation_baseline,
            spectral_radius: before.network.spectral_radius,
            ..self.network.clone()
        };
        self.network = if same { before.network } else { new };
    }

    /// What follows from the rows of the neurons and from the training.
    pub fn summarise(&mut self, metrics: &[MetricsRow]) {
        let rows = &self.neurons;
        let over = |values: &[f64]| (!values.is_empty()).then(|| moments(values));
        let raw: Vec<f64> = rows.iter().filter_map(|row| row.tau_raw).collect();
        let tau = TauStatistics::new(raw).ok();
        let good = rows.iter().filter(|row| row.quality == Some(Quality::Good));
        let tau_net: Vec<f64> = good.filter_map(|row| row.tau_net).collect();
        let network = &mut self.network;
        network.neurons = rows.len();
        network.tau_mean = tau.map(|tau| tau.mean);
        network.tau_sd = tau.map(|tau| tau.standard_deviation);
        network.tau_clamped_share = tau.map(|tau| tau.clamped_share);
        (network.tau_net_mean, network.tau_net_sd) = over(&tau_net).unzip();
        network.trustworthy = rows.iter().any(|row| row.quality.is_some()).then_some(tau_net.len());
        let solved = metrics.iter().find(|row| row.n == network.n && row.solves());
        network.accuracy = solved.map(|row| row.accuracy);
    }
}
