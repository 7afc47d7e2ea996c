use super::*;
use crate::test_networks::{delay_line, follower, on_cpu, symbol_reader};
use crate::test_tasks::{Echo, Symbols};
use tau_rnn::Rule;
use tau_tasks::TaskSpec;

fn retraining(epochs: usize) -> Retraining {
    Retraining {
        epochs,
        updates_per_epoch: 200,
        batch_size: 64,
        test_batches: 5,
        initial_state: 0.1,
        optimiser: Optimiser::nesterov(),
        chance: ChanceLevel::OneOfClasses,
        seed: 4,
    }
}

/// The last bit of a delay line, read by its first head: right before training and after.
#[test]
fn what_is_solved_stays_solved() {
    let (config, params) = delay_line();
    let mut network = on_cpu(config, params).unwrap();
    let last_bit = TaskSpec::parity(&[1]).build().unwrap();
    let go_on = AtomicBool::new(false);
    let found = retraining(2).run(&mut *network, &[0], &*last_bit, &go_on).unwrap();
    assert_eq!(found.values, [Some(1.0); 3]);
    assert_eq!(found.measure, Measure::Accuracy { chance: 0.5 });
    assert_eq!(network.params().unwrap().readouts.len(), 1);
}

/// The same with the head's two classes exchanged: always wrong before, right after an epoch, since
/// the activity tells the bit.
#[test]
fn a_head_that_is_always_wrong_is_turned_round() {
    let (config, mut params) = delay_line();
    let head = &mut params.readouts[0];
    head.weight.invert_axis(ndarray::Axis(0));
    head.bias.invert_axis(ndarray::Axis(0));
    let mut network = on_cpu(config, params).unwrap();
    let last_bit = TaskSpec::parity(&[1]).build().unwrap();
    let go_on = AtomicBool::new(false);
    let found = retraining(2).run(&mut *network, &[0], &*last_bit, &go_on).unwrap();
    assert_eq!(found.before(), Some(0.0));
    assert!(found.after().unwrap() > 0.99, "{found:?}");
}

/// Nothing is trained without updates: the parity of nine bits stays chance for a head that reads
/// the last one.
#[test]
fn a_network_that_is_not_trained_is_only_scored() {
    let (config, params) = delay_line();
    let mut network = on_cpu(config, params.clone()).unwrap();
    let nine = TaskSpec::dms(&[9]).build().unwrap();
    let go_on = AtomicBool::new(false);
    let many = Retraining { test_batches: 100, ..retraining(0) };
    let found = many.run(&mut *network, &[0], &*nine, &go_on).unwrap();
    assert_eq!(found.values.len(), 1);
    // Four standard errors of 6400 fair coins.
    assert!((found.before().unwrap() - 0.5).abs() < 0.025, "{found:?}");
    assert_eq!(network.params().unwrap().w_rec, params.w_rec);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (config, params) = delay_line();
    let heads = params.readouts.len();
    let mut network = on_cpu(config, params).unwrap();
    let one = TaskSpec::parity(&[1]).build().unwrap();
    let two = TaskSpec::parity(&[1, 2]).build().unwrap();
    let go_on = AtomicBool::new(false);
    let mut run = |head, task| {
        retraining(1).run(&mut *network, &[head], task, &go_on).unwrap_err().to_string()
    };
    assert_eq!(run(heads, &*one), "head: 3 (allowed: below 3, the number of heads of the network)");
    assert_eq!(
        run(0, &*two),
        "number of heads: 1 (allowed: 2, one for each head of the task parity)"
    );
    let stopped = retraining(1).run(&mut *network, &[0], &*one, &AtomicBool::new(true));
    assert!(matches!(stopped, Err(Error::Stopped)));
}

/// A follower that says half of what it sees learns to say all of it.
#[test]
fn values_are_scored_by_their_loss() {
    let (config, params) = follower(0.5);
    let mut network = on_cpu(config, params).unwrap();
    let task = Echo::new(None);
    let still = Retraining { initial_state: 0.0, ..retraining(2) };
    let found = still.run(&mut *network, &[0], &task, &AtomicBool::new(false)).unwrap();
    assert_eq!(found.measure, Measure::Loss);
    assert!((found.before().unwrap() - 0.875).abs() < 1e-6, "{found:?}");
    assert!(found.after().unwrap() < 0.01, "{found:?}");
    assert!(found.measure.relative(found.after().unwrap(), found.before().unwrap()) < Some(0.02));
}

/// After steps of that length there is no network left, and no number that stands for one.
#[test]
fn a_network_that_diverges_has_no_score_from_then_on() {
    let (config, params) = follower(0.5);
    let mut network = on_cpu(config, params).unwrap();
    let rule = Rule::Sgd { learning_rate: 1e30, momentum: 0.0 };
    let optimiser = Optimiser { rule, clip_norm: None };
    let wild = Retraining { optimiser, initial_state: 0.0, ..retraining(2) };
    let found = wild.run(&mut *network, &[0], &Echo::new(None), &AtomicBool::new(false)).unwrap();
    assert!(found.before().is_some());
    assert_eq!((&found.values[1..], found.after()), (&[None, None][..], None));
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<RetrainingResult>(&text).unwrap(), found);
}

/// Heads of two and three classes, given in the order of the task, which is not the network's.
#[test]
fn heads_of_any_number_of_classes_keep_their_task() {
    let (config, mut params) = symbol_reader();
    params.readouts.reverse();
    params.readouts.insert(0, delay_line().1.readouts.remove(0));
    params.readouts[0].weight = ndarray::Array2::zeros((2, 3));
    let mut network = on_cpu(config, params).unwrap();
    let task = Symbols::new(3, &[0, 1, 2]).with_second_head();
    let still = Retraining { initial_state: 0.0, batch_size: 24, ..retraining(0) };
    let found = still.run(&mut *network, &[2, 1], &task, &AtomicBool::new(false)).unwrap();
    assert_eq!(found.values, [Some(1.0)]);
    assert_eq!(found.measure.chance(), Some((1.0 / 3.0 + 0.5) / 2.0));
    let left = network.params().unwrap().readouts;
    assert_eq!(left.iter().map(|head| head.outputs()).collect::<Vec<_>>(), [2, 3]);
}
