//! Matrix products with one operand packed once and used many times.
//!
//! Every element of a product is one chain of fused multiply-adds in the order of the inner index,
//! whatever the tile: the bits do not depend on the instruction set or on how rows are grouped.

use rayon::ThreadPool;

use crate::Real;

use super::buffer::Buffer;
use super::spread::spread_blocks;
use super::tile::{Wide, both, load, store, tile};

/// The right operand (inner × columns), cut into panels of two registers and, where that is
/// enough, a last one of one register. Panels are stored row by row, so that the inner loop reads
/// memory in order. Missing columns are zeros.
#[derive(Debug, Default)]
pub(super) struct Panels<R> {
    inner: usize,
    data: Buffer<R>,
}

impl<R: Real> Panels<R> {
    /// Packs the matrix whose element (p, j) is `element(p, j)` for registers of `lanes` numbers,
    /// each panel by one thread.
    pub(super) fn pack(
        &mut self,
        pool: &ThreadPool,
        lanes: usize,
        inner: usize,
        columns: usize,
        element: impl Fn(usize, usize) -> R + Sync,
    ) {
        self.inner = inner;
        let data = self.data.room(columns.next_multiple_of(lanes) * inner);
        if inner == 0 {
            return;
        }
        spread_blocks(pool, data, 2 * lanes * inner, |panel, data| {
            let first = panel * 2 * lanes;
            let width = data.len() / inner;
            let count = width.min(columns - first);
            for (p, row) in data.chunks_exact_mut(width).enumerate() {
                for (j, slot) in row[..count].iter_mut().enumerate() {
                    *slot = element(p, first + j);
                }
                row[count..].fill(R::ZERO);
            }
        });
    }
}

/// What follows a product: gets its numbers as soon as they are computed, all registers of a panel
/// at once. (A cell with several gates packs a neuron's gates into the registers of one panel.)
pub(super) trait Finish<R, const L: usize> {
    /// Takes over `sums`, the numbers of a row from `column` on.
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>);
}

/// Keeps a product as it is, in rows that are `stride` apart and have room for whole registers.
pub(super) struct Store<'a, R> {
    pub(super) to: &'a mut [R],
    pub(super) stride: usize,
}

impl<R: Real, const L: usize> Finish<R, L> for Store<'_, R> {
    #[inline(always)]
    fn finish<const W: usize>(&mut self, row: usize, column: usize, sums: Wide<R, L, W>) {
        for (w, sum) in sums.into_iter().enumerate() {
            store(self.to, row * self.stride + column + w * L, sum);
        }
    }
}

/// `rows` rows of `a`, `stride` apart, times the first `terms` rows of `b`.
#[inline(always)]
pub(super) fn product<R: Real, const MR: usize, const L: usize>(
    rows: usize,
    a: &[R],
    stride: usize,
    b: &Panels<R>,
    terms: usize,
    finish: &mut impl Finish<R, L>,
) {
    let (lanes, _) = b.data.as_chunks::<L>();
    let (pairs, _) = lanes.as_chunks::<2>();
    let panels = pairs.chunks_exact(b.inner.max(1));
    let last = lanes.len() % (2 * b.inner).max(1);
    let mut column = 0;
    for panel in panels {
        columns::<R, MR, L, 2>(rows, a, stride, &panel[..terms], column, finish);
        column += 2 * L;
    }
    if last > 0 {
        let (panel, _) = lanes[lanes.len() - last..][..terms].as_chunks::<1>();
        columns::<R, MR, L, 1>(rows, a, stride, panel, column, finish);
    }
}

/// [`product`] with one panel, whose first column is `column`.
#[inline(always)]
fn columns<R: Real, const MR: usize, const L: usize, const W: usize>(
    rows: usize,
    a: &[R],
    stride: usize,
    panel: &[Wide<R, L, W>],
    column: usize,
    finish: &mut impl Finish<R, L>,
) {
    let mut done = [[[R::ZERO; L]; W]; MR];
    for first in (0..rows).step_by(MR) {
        let mut from = [&a[..0]; MR];
        for (k, row) in from.iter_mut().enumerate() {
            *row = &a[(first + k) * stride..][..panel.len()];
        }
        tile::<R, MR, L, W>(|k, p| from[k][p], panel, &mut done);
        for (k, &sums) in done.iter().enumerate() {
            finish.finish(first + k, column, sums);
        }
    }
}

