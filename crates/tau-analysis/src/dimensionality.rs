//! Number of dimensions that activity fills: principal components and the participation ratio.
//!
//! With λ₁ ≥ λ₂ ≥ … the eigenvalues of the covariance of the units, the number of components that
//! explain a share s of the variance is the least d with λ₁ + … + λ_d ≥ s Σ λ (s = 0.9 in
//! `docs/papers/khajehabdollahi-2024.md` §5), and the participation ratio is
//!
//! $$ \frac{(\sum \lambda)^2}{\sum \lambda^2} $$
//!
//! (Gao & Ganguli 2015; Recanatesi et al. 2019): n for n equal eigenvalues, 1 for a line.

mod covariance;

use nalgebra::DMatrix;
use ndarray::{Array1, Array2};
use serde::Serialize;

use crate::Error;
use crate::error::{check_square, refuse};
pub use covariance::CovarianceStream;

/// Loadings that differ by less, relatively, are equal when a sign is chosen.
const SAME: f64 = 1e-9;

/// Eigenvalues of a covariance and the dimensions that follow from them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dimensionality {
    /// Eigenvalues of the covariance (divided by the number of steps), in activity squared,
    /// largest first, one for each unit; none below 0.
    pub eigenvalues: Vec<f64>,
    /// Sum of the eigenvalues.
    pub variance: f64,
    /// Participation ratio (Σ λ)²/Σ λ², `[1, units]`.
    pub participation_ratio: f64,
    /// Number of steps of all trials together. With fewer steps than units, and with fewer than many
    /// timescales, both numbers are too small.
    pub steps: usize,
}

impl Dimensionality {
    /// Dimensions of a symmetric covariance that was estimated from `steps` steps.
    ///
    /// # Errors
    /// [`Error::Value`] unless it is square, [`Error::NotFinite`], [`Error::NoVariance`], [`Error::Eigenvalues`].
    pub fn of(covariance: &Array2<f64>, steps: usize) -> Result<Self, Error> {
        Ok(Self::with_loadings(covariance, steps, 0)?.0)
    }

