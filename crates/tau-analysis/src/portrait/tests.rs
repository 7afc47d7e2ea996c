//! Networks whose every column can be worked out by hand.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use ndarray::{Array1, Array2, array};
use tau_random::{Coding, Key, Purpose};
use tau_rnn::{Activation, Config, Leaky, Params, Placement, Readout, thread_pool};
use tau_tasks::{Parity, TaskSpec};

use super::*;
use crate::Quality;
use crate::test_networks::on_cpu;

const ALL: [Part; 3] = [Part::Timescales, Part::Ablation, Part::Dynamics];

/// A network that had solved this N of parity, whose newest head is asked.
struct Network {
    n: usize,
    config: Config,
    params: Params<f32>,
    how: PortraitConfig,
    coding: Coding,
}

impl Network {
    fn measure(
        &self,
        how: &PortraitConfig,
        before: Option<Portrait>,
        stop: bool,
        told: &Told<'_>,
    ) -> Result<Portrait, Error> {
        let task = TaskSpec::Parity(Parity { n: vec![self.n], coding: self.coding });
        let subject = Subject {
            config: &self.config,
            params: &self.params,
            task: &*task.build().unwrap(),
            heads: &[self.params.readouts.len() - 1],
            make: &on_cpu,
        };
        let milestone = format!("N{:03}", self.n);
        let state = State { milestone, n: Some(self.n), ..State::default() };
        how.measure(&subject, &state, before, &AtomicBool::new(stop), told)
    }
}

/// Neuron 0 is driven by the input and keeps 9/19 of it, so that it is above 1/2 exactly if the last bit
/// was 1; the head reads that. Neuron 1 is silent, with a weight onto neuron 0.
fn two_neurons() -> Network {
    let leaky =
        Leaky { placement: Placement::Drive, activation: Activation::Relu, ..Leaky::DEFAULT };
    let config = Config::new(leaky, 2, 1);
    let params = Params {
        tau: array![1.9, 0.5],
        w_rec: array![[0.0, -2.0], [0.0, 0.0]],
        b_rec: Array1::zeros(2),
        w_in: array![[1.0], [0.0]],
        b_in: Array1::zeros(2),
        readouts: vec![
            Readout {
                weight: array![[3.0, 0.0], [4.0, 0.0]],
                bias: Array1::zeros(2),
                frozen: false,
            },
            Readout {
                weight: array![[0.0, 2.0], [1.0, 2.0]],
                bias: array![0.5, 0.0],
                frozen: false,
            },
        ],
    };
    let how = PortraitConfig {
        steps: 4000,
        burn_in: 100,
        trials: 6,
        initial_state: 0.1,
        seed: 3,
        parts: ALL.to_vec(),
        bias_check: false,
    };
    Network { n: 1, config, params, how, coding: Coding::Bits }
}

fn measured(network: &Network, how: &PortraitConfig, before: Option<Portrait>) -> Portrait {
    network.measure(how, before, false, &|_, _, _| ()).unwrap()
}

/// The settings of the network, for these parts alone.
fn only(network: &Network, parts: &[Part]) -> PortraitConfig {
    PortraitConfig { parts: parts.to_vec(), ..network.how.clone() }
}

fn near(found: Option<f64>, expected: f64, error: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() <= error, "{found}, expected {expected}");
}

