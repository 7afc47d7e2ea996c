//! Trainings and runs on a GPU through the driver's interface, with a driver that is none.

#![cfg(target_os = "linux")]

mod common;

use std::fs;

use common::{FIRST, NO_SHARED_MEMORY, with_driver};
use tau_curricula::{MultiHead, Schedule};
use tau_rnn::{Checkpoint, Hardware, Optimiser, thread_pool};
use tau_runs::{Every, Provenance, Run, State, StopToken};
use tau_tasks::TaskSpec;
use tau_training::{Data, Stop, Trainer, TrainingSpec};

/// Parity, multi-head from N = 2 on.
fn parity(hidden_size: usize, n_end: usize) -> TrainingSpec {
    let plain = TrainingSpec::plain(TaskSpec::parity(&[]), hidden_size, 3).expect("a training");
    TrainingSpec {
        schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end }),
        stop: Some(Stop::AccuracyAbove(0.98)),
        initial_state: 0.1,
        optimiser: Optimiser::nesterov(),
        ..plain
    }
}

#[test]
fn a_training_is_that_of_the_processor() {
    with_driver("a_training_is_that_of_the_processor", &[NO_SHARED_MEMORY], || {
        let [cpu, gpu] = [Hardware::Cpu, FIRST].map(|hardware| {
            let data = Data::Fresh { updates_per_epoch: 6, test_batches: 2 };
            let spec = TrainingSpec { max_epochs: 1, batch_size: 8, data, ..parity(10, 2) };
            let params = spec.initial_params::<f64>().expect("a network");
            let pool = thread_pool(Some(1)).expect("a thread");
            let backend = hardware.network(spec.network.clone(), params, pool).expect("a backend");
            let mut trainer = Trainer::new(spec, backend).expect("a trainer");
            trainer.run(|_| {}).expect("a training");
            trainer.backend().params().expect("parameters").w_rec
        });
        let apart = (&cpu - &gpu).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        assert!(apart < 1e-12, "{apart:e}");
    });
}

#[test]
fn a_run_that_loses_its_gpu_keeps_its_last_epoch() {
    let settings = [("FAKE_LOST_AFTER", "500")];
    with_driver("a_run_that_loses_its_gpu_keeps_its_last_epoch", &settings, || {
        let data = Data::Fresh { updates_per_epoch: 5, test_batches: 1 };
        let spec = TrainingSpec { max_epochs: 100, batch_size: 4, data, ..parity(8, 100) };
        let root = tempfile::tempdir().expect("a folder");
        let run = Run::open(root.path(), spec, FIRST).expect("a run");
        let provenance = Provenance::here("0", "", FIRST, 1).expect("a GPU");
        let pool = thread_pool(Some(1)).expect("a thread");
        let stop = StopToken::new();
        let ended = run.train(pool, &provenance, Every::default(), &stop, &mut |_| {});
        let text = ended.expect_err("lost").to_string();
        assert!(text.contains("launch failure"), "{text}");
        let status = run.status().expect("readable").expect("written");
        assert_eq!(status.state, State::Unfinished);
        assert!((1..100).contains(&status.epochs), "{status:?}");
        assert!(status.reason.is_some_and(|reason| reason.contains("launch failure")));
        let latest = fs::read(run.folder().join("latest.safetensors")).expect("written");
        let latest = Checkpoint::<f32>::from_bytes(&latest).expect("whole");
        assert!(latest.momentum.is_some() && latest.params.w_rec.iter().all(|w| w.is_finite()));
        assert_eq!(run.metrics().expect("rows").last().map(|row| row.epoch), Some(status.epochs));
    });
}
