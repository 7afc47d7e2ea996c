use super::*;
use ndarray::array;
use tau_rnn::{Activation, Leaky, Placement};

fn network(activation: Activation, tau: &[f64], w_rec: Array2<f64>) -> (Config, Params<f64>) {
    let n = tau.len();
    let leaky = Leaky { activation, self_connections: true, ..Leaky::DEFAULT };
    let config = Config::new(leaky, n, 1);
    let params = Params {
        tau: Array1::from_vec(tau.to_vec()),
        w_rec,
        b_rec: Array1::zeros(n),
        w_in: Array2::ones((n, 1)),
        b_in: Array1::ones(n),
        readouts: Vec::new(),
    };
    (config, params)
}

fn inputs(steps: usize) -> Array2<f32> {
    Array2::from_shape_fn((steps, 1), |(t, _)| (t % 3 == 0) as u8 as f32)
}

/// All weights and inputs are above 0, so a ReLU is the identity and the step is M, whatever
/// the state: the exponents are ln|λ| of M, for every placement and spacing.
#[test]
fn a_linear_network_has_the_logarithms_of_its_eigenvalues() {
    let tau = [1.0, 2.0, 5.0];
    let w = array![[0.2, 0.1, 0.3], [0.3, 0.1, 0.2], [0.1, 0.4, 0.2]];
    let step = crate::linearised_step(&Array1::from_vec(tau.to_vec()), &w).unwrap();
    let expected: Vec<f64> =
        crate::eigenvalues(&step).unwrap().iter().map(|z| z.re.hypot(z.im).ln()).collect();
    for placement in [Placement::Whole, Placement::Drive] {
        for every in [1, 4] {
            let (config, params) = network(Activation::Relu, &tau, w.clone());
            let leaky = Leaky { placement, ..*config.leaky_cell().unwrap() };
            let config = Config { cell: leaky.into(), ..config };
            let how = Lyapunov { exponents: 3, every, ..Lyapunov::default() };
            let found = how.measure(&config, &params, inputs(4500).view()).unwrap();
            assert_eq!(found.steps, 4000);
            for (found, expected) in found.exponents.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-10, "{found}, expected {expected}");
            }
        }
    }
}

/// One neuron without input and bias rests at 0, where tanh has slope 1:
/// λ = ln|1 − 1/τ + w/τ|, here ln(1 − 1/4 + 0.5/4).
#[test]
fn one_neuron_contracts_as_worked_by_hand() {
    let (config, mut params) = network(Activation::Tanh, &[4.0], array![[0.5]]);
    params.b_in.fill(0.0);
    let silence = Array2::zeros((2000, 1));
    let found = Lyapunov::default().measure(&config, &params, silence.view()).unwrap();
    assert!((found.exponents[0] - 0.875f64.ln()).abs() < 1e-12);
    assert!(found.standard_errors[0] < 1e-12);
}

/// The logistic map at its end is chaotic with exponent ln 2 (Ulam & von Neumann 1947).
#[test]
fn the_logistic_map_has_the_exponent_ln_2() {
    let mut x = 0.3f64;
    let step = |_: usize, vectors: &mut Array2<f64>| {
        *vectors *= 4.0 - 8.0 * x;
        x = 4.0 * x * (1.0 - x);
        Ok(())
    };
    let found = Lyapunov::default().along(1, 100_500, step).unwrap();
    let error = (found.exponents[0] - std::f64::consts::LN_2).abs();
    assert!(error < 4.0 * found.standard_errors[0] && error < 0.01, "{found:?}");
}

/// Random weights of gain g are silent below 1 and chaotic above (Sompolinsky et al. 1988).
#[test]
fn a_random_network_is_chaotic_above_gain_one() {
    let n = 100;
    let key = Key::new(5, Purpose::Parameters);
    let exponent = |gain: f64| {
        let scale = gain * (12.0 / n as f64).sqrt();
        let w = Array2::from_shape_fn((n, n), |(i, j)| {
            scale * (f64::from(key.unit_f32((i * n + j) as u64)) - 0.5)
        });
        let (config, mut params) = network(Activation::Tanh, &[2.0; 100], w);
        params.b_in.fill(0.0);
        let silence = Array2::zeros((1500, 1));
        Lyapunov::default().measure(&config, &params, silence.view()).unwrap().exponents[0]
    };
    assert!(exponent(0.6) < -0.05);
    assert!(exponent(3.0) > 0.05);
}

#[test]
fn a_direction_that_is_lost_has_no_finite_exponent() {
    let step = |_: usize, vectors: &mut Array2<f64>| {
        *vectors = array![[0.5, 0.5], [0.5, 0.5]].dot(vectors);
        Ok(())
    };
    let how = Lyapunov { exponents: 2, ..Lyapunov::default() };
    let found = how.along(2, 600, step).unwrap();
    assert!(found.exponents[0].abs() < 1e-12);
    assert_eq!(found.exponents[1], f64::NEG_INFINITY);
    assert!(found.standard_errors[1].is_nan());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let (config, params) = network(Activation::Relu, &[1.0, 1.0], Array2::zeros((2, 2)));
    let check = |how: Lyapunov, inputs: Array2<f32>| {
        how.measure(&config, &params, inputs.view()).unwrap_err()
    };
    let how = Lyapunov::default();
    let none = check(Lyapunov { exponents: 0, ..how }, inputs(600));
    let allowed = "(allowed: 1 to 2, one for each neuron)";
    assert_eq!(none.to_string(), format!("number of exponents: 0 {allowed}"));
    let three = check(Lyapunov { exponents: 3, ..how }, inputs(600));
    assert_eq!(three.to_string(), format!("number of exponents: 3 {allowed}"));
    let never = check(Lyapunov { every: 0, ..how }, inputs(600)).to_string();
    let expected = "steps between orthonormalisations: 0 (allowed: 1 or more; 1 is safest)";
    assert_eq!(never, expected);
    let short = check(how, inputs(519));
    assert!(matches!(short, Error::TooFew { found: 519, needed: 520, .. }), "{short}");
    let two = check(how, Array2::zeros((600, 2)));
    let expected = "channels of the input: 2 (allowed: 1, as of the network)";
    assert_eq!(two.to_string(), expected);
}
