//! Memory of the CUDA backend, what it refuses, and what `tau doctor` looks at, on the emulator.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{device, distance};
use emulator::Emulator;
use ndarray::Array2;
use tau_rnn::check;
use tau_rnn::cuda::Cuda;
use tau_rnn::{Activation, Backend, Cell, Error, Leaky, Optimiser, Placement, Real, reference};
use tests::{Case, Shape};

const DRIVE: Leaky = Leaky { placement: Placement::Drive, ..Leaky::DEFAULT };

#[test]
fn batches_of_all_sizes_share_the_memory() {
    for cell in [Leaky::DEFAULT.into(), DRIVE.into(), Cell::Lstm, Cell::Gru] {
        let case = |steps, trials| Case::new(&Shape::new(cell, 33, steps, trials), 1);
        let (small, large) = (case(3, 5), case(6, 64));
        for (first, second) in [(&small, &large), (&large, &small)] {
            // The parameters of `first` for both.
            let (config, params) = (&first.config, &first.params);
            let mut device = Cuda::new(config.clone(), params.clone(), Emulator::new(7)).unwrap();
            for case in [first, second, first] {
                let batch = case.batch(case.initial());
                let (_, found) = device.gradients(&batch).unwrap();
                let (_, expected) = reference::gradients(config, params, &batch).unwrap();
                assert!(distance(&found.values, &expected.values) < 1e-10, "{cell:?}");
                // Keeps less, in the same memory.
                let found = device.evaluate(&batch).unwrap().loss();
                let expected = reference::evaluate(config, params, &batch).unwrap().loss();
                assert!((found - expected).abs() < 1e-10, "{cell:?}");
            }
        }
    }
}

#[test]
fn the_doctor_finds_nothing_wrong() {
    let tanh = Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT };
    examine::<f32>(check::Case::new(tanh.into(), 30, 6, 33));
    examine::<f64>(check::Case::new(DRIVE.into(), 31, 3, 1));
    examine::<f64>(check::Case { every_step: true, ..check::Case::leaky(64, 3, 5) });
    for cell in Cell::GATED {
        examine::<f32>(check::Case::new(cell, 33, 4, 34));
        examine::<f64>(check::Case { every_step: true, ..check::Case::new(cell, 9, 3, 5) });
    }
    fn examine<R: Real>(case: check::Case) {
        let make = |config, params| -> Result<Box<dyn Backend<R>>, Error> {
            Ok(Box::new(Cuda::new(config, params, Emulator::new(1))?))
        };
        for finding in [case.examine_with(make), case.examine_updates_with(make)] {
            let finding = finding.unwrap();
            assert!(finding.repeatable);
            assert!(finding.distance < case.tolerance::<R>(), "{case:?}: {finding:?}");
        }
    }
}

#[test]
fn too_little_memory_says_how_many_trials_would_fit() {
    for cell in Cell::ALL {
        let shape = |trials| Shape::new(cell, 20, 50, trials);
        let case = Case::new(&shape(640), 1);
        let emulator = Emulator::new(1).with_largest_memory(5_000_000);
        let mut device = Cuda::new(case.config.clone(), case.params.clone(), emulator).unwrap();
        let optimiser = Optimiser::nesterov();
        let error = device.update(&case.batch(case.initial()), &optimiser).unwrap_err();
        let Error::DeviceMemory { bytes, free, fits } = error else { panic!("{error}") };
        // Room for 64 steps and the state before them: 640 trials in rows of 64 numbers.
        assert_eq!((bytes, free), (65 * 640 * 64 * 8, 5_000_000));
        let fits = fits.unwrap();
        assert!((1..640).contains(&fits), "{cell:?}: {fits}");
        // So many do fit, and the network is as it was.
        let case = Case::new(&shape(fits), 1);
        device.update(&case.batch(case.initial()), &optimiser).unwrap();
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = Case::new(&Shape::leaky(5, 3, 4), 1);
    let mut device = device::<f64>(&case, 1);
    let wrong = Array2::zeros((4, 6));
    let error = device.update(&case.batch(&wrong), &Optimiser::nesterov()).unwrap_err();
    assert_eq!(error.to_string(), "shape of initial state: [4, 6] (expected: [4, 5])");
    assert!(matches!(device.drop_head(1), Err(Error::Head { head: 1, heads: 1 })));
    assert!(matches!(device.freeze_head(1, true), Err(Error::Head { head: 1, heads: 1 })));
}
