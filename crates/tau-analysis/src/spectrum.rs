//! Eigenvalues of the recurrent weights and of the linearised step.
//!
//! Where φ has slope 1 a step of the τ-RNN is linear, with the matrix
//!
//! $$ M = I - \mathrm{diag}(1/\tau) + \mathrm{diag}(1/\tau)\, W $$
//!
//! for every placement of φ. An eigenvalue λ of M is a mode that decays as |λ|ᵗ, with the timescale
//! −1/ln|λ| steps, and turns by arg λ a step: long timescales of activity without long τ are
//! eigenvalues of M near 1 that W puts there.

use nalgebra::{DMatrix, DVector, Schur};
use ndarray::{Array1, Array2};
use realfft::num_complex::Complex;

use crate::Error;
use crate::error::{check_square, refuse};

/// Steps of the iteration for each row of the matrix; two or three are usual.
const ITERATIONS: usize = 30;

/// All eigenvalues of a square matrix, largest modulus first; of a conjugate pair the one with the
/// positive imaginary part first.
///
/// The shifted QR iteration (nalgebra) is accurate to about 10⁻¹⁵ × the norm of the matrix, and to the
/// power 1/k of that for a k-fold eigenvalue with one eigenvector. It takes a second for 500 neurons.
///
/// # Errors
/// [`Error::Value`] unless it is square; [`Error::NotFinite`] with the index in row-major order;
/// [`Error::Eigenvalues`] if the iteration does not end.
pub fn eigenvalues(matrix: &Array2<f64>) -> Result<Vec<Complex<f64>>, Error> {
    check_square(matrix.dim())?;
    let rows = matrix.nrows();
    if let Some(index) = matrix.iter().position(|x| !x.is_finite()) {
        let value = matrix.iter().nth(index).copied().unwrap_or(f64::NAN);
        return Err(Error::NotFinite { what: "matrix", index, value });
    }
    if rows == 0 {
        return Ok(Vec::new());
    }
    let matrix = DMatrix::from_fn(rows, rows, |i, j| matrix[[i, j]]);
    // A cyclic permutation is a fixed point of the iteration; seen in a mirror it is not.
    let found = schur(matrix.clone()).or_else(|| schur(mirrored(matrix)));
    let found = found.ok_or(Error::Eigenvalues { size: rows })?;
    let values = found.complex_eigenvalues();
    let mut values: Vec<Complex<f64>> =
        values.iter().map(|value| Complex::new(value.re, value.im)).collect();
    let order = |value: &Complex<f64>| (value.re.hypot(value.im), value.re, value.im);
    values.sort_by(|left, right| {
        let (left, right) = (order(left), order(right));
        right.0.total_cmp(&left.0).then(right.1.total_cmp(&left.1)).then(right.2.total_cmp(&left.2))
    });
    Ok(values)
}

/// Returns M = I − diag(1/τ) + diag(1/τ) W, the step where φ has slope 1. `tau`: the τ that act, in steps
/// (`Params::tau_eff`, times the steps per unit of a continuous network), `[1, ∞)`; `w_rec` (to,
/// from), with the diagonal that acts (`Params::apply_constraints`).
///
/// # Errors
/// [`Error::Lengths`] unless there is a τ for each row, [`Error::Value`] unless the
/// matrix is square and every τ finite and above 0.
pub fn linearised_step(tau: &Array1<f64>, w_rec: &Array2<f64>) -> Result<Array2<f64>, Error> {
    check_square(w_rec.dim())?;
    let rows = w_rec.nrows();
    if tau.len() != rows {
        return Err(Error::Lengths { left: tau.len(), right: rows });
    }
    if let Some(&tau) = tau.iter().find(|tau| !(tau.is_finite() && **tau > 0.0)) {
        return refuse("tau", tau, "finite and above 0, in steps");
    }
    Ok(Array2::from_shape_fn((rows, rows), |(i, j)| {
        let leak = if i == j { 1.0 - 1.0 / tau[i] } else { 0.0 };
        leak + w_rec[[i, j]] / tau[i]
    }))
}

/// Timescale of a mode, in steps: −1/ln|λ|. 0 for λ = 0, infinite or negative (growth) for
/// |λ| ≥ 1.
#[must_use]
pub fn mode_timescale(eigenvalue: Complex<f64>) -> f64 {
    -1.0 / eigenvalue.re.hypot(eigenvalue.im).ln()
}

fn schur(matrix: DMatrix<f64>) -> Option<Schur<f64, nalgebra::Dyn>> {
    let limit = ITERATIONS * matrix.nrows().max(10);
    Schur::try_new(matrix, f64::EPSILON, limit)
}

