//! Effects, intervals and verdicts against values from SciPy 1.17.1 and by hand.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use tau_analysis::effect::{Estimate, Prediction, Verdict, slope};
use tau_analysis::{Error, Prediction::*};

const LEFT: [f64; 4] = [2.0, 4.0, 6.0, 9.0];
const RIGHT: [f64; 3] = [1.0, 1.5, 2.5];

fn check(found: Result<Estimate, Error>, effect: f64, interval: [f64; 2]) {
    let found = found.unwrap();
    let [low, high] = found.interval.unwrap();
    assert!((found.effect - effect).abs() < 1e-12, "effect: {}", found.effect);
    assert!((low - interval[0]).abs() < 1e-8, "low: {low}");
    assert!((high - interval[1]).abs() < 1e-8, "high: {high}");
}

#[test]
fn intervals_are_those_of_scipy() {
    // ttest_1samp(LEFT, 0), ttest_ind(LEFT, RIGHT, equal_var=False), ttest_rel(LEFT[:3], RIGHT)
    check(Estimate::mean(&LEFT), 5.25, [0.49848226001354057, 10.00151773998646]);
    check(
        Estimate::difference(&LEFT, &RIGHT),
        3.583333333333333,
        [-0.9900322226428022, 8.156698889309467],
    );
    check(
        Estimate::paired(&LEFT[..3], &RIGHT),
        2.3333333333333335,
        [-0.7924714063545539, 5.4591380730212204],
    );
}

#[test]
fn a_group_without_variance_leaves_the_others_degrees_of_freedom() {
    // ttest_ind(LEFT, [3, 3, 3], equal_var=False): 3 degrees of freedom
    check(Estimate::difference(&LEFT, &[3.0; 3]), 2.25, [-2.5015177399864594, 7.001517739986459]);
}

#[test]
fn networks_that_all_agree_leave_no_doubt() {
    check(Estimate::mean(&[0.1; 7]), 0.1, [0.1, 0.1]);
    let found = Estimate::difference(&[101.0; 4], &[24.0; 4]).unwrap();
    assert_eq!((found.interval, found.networks), (Some([77.0, 77.0]), 8));
    assert_eq!(found.verdict(Positive { beyond: 0.0 }), Verdict::Supported);
}

#[test]
fn one_network_decides_nothing() {
    let alone = [
        Estimate::mean(&[5.0]),
        Estimate::difference(&[5.0], &[1.0, 1.0, 1.0]),
        Estimate::paired(&[5.0], &[1.0]),
    ];
    for found in alone.map(Result::unwrap) {
        assert_eq!(found.interval, None);
        for prediction in
            [Positive { beyond: 0.0 }, Negative { beyond: 0.0 }, Negligible { within: 9.0 }]
        {
            assert_eq!(found.verdict(prediction), Verdict::Undecidable);
        }
    }
}

#[test]
fn a_verdict_follows_from_where_the_interval_lies() {
    use Verdict::{Contradicted, Supported, Undecidable};
    let (up, down, none) =
        (Positive { beyond: 0.0 }, Negative { beyond: 0.0 }, Negligible { within: 1.0 });
    check([0.1, 2.0], [(up, Supported), (down, Contradicted), (none, Undecidable)]);
    check([-2.0, -0.1], [(up, Contradicted), (down, Supported), (none, Undecidable)]);
    check([-0.5, 0.5], [(up, Undecidable), (down, Undecidable), (none, Supported)]);
    check([1.5, 2.0], [(up, Supported), (down, Contradicted), (none, Contradicted)]);
    check([0.0, 2.0], [(up, Undecidable), (down, Undecidable), (none, Undecidable)]);
    // With a smallest effect that counts, 0.5, the interval must lie beyond that.
    let (up, down) = (Positive { beyond: 0.5 }, Negative { beyond: 0.5 });
    check([0.4, 2.0], [(up, Undecidable), (down, Contradicted), (none, Undecidable)]);
    check([0.6, 2.0], [(up, Supported), (down, Contradicted), (none, Undecidable)]);
    check([-2.0, -0.6], [(up, Contradicted), (down, Supported), (none, Undecidable)]);
    // An effect shown to be smaller speaks against both.
    check([-0.1, 0.3], [(up, Contradicted), (down, Contradicted), (none, Supported)]);

    fn check(interval: [f64; 2], expected: [(Prediction, Verdict); 3]) {
        let estimate = Estimate { effect: 0.0, interval: Some(interval), networks: 4 };
        for (prediction, verdict) in expected {
            assert_eq!(estimate.verdict(prediction), verdict, "{interval:?}: {prediction:?}");
        }
    }
}

#[test]
fn a_slope_is_the_least_squares_one() {
    assert_eq!(slope(&[1.0, 2.0, 3.0], &[3.0, 5.0, 7.0]), Ok(2.0));
    // deviations -1, 0, 1 and -1, 2, -1: products 1 + 0 - 1
    assert_eq!(slope(&[1.0, 2.0, 3.0], &[0.0, 3.0, 0.0]), Ok(0.0));
    // deviations -1.5, -0.5, 0.5, 1.5 and y 1, 3, 2, 5: (-1.5 - 1.5 + 1 + 7.5) / 5
    assert_eq!(slope(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 5.0]), Ok(1.1));
}

#[test]
fn a_slope_needs_two_different_x() {
    let constant = slope(&[0.1; 3], &[1.0, 2.0, 3.0]).unwrap_err().to_string();
    assert_eq!(constant, "x: 0.1 everywhere (allowed: at least two different values)");
    assert!(matches!(slope(&[1.0], &[1.0]), Err(Error::TooFew { found: 1, needed: 2, .. })));
    assert_eq!(slope(&[1.0, 2.0], &[1.0]), Err(Error::Lengths { left: 2, right: 1 }));
}

#[test]
fn a_diverged_network_is_not_averaged_away() {
    let bad = [1.0, f64::NAN, 2.0];
    let refused =
        [Estimate::mean(&bad), Estimate::difference(&LEFT, &bad), Estimate::paired(&bad, &RIGHT)];
    for refused in refused {
        assert!(matches!(refused, Err(Error::NotFinite { index: 1, .. })), "{refused:?}");
    }
    assert!(matches!(slope(&RIGHT, &bad), Err(Error::NotFinite { index: 1, .. })));
    assert!(matches!(Estimate::mean(&[]), Err(Error::TooFew { found: 0, .. })));
}

#[test]
fn an_undecided_estimate_survives_json() {
    let found = Estimate::mean(&[5.0]).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(text, r#"{"effect":5.0,"interval":null,"networks":1}"#);
    assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), found);
    assert_eq!(serde_json::to_string(&Verdict::Undecidable).unwrap(), r#""undecidable""#);
}
