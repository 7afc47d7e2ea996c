use super::*;
use crate::test_networks::{delay_line, follower, on_cpu, symbol_reader};
use crate::test_tasks::{Echo, Symbols};
use crate::{Measure, Perturbation, Perturbed, Protocol};
use ndarray::{Array2, Axis};
use tau_random::{Bits, Chance, Coding, Key, Purpose};
use tau_rnn::{Cell, Config, Params, Readout};
use tau_tasks::{TaskSpec, draw_bits};

fn run(removal: Removal, n: usize, head: usize, neurons: usize) -> AblationResult {
    let (config, mut params) = delay_line();
    // Neuron 0 has the smallest τ_raw, which acts as 1.
    params.tau[0] = 0.5;
    let task = TaskSpec::parity(&[n]).build().unwrap();
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[head], make: &on_cpu };
    let ablation = Ablation { neurons, removal, scoring: Scoring::every_step(4) };
    ablation.run(&subject, &AtomicBool::new(false)).unwrap()
}

#[test]
fn a_delay_line_loses_everything_with_its_first_neuron_and_nothing_with_one_beside_it() {
    let found = run(Removal::Clean, 1, 0, 1);
    let measure = Measure::Accuracy { chance: 0.5 };
    let perfect = Score { mean: 1.0, standard_deviation: 0.0, best: 1.0, measure };
    assert_eq!(found.baseline, perfect);
    let [first, beside] = [found.short[0], found.long[0]];
    assert_eq!((first.neuron, first.tau_raw), (0, 0.5));
    assert_eq!((beside.neuron, beside.tau_raw, beside.value), (5, 8.0, 1.0));
    // Four standard errors of 10 000 fair coins.
    assert!((first.value - 0.5).abs() < 0.02, "{first:?}");
    assert_eq!(found.means(), (first.value, 1.0));
}

#[test]
fn each_neuron_of_a_delay_line_is_needed_up_to_the_one_that_is_read() {
    let (config, params) = delay_line();
    let task = TaskSpec::parity(&[1]).build().unwrap();
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let calls = std::sync::Mutex::new(Vec::new());
    let done = |removed, of| calls.lock().unwrap().push((removed, of));
    let stop = AtomicBool::new(false);
    let (whole, left) = ablate_each(&subject, &Scoring::every_step(4), &stop, &done).unwrap();
    assert_eq!(whole.mean, 1.0);
    // Head 0 reads neuron 0, the last bit; four standard errors of 10 000 fair coins.
    assert!((left[0] - 0.5).abs() < 0.02, "{left:?}");
    assert_eq!(left[1..], [1.0; 5]);
    let mut seen = calls.lock().unwrap().clone();
    assert_eq!(seen[0], (0, 6));
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter((0..=6).map(|removed| (removed, 6))));
    let stopped = ablate_each(&subject, &Scoring::every_step(4), &AtomicBool::new(true), &done);
    assert_eq!(stopped.unwrap_err(), Error::Stopped);
}

#[test]
fn equal_tau_are_taken_in_the_order_of_the_neurons() {
    let found = run(Removal::Clean, 1, 0, 3);
    let order: Vec<usize> =
        found.short.iter().chain(&found.long).map(|ablated| ablated.neuron).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5]);
}

/// A network with a neuron that ablation reaches only in its clean form: the neuron lives on its
/// bias, and head 1 reads it.
#[test]
fn a_removal_from_weights_and_first_head_leaves_biases_and_later_heads() {
    let (_, params) = delay_line();
    let mut params = params;
    params.b_rec[5] = 1.0;
    params.b_in[5] = 1.0;
    params.readouts[1].weight[[0, 5]] = 2.0;
    let mut damaged = params.clone();
    Removal::WeightsAndFirstHead.take(&mut damaged, 5);
    let left = [damaged.b_rec[5], damaged.b_in[5], damaged.readouts[1].weight[[0, 5]]];
    assert_eq!(left, [1.0, 1.0, 2.0]);
    assert_eq!((damaged.w_in[[5, 0]], damaged.readouts[0].weight[[0, 5]]), (0.0, 0.0));
    Removal::Clean.take(&mut params, 5);
    let left = [params.b_rec[5], params.b_in[5], params.readouts[1].weight[[0, 5]]];
    assert_eq!(left, [0.0; 3]);
}

/// The clean removal is the network that never had the neuron.
#[test]
fn a_clean_removal_equals_a_smaller_network() {
    Cell::ALL.into_iter().for_each(clean_removal);
}