/// Reflects the matrix along (1, 2, 3, …), which keeps its eigenvalues.
fn mirrored(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let axis = DVector::from_fn(matrix.nrows(), |i, _| 1.0 + i as f64).normalize();
    let left = &matrix - 2.0 * &axis * (axis.transpose() * &matrix);
    &left - 2.0 * (&left * &axis) * axis.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn check(matrix: Array2<f64>, expected: &[(f64, f64)]) {
        let found = eigenvalues(&matrix).unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, &(re, im)) in found.iter().zip(expected) {
            let near = (found.re - re).hypot(found.im - im) < 1e-10;
            assert!(near, "{found}, expected {re} + {im}i, of {matrix}");
        }
    }

    #[test]
    fn eigenvalues_are_those_worked_by_hand() {
        check(array![[3.0]], &[(3.0, 0.0)]);
        check(array![[0.5, 100.0], [0.0, -0.75]], &[(-0.75, 0.0), (0.5, 0.0)]);
        check(array![[0.0, -2.0], [2.0, 0.0]], &[(0.0, 2.0), (0.0, -2.0)]);
        check(Array2::zeros((3, 3)), &[(0.0, 0.0); 3]);
        check(Array2::zeros((0, 0)), &[]);
        let golden = f64::midpoint(1.0, 5f64.sqrt());
        check(array![[1.0, 1.0], [1.0, 0.0]], &[(golden, 0.0), (1.0 - golden, 0.0)]);
    }

    /// n neurons in a ring: the n-th roots of unity, at which a plain iteration stands still.
    #[test]
    fn a_ring_has_the_roots_of_unity() {
        for n in [2, 4, 5, 8, 50] {
            let ring =
                Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from((i + 1) % n == j)));
            let found = eigenvalues(&ring).unwrap();
            for k in 0..n {
                let (im, re) = (std::f64::consts::TAU * k as f64 / n as f64).sin_cos();
                let nearest = found.iter().map(|z| (z.re - re).hypot(z.im - im));
                assert!(nearest.fold(f64::INFINITY, f64::min) < 1e-10, "n {n}, root {k}");
            }
        }
    }

    /// Trace and radius of a random matrix, against sums and the powers of Gelfand's formula.
    #[test]
    fn a_large_matrix_keeps_trace_and_radius() {
        let key = tau_random::Key::new(1, tau_random::Purpose::Statistics);
        let n = 120;
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| {
            (f64::from(key.unit_f32((i * n + j) as u64)) - 0.5) / 3.0
        });
        let found = eigenvalues(&matrix).unwrap();
        let trace: f64 = matrix.diag().sum();
        assert!((found.iter().map(|z| z.re).sum::<f64>() - trace).abs() < 1e-10);
        assert!(found.iter().map(|z| z.im).sum::<f64>().abs() < 1e-10);
        let radius = found[0].re.hypot(found[0].im);
        assert!((radius / tau_rnn::spectral_radius(&matrix) - 1.0).abs() < 1e-4);
    }

    /// An eigenvector of W is one of M if all τ are equal: λ becomes 1 + (λ − 1)/τ.
    #[test]
    fn the_step_moves_eigenvalues_towards_one() {
        let w = array![[0.0, -2.0], [2.0, 0.0]];
        let step = linearised_step(&array![4.0, 4.0], &w).unwrap();
        check(step, &[(0.75, 0.5), (0.75, -0.5)]);
        assert!((mode_timescale(Complex::new(0.0, (-0.1f64).exp())) - 10.0).abs() < 1e-9);
        assert_eq!(mode_timescale(Complex::new(0.0, 0.0)), 0.0);
    }

    #[test]
    fn what_has_no_eigenvalues_is_refused() {
        let refused = |matrix| eigenvalues(&matrix).unwrap_err();
        let oblong = refused(Array2::zeros((2, 3)));
        let expected = "matrix: 2 rows and 3 columns (allowed: as many rows as columns)";
        assert_eq!(oblong.to_string(), expected);
        let nan = refused(array![[0.0, f64::NAN], [0.0, 0.0]]);
        assert!(matches!(nan, Error::NotFinite { index: 1, .. }), "{nan}");
        let (w, two) = (Array2::zeros((2, 2)), array![1.0, 0.0]);
        let zero = linearised_step(&two, &w).unwrap_err().to_string();
        assert_eq!(zero, "tau: 0 (allowed: finite and above 0, in steps)");
        let three = linearised_step(&Array1::ones(3), &w).unwrap_err();
        assert_eq!(three, Error::Lengths { left: 3, right: 2 });
    }
}
