//! The rows of a portrait: docs/files.md describes their columns for those who read the tables.

use serde::{Deserialize, Serialize};

use crate::tau_statistics::moments;
use crate::{Quality, TauStatistics};

/// One neuron of a network. `None`: not measured, or there is no such number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeuronRow {
    /// The name of the network's state: `N005`, `epoch-020`, `final`.
    pub milestone: String,
    /// The N that the network had solved; `None` for a state that solved none.
    pub n: Option<usize>,
    /// Number of the neuron, from 0.
    pub neuron: usize,
    /// The trained parameter, in steps; `None` of a gated network.
    pub tau_raw: Option<f64>,
    /// What acts, max(τ_raw, 1), in steps; `None` of a gated network.
    pub tau_eff: Option<f64>,
    /// Decay time of the activity's autocorrelation, in steps; `None` for a neuron without one.
    pub tau_net: Option<f64>,
    /// Lower end of its 95 % interval by resampling trials, in steps; five trials or more.
    pub tau_net_low: Option<f64>,
    /// Upper end of that interval, in steps.
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
    /// What is lost without the neuron. Classes: 1 − relative accuracy of the newest head, 0 for nothing
    /// and 1 for chance. Values: relative loss − 1, 0 for nothing and 1 for twice the loss.
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
    /// Loading on the second component.
    pub pca_2: Option<f64>,
    /// Loading on the third component.
    pub pca_3: Option<f64>,
    /// Steps of each trial that were simulated.
    pub steps: Option<usize>,
    /// Trials that were simulated.
    pub trials: Option<usize>,
}

/// One network. Means and standard deviations (divided by n) over neurons, in steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkRow {
    /// The name of the network's state: `N005`, `epoch-020`, `final`.
    pub milestone: String,
    /// The N that the network had solved; `None` for a state that solved none.
    pub n: Option<usize>,
    /// Accuracy of the newest head on the test batches of the state's epoch; `None` for values.
    pub accuracy: Option<f64>,
    /// Loss of the newest head on the same batches: nats for classes, squared error for values.
    pub loss: Option<f64>,
    /// Mean of τ_eff; `None` of a gated network.
    pub tau_mean: Option<f64>,
    /// Standard deviation of τ_eff.
    pub tau_sd: Option<f64>,
    /// Mean of the trustworthy τ_net.
    pub tau_net_mean: Option<f64>,
    /// Standard deviation of the trustworthy τ_net.
    pub tau_net_sd: Option<f64>,
    /// Number of trustworthy τ_net.
    pub trustworthy: Option<usize>,
    /// Number of neurons.
    pub neurons: usize,
    /// Share of neurons with τ_raw < 1, whose τ acts as 1 and has no gradient.
    pub tau_clamped_share: Option<f64>,
    /// τ_net of the summed activity, in steps; only if it is `Good`.
    pub tau_net_population: Option<f64>,
    /// Accuracy, or loss, of the whole network where neurons are taken out.
    pub ablation_baseline: Option<f64>,
    /// Principal components that explain 90 % of the variance of activity.
    pub dimensionality: Option<usize>,
    /// Participation ratio (Σλ)²/Σλ² of the variances along the components.
    pub participation_ratio: Option<f64>,
    /// Largest modulus of an eigenvalue of the linearised step.
    pub spectral_radius: Option<f64>,
    /// Largest Lyapunov exponent, per step; −∞ for a direction that is lost.
    pub lyapunov_1: Option<f64>,
    /// Standard error of the largest exponent.
    pub lyapunov_1_error: Option<f64>,
    /// The second largest exponent.
    pub lyapunov_2: Option<f64>,
    /// The third largest exponent.
    pub lyapunov_3: Option<f64>,
}

/// One eigenvalue of the linearised step of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeRow {
    /// The name of the network's state: `N005`, `epoch-020`, `final`.
    pub milestone: String,
    /// The N that the network had solved; `None` for a state that solved none.
    pub n: Option<usize>,
    /// Place of the eigenvalue, from 0, largest modulus first.
    pub index: usize,
    /// Real part of the eigenvalue.
    pub real: f64,
    /// Imaginary part of the eigenvalue.
    pub imaginary: f64,
    /// Modulus of the eigenvalue.
    pub modulus: f64,
    /// −1/ln(modulus), in steps; `None` for a mode that does not decay.
    pub timescale: Option<f64>,
}

/// What is known of one network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portrait {
    /// One row per neuron, in their order.
    pub neurons: Vec<NeuronRow>,
    /// The row of the network itself.
    pub network: NetworkRow,
    /// One row per eigenvalue, largest modulus first; none of a gated network.
    pub modes: Vec<ModeRow>,
}

impl Portrait {
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
        let (accuracy, loss) = (self.network.accuracy, self.network.loss);
        let kept = if same { before.network } else { new };
        self.network = NetworkRow { accuracy, loss, ..kept };
    }

    /// Fills in what follows from the rows of the neurons.
    pub fn summarise(&mut self) {
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
    }
}