#[test]
fn every_column_of_two_neurons_is_that_worked_by_hand() {
    let network = two_neurons();
    let how = PortraitConfig { bias_check: true, ..network.how.clone() };
    let found = measured(&network, &how, None);
    let [driven, silent] = &found.neurons[..] else { panic!("{found:?}") };
    assert_eq!((&*driven.milestone, driven.n), ("N001", Some(1)));
    assert_eq!((driven.neuron, silent.neuron), (0, 1));
    near(driven.tau_raw, 1.9, 1e-6);
    assert_eq!((silent.tau_raw, silent.tau_eff), (Some(0.5), Some(1.0)));
    // Norms; the second column of both heads is (0, 0) and (2, 2).
    assert_eq!((driven.w_in_norm, silent.w_in_norm), (Some(1.0), Some(0.0)));
    assert_eq!((driven.w_rec_in_norm, silent.w_rec_in_norm), (Some(2.0), Some(0.0)));
    assert_eq!((driven.w_rec_out_norm, silent.w_rec_out_norm), (Some(0.0), Some(2.0)));
    near(driven.w_out_norm, 26f64.sqrt(), 1e-12);
    near(silent.w_out_norm, 8f64.sqrt(), 1e-12);
    // An AR(1) process; four standard errors of 24 000 steps, for what is fitted three of them more.
    let tau = -1.0 / (9.0f64 / 19.0).ln();
    let error = 4.0 * tau * (2.0 * tau / 24_000.0).sqrt();
    near(driven.tau_ou, tau, error);
    near(driven.tau_integrated, tau, 2.0 * error);
    near(driven.tau_net, tau, 2.0 * error);
    assert_eq!(driven.quality, Some(Quality::Good));
    let (low, high) = driven.tau_net_low.zip(driven.tau_net_high).unwrap();
    let inside = low < driven.tau_net.unwrap() && driven.tau_net.unwrap() < high;
    assert!(inside && low < tau && tau < high && high - low < 1.0, "{low} to {high}");
    near(driven.tau_net_bias, 0.0, 0.1);
    assert_eq!(silent.quality, Some(Quality::Dead));
    let nothing = [silent.tau_net, silent.tau_net_low, silent.tau_ou, silent.tau_integrated];
    assert_eq!((nothing, silent.tau_net_bias), ([None; 4], None));
    // Without the driven one the head always says the same: chance, to four standard errors.
    near(driven.ablation_effect, 1.0, 0.04);
    assert_eq!(silent.ablation_effect, Some(0.0));
    // One direction.
    let loadings = |row: &NeuronRow| [row.pca_1, row.pca_2, row.pca_3];
    assert_eq!(loadings(driven), [Some(1.0), Some(0.0), None]);
    assert_eq!(loadings(silent), [Some(0.0), Some(1.0), None]);
    assert_eq!((driven.steps, driven.trials), (Some(4000), Some(6)));
    let network = &found.network;
    assert_eq!((network.dimensionality, network.neurons), (Some(1), 2));
    near(network.participation_ratio, 1.0, 1e-12);
    near(network.tau_clamped_share, 0.5, 0.0);
    near(network.tau_mean, 1.45, 1e-6);
    // The sum over units is the driven one.
    assert_eq!(network.tau_net_population, driven.tau_net);
    assert_eq!((network.trustworthy, network.tau_net_mean), (Some(1), driven.tau_net));
    assert_eq!((network.ablation_baseline, network.accuracy), (Some(1.0), None));
    // The step is ((9/19, −2/1.9), (0, 0)).
    near(network.spectral_radius, 9.0 / 19.0, 1e-7);
    near(found.modes[0].timescale, tau, 1e-6);
    assert_eq!((found.modes[1].modulus, found.modes[1].timescale), (0.0, Some(0.0)));
    assert_eq!((found.modes[1].n, found.modes[1].index, found.modes.len()), (Some(1), 1, 2));
    near(network.lyapunov_1, (9.0f64 / 19.0).ln(), 1e-7);
    near(network.lyapunov_1_error, 0.0, 1e-9);
    assert_eq!((network.lyapunov_2, network.lyapunov_3), (Some(f64::NEG_INFINITY), None));
}

#[test]
fn threads_change_nothing_and_every_neuron_is_told() {
    let network = two_neurons();
    let expected = measured(&network, &network.how, None);
    let calls = Mutex::new(Vec::new());
    let told = |what, done, of| calls.lock().unwrap().push((what, done, of));
    let pool = thread_pool(Some(3)).unwrap();
    let found = pool.install(|| network.measure(&network.how, None, false, &told)).unwrap();
    assert_eq!(found, expected);
    let seen = calls.lock().unwrap().clone();
    assert_eq!((seen.len(), seen[0]), (6, ("resampled", 0, 2)));
    let stopped = network.measure(&network.how, None, true, &told);
    assert!(matches!(stopped, Err(Error::Stopped)));
}

#[test]
fn parts_that_are_not_measured_stay_unless_the_simulation_is_another() {
    let network = two_neurons();
    let whole = measured(&network, &network.how, None);
    let one_by_one = ALL
        .iter()
        .fold(None, |before, &part| Some(measured(&network, &only(&network, &[part]), before)));
    assert_eq!(one_by_one.as_ref(), Some(&whole));
    let longer = PortraitConfig { steps: 5000, ..only(&network, &[Part::Timescales]) };
    let found = measured(&network, &longer, Some(whole.clone()));
    let kept = |found: &Portrait| {
        let radius = found.network.spectral_radius;
        (found.neurons[0].ablation_effect, found.network.ablation_baseline, radius)
    };
    assert_eq!((kept(&found), &found.modes), (kept(&whole), &whole.modes));
    assert_eq!((found.neurons[0].pca_1, found.network.lyapunov_1), (None, None));
    assert_eq!(found.neurons[0].steps, Some(5000));
    // Few trials: everything but the interval.
    let how = PortraitConfig { trials: 4, ..only(&network, &[Part::Timescales]) };
    let few = measured(&network, &how, None);
    let row = &few.neurons[0];
    assert!(row.tau_net.is_some() && row.tau_ou.is_some() && row.tau_net_low.is_none());
    assert_eq!((row.ablation_effect, few.network.spectral_radius), (None, None));
}

#[test]
fn a_gated_network_has_no_tau_and_no_linear_step() {
    let config = Config::gru(5, 1);
    let mut random = Key::new(9, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(&config, &mut random).unwrap();
    params.readouts.push(Readout::init(&config, 2, &mut random));
    params.w_in = Array2::ones((15, 1));
    let how = PortraitConfig { initial_state: 0.0, seed: 1, ..two_neurons().how };
    let gated = Network { n: 2, config, params, how, coding: Coding::Signs };
    let found = measured(&gated, &gated.how, None);
    for row in &found.neurons {
        assert_eq!((row.tau_raw, row.tau_eff), (None, None));
        // One weight for each gate.
        near(row.w_in_norm, 3f64.sqrt(), 1e-12);
        assert!(row.quality.is_some() && row.pca_3.is_some() && row.w_rec_in_norm > Some(0.0));
    }
    let network = &found.network;
    assert_eq!((network.tau_clamped_share, network.spectral_radius), (None, None));
    assert_eq!((network.lyapunov_1, found.modes.len()), (None, 0));
    assert!(network.ablation_baseline.is_some() && network.dimensionality.is_some());
}
