//! Training in continuous time: every update at each of several time steps.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::ops::ControlFlow;

use tau_curricula::{
    Curriculum, EpochReport, Error, Observer, Outcome, Position, Trainer, TrainingSpec,
};
use tau_rnn::{Backend, Cpu, Momentum, Optimiser, Params, Readout, Rule, thread_pool};
use tau_tasks::TaskKind;

fn spec() -> TrainingSpec {
    TrainingSpec {
        n_end: 2,
        max_epochs: 20,
        updates_per_epoch: 300,
        batch_size: 64,
        test_batches: 5,
        ..TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 24, 1)
    }
    .in_continuous_time(&[2, 3])
}

fn trainer(spec: &TrainingSpec) -> Trainer<f32> {
    let params = spec.initial_params::<f32>().unwrap();
    let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(1)).unwrap()).unwrap();
    Trainer::new(spec.clone(), Box::new(network)).unwrap()
}

#[derive(Default)]
struct Reports(Vec<EpochReport>);

impl Observer<f32> for Reports {
    fn epoch_ended(&mut self, report: &EpochReport, _: &Trainer<f32>) -> ControlFlow<()> {
        self.0.push(report.clone());
        ControlFlow::Continue(())
    }
}

#[test]
fn a_network_in_continuous_time_learns_parity() {
    let mut spec = spec();
    spec.optimiser = Optimiser {
        rule: Rule::Adam {
            learning_rate: 5e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
        },
        ..Optimiser::paper()
    };
    let mut trainer = trainer(&spec);
    let mut reports = Reports::default();
    let outcome = trainer.run(&mut reports).unwrap();
    assert_eq!(outcome, Outcome::Finished, "{:?}", reports.0.last());
    assert_eq!(trainer.position().solved_n, 2);
}

/// Stops after so many updates.
struct Stop {
    left: usize,
    settled: Option<Position>,
}

impl Observer<f32> for Stop {
    fn updated(&mut self, trainer: &mut Trainer<f32>) -> ControlFlow<()> {
        self.left -= 1;
        if self.left > 0 {
            return ControlFlow::Continue(());
        }
        self.settled = Some(trainer.settle().unwrap().clone());
        ControlFlow::Break(())
    }
}

fn state(trainer: &Trainer<f32>) -> (Params<f32>, Momentum<f32>) {
    (trainer.backend().params().unwrap(), trainer.backend().momentum().unwrap())
}

/// One update is a batch at every k; where it stopped it goes on, with the same bits.
#[test]
fn a_training_that_was_stopped_goes_on_with_the_same_bits() {
    let spec = TrainingSpec { updates_per_epoch: 7, max_epochs: 3, ..spec() };
    let mut whole = trainer(&spec);
    let mut reports = Reports::default();
    whole.run(&mut reports).unwrap();
    // In mid-epoch, after the last update of an epoch, between its tests.
    for updates in [1, 5, 7, 12, 18] {
        let mut first = trainer(&spec);
        let mut stop = Stop { left: updates, settled: None };
        assert_eq!(first.run(&mut stop).unwrap(), Outcome::Stopped);
        let position = stop.settled.unwrap();
        assert_eq!(position.losses.count as usize, 2 * position.update);
        let (params, momentum) = state(&first);
        let pool = thread_pool(Some(2)).unwrap();
        let mut network = Cpu::new(spec.network.clone(), params, pool).unwrap();
        network.set_momentum(momentum).unwrap();
        let mut second = Trainer::resume(spec.clone(), Box::new(network), position).unwrap();
        let mut rest = Reports::default();
        second.run(&mut rest).unwrap();
        assert_eq!(state(&second), state(&whole), "stopped after {updates}");
        assert_eq!(rest.0.last(), reports.0.last(), "stopped after {updates}");
    }
}

/// Trained at one k it is another network than at two, and the order of the k matters.
#[test]
fn every_k_has_its_own_batch() {
    let spec = TrainingSpec { updates_per_epoch: 2, max_epochs: 1, ..spec() };
    let trained = |steps: &[u32]| {
        let spec = TrainingSpec { steps_per_unit: steps.to_vec(), ..spec.clone() };
        let mut trainer = trainer(&spec);
        trainer.run(&mut ()).unwrap();
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
    let error = trainer.run(&mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, update: 1, total: 1, .. }), "{error}");
    let autopsy = trainer.autopsy(&error).unwrap().unwrap();
    assert_eq!((autopsy.epoch, autopsy.update, autopsy.loss), (1, 1, None));
    assert_eq!(trainer.backend().config().placement.steps_per_unit(), 2);
}