/// Scratch of [`outer`], kept between calls.
#[derive(Debug, Default)]
pub(super) struct OuterScratch<R> {
    a: Buffer<R>,
    b: Buffer<R>,
}

#[cfg(test)]
impl<R: Real> OuterScratch<R> {
    pub(super) fn numbers(&self) -> usize {
        self.a.held() + self.b.held()
    }
}

/// A block of rows in memory, `stride` apart, of which `width` columns are used. There is room for
/// whole panels: what stands behind `width` may be anything.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, R> {
    pub(super) data: &'a [R],
    pub(super) stride: usize,
    pub(super) width: usize,
}

/// c = aᵀ b, or c += aᵀ b if `add`, summed over `count` rows in order. Row i of `c` (column i of
/// `a`) starts at `i * stride`, has room for whole panels, and there is room for whole row blocks.
#[inline(always)]
pub(super) fn outer<R: Real, const MR: usize, const L: usize>(
    count: usize,
    a: Rows<'_, R>,
    b: Rows<'_, R>,
    c: &mut [R],
    stride: usize,
    add: bool,
    scratch: &mut OuterScratch<R>,
) {
    let a_panels = a.width.div_ceil(MR);
    let packed_a = scratch.a.room(a_panels * count * MR);
    for (panel, packed) in packed_a.chunks_exact_mut(count * MR).enumerate() {
        pack_columns::<R, MR>(&a, panel * MR, packed);
    }
    let packed_b = scratch.b.room(count * 2 * L);
    let pairs = b.width.div_ceil(L) / 2;
    for j in (0..pairs).map(|pair| pair * 2 * L) {
        outer_columns::<R, MR, L, 2>(count, packed_a, &b, j, packed_b, c, stride, add);
    }
    if 2 * L * pairs < b.width {
        let j = 2 * L * pairs;
        outer_columns::<R, MR, L, 1>(count, packed_a, &b, j, packed_b, c, stride, add);
    }
}

/// [`outer`] for `W L` columns of `b` and `c`, from `j` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // the parts of `outer`'s loop
fn outer_columns<R: Real, const MR: usize, const L: usize, const W: usize>(
    count: usize,
    packed_a: &[R],
    b: &Rows<'_, R>,
    j: usize,
    packed_b: &mut [R],
    c: &mut [R],
    stride: usize,
    add: bool,
) {
    let (lanes, _) = packed_b.as_chunks_mut::<L>();
    let (panel, _) = lanes.as_chunks_mut::<W>();
    let panel = &mut panel[..count];
    for (row, to) in b.data.chunks(b.stride).zip(&mut *panel) {
        for (w, to) in to.iter_mut().enumerate() {
            *to = load(row, j + w * L);
        }
    }
    let mut done = [[[R::ZERO; L]; W]; MR];
    for (block, a) in packed_a.chunks_exact(count * MR).enumerate() {
        tile::<R, MR, L, W>(|i, p| a[p * MR + i], panel, &mut done);
        for (i, sums) in done.iter().enumerate() {
            for (part, &sum) in sums.iter().enumerate() {
                let at = (block * MR + i) * stride + j + part * L;
                let sum = if add { both(load(c, at), sum, |a, b| a + b) } else { sum };
                store(c, at, sum);
            }
        }
    }
}

#[inline(always)]
fn pack_columns<R: Real, const W: usize>(from: &Rows<'_, R>, first: usize, to: &mut [R]) {
    let (to, _) = to.as_chunks_mut::<W>();
    for (row, to) in from.data.chunks(from.stride).zip(to) {
        *to = *row[first..].first_chunk().expect("rows have room for whole panels");
    }
}
