//! Batches that the device draws are those of `tau-tasks`, bit by bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use emulator::Emulator;
use ndarray::{Array2, Array3, ArrayView3};
use tau_curricula::{Curriculum, Trainer, TrainingSpec};
use tau_rnn::cuda::Cuda;
use tau_rnn::{
    Backend, Batch, Cell, Config, Cpu, Error, Gradients, Losses, Momentum, Optimiser, Params,
    Readout, Scores, thread_pool,
};
use tau_tasks::{Coding, TaskKind};

/// A device that wants its batches handed over.
struct Handed(Cuda<f32, Emulator>);

impl Backend<f32> for Handed {
    fn config(&self) -> &Config {
        self.0.config()
    }
    fn params(&self) -> Result<Params<f32>, Error> {
        self.0.params()
    }
    fn update(&mut self, batch: &Batch<'_, f32>, optimiser: &Optimiser) -> Result<(), Error> {
        self.0.update(batch, optimiser)
    }
    fn losses(&mut self) -> Result<Losses, Error> {
        self.0.losses()
    }
    fn set_losses(&mut self, losses: Losses) -> Result<(), Error> {
        self.0.set_losses(losses)
    }
    fn gradients(&mut self, batch: &Batch<'_, f32>) -> Result<(Scores, Gradients<f32>), Error> {
        self.0.gradients(batch)
    }
    fn evaluate(&mut self, batch: &Batch<'_, f32>) -> Result<Scores, Error> {
        self.0.evaluate(batch)
    }
    fn advance(
        &mut self,
        state: &mut Array2<f32>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut Array3<f32>,
    ) -> Result<(), Error> {
        self.0.advance(state, inputs, activity)
    }
    fn set_steps_per_unit(&mut self, steps_per_unit: u32) -> Result<(), Error> {
        self.0.set_steps_per_unit(steps_per_unit)
    }
    fn add_head(&mut self, readout: Readout<f32>) -> Result<usize, Error> {
        self.0.add_head(readout)
    }
    fn drop_head(&mut self, head: usize) -> Result<(), Error> {
        self.0.drop_head(head)
    }
    fn freeze_head(&mut self, head: usize, frozen: bool) -> Result<(), Error> {
        self.0.freeze_head(head, frozen)
    }
    fn freeze_cell(&mut self, frozen: bool) {
        self.0.freeze_cell(frozen);
    }
    fn momentum(&self) -> Result<Momentum<f32>, Error> {
        self.0.momentum()
    }
    fn set_momentum(&mut self, momentum: Momentum<f32>) -> Result<(), Error> {
        self.0.set_momentum(momentum)
    }
}

#[test]
fn a_training_that_draws_on_the_device_is_the_same() {
    for task in [TaskKind::Parity, TaskKind::Dms] {
        for coding in [Coding::Bits, Coding::Signs] {
            check(Cell::Leaky, task, coding, 2);
        }
    }
    // So long that an evaluation goes on in pieces.
    for cell in Cell::ALL {
        check(cell, TaskKind::Parity, Coding::Bits, 40);
    }
}

/// A device draws only what is shown for one step; the other batches are handed over.
#[test]
fn a_training_in_continuous_time_is_the_same() {
    let spec = spec(Cell::Leaky, TaskKind::Parity, Coding::Bits, 2).in_continuous_time(&[1, 3]);
    check_spec(&spec);
    // And that of the processor, but for rounding.
    let cpu = |config: Config, params| Cpu::new(config, params, thread_pool(Some(1)).unwrap());
    let params = spec.initial_params().unwrap();
    let expected = trained(&spec, Box::new(cpu(spec.network.clone(), params).unwrap()));
    let params = spec.initial_params().unwrap();
    let device = Cuda::new(spec.network.clone(), params, Emulator::new(2)).unwrap();
    let found = trained(&spec, Box::new(device));
    for ((tensor, found), (_, expected)) in found.0.tensors().zip(expected.0.tensors()) {
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs()));
        assert!(near, "{tensor}: {found:?} ({expected:?})");
    }
}

fn check(cell: Cell, task: TaskKind, coding: Coding, n_start: usize) {
    check_spec(&spec(cell, task, coding, n_start));
}

fn spec(cell: Cell, task: TaskKind, coding: Coding, n_start: usize) -> TrainingSpec {
    TrainingSpec {
        coding,
        n_start,
        n_end: n_start + 3,
        max_epochs: 2,
        updates_per_epoch: 2,
        batch_size: 35,
        test_batches: 2,
        // Every stage is solved at once: another head each epoch.
        success_accuracy: 0.0,
        ..TrainingSpec::paper_cell(cell, task, Curriculum::MultiHead, 5, 1 << 33 | 7)
    }
}

fn trained(spec: &TrainingSpec, backend: Box<dyn Backend<f32>>) -> (Params<f32>, Epochs) {
    let mut reports = Vec::new();
    let mut trainer = Trainer::new(spec.clone(), backend).unwrap();
    trainer.run(&mut Reports(&mut reports)).unwrap();
    (trainer.backend().params().unwrap(), reports)
}

fn check_spec(spec: &TrainingSpec) {
    let device = || {
        let params = spec.initial_params().unwrap();
        Cuda::new(spec.network.clone(), params, Emulator::new(1)).unwrap()
    };
    let drawn = trained(spec, Box::new(device()));
    let handed = trained(spec, Box::new(Handed(device())));
    assert_eq!(drawn.0, handed.0, "{spec:?}");
    assert_eq!(drawn.1, handed.1, "{spec:?}");
}

/// Loss and accuracies of every epoch.
type Epochs = Vec<(f64, Vec<f64>)>;

struct Reports<'a>(&'a mut Epochs);

impl tau_curricula::Observer<f32> for Reports<'_> {
    fn epoch_ended(
        &mut self,
        report: &tau_curricula::EpochReport,
        _: &Trainer<f32>,
    ) -> std::ops::ControlFlow<()> {
        let accuracies = report.heads.iter().map(|head| head.accuracy).collect();
        self.0.push((report.training_loss, accuracies));
        std::ops::ControlFlow::Continue(())
    }
}
