//! Gradients of matrices: one product over all steps, cut into splits whose sums are added in order.

use crate::{Error, Real};

use super::Cuda;
use super::arguments::{Outer, Ptr, Splits};
use super::device::Device;
use super::pass::{TILE, TILE_ALL};

/// Number of blocks that keep any GPU busy with an outer product.
const ENOUGH_BLOCKS: usize = 512;

/// How the rows of an outer product are shared out among splits. It depends on the shape of the product
/// alone, and so do the bits of the sum.
pub(super) struct Splitting {
    rows: usize,
    rows_per_split: usize,
    pub(super) splits: usize,
}

impl Splitting {
    /// The splits of `rows` rows for a result of `a_stride` × `b_stride` numbers.
    pub(super) fn new(rows: usize, a_stride: usize, b_stride: usize) -> Self {
        let tiles = (a_stride / TILE_ALL) * (b_stride / TILE_ALL);
        let wanted = (rows / 512).min(ENOUGH_BLOCKS / tiles.max(1)).max(1);
        let rows_per_split = rows.div_ceil(wanted).next_multiple_of(TILE).max(TILE);
        Self { rows, rows_per_split, splits: rows.div_ceil(rows_per_split) }
    }
}

impl<R: Real, D: Device> Cuda<R, D> {
    /// Computes Σ leftᵀ right over `rows` rows, in splits.
    pub(super) fn outer(
        &mut self,
        left: Ptr<R>,
        a_stride: usize,
        right: Ptr<R>,
        b_stride: usize,
        rows: usize,
    ) -> Result<Splits<R>, Error> {
        let Splitting { rows, rows_per_split, splits } = Splitting::new(rows, a_stride, b_stride);
        let size = a_stride * b_stride;
        let out = self.work.parts.room(&self.device, splits * size)?;
        let arguments = Outer {
            left,
            right,
            out,
            a_stride: a_stride as i32,
            b_stride: b_stride as i32,
            rows: rows as i32,
            rows_per_split: rows_per_split as i32,
        };
        self.launch([b_stride / TILE_ALL, a_stride / TILE_ALL, splits], arguments)?;
        Ok(Splits { parts: out, splits: splits as i32, size: size as u64 })
    }
}