    /// Dimensions together with the directions of the `count` largest eigenvalues (of all, if there are
    /// fewer): loadings (unit, component), each column of length 1. An eigenvector has no sign; here the
    /// loading that is largest in absolute value (of equal ones the first) is positive.
    ///
    /// # Errors
    /// The errors of [`of`](Self::of).
    pub fn with_loadings(
        covariance: &Array2<f64>,
        steps: usize,
        count: usize,
    ) -> Result<(Self, Array2<f64>), Error> {
        check_square(covariance.dim())?;
        let rows = covariance.nrows();
        if let Some((index, &value)) = covariance.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(Error::NotFinite { what: "covariance", index, value });
        }
        let trace: f64 = covariance.diag().sum();
        if trace <= 0.0 {
            return Err(Error::NoVariance { units: rows });
        }
        // Scaled to size 1, so that no square of a small number is lost.
        let scaled = DMatrix::from_fn(rows, rows, |i, j| covariance[[i, j]] / trace);
        let found = nalgebra::SymmetricEigen::try_new(scaled, f64::EPSILON, 100 * rows.max(10))
            .ok_or(Error::Eigenvalues { size: rows })?;
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|&left, &right| found.eigenvalues[right].total_cmp(&found.eigenvalues[left]));
        // A rounding error below 0 is 0.
        let eigenvalue = |&i: &usize| found.eigenvalues[i].max(0.0) * trace;
        let eigenvalues: Vec<f64> = order.iter().map(eigenvalue).collect();
        let variance: f64 = eigenvalues.iter().sum();
        let shares = eigenvalues.iter().map(|value| (value / variance).powi(2));
        let participation_ratio = 1.0 / shares.sum::<f64>();
        let mut loadings = Array2::zeros((rows, count.min(rows)));
        for (mut loading, &i) in loadings.columns_mut().into_iter().zip(&order) {
            let vector = found.eigenvectors.column(i);
            // The first of the largest: where several are equal but for rounding, the first of these.
            let near = vector.amax() * (1.0 - SAME);
            let largest = vector.iter().find(|x| x.abs() >= near).copied().unwrap_or(1.0);
            loading.assign(&vector.iter().map(|x| x * largest.signum()).collect::<Array1<f64>>());
        }
        Ok((Self { eigenvalues, variance, participation_ratio, steps }, loadings))
    }

    /// Number of principal components that explain `share` of the variance, at least 1.
    ///
    /// # Errors
    /// [`Error::Value`] unless the share lies in (0, 1].
    pub fn components(&self, share: f64) -> Result<usize, Error> {
        if !(share > 0.0 && share <= 1.0) {
            return refuse("share of the variance", share, "above 0, at most 1");
        }
        // Rounding of the sum must not ask for components that have no variance.
        let needed =
            share * self.variance * (1.0 - 4.0 * f64::EPSILON * self.eigenvalues.len() as f64);
        let mut sum = 0.0;
        let short = |value: &&f64| {
            sum += **value;
            sum < needed
        };
        let before = self.eigenvalues.iter().take_while(short).count();
        Ok((before + 1).min(self.eigenvalues.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayView2, Axis, array, concatenate};
    use tau_random::{Key, Purpose};

    fn with(eigenvalues: &[f64]) -> Dimensionality {
        let diagonal = Array2::from_diag(&Array1::from_vec(eigenvalues.to_vec()));
        Dimensionality::of(&diagonal, 1000).unwrap()
    }

    #[test]
    fn dimensions_are_those_worked_by_hand() {
        // 5, 3, 1, 1 of 10: shares 0.5, 0.8, 0.9, 1; 10² / (25 + 9 + 1 + 1).
        let found = with(&[1.0, 5.0, 1.0, 3.0]);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(found.eigenvalues.iter().zip([5.0, 3.0, 1.0, 1.0]).all(|(&a, b)| near(a, b)));
        assert!(near(found.participation_ratio, 100.0 / 36.0));
        check(&found, 0.5, 1);
        check(&found, 0.51, 2);
        check(&found, 0.9, 3);
        check(&found, 0.91, 4);
        check(&found, 1.0, 4);
        // Nothing is gained by a direction without variance.
        let line = with(&[0.0, 2.0, 0.0]);
        assert!(near(line.participation_ratio, 1.0));
        check(&line, 1.0, 1);
        let ball = with(&[3.0; 7]);
        assert!(near(ball.participation_ratio, 7.0));
        check(&ball, 0.9, 7);
        fn check(found: &Dimensionality, share: f64, expected: usize) {
            assert_eq!(found.components(share).unwrap(), expected, "share {share}");
        }
    }

    /// A line along (1, −2), and an axis of its own with less variance: λ = 5, 1.
    #[test]
    fn loadings_are_directions_whose_largest_part_is_positive() {
        let covariance = array![[1.0, -2.0, 0.0], [-2.0, 4.0, 0.0], [0.0, 0.0, 1.0]];
        let (found, loadings) = Dimensionality::with_loadings(&covariance, 9, 2).unwrap();
        assert_eq!(found, Dimensionality::of(&covariance, 9).unwrap());
        let root = 5f64.sqrt();
        let expected = array![[-1.0 / root, 0.0], [2.0 / root, 0.0], [0.0, 1.0]];
        assert!((&loadings - &expected).iter().all(|x| x.abs() < 1e-12), "{loadings}");
        let (_, all) = Dimensionality::with_loadings(&covariance, 9, 7).unwrap();
        assert_eq!(all.dim(), (3, 3));
        // Equal but for rounding: the first is positive.
        let equal = array![[1.0, -1.0], [-1.0, 1.0 + 1e-14]];
        let (_, loadings) = Dimensionality::with_loadings(&equal, 9, 1).unwrap();
        assert!(loadings[[0, 0]] > 0.0 && loadings[[1, 0]] < 0.0, "{loadings}");
    }

    fn activity(steps: usize) -> Array2<f32> {
        let key = Key::new(2, Purpose::Statistics);
        Array2::from_shape_fn((steps, 40), |(t, unit)| {
            let own = key.unit_f32((t * 41 + unit) as u64);
            100.0 + own + 3.0 * key.unit_f32((t * 41 + 40) as u64) * (unit % 3) as f32
        })
    }

    fn stream(chunks: &[ArrayView2<'_, f32>]) -> CovarianceStream {
        let mut stream = CovarianceStream::new(chunks[0].ncols()).unwrap();
        chunks.iter().for_each(|chunk| stream.push(*chunk).unwrap());
        stream
    }

    #[test]
    fn the_covariance_is_its_definition() {
        let activity = activity(700);
        let wide = activity.mapv(f64::from);
        let centred = &wide - &wide.mean_axis(Axis(0)).unwrap();
        let expected = centred.t().dot(&centred) / 700.0;
        let found = stream(&[activity.view()]).covariance().unwrap();
        assert!((&found - &expected).iter().all(|x| x.abs() < 1e-10));
        assert_eq!(found, found.t());
    }

    #[test]
    fn any_chunking_and_any_number_of_threads_give_the_same_bits() {
        let activity = activity(700);
        let whole = stream(&[activity.view()]).covariance().unwrap();
        for (length, threads) in [(1, 1), (255, 2), (256, 3), (699, 7)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let chunks: Vec<_> = activity.axis_chunks_iter(Axis(0), length).collect();
            let found = pool.install(|| stream(&chunks).covariance().unwrap());
            assert_eq!(found, whole, "chunks of {length}, {threads} threads");
        }
    }

    /// Three directions of 40 units, and noise of a thousandth of their size.
    #[test]
    fn a_known_number_of_dimensions_is_recovered() {
        let key = Key::new(3, Purpose::Statistics);
        let units = vec![crate::processes::Process::exponential(2.0).unwrap(); 43];
        let all = crate::processes::activity(&units, 20_000, key);
        let (sources, noise) = all.view().split_at(Axis(1), 3);
        let mixing = Array2::from_shape_fn((3, 40), |(i, unit)| {
            // Orthogonal rows of equal length.
            if unit % 3 == i && unit < 39 { 1.0 } else { 0.0 }
        });
        let activity = sources.dot(&mixing) + &noise.mapv(|x| 1e-3 * x);
        let found = stream(&[activity.view()]).finish().unwrap();
        assert_eq!(found.components(0.9).unwrap(), 3);
        // Variances of three sources scatter by √(2·2/20 000) = 1.4 %.
        assert!((found.participation_ratio - 3.0).abs() < 0.02, "{}", found.participation_ratio);
        assert_eq!(found.steps, 20_000);
    }

    #[test]
    fn trials_are_one_sample() {
        let (one, two) = (activity(300), activity(450));
        let both = concatenate![Axis(0), one, two];
        let found = stream(&[one.view(), two.view()]).finish().unwrap();
        assert_eq!(found, stream(&[both.view()]).finish().unwrap());
    }

    #[test]
    fn what_has_no_dimensions_is_refused() {
        let none = CovarianceStream::new(0).err().unwrap();
        assert_eq!(none.to_string(), "number of units: 0 (allowed: 1 or more)");
        let constant = stream(&[Array2::ones((10, 2)).view()]).finish().unwrap_err();
        assert_eq!(constant, Error::NoVariance { units: 2 });
        let one = stream(&[Array2::ones((1, 2)).view()]).finish().unwrap_err();
        assert!(matches!(one, Error::TooFew { found: 1, needed: 2, .. }), "{one}");
        let mut stream = CovarianceStream::new(2).unwrap();
        let wide = stream.push(Array2::zeros((1, 3)).view()).unwrap_err();
        assert_eq!(wide.to_string(), "units: 3 (allowed: 2, for which the stream was made)");
        let nan = stream.push(array![[0.0, 1.0], [f32::INFINITY, 0.0]].view()).unwrap_err();
        assert!(matches!(nan, Error::Activity { unit: 0, step: 1, .. }), "{nan}");
        for share in [0.0, 1.1, f64::NAN] {
            let refused = with(&[1.0]).components(share).unwrap_err();
            let expected = format!("share of the variance: {share} (allowed: above 0, at most 1)");
            assert_eq!(refused.to_string(), expected);
        }
        let oblong = Dimensionality::of(&Array2::zeros((2, 3)), 9).unwrap_err();
        let expected = "matrix: 2 rows and 3 columns (allowed: as many rows as columns)";
        assert_eq!(oblong.to_string(), expected);
    }
}
