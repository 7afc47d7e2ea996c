use super::*;

#[test]
fn derivatives_are_the_limits_of_differences() {
    check(Model::One, &[0.7, 4.0]);
    check(Model::Two, &[0.9, 0.3, 1.5, 25.0]);

    fn check(model: Model, params: &[f64]) {
        let curve = [0.0; 31];
        let problem = Problem::new(&curve, model);
        let found = problem.derivatives(params);
        for i in 0..params.len() {
            let step = 1e-5 * params[i];
            let shifted = |by: f64| {
                let mut params = params.to_vec();
                params[i] += by;
                problem.residuals(&params)
            };
            for (lag, (up, down)) in shifted(step).iter().zip(shifted(-step)).enumerate() {
                let expected = (up - down) / (2.0 * step);
                let error = (found[lag][i] - expected).abs();
                assert!(error < 1e-9, "{model:?}, parameter {i}, lag {lag}: {error:e}");
            }
        }
    }
}

#[test]
fn the_shortest_timescale_is_an_instant() {
    assert_eq!(value(&[0.5, TAU_MIN], Model::One, 0.0), 0.5);
    assert_eq!(value(&[0.5, TAU_MIN], Model::One, 1.0), 0.0);
    let flat = Problem::new(&[0.0; 3], Model::One).derivatives(&[0.5, TAU_MIN]);
    assert_eq!(flat, [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
}
