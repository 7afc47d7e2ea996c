//! Gated networks go through a curriculum as the others do.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use common::{multi_head, trainer};
use tau_random::Coding;
use tau_rnn::{Config, Cpu, Optimiser, Readout, Rule, thread_pool};
use tau_tasks::{Parity, TaskSpec};
use tau_training::{Error, Outcome, Trainer, TrainingSpec};

fn small(network: Config) -> TrainingSpec {
    let mut optimiser = Optimiser::adam();
    if let Rule::Adam { learning_rate, .. } = &mut optimiser.rule {
        // So small a network can be taught faster.
        *learning_rate = 1e-2;
    }
    let task = TaskSpec::Parity(Parity { n: Vec::new(), coding: Coding::Signs });
    TrainingSpec { task, optimiser, ..multi_head(network, 3) }
}

#[test]
fn gated_networks_learn_parity() {
    for network in [Config::lstm(24, 1), Config::gru(24, 1)] {
        let mut trainer = trainer(&small(network));
        assert_eq!(trainer.run(|_| {}).unwrap(), Outcome::Finished);
        assert_eq!(trainer.position().reached.as_deref(), Some("N003"));
    }
}

/// Heads so large that the loss overflows: the autopsy has no τ to tell about.
#[test]
fn an_autopsy_of_a_gated_network_leaves_out_what_it_has_not() {
    for (network, gates) in [(Config::lstm(24, 1), 4_f64), (Config::gru(24, 1), 3.0)] {
        let spec = small(network);
        let mut params = spec.initial_params::<f32>().unwrap();
        let weight = ndarray::Array2::from_elem((2, 24), f32::MAX);
        let bias = ndarray::array![f32::MAX, -f32::MAX];
        params.readouts.push(Readout { weight, bias, frozen: false });
        let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(1)).unwrap());
        let mut trainer = Trainer::new(spec, Box::new(network.unwrap())).unwrap();
        let error = trainer.run(|_| {}).unwrap_err();
        assert!(matches!(error, Error::Diverged { epoch: 1, update: 1, .. }), "{error}");
        let autopsy = trainer.autopsy(&error).unwrap().unwrap();
        assert_eq!((autopsy.spectral_radius, autopsy.step_spectral_radius), (None, None));
        let worst = autopsy.worst_neuron.unwrap();
        assert_eq!(worst.tau, None);
        // Norms over all gates, of numbers below 1/√24.
        let bound = gates.sqrt();
        assert!(worst.input_norm.unwrap() < bound && worst.input_norm.unwrap() > 0.4 * bound);
        assert!(worst.largest_activity.unwrap() < 1.0);
    }
}
