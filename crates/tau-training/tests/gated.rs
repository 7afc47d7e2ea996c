//! Gated networks go through a curriculum as the others do.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::ops::ControlFlow;

use tau_curricula::{Curriculum, EpochReport, Error, Observer, Outcome, Trainer, TrainingSpec};
use tau_rnn::{Cell, Cpu, Readout, Rule, thread_pool};
use tau_tasks::TaskKind;

fn small(cell: Cell) -> TrainingSpec {
    let task = TaskKind::Parity;
    let mut spec = TrainingSpec {
        n_end: 3,
        max_epochs: 20,
        test_batches: 10,
        ..TrainingSpec::paper_cell(cell, task, Curriculum::MultiHead, 24, 1)
    };
    if let Rule::Adam { learning_rate, .. } = &mut spec.optimiser.rule {
        // So small a network can be taught faster.
        *learning_rate = 1e-2;
    }
    spec
}

struct Last(Option<EpochReport>);

impl Observer<f32> for Last {
    fn epoch_ended(&mut self, report: &EpochReport, _: &Trainer<f32>) -> ControlFlow<()> {
        self.0 = Some(report.clone());
        ControlFlow::Continue(())
    }
}

#[test]
fn gated_networks_learn_parity() {
    for cell in Cell::GATED {
        let spec = small(cell);
        let params = spec.initial_params::<f32>().unwrap();
        let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(2)).unwrap());
        let mut trainer = Trainer::new(spec, Box::new(network.unwrap())).unwrap();
        let mut last = Last(None);
        let outcome = trainer.run(&mut last).unwrap();
        assert_eq!(outcome, Outcome::Finished, "{cell}: {:?}", last.0);
        assert_eq!(trainer.position().solved_n, 3);
    }
}

/// Heads so large that the loss overflows: the autopsy has no τ to tell about.
#[test]
fn an_autopsy_of_a_gated_network_leaves_out_what_it_has_not() {
    for cell in Cell::GATED {
        let spec = small(cell);
        let mut params = spec.initial_params::<f32>().unwrap();
        let weight = ndarray::Array2::from_elem((2, 24), f32::MAX);
        let bias = ndarray::array![f32::MAX, -f32::MAX];
        params.readouts.push(Readout { weight, bias, frozen: false });
        let network = Cpu::new(spec.network.clone(), params, thread_pool(Some(1)).unwrap());
        let mut trainer = Trainer::new(spec, Box::new(network.unwrap())).unwrap();
        let error = trainer.run(&mut ()).unwrap_err();
        assert!(matches!(error, Error::Diverged { epoch: 1, update: 1, .. }), "{error}");
        let autopsy = trainer.autopsy(&error).unwrap().unwrap();
        assert_eq!((autopsy.spectral_radius, autopsy.step_spectral_radius), (None, None));
        let worst = autopsy.worst_neuron.unwrap();
        assert_eq!(worst.tau, None);
        // Norms over all gates, of numbers below 1/√24.
        let bound = (cell.gates() as f64).sqrt();
        assert!(worst.input_norm.unwrap() < bound && worst.input_norm.unwrap() > 0.4 * bound);
        assert!(worst.largest_activity.unwrap() < 1.0);
    }
}
