use super::*;
use crate::Protocol;
use crate::test_networks::{delay_line, follower, on_cpu};
use crate::test_tasks::Echo;
use approx::assert_relative_eq;
use ndarray::Array;
use tau_tasks::TaskSpec;

fn run(perturbed: Perturbed, epsilons: &[f64]) -> Result<Vec<PerturbationResult>, Error> {
    let (config, params) = delay_line();
    let task = TaskSpec::parity(&[1]).build().unwrap();
    let (config, params, task) = (&config, &params, &*task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let scoring = Scoring { repeats: 1, ..Scoring::every_step(5) };
    let epsilons = epsilons.to_vec();
    let perturbation = Perturbation { perturbed, epsilons, draws: 6, scoring };
    perturbation.run(&subject, &AtomicBool::new(false))
}

#[test]
fn noise_of_size_epsilon_moves_the_array_by_epsilon_of_its_norm() {
    let (_, before) = delay_line();
    let norm = |values: Array<f32, ndarray::IxDyn>| {
        values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
    };
    for epsilon in [0.1, 3.0] {
        let key = Key::new(1, Purpose::Perturbation);
        let mut after = before.clone();
        Perturbed::Weights.add(&mut after, epsilon, key);
        let moved = norm((&after.w_rec - &before.w_rec).into_dyn());
        let size = norm(before.w_rec.clone().into_dyn());
        assert_relative_eq!(moved, epsilon * size, max_relative = 1e-5);
        assert_eq!(after.tau, before.tau);

        let mut after = before.clone();
        Perturbed::Tau.add(&mut after, epsilon, key);
        let moved = norm((&after.tau - &before.tau).into_dyn());
        let size = norm(before.tau.clone().into_dyn());
        assert_relative_eq!(moved, epsilon * size, max_relative = 1e-5);
        assert!(after.tau.iter().zip(&before.tau).all(|(after, before)| after >= before));
        assert_eq!(after.w_rec, before.w_rec);
    }
}

/// A one-neuron memory of the last bit forgets it when its τ grows: at τ = 1 it is the bit, at
/// τ = 2 and more the bits before weigh as much as the last.
#[test]
fn a_delay_line_is_hurt_by_noise_and_not_by_none() {
    let tau = run(Perturbed::Tau, &[0.0, 1e-4, 10.0]).unwrap();
    let measure = Measure::Accuracy { chance: 0.5 };
    let perfect = Score { mean: 1.0, standard_deviation: 0.0, best: 1.0, measure };
    assert_eq!(tau[0].score, perfect);
    assert_eq!(tau[1].score.mean, 1.0);
    assert!(tau[2].score.mean < 0.9, "{tau:?}");
    let weights = run(Perturbed::Weights, &[0.0, 1e-4, 10.0]).unwrap();
    assert_eq!((weights[0].score.mean, weights[1].score.mean), (1.0, 1.0));
    assert!(weights[2].score.mean < 0.9, "{weights:?}");
}

#[test]
fn sizes_are_zero_and_equal_steps_of_the_logarithm() {
    let weights = Perturbation::logarithmic_sizes(-2.0, 1.0, 10);
    assert_eq!((weights.len(), weights[0]), (11, 0.0));
    assert_relative_eq!(weights[2], 0.0215443, max_relative = 1e-5);
    let tau = Perturbation::logarithmic_sizes(-3.0, 1.0, 13);
    assert_eq!(tau.len(), 14);
    assert_relative_eq!(tau[2], 0.00215443, max_relative = 1e-5);
    assert_relative_eq!(tau[13], 10.0, max_relative = 1e-12);
}

#[test]
fn an_impossible_size_is_refused() {
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let error = run(Perturbed::Tau, &[0.0, value]).unwrap_err().to_string();
        assert_eq!(error, format!("epsilon: {value} (allowed: 0 or more, finite)"));
    }
    assert!(matches!(run(Perturbed::Tau, &[]), Err(Error::TooFew { .. })));
}

/// A follower with a loss of 7/8 whose τ grows says less of what it sees.
#[test]
fn noise_raises_the_loss_of_values() {
    let ((config, params), task) = (follower(0.5), Echo::new(None));
    let (config, params, task) = (&config, &params, &task);
    let subject = Subject { config, params, task, heads: &[0], make: &on_cpu };
    let protocol = Protocol::Batches { trials: 8 };
    let scoring = Scoring { protocol, repeats: 1, ..Scoring::batches(5) };
    let epsilons = vec![0.0, 10.0];
    let perturbation = Perturbation { perturbed: Perturbed::Tau, epsilons, draws: 3, scoring };
    let found = perturbation.run(&subject, &AtomicBool::new(false)).unwrap();
    let (whole, noisy) = (found[0].score, found[1].score);
    assert_eq!((whole.mean, whole.measure), (0.875, Measure::Loss));
    assert!(whole.relative(noisy.mean).unwrap() > 1.2, "{found:?}");
}
