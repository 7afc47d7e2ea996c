use super::*;
use crate::test_networks::{delay_line, follower, on_cpu, symbol_reader};
use crate::test_tasks::{Echo, Symbols};
use tau_rnn::{Activation, Config, Initial, Leaky, Params};
use tau_tasks::TaskSpec;

/// Accuracy of the delay line for N-parity in every trial.
fn score(scoring: &Scoring, n: usize, head: usize) -> Result<Vec<f64>, Error> {
    let (config, params) = delay_line();
    let task = TaskSpec::parity(&[n]).build().unwrap();
    let mut network = on_cpu(config, params)?;
    let go_on = AtomicBool::new(false);
    let found = scoring.score(&mut *network, &*task, &[head], &go_on)?;
    assert_eq!(found.measures, [Measure::Accuracy { chance: 0.5 }]);
    Ok(found.values.into_raw_vec_and_offset().0)
}

fn every_step(warm_up: usize, steps: usize, seed: u64) -> Scoring {
    let protocol = Protocol::EveryStep { warm_up, steps };
    Scoring { protocol, ..Scoring::every_step(seed) }
}

#[test]
fn a_network_that_knows_the_answer_is_right_at_every_step() {
    // 1-parity is the last bit.
    let found = score(&Scoring::every_step(1), 1, 0).unwrap();
    assert_eq!(found, [1.0; 10]);
}

#[test]
fn one_that_does_not_is_at_chance() {
    for (n, head) in [(1, 1), (2, 0), (1, 2), (3, 2)] {
        for accuracy in score(&every_step(100, 4000, 2), n, head).unwrap() {
            // Four standard errors of 4000 fair coins.
            assert!((accuracy - 0.5).abs() < 0.032, "N = {n}, head {head}: {accuracy}");
        }
    }
}

#[test]
fn the_pieces_of_a_long_input_are_one_input() {
    let long = every_step(2950, 3, 3);
    assert_eq!(score(&long, 1, 0).unwrap(), [1.0; 10]);
}

#[test]
fn an_exploded_network_guesses() {
    let (config, mut params) = delay_line();
    params.w_rec[[0, 1]] = 1e30;
    params.w_rec[[1, 0]] = -1e30;
    params.w_rec[[2, 1]] = -1e30;
    params.w_rec[[0, 2]] = 1e30;
    params.w_rec[[1, 2]] = 1e30;
    let task = TaskSpec::parity(&[1]).build().unwrap();
    let config = with_leaky_relu(&config);
    let mut network = on_cpu(config, params).unwrap();
    let go_on = AtomicBool::new(false);
    let found = Scoring::every_step(1).score(&mut *network, &*task, &[0], &go_on).unwrap();
    assert!(found.values.iter().all(|accuracy| *accuracy == 0.5), "{found:?}");
}

/// The delay line with a leaky ReLU.
fn with_leaky_relu(config: &Config) -> Config {
    let leaky = Leaky { activation: Activation::LeakyRelu, ..*config.leaky_cell().unwrap() };
    Config { cell: leaky.into(), ..config.clone() }
}

fn ask(
    (config, params): (Config, Params<f32>),
    scoring: &Scoring,
    task: &dyn Task,
    heads: &[usize],
) -> Result<Scored, Error> {
    let mut network = on_cpu(config, params)?;
    scoring.score(&mut *network, task, heads, &AtomicBool::new(false))
}

fn batches(trials: usize, repeats: usize) -> Scoring {
    Scoring { protocol: Protocol::Batches { trials }, repeats, ..Scoring::batches(1) }
}

/// Symbols 0, 1 and 2 are shown equally often; a network without the neuron of symbol 1 takes it for
/// symbol 0 (all outputs are equal), and so knows two of three.
#[test]
fn three_classes_have_a_chance_of_one_third() {
    let task = Symbols::new(3, &[0, 1, 2]);
    let whole = ask(symbol_reader(), &batches(24, 2), &task, &[0]).unwrap();
    let third = Measure::Accuracy { chance: 1.0 / 3.0 };
    assert_eq!((whole.values, &whole.measures[..]), (ndarray::array![[1.0], [1.0]], &[third][..]));
    let (config, mut params) = symbol_reader();
    crate::Removal::Clean.take(&mut params, 1);
    let left = ask((config, params), &batches(24, 1), &task, &[0]).unwrap().head(0);
    assert_eq!((left.mean, left.measure), (2.0 / 3.0, third));
    assert!((third.relative(left.mean, 1.0).unwrap() - 0.5).abs() < 1e-15);
}

