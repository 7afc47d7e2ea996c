//! A run that was stopped ends with the bits of one that was not, whenever it was stopped.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use std::fs;

use common::{
    Files, Folder, assert_same, files, multi_head, pool, single_head, sliding, small, values,
};
use tau_random::{Key, Purpose};
use tau_rnn::{Cell, Checkpoint, Config, Leaky, Optimiser, Params, TimeConstants};
use tau_runs::{Event, Every, Provenance, Run, State, StopToken};
use tau_training::{Milestone, Outcome, Stop, TrainingSpec};

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
    stop: StopToken,
    updates: usize,
    last: (usize, usize),
}

impl Stopper {
    fn new(at: Moment) -> Self {
        Self { at, stop: StopToken::new(), updates: 0, last: (0, 0) }
    }

    fn at(&self, now: Moment) {
        if self.at == now {
            self.stop.stop();
        }
    }

    fn see(&mut self, event: &Event<'_>) {
        match *event {
            Event::Updated { run: 0, position, updates } => {
                let now = (position.epochs, position.update);
                let is_update = self.last != now;
                self.last = now;
                self.updates += usize::from(is_update && position.update > 0);
                if is_update {
                    return self.at(Moment::Update(position.epochs, position.update));
                }
                assert_eq!(position.update, updates, "{now:?} was told twice");
                self.at(Moment::Test(position.epochs));
            }
            Event::EpochEnded { run: 0, report, .. } => self.at(Moment::Epoch(report.epoch)),
            other => panic!("{other:?} of a run that is trained alone"),
        }
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
    let run = folder.open(spec);
    let mut watch = Stopper::new(at);
    let (stop, provenance) = (watch.stop.clone(), Provenance::default());
    let every = if threads == 2 { Every::Updates(7) } else { Every::default() };
    let ended = run.train(pool(threads), &provenance, every, &stop, &mut |event| watch.see(event));
    match ended {
        Ok(_) => assert_eq!(at, Moment::Never),
        Err(error) => assert!(error.is_interrupted() && at != Moment::Never, "{at:?}: {error}"),
    }
    (run, watch.updates)
}

/// Files, epochs and solved stages of the run that nobody stops.
fn undisturbed(spec: &TrainingSpec) -> (Files, usize, usize) {
    let folder = Folder::new();
    let (run, updates) = start(&folder, spec, 1, Moment::Never);
    let files = left_behind(&run);
    let is_stage = |name: &&String| name.starts_with("checkpoints/N");
    let solved = files.keys().filter(is_stage).count();
    assert!(files.contains_key("checkpoints/final.safetensors"));
    (files, updates / spec.updates_per_epoch(), solved)
}

/// Stops the run at several moments, in mid-epoch or right after an epoch, and each time goes on
/// with another number of threads.
fn check(spec: TrainingSpec, least_solved: usize) {
    let (expected, epochs, solved) = undisturbed(&spec);
    assert!(solved >= least_solved, "{solved} stages were solved in {epochs} epochs");
    assert!(epochs >= 4, "{epochs} epochs leave little to interrupt");
    let updates = spec.updates_per_epoch();
    let test_batches = spec.data.test_batches(spec.batch_size) * spec.batches_per_update();
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
        if matches!(moment, Moment::Test(_)) && test_batches < 2 {
            continue;
        }
        let (schedule, cell) = (&spec.schedule, spec.network.cell);
        let what = format!("{cell}, {schedule}, {moment:?} of {epochs} epochs");
        let folder = Folder::new();
        let (run, _) = start(&folder, &spec, 1, moment);
        assert_eq!(run.status().unwrap().unwrap().state, State::Unfinished, "{what}");
        let (run, rest) = start(&folder, &spec, 1 + index % 3, Moment::Never);
        assert_same(&left_behind(&run), &expected, &what);
        // Who goes on after the last update of an epoch is first told of it again, between tests.
        let told_again = usize::from(
            test_batches > 1
                && (moment == Moment::Test(1)
                    || matches!(moment, Moment::Update(_, last) if last == updates)),
        );
        assert_eq!(rest, epochs * updates - kept + told_again, "{what}: no update is lost");
    }
}

#[test]
fn a_multi_head_run_that_was_stopped_ends_with_the_same_bits() {
    check(small(multi_head()), 3);
}

#[test]
fn a_single_head_run_that_was_stopped_ends_with_the_same_bits() {
    check(small(single_head()), 3);
}

#[test]
fn a_sliding_run_that_was_stopped_ends_with_the_same_bits() {
    check(small(sliding()), 2);
}

#[test]
fn gated_runs_that_were_stopped_end_with_the_same_bits() {
    for cell in Cell::GATED {
        let leaky = small(multi_head());
        let (network, optimiser) = (Config::new(cell, 14, 1), Optimiser::adam());
        check(TrainingSpec { network, optimiser, initial_state: 0.0, ..leaky }, 2);
    }
}

#[test]
fn a_run_in_continuous_time_that_was_stopped_ends_with_the_same_bits() {
    check(small(multi_head()).in_continuous_time(&[3, 2]), 2);
}

