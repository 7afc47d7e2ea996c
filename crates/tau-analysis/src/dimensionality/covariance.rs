//! The covariance of activity as it is produced.

use ndarray::{Array1, Array2, ArrayView2, s};
use rayon::prelude::*;

use super::Dimensionality;
use crate::Error;
use crate::error::{check_same_units, check_units};

/// Steps whose products are added at once: the sums do not depend on how activity is cut.
const BLOCK: usize = 256;

/// Rows of the covariance that one task computes.
const ROWS: usize = 32;

/// Streaming covariance of units.
///
/// Everything pushed is one sample with one mean, as in a principal component analysis of trials
/// laid end to end. Steps are taken in blocks from the beginning, whatever the chunks, and a block's
/// products are added in a fixed order: any chunking and any number of threads give the same bits.
/// Memory is 8 bytes × units × (units + 256): 3 MB for 500 units; no recording is kept.
///
/// ```
/// use ndarray::array;
/// use tau_analysis::CovarianceStream;
/// let mut stream = CovarianceStream::new(2)?;
/// stream.push(array![[1.0, 2.0], [-1.0, -2.0]].view())?;
/// stream.push(array![[1.0, 2.0], [-1.0, -2.0]].view())?;
/// let found = stream.finish()?;
/// assert_eq!(found.components(0.9)?, 1);
/// assert!((found.participation_ratio - 1.0).abs() < 1e-12);
/// # Ok::<(), tau_analysis::Error>(())
/// ```
pub struct CovarianceStream {
    /// First step: the origin of the sums.
    origin: Option<Array1<f64>>,
    /// Steps of the current block, (time, unit), less the origin.
    block: Array2<f64>,
    filled: usize,
    steps: usize,
    sum: Array1<f64>,
    /// Σ y yᵀ.
    products: Array2<f64>,
}

impl CovarianceStream {
    /// A covariance of `units` units.
    ///
    /// # Errors
    /// [`Error::Value`] without units.
    pub fn new(units: usize) -> Result<Self, Error> {
        check_units(units)?;
        Ok(Self {
            origin: None,
            block: Array2::zeros((BLOCK, units)),
            filled: 0,
            steps: 0,
            sum: Array1::zeros(units),
            products: Array2::zeros((units, units)),
        })
    }

    /// Adds steps, (time, unit). Trials need not be told apart: push them one after the other.
    ///
    /// # Errors
    /// [`Error::Value`] for a different number of columns, [`Error::Activity`] for a value that is
    /// NaN or infinite (its step is counted over all that was pushed). Nothing of a refused chunk
    /// is used.
    pub fn push(&mut self, chunk: ArrayView2<'_, f32>) -> Result<(), Error> {
        let units = self.sum.len();
        check_same_units(chunk.ncols(), units)?;
        if let Some(((row, unit), &value)) = chunk.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(Error::Activity { unit, step: self.steps + row, trial: 0, value });
        }
        for row in chunk.rows() {
            let origin = self.origin.get_or_insert_with(|| row.mapv(f64::from));
            let slots = self.block.row_mut(self.filled);
            for ((slot, &x), &origin) in slots.into_iter().zip(row).zip(origin.iter()) {
                *slot = f64::from(x) - origin;
            }
            self.filled += 1;
            if self.filled == BLOCK {
                self.close_block();
            }
        }
        self.steps += chunk.nrows();
        Ok(())
    }

    /// The covariance itself, (unit, unit), divided by the number of steps.
    ///
    /// # Errors
    /// [`Error::TooFew`] below two steps.
    pub fn covariance(mut self) -> Result<Array2<f64>, Error> {
        if self.steps < 2 {
            let what = "a covariance over steps";
            return Err(Error::TooFew { what, found: self.steps, needed: 2 });
        }
        self.close_block();
        let count = self.steps as f64;
        let (sum, products) = (&self.sum, &self.products);
        // Only what lies below the diagonal was computed everywhere.
        Ok(Array2::from_shape_fn(products.dim(), |(i, j)| {
            (products[[i.max(j), i.min(j)]] - sum[i] * sum[j] / count) / count
        }))
    }

    /// Eigenvalues and dimensions.
    ///
    /// # Errors
    /// [`Error::TooFew`] below two steps, [`Error::NoVariance`] if no unit ever changes,
    /// [`Error::Eigenvalues`] if their iteration does not end.
    pub fn finish(self) -> Result<Dimensionality, Error> {
        let steps = self.steps;
        Dimensionality::of(&self.covariance()?, steps)
    }

    fn close_block(&mut self) {
        let rows = self.block.slice(s![..self.filled, ..]);
        self.sum += &rows.sum_axis(ndarray::Axis(0));
        let mut tasks: Vec<_> =
            self.products.axis_chunks_iter_mut(ndarray::Axis(0), ROWS).collect();
        tasks.par_iter_mut().enumerate().for_each(|(task, part)| {
            let (first, last) = (task * ROWS, task * ROWS + part.nrows());
            let left = rows.slice(s![.., first..last]);
            let mut part = part.slice_mut(s![.., ..last]);
            ndarray::linalg::general_mat_mul(
                1.0,
                &left.t(),
                &rows.slice(s![.., ..last]),
                1.0,
                &mut part,
            );
        });
        self.filled = 0;
    }
}
