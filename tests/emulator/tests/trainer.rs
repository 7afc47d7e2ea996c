//! Whole trainings on the emulator: whether the device draws the batches or is handed them changes no bit,
//! and what it learns is what the processor learns.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use emulator::Emulator;
use ndarray::{Array2, Array3, ArrayView3};
use tau_curricula::{MultiHead, Schedule};
use tau_random::Coding;
use tau_rnn::cuda::Cuda;
use tau_rnn::{
    AdamForm, Backend, Batch, Cell, Config, Cpu, Error, Gradients, Losses, Momentum, Optimiser,
    Params, Readout, Rule, Score, Scores, thread_pool,
};
use tau_tasks::{Dms, Parity, TaskSpec};
use tau_training::{Data, Step, Stop, Trainer, TrainingSpec};

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
    for coding in [Coding::Bits, Coding::Signs] {
        let (parity, dms) =
            (Parity { coding, ..Parity::default() }, Dms { coding, ..Dms::default() });
        check(Cell::ALL[0], TaskSpec::Parity(parity), 2);
        check(Cell::ALL[0], TaskSpec::Dms(dms), 2);
    }
    // So long that an evaluation goes on in pieces.
    for cell in Cell::ALL {
        check(cell, TaskSpec::parity(&[]), 40);
    }
}

/// A device draws only what is shown for one step; the other batches are handed over.
#[test]
fn a_training_in_continuous_time_is_the_same() {
    let spec = spec(Cell::ALL[0], TaskSpec::parity(&[]), 2).in_continuous_time(&[1, 3]);
    check_spec(&spec);
    check_beside_the_processor(&spec);
}

/// Values and a fixed data set, whose last batch is shorter.
#[test]
fn a_training_on_values_is_that_of_the_processor() {
    let (beta1, beta2, epsilon, decay) = (0.9, 0.99, 1e-3, 0.1);
    let form = AdamForm::Keras;
    let rule = Rule::Adam { learning_rate: 0.01, beta1, beta2, epsilon, decay, form };
    for task in ["pulse", "flip-flop"] {
        let spec = TrainingSpec::plain(task.parse().unwrap(), 10, 3).unwrap();
        let spec = spec.with_fixed_data(40, 5, 2);
        let optimiser = Optimiser { rule, clip_norm: None };
        check_beside_the_processor(&TrainingSpec {
            max_epochs: 2,
            batch_size: 20,
            optimiser,
            ..spec
        });
    }
}

fn check(cell: Cell, task: TaskSpec, n_start: usize) {
    check_spec(&spec(cell, task, n_start));
}

fn spec(cell: Cell, task: TaskSpec, n_start: usize) -> TrainingSpec {
    let leaky = cell.leaky().is_some();
    TrainingSpec {
        max_epochs: 2,
        batch_size: 35,
        schedule: Schedule::MultiHead(MultiHead { n_start, n_end: n_start + 3 }),
        data: Data::Fresh { updates_per_epoch: 2, test_batches: 2 },
        // Every stage is solved at once: another head each epoch.
        stop: Some(Stop::AccuracyAbove(0.0)),
        initial_state: if leaky { 0.1 } else { 0.0 },
        optimiser: if leaky { Optimiser::nesterov() } else { Optimiser::adam() },
        network: Config::new(cell, 5, 1),
        ..TrainingSpec::plain(task, 5, 1 << 33 | 7).unwrap()
    }
}

/// Loss and scores of every epoch.
type Epochs = Vec<(Option<f64>, Vec<Score>)>;

fn trained(spec: &TrainingSpec, backend: Box<dyn Backend<f32>>) -> (Params<f32>, Epochs) {
    let mut epochs = Vec::new();
    let mut trainer = Trainer::new(spec.clone(), backend).unwrap();
    let told = |step: &Step| {
        if let Step::EpochEnded(report) = step {
            epochs.push((report.training_loss, report.heads.clone()));
        }
    };
    trainer.run(told).unwrap();
    (trainer.backend().params().unwrap(), epochs)
}

fn device(spec: &TrainingSpec, order: u64) -> Cuda<f32, Emulator> {
    let params = spec.initial_params().unwrap();
    Cuda::new(spec.network.clone(), params, Emulator::new(order)).unwrap()
}

fn check_spec(spec: &TrainingSpec) {
    let drawn = trained(spec, Box::new(device(spec, 1)));
    let handed = trained(spec, Box::new(Handed(device(spec, 1))));
    assert_eq!(drawn.1.len(), spec.max_epochs, "{spec:?}");
    assert_eq!(drawn.0, handed.0, "{spec:?}");
    assert_eq!(drawn.1, handed.1, "{spec:?}");
}

/// The parameters are those of a training on the processor, but for rounding.
fn check_beside_the_processor(spec: &TrainingSpec) {
    let (network, params) = (spec.network.clone(), spec.initial_params().unwrap());
    let cpu = Cpu::new(network, params, thread_pool(Some(1)).unwrap()).unwrap();
    let expected = trained(spec, Box::new(cpu));
    let found = trained(spec, Box::new(device(spec, 2)));
    for ((tensor, found), (_, expected)) in found.0.tensors().zip(expected.0.tensors()) {
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs()));
        assert!(near, "{tensor}: {found:?} ({expected:?})");
    }
}