#[test]
fn the_commonest_class_is_a_better_guess_where_labels_are_not_balanced() {
    let task = Symbols::new(3, &[0, 1, 2, 2]);
    let scoring = Scoring { chance: ChanceLevel::CommonestClass, ..batches(24, 1) };
    let found = ask(symbol_reader(), &scoring, &task, &[0]).unwrap().over_heads();
    assert_eq!((found.mean, found.measure), (1.0, Measure::Accuracy { chance: 0.5 }));
    // Without the neuron of symbol 2 nothing is left that a guess would not know.
    let (config, mut params) = symbol_reader();
    crate::Removal::Clean.take(&mut params, 2);
    let left = ask((config, params), &scoring, &task, &[0]).unwrap().over_heads();
    assert_eq!(found.relative(left.mean), Some(0.0));
}

/// Head 1 of the task, with two classes, is right for 1 and 2 by the network's head 1; and where the
/// network's heads are asked the other way round their sizes do not fit.
#[test]
fn heads_of_different_sizes_are_averaged_with_their_chances() {
    let task = Symbols::new(3, &[0, 1, 2]).with_second_head();
    let (config, mut params) = symbol_reader();
    crate::Removal::Clean.take(&mut params, 1);
    let found = ask((config, params), &batches(24, 1), &task, &[0, 1]).unwrap();
    // Head 1 sees nothing of symbol 1 and says class 0: wrong.
    assert_eq!(found.values, ndarray::array![[2.0 / 3.0, 2.0 / 3.0]]);
    let chances = [1.0 / 3.0, 0.5].map(|chance| Measure::Accuracy { chance });
    assert_eq!(found.measures, chances);
    let mean = found.over_heads();
    assert_eq!((mean.mean, mean.measure.chance()), (2.0 / 3.0, Some((1.0 / 3.0 + 0.5) / 2.0)));
    let refused = ask(symbol_reader(), &batches(24, 1), &task, &[1, 0]).unwrap_err().to_string();
    let expected = "outputs: 2 of head 1 (allowed: 3, as last of the task symbols)";
    assert_eq!(refused, expected);
}

/// A follower that says half of what it sees is off by x/2, where x is 0, 1, 2 and 3 equally often:
/// the mean square is (0 + 1 + 4 + 9) / 4 / 4. Where 3 alone counts it is 9/4.
#[test]
fn values_are_scored_by_their_loss() {
    let loss = |gain: f32, only: Option<f32>| {
        let found = ask(follower(gain), &batches(8, 2), &Echo::new(only), &[0]).unwrap();
        assert_eq!(found.measures, [Measure::Loss]);
        let score = found.head(0);
        assert_eq!((score.standard_deviation, score.best), (0.0, score.mean));
        score.mean
    };
    assert_eq!([1.0, 0.5, 0.0].map(|gain| loss(gain, None)), [0.0, 0.875, 3.5]);
    assert_eq!([1.0, 0.5, 0.0].map(|gain| loss(gain, Some(3.0))), [0.0, 2.25, 9.0]);
    let never = ask(follower(1.0), &batches(8, 1), &Echo::new(Some(7.0)), &[0]);
    assert_eq!(
        never.unwrap_err().to_string(),
        "weights of the task: all 0 (allowed: at least one above 0 in a batch)"
    );
}

/// Batches are those that the backend scores, and the numbers are its numbers.
#[test]
fn batches_are_scored_as_the_backend_scores_them() {
    for (task, inputs) in [(TaskSpec::parity(&[3]), 1), ("flip-flop".parse().unwrap(), 2)] {
        let task = task.build().unwrap();
        let config = Config::leaky(9, inputs);
        let mut random = Key::new(7, Purpose::Parameters).stream();
        let mut params = Params::<f32>::init(&config, &mut random).unwrap();
        let outputs = task.shape().heads[0].size;
        params.readouts = vec![Readout::init(&config, outputs, &mut random)];
        let mut network = on_cpu(config, params).unwrap();
        let scoring = batches(50, 2);
        let go_on = AtomicBool::new(false);
        let found = scoring.score(&mut *network, &*task, &[0], &go_on).unwrap();
        for (repeat, &value) in found.values.iter().enumerate() {
            let batch = crate::batch::NamedBatch {
                trials: 50,
                inputs: scoring.key(Purpose::ScoringInputs).step(1 + repeat as u32),
                initial_state: 0.1,
                initial: scoring.key(Purpose::ScoringInitialState).step(1 + repeat as u32),
            };
            let mut labels = crate::chance::LabelCounts::new(&*task);
            let expected = batch.evaluate(&mut *network, &*task, &[0], &mut labels).unwrap();
            approx::assert_relative_eq!(value, expected[0], max_relative = 1e-5);
        }
        let (one, two) = (found.values[[0, 0]], found.values[[1, 0]]);
        assert!(one != two && one.is_finite(), "{one} {two}");
    }
}

