//! How far a matrix can stretch in the long run.

use ndarray::Array2;

/// Squarings: the power is 2²⁰, its root is exact to 10⁻⁵ or so.
const SQUARINGS: i32 = 20;

/// The spectral radius, the largest modulus of an eigenvalue, by Gelfand's formula: the limit of
/// ‖Aᵏ‖^(1/k), with k doubled again and again. NaN for a matrix that is not finite.
#[must_use]
pub fn spectral_radius(matrix: &Array2<f64>) -> f64 {
    let norm = |a: &Array2<f64>| a.iter().map(|x| x * x).sum::<f64>().sqrt();
    // Aᵏ = exp(log) · power.
    let (mut power, mut log) = (matrix.clone(), 0.0);
    for _ in 0..SQUARINGS {
        let length = norm(&power);
        if length == 0.0 {
            // Nilpotent.
            return 0.0;
        }
        power /= length;
        power = power.dot(&power);
        log = 2.0 * (log + length.ln());
    }
    ((log + norm(&power).ln()) / f64::from(SQUARINGS).exp2()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_radius_is_that_of_the_eigenvalues() {
        check(array![[3.0]], 3.0);
        check(array![[0.0, 5.0], [0.0, 0.0]], 0.0);
        check(array![[0.5, 100.0], [0.0, 0.25]], 0.5);
        // A rotation by 90° and twice the length: ±2 i.
        check(array![[0.0, -2.0], [2.0, 0.0]], 2.0);
        check(array![[1.0, 1.0], [1.0, 0.0]], f64::midpoint(1.0, 5.0_f64.sqrt()));
        check(array![[-1e-100, 0.0], [0.0, 1e-101]], 1e-100);
        assert!(spectral_radius(&array![[f64::NAN]]).is_nan());
        fn check(matrix: Array2<f64>, expected: f64) {
            let found = spectral_radius(&matrix);
            assert!((found - expected).abs() <= 1e-5 * expected, "{found} for {matrix}");
        }
    }
}