/// Values, a fixed data set in an order of its own for each epoch, and nothing to be solved.
#[test]
fn a_run_on_fixed_values_that_was_stopped_ends_with_the_same_bits() {
    check(values(), 0);
    check(TrainingSpec { batch_size: 3, ..values() }, 0);
}

/// A task without N leaves the networks of its milestones, and rows that say what they are.
#[test]
fn a_run_on_values_keeps_epochs_and_the_end() {
    let folder = Folder::new();
    let spec = TrainingSpec { stop: Some(Stop::LossBelow(1e6)), ..values() };
    let (run, _) = start(&folder, &spec, 1, Moment::Never);
    assert_eq!(run.status().unwrap().unwrap().reached.as_deref(), Some("solved"));
    let names = |run: &Run| -> Vec<(String, usize)> {
        let all = run.milestones().unwrap();
        all.into_iter().map(|one| (one.milestone.to_string(), one.epoch)).collect()
    };
    assert_eq!(names(&run), [("solved".to_owned(), 1), ("final".to_owned(), 1)]);
    let (run, _) = start(&folder, &values(), 1, Moment::Never);
    assert_eq!(names(&run), [("epoch-003".to_owned(), 3), ("final".to_owned(), 4)]);
    assert_eq!(run.status().unwrap().unwrap().state, State::OutOfEpochs);
    let rows = run.metrics().unwrap();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!((row.label.as_str(), row.n, row.accuracy), ("reply", None, None));
        assert!(row.test_loss.is_some() && row.training_loss.is_some() && !row.solved);
    }
    let last = run.checkpoint(&Milestone::last()).unwrap();
    let task = serde_json::from_str::<tau_tasks::TaskSpec>(&last.metadata["task"]).unwrap();
    assert_eq!((task, last.metadata["milestone"].as_str()), (values().task, "final"));
    // Nothing held out: there is no loss of a test, and the rows are there all the same.
    let untested = values().with_fixed_data(20, 0, 2);
    let (run, _) = start(&folder, &untested, 1, Moment::Never);
    let rows = run.metrics().unwrap();
    assert!(rows.len() == 4 && rows.iter().all(|row| row.test_loss.is_none()), "{rows:?}");
}

#[test]
fn a_run_stopped_after_every_epoch_ends_with_the_same_bits() {
    let spec = small(multi_head());
    let (expected, epochs, _) = undisturbed(&spec);
    let folder = Folder::new();
    for epoch in 1..=epochs {
        let (run, updates) = start(&folder, &spec, 2, Moment::Epoch(epoch));
        assert_eq!(run.metrics().unwrap().last().unwrap().epoch, epoch);
        assert_eq!(updates, spec.updates_per_epoch());
    }
    let (run, updates) = start(&folder, &spec, 1, Moment::Never);
    assert_eq!(updates, 0);
    assert_eq!(run.status().unwrap().unwrap().state, State::Finished);
    assert_same(&left_behind(&run), &expected, "stopped after every epoch");
}

/// Stopped again and again, wherever it happens to be.
#[test]
fn a_run_stopped_every_few_updates_ends_with_the_same_bits() {
    let spec = small(multi_head());
    let (expected, epochs, _) = undisturbed(&spec);
    let folder = Folder::new();
    let updates = spec.updates_per_epoch();
    let all = epochs * updates;
    for total in (13..all).step_by(13) {
        let at = Moment::Update(total / updates, total % updates);
        if total % updates > 0 {
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
    let spec = small(multi_head());
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
    let spec = small(multi_head());
    start(&folder, &spec, 1, Moment::Epoch(2));
    let path = folder.open(&spec).folder().join("metrics.csv");
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
        stop: Some(Stop::AccuracyAbove(0.999_999)),
        ..small(single_head())
    };
    check(&small(multi_head()), Outcome::Finished, State::Finished);
    check(&out_of_epochs, Outcome::OutOfEpochs, State::OutOfEpochs);
    fn check(spec: &TrainingSpec, outcome: Outcome, state: State) {
        let folder = Folder::new();
        let (run, _) = start(&folder, spec, 1, Moment::Never);
        assert_eq!(run.status().unwrap().unwrap().state, state);
        let before = files(run.folder());
        let mut again = Stopper::new(Moment::Never);
        let provenance = Provenance { version: "another".into(), ..Provenance::default() };
        let (run, stop) = (folder.open(spec), StopToken::new());
        let mut watch = |event: &Event<'_>| again.see(event);
        let ended = run.train(pool(2), &provenance, Every::default(), &stop, &mut watch);
        assert_eq!(ended.unwrap(), outcome);
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
        let leaky = Leaky { tau: TimeConstants::Fixed { value }, ..Leaky::DEFAULT };
        let config = Config::new(leaky, 1, 1);
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
    let spec = small(single_head());
    let open = |spec: TrainingSpec| folder.open(&spec).folder().to_owned();
    let first = open(spec.clone());
    assert_eq!(open(spec.clone()), first);
    assert_ne!(open(TrainingSpec { batch_size: 33, ..spec.clone() }), first);
    assert_ne!(open(TrainingSpec { seed: 4, ..spec }), first);
}
