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
        self.data
            .resize(columns.next_multiple_of(width) * inner, R::ZERO);
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

/// `rows` × columns of a · b, panel by panel: `store(first column, block)` gets each panel's block
/// while it is in the cache. Rows of `a` are `stride` apart.
#[inline(always)]
pub(super) fn product<R: Real, const MR: usize, const NR: usize>(
    rows: usize,
    a: &[R],
    stride: usize,
    b: &Panels<R>,
    mut store: impl FnMut(usize, &[[R; NR]; SLICE_ROWS]),
) {
    let mut block = [[R::ZERO; NR]; SLICE_ROWS];
    for (panel, b) in b.data.chunks_exact(NR * b.inner).enumerate() {
        for i in (0..rows).step_by(MR) {
            let tile = tile::<R, MR, NR>(&a[i * stride..], stride, b);
            block[i..i + MR].copy_from_slice(&tile);
        }
        store(panel * NR, &block);
    }
}

/// `MR` rows of `a` times one panel.
#[inline(always)]
fn tile<R: Real, const MR: usize, const NR: usize>(
    a: &[R],
    stride: usize,
    b: &[R],
) -> [[R; NR]; MR] {
    let (b, _) = b.as_chunks::<NR>();
    let rows: [&[R]; MR] = std::array::from_fn(|i| &a[i * stride..][..b.len()]);
    let mut sum = [[R::ZERO; NR]; MR];
    for (p, b) in b.iter().enumerate() {
        for i in 0..MR {
            let x = rows[i][p];
            for j in 0..NR {
                sum[i][j] = x.mul_add(b[j], sum[i][j]);
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
        for (panel, a) in scratch.a.chunks_exact(count * MR).enumerate() {
            let c = &mut c[panel * MR * stride + j..];
            outer_tile::<R, MR, NR>(a, &scratch.b, c, stride);
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

#[inline(always)]
fn outer_tile<R: Real, const MR: usize, const NR: usize>(
    a: &[R],
    b: &[R],
    c: &mut [R],
    stride: usize,
) {
    let mut sum = [[R::ZERO; NR]; MR];
    for i in 0..MR {
        sum[i].copy_from_slice(&c[i * stride..][..NR]);
    }
    let (a, _) = a.as_chunks::<MR>();
    let (b, _) = b.as_chunks::<NR>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..MR {
            for j in 0..NR {
                sum[i][j] = a[i].mul_add(b[j], sum[i][j]);
            }
        }
    }
    for i in 0..MR {
        c[i * stride..][..NR].copy_from_slice(&sum[i]);
    }
}

/// Distance between rows of activity: room for whole panels, and an odd number of cache lines, so
/// that rows do not fall on the same sets of the cache.
pub(super) fn row_stride(width: usize) -> usize {
    let padded = width.next_multiple_of(MAX_PANEL);
    padded + MAX_PANEL / 2
}
