//! The two losses and their derivatives with respect to the outputs.

use crate::Real;

/// Cross-entropy −ln softmax(outputs)[label] of one trial, in nats; replaces `outputs` by the
/// derivative times `weight`. Also says whether the largest output was that of the label.
pub(crate) fn cross_entropy<R: Real>(outputs: &mut [R], label: usize, weight: R) -> (R, bool) {
    let mut largest = 0;
    for k in 1..outputs.len() {
        if outputs[k] > outputs[largest] {
            largest = k;
        }
    }
    let shift = outputs[largest];
    let chosen = outputs[label] - shift;
    let mut sum = R::ZERO;
    for value in outputs.iter_mut() {
        *value = (*value - shift).exp();
        sum += *value;
    }
    for (k, value) in outputs.iter_mut().enumerate() {
        let hit = if k == label { R::ONE } else { R::ZERO };
        *value = (*value / sum - hit) * weight;
    }
    (sum.ln() - chosen, largest == label)
}

/// Sum of squared errors of one trial at one step; replaces `outputs` by the derivative of
/// `weight` times that sum.
pub(crate) fn squared_error<R: Real>(
    outputs: &mut [R],
    targets: impl Iterator<Item = f32>,
    weight: R,
) -> R {
    let mut sum = R::ZERO;
    for (value, target) in outputs.iter_mut().zip(targets) {
        let error = *value - R::from_f32(target);
        sum += error * error;
        *value = (error + error) * weight;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn cross_entropy_of_equal_outputs_is_ln_2() {
        let mut outputs = [3.0f64, 3.0];
        let (loss, _) = cross_entropy(&mut outputs, 1, 0.5);
        assert_relative_eq!(loss, std::f64::consts::LN_2);
        assert_relative_eq!(outputs[0], 0.25);
        assert_relative_eq!(outputs[1], -0.25);
    }

    #[test]
    fn cross_entropy_survives_huge_outputs() {
        let mut outputs = [1e4f32, -1e4];
        assert_eq!(cross_entropy(&mut outputs, 0, 1.0), (0.0, true));
        let mut outputs = [1e4f32, -1e4];
        assert_eq!(cross_entropy(&mut outputs, 1, 1.0), (2e4, false));
    }

    #[test]
    fn an_infinite_output_makes_the_loss_nan() {
        let (loss, _) = cross_entropy(&mut [f32::INFINITY, 0.0], 0, 1.0);
        assert!(loss.is_nan());
    }

    #[test]
    fn squared_error_is_hand_worked() {
        let mut outputs = [1.0f64, -2.0];
        let sum = squared_error(&mut outputs, [0.0, 1.0].into_iter(), 0.5);
        assert_relative_eq!(sum, 10.0);
        assert_eq!(outputs, [1.0, -3.0]);
    }
}
