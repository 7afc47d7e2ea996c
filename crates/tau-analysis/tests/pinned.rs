//! Numbers of every protocol on small random networks, to the last bit: a change here changes results
//! that were computed with a seed. They are those of the first version, whose protocols knew two
//! classes only.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::sync::atomic::AtomicBool;

use tau_analysis::{
    Ablation, ChanceLevel, Drive, Lyapunov, Measure, Perturbation, PerturbationResult, Perturbed,
    Probe, Removal, Retraining, Scoring, Subject, TimeStep, ablate_each,
};
use tau_random::{Key, Purpose};
use tau_rnn::{
    Backend, Cell, Config, Cpu, Error, Leaky, Optimiser, Params, Placement, Readout, thread_pool,
};
use tau_tasks::{Task, TaskSpec};

static GO_ON: AtomicBool = AtomicBool::new(false);
const CLASSES: Measure = Measure::Accuracy { chance: 0.5 };

/// Twelve neurons for one channel and heads with two classes.
fn network(cell: Cell, heads: usize) -> (Config, Params<f32>) {
    let config = Config::new(cell, 12, 1);
    let mut random = Key::new(11, Purpose::Parameters).stream();
    let mut params = Params::<f32>::init(&config, &mut random).unwrap();
    for _ in 0..heads {
        params.readouts.push(Readout::init(&config, 2, &mut random));
    }
    (config, params)
}

fn on_cpu(config: Config, params: Params<f32>) -> Result<Box<dyn Backend<f32>>, Error> {
    Ok(Box::new(Cpu::new(config, params, thread_pool(Some(1))?)?))
}

fn leaky() -> Cell {
    Leaky::DEFAULT.into()
}

fn parity(memory: &[usize]) -> Box<dyn Task> {
    TaskSpec::parity(memory).build().unwrap()
}

fn dms() -> Box<dyn Task> {
    TaskSpec::dms(&[3]).build().unwrap()
}

fn scoring() -> Scoring {
    Scoring { repeats: 3, ..Scoring::every_step(6) }
}

#[test]
fn long_simulations() {
    check(leaky(), [0.03109170130585688, 0.004764947247505474], [-0.0005585654597984467, 0.0]);
    check(
        Cell::Gru,
        [0.30351783511187974, 0.07114891003153125],
        [0.0023157273801284956, 1.0949354599640388],
    );
    fn check(cell: Cell, correlations: [f64; 2], rest: [f64; 2]) {
        let (config, params) = network(cell, 2);
        let mut network = on_cpu(config, params).unwrap();
        let drive =
            Drive { steps: 3000, burn_in: 50, trials: 3, max_lag: 20, initial_state: 0.1, seed: 5 };
        let found = drive.autocorrelation(&mut *network, &*dms(), &GO_ON).unwrap();
        assert_eq!([found.units[[3, 4]], found.population[7]], correlations);
        let found = drive.activity(&mut *network, &*parity(&[2, 3]), &GO_ON).unwrap();
        assert_eq!([found.covariance[[2, 5]], found.ornstein_uhlenbeck[1].tau], rest);
    }
}

#[test]
fn scores_of_two_heads() {
    check(leaky(), [0.489, 0.511, 0.496, 0.495, 0.502, 0.515]);
    check(Cell::Gru, [0.511, 0.445, 0.504, 0.422, 0.498, 0.43]);
    fn check(cell: Cell, expected: [f64; 6]) {
        let (config, params) = network(cell, 2);
        let mut network = on_cpu(config, params).unwrap();
        let found = scoring().score(&mut *network, &*parity(&[2, 3]), &[1, 0], &GO_ON).unwrap();
        assert_eq!(found.values.iter().copied().collect::<Vec<_>>(), expected);
        assert_eq!(found.measures, [CLASSES; 2]);
    }
}

#[test]
fn scores_without_each_neuron() {
    const WHOLE: f64 = 0.49533333333333335;
    let mut expected = [WHOLE; 12];
    expected[1] = 0.41033333333333327;
    expected[9..].copy_from_slice(&[0.4993333333333334, 0.6819999999999999, 0.416]);
    check(leaky(), [WHOLE, 0.019601587237318866, 0.513], expected);
    const GRU: f64 = 0.5046666666666667;
    let mut expected = [GRU; 12];
    (expected[4], expected[6], expected[8]) =
        (0.5816666666666667, 0.5073333333333333, 0.5553333333333333);
    check(Cell::Gru, [GRU, 0.01960158723731889, 0.532], expected);
    fn check(cell: Cell, whole: [f64; 3], expected: [f64; 12]) {
        let ((config, params), task) = (network(cell, 2), dms());
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, heads: &[1], make: &on_cpu };
        let (found, left) = ablate_each(&subject, &scoring(), &GO_ON, &|_, _| {}).unwrap();
        assert_eq!([found.mean, found.standard_deviation, found.best], whole);
        assert_eq!((left, found.measure), (expected.to_vec(), CLASSES));
    }
}

#[test]
fn scores_without_the_neurons_with_the_shortest_and_the_longest_tau() {
    let ((config, params), task) = (network(leaky(), 2), dms());
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[1], make: &on_cpu };
    let removal = Removal::WeightsAndFirstHead;
    let ablation = Ablation { neurons: 2, removal, scoring: scoring() };
    let found = ablation.run(&subject, &GO_ON).unwrap();
    let ablated = found.short.iter().chain(&found.long);
    let ablated: Vec<_> = ablated.map(|one| (one.neuron, one.tau_raw, one.value)).collect();
    let expected = [
        (9, 1.247291088104248, 0.4993333333333334),
        (3, 1.264723539352417, 0.49533333333333335),
        (4, 1.7043125629425049, 0.49533333333333335),
        (6, 1.7972760200500488, 0.49533333333333335),
    ];
    assert_eq!(ablated, expected);
}