fn clean_removal(cell: Cell) {
    let config = Config::new(cell, 7, 1);
    let mut random = Key::new(9, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(&config, &mut random).unwrap();
    params.readouts.push(Readout::init(&config, 2, &mut random));
    let gone = 2;
    let keep: Vec<usize> = (0..7).filter(|&neuron| neuron != gone).collect();
    let rows: Vec<usize> = (0..config.gate_rows()).filter(|row| row % 7 != gone).collect();
    let tau = if cell.leaky().is_some() { &keep[..] } else { &[] };
    let small = Params {
        tau: params.tau.select(Axis(0), tau),
        w_rec: params.w_rec.select(Axis(0), &rows).select(Axis(1), &keep),
        b_rec: params.b_rec.select(Axis(0), &rows),
        w_in: params.w_in.select(Axis(0), &rows),
        b_in: params.b_in.select(Axis(0), &rows),
        readouts: vec![Readout {
            weight: params.readouts[0].weight.select(Axis(1), &keep),
            ..params.readouts[0].clone()
        }],
    };
    Removal::Clean.take(&mut params, gone);
    let bits = Bits { chance: Chance::Half, coding: Coding::Bits };
    let inputs = draw_bits(bits, 40, 3, Key::new(1, Purpose::ScoringInputs)).unwrap();
    let run = |config: Config, params: Params<f32>| {
        let mut network = on_cpu(config.clone(), params).unwrap();
        let mut state = Array2::zeros((3, config.state_size()));
        let mut activity = ndarray::Array3::zeros((0, 0, 0));
        network.advance(&mut state, inputs.view(), &mut activity).unwrap();
        activity
    };
    let smaller = Config::new(cell, 6, 1);
    let (whole, small) = (run(config, params), run(smaller, small));
    for (whole, small) in whole.select(Axis(2), &keep).iter().zip(&small) {
        approx::assert_abs_diff_eq!(whole, small, epsilon = 1e-6);
    }
}

#[test]
fn neurons_without_tau_are_not_sorted_by_it() {
    let config = Config::gru(6, 1);
    let mut random = Key::new(9, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(&config, &mut random).unwrap();
    params.readouts.push(Readout::init(&config, 2, &mut random));
    let task = TaskSpec::parity(&[1]).build().unwrap();
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let (scoring, go_on) = (Scoring::every_step(1), AtomicBool::new(false));
    let ablation = Ablation { neurons: 2, removal: Removal::Clean, scoring };
    let refused = ablation.run(&subject, &go_on).unwrap_err().to_string();
    let expected = "tau: none (the cell is gru; allowed: leaky, which alone has time constants)";
    assert_eq!(refused, expected);
    let noise = |perturbed| Perturbation { perturbed, epsilons: vec![0.1], draws: 1, scoring };
    let refused = noise(Perturbed::Tau).run(&subject, &go_on).unwrap_err().to_string();
    assert_eq!(refused, expected);
    // W is there, and is scored from a state of zeros.
    assert_eq!(noise(Perturbed::Weights).run(&subject, &go_on).unwrap().len(), 1);
}

#[test]
fn more_than_half_of_the_network_is_refused() {
    let (config, params) = delay_line();
    let task = TaskSpec::parity(&[1]).build().unwrap();
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let ablation =
        |neurons| Ablation { neurons, removal: Removal::Clean, scoring: Scoring::every_step(1) };
    let error = ablation(4).run(&subject, &AtomicBool::new(false)).unwrap_err().to_string();
    assert_eq!(error, "neurons to ablate at each end: 4 (allowed: 1 to 3, half of the network)");
    let stopped = ablation(3).run(&subject, &AtomicBool::new(true));
    assert_eq!(stopped, Err(Error::Stopped));
}

fn batches(trials: usize) -> Scoring {
    Scoring { protocol: Protocol::Batches { trials }, repeats: 1, ..Scoring::batches(1) }
}

/// The follower says half of x = 0, 1, 2, 3: a loss of 7/8. Without the neuron that follows it says
/// 0, and the loss is four times that; the neuron that is not read does not matter.
#[test]
fn a_task_with_values_loses_by_what_a_neuron_was_needed_for() {
    let ablate = |gain: f32| {
        let ((config, params), task) = (follower(gain), Echo::new(None));
        let (config, params, task) = (&config, &params, &task);
        let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
        let ablation = Ablation { neurons: 1, removal: Removal::Clean, scoring: batches(8) };
        ablation.run(&subject, &AtomicBool::new(false)).unwrap()
    };
    let found = ablate(0.5);
    assert_eq!((found.baseline.mean, found.baseline.measure), (0.875, Measure::Loss));
    let values = [found.short[0], found.long[0]].map(|one| (one.neuron, one.value));
    assert_eq!(values, [(0, 3.5), (1, 0.875)]);
    assert_eq!(values.map(|(_, value)| found.baseline.relative(value)), [Some(4.0), Some(1.0)]);
    // A loss of 0 has no multiple.
    let perfect = ablate(1.0);
    assert_eq!((perfect.baseline.mean, perfect.short[0].value), (0.0, 3.5));
    assert_eq!(perfect.baseline.relative(3.5), None);
}

/// Without its neuron, a symbol is taken for symbol 0: nothing is lost with neuron 0, one of three
/// classes with either of the others.
#[test]
fn each_neuron_of_a_network_with_three_classes_is_worth_its_symbol() {
    let ((config, params), task) = (symbol_reader(), Symbols::new(3, &[0, 1, 2]));
    let (config, params, task) = (&config, &params, &task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let go_on = AtomicBool::new(false);
    let (whole, left) = ablate_each(&subject, &batches(24), &go_on, &|_, _| {}).unwrap();
    assert_eq!((whole.mean, whole.measure.chance()), (1.0, Some(1.0 / 3.0)));
    assert_eq!(left, [1.0, 2.0 / 3.0, 2.0 / 3.0]);
    approx::assert_relative_eq!(whole.relative(left[1]).unwrap(), 0.5, max_relative = 1e-12);
}
