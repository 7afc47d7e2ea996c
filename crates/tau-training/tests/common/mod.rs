//! Small trainings.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
#![allow(dead_code, reason = "every test uses some of it")]

use tau_curricula::{MultiHead, Schedule};
use tau_rnn::{Config, Cpu, Momentum, Params, thread_pool};
use tau_tasks::TaskSpec;
use tau_training::{Data, Stop, Trainer, TrainingSpec};

/// A multi-head training on parity up to this N.
pub(crate) fn multi_head(network: Config, n_end: usize) -> TrainingSpec {
    TrainingSpec {
        max_epochs: 20,
        data: Data::Fresh { updates_per_epoch: 300, test_batches: 5 },
        schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end }),
        stop: Some(Stop::AccuracyAbove(0.98)),
        network,
        ..TrainingSpec::plain(TaskSpec::parity(&[]), 1, 1).unwrap()
    }
}

pub(crate) fn trainer(spec: &TrainingSpec) -> Trainer<f32> {
    let params = spec.initial_params::<f32>().unwrap();
    let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(1)).unwrap()).unwrap();
    Trainer::new(spec.clone(), Box::new(network)).unwrap()
}

pub(crate) fn state(trainer: &Trainer<f32>) -> (Params<f32>, Momentum<f32>) {
    (trainer.backend().params().unwrap(), trainer.backend().momentum().unwrap())
}

/// A trainer that goes on where this one stands, on two threads.
pub(crate) fn resumed(trainer: &mut Trainer<f32>) -> Trainer<f32> {
    use tau_rnn::Backend;
    let position = trainer.settle().unwrap().clone();
    let (spec, (params, momentum)) = (trainer.spec().clone(), state(trainer));
    let pool = thread_pool(Some(2)).unwrap();
    let mut network = Cpu::new(spec.network.clone(), params, pool).unwrap();
    network.set_momentum(momentum).unwrap();
    Trainer::resume(spec, Box::new(network), position).unwrap()
}
