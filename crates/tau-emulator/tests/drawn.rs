//! Batches that the device draws are those of `tau-tasks`, bit by bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::{Array2, Array3, ArrayView3};
use tau_curricula::{Curriculum, Trainer, TrainingSpec};
use tau_emulator::Emulator;
use tau_rnn::cuda::Cuda;
use tau_rnn::{
    Backend, Batch, Cell, Config, Error, Gradients, Losses, Momentum, Optimiser, Params, Readout,
    Scores,
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

fn check(cell: Cell, task: TaskKind, coding: Coding, n_start: usize) {
    let spec = TrainingSpec {
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
    };
    let trained = |drawn: bool| {
        let params = spec.initial_params().unwrap();
        let device = Cuda::new(spec.network.clone(), params, Emulator::new(1)).unwrap();
        let backend: Box<dyn Backend<f32>> =
            if drawn { Box::new(device) } else { Box::new(Handed(device)) };
        let mut reports = Vec::new();
        let mut trainer = Trainer::new(spec.clone(), backend).unwrap();
        trainer.run(&mut Reports(&mut reports)).unwrap();
        (trainer.backend().params().unwrap(), reports)
    };
    let (drawn, handed) = (trained(true), trained(false));
    assert_eq!(drawn.0, handed.0, "{cell}, {task}, {coding:?}");
    assert_eq!(drawn.1, handed.1, "{cell}, {task}, {coding:?}");
}

/// Loss and accuracies of every epoch.
struct Reports<'a>(&'a mut Vec<(f64, Vec<f64>)>);

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
