//! Small runs in temporary folders.

// Each test file uses its own part of this module.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "shared by several test files")]

use std::path::Path;
use std::sync::Arc;

use tau_curricula::{MultiHead, Schedule, SingleHead, Sliding};
use tau_rnn::{Hardware, Optimiser, thread_pool};
use tau_runs::{Error, Event, Every, Provenance, Run, StopToken};
use tau_tasks::TaskSpec;
use tau_training::{Data, Outcome, Stop, TrainingSpec};
pub use tests::files::{Files, assert_same, files};

/// A folder that goes when the test ends.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn open(&self, spec: &TrainingSpec) -> Run {
        Run::open(self.path(), spec.clone(), Hardware::Cpu).unwrap()
    }
}

pub fn single_head() -> Schedule {
    Schedule::SingleHead(SingleHead { n_start: 2, n_end: 6 })
}

pub fn multi_head() -> Schedule {
    Schedule::MultiHead(MultiHead { n_start: 2, n_end: 6 })
}

pub fn sliding() -> Schedule {
    Schedule::Sliding(Sliding { heads: 2, forget: 1, n_start: 2, n_end: 6 })
}

/// A run of a second: stages are solved by chance or little more.
pub fn small(schedule: Schedule) -> TrainingSpec {
    TrainingSpec {
        max_epochs: 8,
        batch_size: 32,
        initial_state: 0.1,
        schedule,
        stop: Some(Stop::AccuracyAbove(0.5)),
        data: Data::Fresh { updates_per_epoch: 40, test_batches: 4 },
        optimiser: Optimiser::nesterov(),
        ..TrainingSpec::plain(TaskSpec::parity(&[]), 14, 3).unwrap()
    }
}

/// A run of a second on values, with a fixed data set whose last batch is short.
pub fn values() -> TrainingSpec {
    TrainingSpec {
        max_epochs: 4,
        batch_size: 8,
        keep_every: Some(3),
        ..TrainingSpec::plain("pulse".parse().unwrap(), 10, 3).unwrap().with_fixed_data(60, 5, 2)
    }
}

pub fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    thread_pool(Some(threads)).unwrap()
}

/// Trains to the end, with nobody watching.
pub fn train(run: &Run, threads: usize) -> Result<Outcome, Error> {
    let (provenance, every) = (Provenance::default(), Every::default());
    run.train(pool(threads), &provenance, every, &StopToken::new(), &mut |_| {})
}

/// Breaks off after so many epochs.
pub fn train_epochs(run: &Run, threads: usize, epochs: usize) {
    let stop = StopToken::new();
    let mut watch = |event: &Event<'_>| match event {
        Event::EpochEnded { report, .. } if report.epoch == epochs => stop.stop(),
        _ => {}
    };
    let (provenance, every) = (Provenance::default(), Every::default());
    let error = run.train(pool(threads), &provenance, every, &stop, &mut watch).unwrap_err();
    assert!(error.is_interrupted(), "{error}");
}
