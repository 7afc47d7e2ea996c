//! Small runs in temporary folders.

// Each test file uses its own part of this module.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "shared by several test files")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use tau_curricula::{Curriculum, EpochReport, Outcome, TrainingSpec};
use tau_rnn::{Config, thread_pool};
use tau_runs::{Error, Every, Provenance, Run, Watch};
use tau_tasks::TaskKind;
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
}

/// A run of a second: stages are solved by chance or little more.
pub fn small(curriculum: Curriculum) -> TrainingSpec {
    TrainingSpec {
        n_end: 6,
        max_epochs: 8,
        updates_per_epoch: 40,
        batch_size: 32,
        test_batches: 4,
        success_accuracy: 0.5,
        network: Config::paper(14),
        ..TrainingSpec::paper(TaskKind::Parity, curriculum, 14, 3)
    }
}

pub fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    thread_pool(Some(threads)).unwrap()
}

pub fn train(run: &Run, threads: usize, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    run.train(pool(threads), &Provenance::default(), Every::default(), watch)
}

/// Breaks off after so many epochs.
pub struct StopAfter(pub usize);

impl Watch for StopAfter {
    fn epoch_ended(&mut self, report: &EpochReport, _: f64) -> ControlFlow<()> {
        if report.epoch == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
