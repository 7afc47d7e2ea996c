//! A run that was stopped ends with the bits of one that was not, whenever it was stopped.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::fs;
use std::ops::ControlFlow;

use common::{Files, Folder, assert_same, files, pool, small};
use tau_curricula::{Curriculum, EpochReport, Outcome, Position, TrainingSpec};
use tau_random::{Key, Purpose};
use tau_rnn::{Cell, Checkpoint, Config, Hardware, Optimiser, Params, TimeConstants};
use tau_runs::{Every, Provenance, Run, State, Watch};

/// A moment of a run, after so many whole epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Never,
    /// After this update of the next epoch.
    Update(usize, usize),
    /// Between the test batches of the next epoch.
    Test(usize),
    /// When the files of the last one are written.
    Epoch(usize),
}

/// Stops a run at a moment, and counts the updates that it saw.
struct Stopper {
    at: Moment,
    updates: usize,
    last: (usize, usize),
}

impl Stopper {
    fn new(at: Moment) -> Self {
        Self { at, updates: 0, last: (0, 0) }
    }

    fn answer(&self, now: Moment) -> ControlFlow<()> {
        if self.at == now { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Watch for Stopper {
    fn updated(&mut self, position: &Position, updates: usize) -> ControlFlow<()> {
        let now = (position.epochs, position.update);
        let is_update = self.last != now;
        self.last = now;
        self.updates += usize::from(is_update && position.update > 0);
        if is_update {
            return self.answer(Moment::Update(position.epochs, position.update));
        }
        assert_eq!(position.update, updates, "{now:?} was told twice");
        self.answer(Moment::Test(position.epochs))
    }

    fn epoch_ended(&mut self, report: &EpochReport, _: f64) -> ControlFlow<()> {
        self.answer(Moment::Epoch(report.epoch))
    }
}

/// What a run leaves behind, without what says only how long it took and who did it.
fn left_behind(run: &Run) -> Files {
    let mut files = files(run.folder());
    files.remove("manifest.json");
    files.remove("status.json");
    let table = files.get_mut("metrics.csv").expect("a run leaves its metrics");
    let text = String::from_utf8(table.clone()).unwrap();
    assert!(text.lines().next().unwrap().ends_with(",wall_s"), "{text}");
    let rows = text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n");
    *table = rows.collect::<String>().into_bytes();
    files
}

/// Trains until the moment, as a program of its own would: nothing is carried over in memory. The
/// state is kept more or less often.
fn start(folder: &Folder, spec: &TrainingSpec, threads: usize, at: Moment) -> (Run, usize) {
    let run = Run::open(folder.path(), spec.clone(), Hardware::Cpu).unwrap();
    let mut watch = Stopper::new(at);
    let every = if threads == 2 { Every::Updates(7) } else { Every::default() };
    let outcome = run.train(pool(threads), &Provenance::default(), every, &mut watch).unwrap();
    assert_eq!(outcome == Outcome::Stopped, at != Moment::Never, "{at:?}");
    (run, watch.updates)
}

/// Files, epochs and solved stages of the run that nobody stops.
fn undisturbed(spec: &TrainingSpec) -> (Files, usize, usize) {
    let folder = Folder::new();
    let (run, updates) = start(&folder, spec, 1, Moment::Never);
    let files = left_behind(&run);
    let solved = files.keys().filter(|name| name.starts_with("checkpoints/")).count();
    (files, updates / spec.updates_per_epoch, solved)
}

/// Stops the run at several moments, in mid-epoch or right after an epoch, and each time goes on
/// with another number of threads.
fn check(curriculum: Curriculum, least_solved: usize) {
    check_spec(small(curriculum), least_solved);
}

fn check_spec(spec: TrainingSpec, least_solved: usize) {
    let (expected, epochs, solved) = undisturbed(&spec);
    assert!(solved >= least_solved, "{solved} stages were solved in {epochs} epochs");
    assert!(epochs >= 4, "{epochs} epochs leave little to interrupt");
    let updates = spec.updates_per_epoch;
    // With the updates that are kept then.
    let moments = [
        (Moment::Update(0, 1), 1),
        (Moment::Update(1, updates / 2), updates + updates / 2),
        (Moment::Update(epochs - 1, updates), epochs * updates),
        (Moment::Test(1), 2 * updates),
        (Moment::Epoch(1), updates),
        (Moment::Epoch(epochs / 2), epochs / 2 * updates),
    ];
    for (index, (moment, kept)) in moments.into_iter().enumerate() {
        let (curriculum, cell) = (spec.curriculum, spec.network.cell);
        let what = format!("{cell}, {curriculum}, {moment:?} of {epochs} epochs");
        let folder = Folder::new();
        let (run, _) = start(&folder, &spec, 1, moment);
        assert_eq!(run.status().unwrap().unwrap().state, State::Unfinished, "{what}");
        let (run, rest) = start(&folder, &spec, 1 + index % 3, Moment::Never);
        assert_same(&left_behind(&run), &expected, &what);
        // Who goes on after the last update of an epoch is first told of it again, between tests.
        let told_again = usize::from(
            moment == Moment::Test(1)
                || matches!(moment, Moment::Update(_, last) if last == updates),
        );
        assert_eq!(rest, epochs * updates - kept + told_again, "{what}: no update is lost");
    }
}

#[test]
fn a_multi_head_run_that_was_stopped_ends_with_the_same_bits() {
    check(Curriculum::MultiHead, 3);
}

#[test]
fn a_single_head_run_that_was_stopped_ends_with_the_same_bits() {
    check(Curriculum::SingleHead, 3);
}

#[test]
fn a_sliding_run_that_was_stopped_ends_with_the_same_bits() {
    check(Curriculum::Sliding { heads: 2, forget: 1 }, 2);
}

#[test]
fn gated_runs_that_were_stopped_end_with_the_same_bits() {
    for cell in Cell::GATED {
        let leaky = small(Curriculum::MultiHead);
        let network = Config { cell, ..leaky.network };
        let optimiser = Optimiser::paper_gated();
        check_spec(TrainingSpec { network, optimiser, initial_state: 0.0, ..leaky }, 2);
    }
}

#[test]
fn a_run_in_continuous_time_that_was_stopped_ends_with_the_same_bits() {
    check_spec(small(Curriculum::MultiHead).in_continuous_time(&[3, 2]), 2);
}

#[test]
fn a_run_stopped_after_every_epoch_ends_with_the_same_bits() {
    let spec = small(Curriculum::MultiHead);
    let (expected, epochs, _) = undisturbed(&spec);
    let folder = Folder::new();
    for epoch in 1..=epochs {
        let (run, updates) = start(&folder, &spec, 2, Moment::Epoch(epoch));
        assert_eq!(run.metrics().unwrap().last().unwrap().epoch, epoch);
        assert_eq!(updates, spec.updates_per_epoch);
    }
    let (run, updates) = start(&folder, &spec, 1, Moment::Never);
    assert_eq!(updates, 0);
    assert_eq!(run.status().unwrap().unwrap().state, State::Finished);
    assert_same(&left_behind(&run), &expected, "stopped after every epoch");
}

/// Stopped again and again, wherever it happens to be.
#[test]
fn a_run_stopped_every_few_updates_ends_with_the_same_bits() {
    let spec = small(Curriculum::MultiHead);
    let (expected, epochs, _) = undisturbed(&spec);
    let folder = Folder::new();
    let all = epochs * spec.updates_per_epoch;
    for total in (13..all).step_by(13) {
        let at = Moment::Update(total / spec.updates_per_epoch, total % spec.updates_per_epoch);
        if total % spec.updates_per_epoch > 0 {
            start(&folder, &spec, 1 + total % 2, at);
        }
    }
    let (run, _) = start(&folder, &spec, 1, Moment::Never);
    assert_same(&left_behind(&run), &expected, "stopped every few updates");
}

/// A kill between two writes of one epoch: table, status and checkpoints know of epochs that
/// `latest` does not.
#[test]
fn a_run_killed_between_its_files_ends_with_the_same_bits() {
    let spec = small(Curriculum::MultiHead);
    let (expected, ..) = undisturbed(&spec);
    let folder = Folder::new();
    let (run, _) = start(&folder, &spec, 1, Moment::Epoch(1));
    let latest = run.folder().join("latest.safetensors");
    let early = fs::read(&latest).unwrap();
    start(&folder, &spec, 1, Moment::Epoch(3));
    fs::write(&latest, early).unwrap();
    let (run, _) = start(&folder, &spec, 2, Moment::Never);
    assert_same(&left_behind(&run), &expected, "killed between its files");
}

/// Seconds of all starts are added up, and `latest` begins with those that the table has.
#[test]
fn training_time_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let spec = small(Curriculum::MultiHead);
    start(&folder, &spec, 1, Moment::Epoch(2));
    let path =
        Run::open(folder.path(), spec.clone(), Hardware::Cpu).unwrap().folder().join("metrics.csv");
    let table = fs::read_to_string(&path).unwrap();
    let later = table.lines().enumerate().map(|(line, text)| match text.rsplit_once(',') {
        Some((rest, _)) if line > 0 => format!("{rest},1000.5\n"),
        _ => format!("{text}\n"),
    });
    fs::write(&path, later.collect::<String>()).unwrap();
    let (run, _) = start(&folder, &spec, 1, Moment::Never);
    let wall: Vec<f64> = run.metrics().unwrap().iter().map(|row| row.wall_s).collect();
    assert!(wall.is_sorted() && wall[0] == 1000.5 && wall.last() > Some(&1000.5), "{wall:?}");
    assert!(run.status().unwrap().unwrap().wall_s > 1000.5);
}

#[test]
fn a_run_that_has_ended_is_left_alone() {
    let out_of_epochs = TrainingSpec {
        max_epochs: 2,
        success_accuracy: 0.999_999,
        ..small(Curriculum::SingleHead)
    };
    check(&small(Curriculum::MultiHead), Outcome::Finished, State::Finished);
    check(&out_of_epochs, Outcome::OutOfEpochs, State::OutOfEpochs);
    fn check(spec: &TrainingSpec, outcome: Outcome, state: State) {
        let folder = Folder::new();
        let (run, _) = start(&folder, spec, 1, Moment::Never);
        assert_eq!(run.status().unwrap().unwrap().state, state);
        let before = files(run.folder());
        let mut again = Stopper::new(Moment::Never);
        let provenance = Provenance { version: "another".into(), ..Provenance::default() };
        let run = Run::open(folder.path(), spec.clone(), Hardware::Cpu).unwrap();
        assert_eq!(run.train(pool(2), &provenance, Every::default(), &mut again).unwrap(), outcome);
        assert_eq!(again.updates, 0);
        assert_same(&files(run.folder()), &before, "trained a second time");
    }
}

/// A run goes on only from a network that equals its own, so what is written must be what is read:
/// √2 and its like as much as 2.5.
#[test]
fn a_network_of_any_time_constant_is_known_again() {
    for square in 1..500 {
        let value = f64::from(square).sqrt();
        let config = Config { tau: TimeConstants::Fixed { value }, ..Config::paper(1) };
        let mut random = Key::new(0, Purpose::Parameters).stream();
        let params = Params::<f32>::init(&config, &mut random).unwrap();
        let metadata = std::collections::BTreeMap::new();
        let written = Checkpoint { config, params, momentum: None, metadata };
        let read = Checkpoint::<f32>::from_bytes(&written.to_bytes().unwrap()).unwrap();
        assert_eq!(read.config, written.config);
    }
}

#[test]
fn runs_that_differ_in_one_value_have_folders_of_their_own() {
    let folder = Folder::new();
    let spec = small(Curriculum::SingleHead);
    let open = |spec: TrainingSpec| {
        Run::open(folder.path(), spec, Hardware::Cpu).unwrap().folder().to_owned()
    };
    let first = open(spec.clone());
    assert_eq!(open(spec.clone()), first);
    assert_ne!(open(TrainingSpec { batch_size: 33, ..spec.clone() }), first);
    assert_ne!(open(TrainingSpec { seed: 4, ..spec }), first);
}
