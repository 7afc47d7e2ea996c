//! Matrix products with one operand packed once and used many times.
//!
//! Every element of a product is one chain of fused multiply-adds in the order of the inner index,
//! whatever the tile: the bits do not depend on the instruction set or on how rows are grouped.

use crate::Real;

use super::isa::MAX_PANEL;

/// Rows of a slice of the batch, at most.
pub(super) const SLICE_ROWS: usize = 32;

/// The right operand (inner × columns), cut into panels of `NR` columns that are stored row by
/// row, so that the inner loop reads memory in order. Missing columns are zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Panels<R> {
    inner: usize,
    columns: usize,
    data: Vec<R>,
}

impl<R: Real> Panels<R> {
    /// Packs the matrix whose element (p, j) is `element(p, j)`.
    pub(super) fn pack(
        &mut self,
        width: usize,
        inner: usize,
        columns: usize,
        element: impl Fn(usize, usize) -> R,
    ) {
        self.inner = inner;
        self.columns = columns;
        self.data.resize(columns.next_multiple_of(width) * inner, R::ZERO);
        if inner == 0 {
            return;
        }
        for (panel, data) in self.data.chunks_exact_mut(width * inner).enumerate() {
            let first = panel * width;
            let count = width.min(columns - first);
            for (p, row) in data.chunks_exact_mut(width).enumerate() {
                for (j, slot) in row[..count].iter_mut().enumerate() {
                    *slot = element(p, first + j);
                }
                row[count..].fill(R::ZERO);
            }
        }
    }
}

impl<R: Real> Panels<R> {
    /// The panels from left to right, each with its first column.
    #[inline(always)]
    pub(super) fn iter<const NR: usize>(&self) -> impl Iterator<Item = (usize, &[[R; NR]])> {
        let panels = self.data.chunks_exact(NR * self.inner);
        panels.enumerate().map(|(k, panel)| (k * NR, panel.as_chunks().0))
    }
}

/// `rows` rows of `a`, `stride` apart, times one panel.
#[inline(always)]
pub(super) fn product<R: Real, const MR: usize, const NR: usize>(
    rows: usize,
    a: &[R],
    stride: usize,
    panel: &[[R; NR]],
) -> [[R; NR]; SLICE_ROWS] {
    let mut block = [[R::ZERO; NR]; SLICE_ROWS];
    for i in (0..rows).step_by(MR) {
        let rows: [&[R]; MR] = std::array::from_fn(|k| &a[(i + k) * stride..][..panel.len()]);
        let tile = tile::<R, MR, NR>(|k, p| rows[k][p], panel);
        block[i..i + MR].copy_from_slice(&tile);
    }
    block
}

/// Σ_p a(i, p) b(p, j) in the registers: `MR` × `NR` chains of fused multiply-adds side by side.
///
/// `a` must look its numbers up with bounds checks: without those exits the compiler vectorises
/// the loop over p instead of the one over columns, which is ten times slower.
#[inline(always)]
fn tile<R: Real, const MR: usize, const NR: usize>(
    a: impl Fn(usize, usize) -> R,
    b: &[[R; NR]],
) -> [[R; NR]; MR] {
    let mut sum = [[R::ZERO; NR]; MR];
    for (p, b) in b.iter().enumerate() {
        for i in 0..MR {
            let a = a(i, p);
            for j in 0..NR {
                sum[i][j] = a.mul_add(b[j], sum[i][j]);
            }
        }
    }
    sum
}

/// Scratch of [`add_outer`], kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct OuterScratch<R> {
    a: Vec<R>,
    b: Vec<R>,
}

/// A block of rows in memory: `count` of them, `stride` apart, of which `width` columns are used.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, R> {
    pub(super) data: &'a [R],
    pub(super) stride: usize,
    pub(super) width: usize,
}

/// c += aᵀ b, summed over rows in order. Row i of `c` (column i of `a`) starts at `i * stride`,
/// has room for whole panels, and there is room for whole row blocks.
#[inline(always)]
pub(super) fn add_outer<R: Real, const MR: usize, const NR: usize>(
    count: usize,
    a: Rows<'_, R>,
    b: Rows<'_, R>,
    c: &mut [R],
    stride: usize,
    scratch: &mut OuterScratch<R>,
) {
    let a_panels = a.width.div_ceil(MR);
    scratch.a.resize(a_panels * count * MR, R::ZERO);
    for (panel, packed) in scratch.a.chunks_exact_mut(count * MR).enumerate() {
        pack_columns::<R, MR>(&a, panel * MR, packed);
    }
    scratch.b.resize(count * NR, R::ZERO);
    for j in (0..b.width).step_by(NR) {
        pack_columns::<R, NR>(&b, j, &mut scratch.b);
        let (b_panel, _) = scratch.b.as_chunks();
        for (panel, a) in scratch.a.chunks_exact(count * MR).enumerate() {
            let tile = tile::<R, MR, NR>(|i, p| a[p * MR + i], b_panel);
            for (i, sum) in tile.iter().enumerate() {
                let row = (panel * MR + i) * stride + j;
                for (c, &sum) in c[row..row + NR].iter_mut().zip(sum) {
                    *c += sum;
                }
            }
        }
    }
}

#[inline(always)]
fn pack_columns<R: Real, const W: usize>(from: &Rows<'_, R>, first: usize, to: &mut [R]) {
    let count = W.min(from.width - first);
    let (to, _) = to.as_chunks_mut::<W>();
    for (row, to) in from.data.chunks(from.stride).zip(to) {
        if count == W {
            to.copy_from_slice(&row[first..first + W]);
        } else {
            to[..count].copy_from_slice(&row[first..first + count]);
            to[count..].fill(R::ZERO);
        }
    }
}

/// Distance between rows of activity: room for whole panels, and an odd number of cache lines, so
/// that rows do not fall on the same sets of the cache.
pub(super) fn row_stride(width: usize) -> usize {
    let padded = width.next_multiple_of(MAX_PANEL);
    padded + MAX_PANEL / 2
}
