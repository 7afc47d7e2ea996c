//! Training in continuous time: every update at each of several time steps.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use common::{multi_head, resumed, state, trainer};
use tau_rnn::{Config, Cpu, Optimiser, Readout, Rule, thread_pool};
use tau_training::{Data, EpochReport, Error, Outcome, Step, Trainer, TrainingSpec};

fn spec() -> TrainingSpec {
    let optimiser = Optimiser::nesterov();
    TrainingSpec { optimiser, ..multi_head(Config::leaky(24, 1), 2).in_continuous_time(&[2, 3]) }
}

/// A training of so many epochs of so few updates.
fn short(updates_per_epoch: usize, max_epochs: usize) -> TrainingSpec {
    let data = Data::Fresh { updates_per_epoch, test_batches: 5 };
    TrainingSpec { data, max_epochs, ..spec() }
}

fn last_report(trainer: &mut Trainer<f32>) -> Option<EpochReport> {
    let mut last = None;
    trainer
        .run(|step| {
            if let Step::EpochEnded(report) = step {
                last = Some(report.clone());
            }
        })
        .unwrap();
    last
}

#[test]
fn a_network_in_continuous_time_learns_parity() {
    let mut spec = spec();
    spec.optimiser = Optimiser::adam();
    if let Rule::Adam { learning_rate, .. } = &mut spec.optimiser.rule {
        *learning_rate = 5e-3;
    }
    let mut trainer = trainer(&spec);
    assert_eq!(trainer.run(|_| {}).unwrap(), Outcome::Finished);
    assert_eq!(trainer.position().reached.as_deref(), Some("N002"));
}

/// One update is a batch at every k; where it stopped it goes on, with the same bits.
#[test]
fn a_training_that_was_stopped_goes_on_with_the_same_bits() {
    let spec = short(7, 3);
    let mut whole = trainer(&spec);
    let report = last_report(&mut whole);
    // In mid-epoch, after the last update of an epoch, between its tests.
    for steps in [1, 5, 7, 12, 18] {
        let mut first = trainer(&spec);
        for _ in 0..steps {
            first.step().unwrap();
        }
        let position = first.settle().unwrap();
        assert_eq!(position.losses.count as usize, 2 * position.update);
        let mut second = resumed(&mut first);
        assert_eq!(last_report(&mut second), report, "stopped after {steps}");
        assert_eq!(state(&second), state(&whole), "stopped after {steps}");
    }
}

/// A training at one k gives a network that differs from that of two, and the order of the k matters.
#[test]
fn every_k_has_its_own_batch() {
    let spec = short(2, 1);
    let trained = |steps: &[u32]| {
        let spec = TrainingSpec { steps_per_unit: steps.to_vec(), ..spec.clone() };
        let mut trainer = trainer(&spec);
        trainer.run(|_| {}).unwrap();
        state(&trainer).0
    };
    let own = trained(&[]);
    assert_eq!(trained(&[3]), own);
    assert_ne!(trained(&[2, 3]), own);
    assert_ne!(trained(&[2, 3]), trained(&[3, 2]));
}

/// The autopsy looks at the batch that did it, at its k: here the first, since the head is spoiled.
#[test]
fn a_divergence_is_located_and_looked_at() {
    let spec = spec();
    let mut params = spec.initial_params::<f32>().unwrap();
    let weight = ndarray::Array2::from_elem((2, 24), f32::MAX);
    let bias = ndarray::array![f32::MAX, -f32::MAX];
    params.readouts.push(Readout { weight, bias, frozen: false });
    let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(1)).unwrap());
    let mut trainer = Trainer::new(spec, Box::new(network.unwrap())).unwrap();
    let error = trainer.run(|_| {}).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, update: 1, total: 1, .. }), "{error}");
    let autopsy = trainer.autopsy(&error).unwrap().unwrap();
    assert_eq!((autopsy.epoch, autopsy.update, autopsy.loss), (1, 1, None));
    assert_eq!(trainer.backend().config().steps_per_unit(), 2);
}