#[test]
fn batches_to_an_exploded_network_are_guesses_or_infinite_losses() {
    let explode = |(config, mut params): (Config, Params<f32>)| {
        params.w_rec.fill(1e30);
        params.w_rec[[1, 0]] = -1e30;
        params.w_in.fill(1.0);
        (with_leaky_relu(&config), params)
    };
    let symbols = Symbols::new(3, &[0, 1, 2]);
    let found = ask(explode(symbol_reader()), &batches(30, 1), &symbols, &[0]).unwrap();
    approx::assert_relative_eq!(found.values[[0, 0]], 1.0 / 3.0, max_relative = 1e-12);
    let found = ask(explode(follower(1.0)), &batches(30, 2), &Echo::new(None), &[0]).unwrap();
    let score = found.over_heads();
    assert_eq!((score.mean, score.best), (f64::INFINITY, f64::INFINITY));
}

#[test]
fn a_task_is_asked_what_it_can_answer() {
    let flip_flop = "flip-flop".parse::<TaskSpec>().unwrap().build().unwrap();
    assert_eq!(Scoring::of(&*flip_flop, 3), Scoring::batches(3));
    let ladder = |n: usize| TaskSpec::dms(&[n, 2]).build().unwrap();
    assert_eq!(Scoring::of(&*ladder(30), 3), Scoring::every_step(3));
    assert_eq!(Scoring::of(&*ladder(130), 3), every_step(130, 1000, 3));
}

/// h(0) is the one that a batch of training has, and zeros for a gated network.
#[test]
fn states_begin_as_in_training() {
    let key = Key::new(4, Purpose::ScoringInitialState);
    let leaky = Config::leaky(5, 1);
    let found = crate::simulation::first_state(&leaky, 3, 0.1, key).unwrap();
    let uniform: Initial<'_, f32> = Initial::Uniform { scale: 0.1, key };
    assert_eq!(found, uniform.states(3, &leaky).unwrap());
    assert!(found.iter().all(|h| (0.0..0.1).contains(h)) && found[[1, 2]] > 0.0);
    let zeros = crate::simulation::first_state(&Config::lstm(5, 1), 3, 0.1, key).unwrap();
    assert_eq!(zeros, Array2::<f32>::zeros((3, 10)));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let refused = |scoring: &Scoring, n, head| score(scoring, n, head).unwrap_err().to_string();
    assert_eq!(
        refused(&every_step(3, 10, 1), 5, 0),
        "warm_up: 3 steps (allowed: 4 or more: the first scored step needs N bits)"
    );
    assert_eq!(
        refused(&Scoring::every_step(1), 5, 3),
        "head: 3 (allowed: below 3, the number of heads of the network)"
    );
    let nothing = "too few values for scored steps and repeats: 0 (at least 1 are needed)";
    assert_eq!(refused(&every_step(100, 0, 1), 5, 0), nothing);
    assert_eq!(refused(&Scoring { repeats: 0, ..Scoring::every_step(1) }, 5, 0), nothing);
    let echo = ask(follower(1.0), &Scoring::every_step(1), &Echo::new(None), &[0]).unwrap_err();
    assert_eq!(
        echo.to_string(),
        "task: echo has no N, and so no label at every step (allowed: ladders such as parity and \
         dms; score echo by its own batches: Scoring::batches)"
    );
    let two = ask(follower(1.0), &batches(8, 1), &Echo::new(None), &[0, 0]).unwrap_err();
    assert_eq!(
        two.to_string(),
        "number of heads: 2 (allowed: 1, one for each head of the task echo)"
    );
}