#[test]
fn scores_under_noise() {
    let quiet = [0.5083333333333333, 0.0036817870057290905, 0.513];
    let noisy = [0.5076666666666667, 0.002867441755680878, 0.511];
    check(leaky(), Perturbed::Weights, [quiet, noisy]);
    check(leaky(), Perturbed::Tau, [quiet, quiet]);
    let gru = [0.4916666666666667, 0.0036817870057290905, 0.496];
    check(Cell::Gru, Perturbed::Weights, [gru, gru]);
    fn check(cell: Cell, perturbed: Perturbed, expected: [[f64; 3]; 2]) {
        let ((config, params), task) = (network(cell, 2), dms());
        let (config, params, task) = (&config, &params, &*task);
        let subject = Subject { config, params, task, heads: &[1], make: &on_cpu };
        let scoring = Scoring { repeats: 1, ..scoring() };
        let noise = Perturbation { perturbed, epsilons: vec![0.0, 0.3], draws: 3, scoring };
        let found = noise.run(&subject, &GO_ON).unwrap();
        let numbers = |PerturbationResult { score, .. }: &PerturbationResult| {
            assert_eq!(score.measure, CLASSES);
            [score.mean, score.standard_deviation, score.best]
        };
        assert_eq!(found.iter().map(numbers).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn sizes_of_noise() {
    let weights = [
        0.0,
        0.01,
        0.021544346900318832,
        0.046415888336127774,
        0.1,
        0.21544346900318834,
        0.46415888336127775,
        1.0,
        2.154434690031882,
        4.6415888336127775,
        10.0,
    ];
    assert_eq!(Perturbation::logarithmic_sizes(-2.0, 1.0, 10), weights);
    let tau = Perturbation::logarithmic_sizes(-3.0, 1.0, 13);
    assert_eq!(tau[1..4], [0.001, 0.0021544346900318843, 0.004641588833612777]);
    assert_eq!((tau.len(), tau[8], tau[13]), (14, 0.21544346900318823, 10.0));
}

#[test]
fn lyapunov_exponents() {
    let (config, params) = network(leaky(), 0);
    let input = dms().drive(700, 1, Key::new(3, Purpose::DriveInputs)).unwrap();
    let how = Lyapunov { exponents: 2, ..Lyapunov::default() };
    let input = input.index_axis(ndarray::Axis(1), 0);
    let found = how.measure(&config, &params.cast(), input).unwrap();
    assert_eq!(found.exponents, [-0.839759845693715, -1.0000199897401447]);
    assert_eq!(found.standard_errors, [0.01816283336651702, 0.015242278139129421]);
}

fn probe(initial_state: f64) -> Probe {
    let (optimiser, chance) = (Optimiser::nesterov(), ChanceLevel::OneOfClasses);
    Probe {
        updates: 40,
        batch_size: 32,
        test_batches: 7,
        initial_state,
        optimiser,
        chance,
        seed: 8,
    }
}

fn retraining(initial_state: f64) -> Retraining {
    Retraining {
        epochs: 2,
        updates_per_epoch: 30,
        batch_size: 32,
        test_batches: 7,
        initial_state,
        optimiser: Optimiser::nesterov(),
        chance: ChanceLevel::OneOfClasses,
        seed: 9,
    }
}

#[test]
fn probes_and_further_training() {
    let values = [0.45535714285714285, 0.47767857142857145, 0.48214285714285715];
    check(leaky(), 0.1, [0.6651785714285714, 0.7008928571428572], values, 0.19386737);
    let values = [0.5446428571428571, 0.4732142857142857, 0.6383928571428571];
    check(Cell::Gru, 0.0, [0.6651785714285714, 0.5], values, -0.1305019);
    fn check(cell: Cell, initial: f64, probed: [f64; 2], trained: [f64; 3], weight: f32) {
        let (config, params) = network(cell, 2);
        let mut network = on_cpu(config.clone(), params.clone()).unwrap();
        let found = probe(initial).run(&mut *network, &*parity(&[2, 3]), &GO_ON).unwrap();
        assert_eq!(found.iter().map(|head| head.value).collect::<Vec<_>>(), probed);
        let mut network = on_cpu(config, params).unwrap();
        let found = retraining(initial).run(&mut *network, &[1], &*dms(), &GO_ON).unwrap();
        assert_eq!((found.values, found.measure), (trained.map(Some).to_vec(), CLASSES));
        assert_eq!(network.params().unwrap().w_rec[[3, 5]], weight);
    }
}

#[test]
fn continuous_time() {
    let placement = Placement::Continuous { steps_per_unit: 3 };
    let (config, params) = network(Leaky { placement, ..Leaky::DEFAULT }.into(), 1);
    let mut network = on_cpu(config, params).unwrap();
    let steps = TimeStep { steps_per_unit: vec![1, 4], scoring: Scoring::every_step(2) };
    let found = steps.run(&mut *network, &*parity(&[2]), &[0], &GO_ON).unwrap();
    assert_eq!(found.values, ndarray::array![[0.4920000000000001], [0.4920000000000001]]);
    let once = Retraining { epochs: 1, updates_per_epoch: 20, ..retraining(0.1) };
    let found = once.run(&mut *network, &[0], &*parity(&[2]), &GO_ON).unwrap();
    assert_eq!(found.values, [Some(0.6651785714285714), Some(0.6294642857142857)]);
}
