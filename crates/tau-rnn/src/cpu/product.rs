//! Matrix products with one operand packed once and used many times.
//!
//! Every element of a product is one chain of fused multiply-adds in the order of the inner index,
//! whatever the tile: the bits do not depend on the instruction set or on how rows are grouped.

use crate::Real;

use super::buffer::Buffer;
use super::isa::MAX_PANEL;

/// The numbers of one vector register. Arithmetic on whole arrays of this type, passed by value,
/// is what the compiler turns into one instruction each.
pub(super) type Lanes<R, const L: usize> = [R; L];

/// One row of a panel: two registers side by side.
pub(super) type Pair<R, const L: usize> = [Lanes<R, L>; 2];

/// `sum + a * b` in every lane.
#[inline(always)]
fn fused<R: Real, const L: usize>(sum: Lanes<R, L>, a: R, b: Lanes<R, L>) -> Lanes<R, L> {
    let mut result = sum;
    for j in 0..L {
        result[j] = a.mul_add(b[j], sum[j]);
    }
    result
}

/// `a + b` in every lane.
#[inline(always)]
pub(super) fn plus<R: Real, const L: usize>(a: Pair<R, L>, b: Pair<R, L>) -> Pair<R, L> {
    let mut sum = a;
    for half in 0..2 {
        for j in 0..L {
            sum[half][j] += b[half][j];
        }
    }
    sum
}

/// The pair that begins at `start`.
#[inline(always)]
pub(super) fn load<R: Real, const L: usize>(from: &[R], start: usize) -> Pair<R, L> {
    let (lanes, _) = from[start..][..2 * L].as_chunks::<L>();
    [lanes[0], lanes[1]]
}

/// Puts the pair where [`load`] would find it.
#[inline(always)]
pub(super) fn store<R: Real, const L: usize>(to: &mut [R], start: usize, pair: Pair<R, L>) {
    let (lanes, _) = to[start..][..2 * L].as_chunks_mut::<L>();
    lanes[0] = pair[0];
    lanes[1] = pair[1];
}

/// The right operand (inner × columns), cut into panels of `2 L` columns that are stored row by
/// row, so that the inner loop reads memory in order. Missing columns are zeros.
#[derive(Debug, Default)]
pub(super) struct Panels<R> {
    inner: usize,
    data: Buffer<R>,
}

impl<R: Real> Panels<R> {
    /// Packs the matrix whose element (p, j) is `element(p, j)` in panels of `width` columns.
    pub(super) fn pack(
        &mut self,
        width: usize,
        inner: usize,
        columns: usize,
        element: impl Fn(usize, usize) -> R,
    ) {
        self.inner = inner;
        let data = self.data.room(columns.next_multiple_of(width) * inner);
        if inner == 0 {
            return;
        }
        for (panel, data) in data.chunks_exact_mut(width * inner).enumerate() {
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

    /// The panels from left to right, each with its first column.
    #[inline(always)]
    pub(super) fn iter<const L: usize>(&self) -> impl Iterator<Item = (usize, &[Pair<R, L>])> {
        let (lanes, _) = self.data.as_chunks::<L>();
        let (pairs, _) = lanes.as_chunks::<2>();
        pairs.chunks_exact(self.inner.max(1)).enumerate().map(|(k, panel)| (k * 2 * L, panel))
    }
}

/// `rows` rows of `a`, `stride` apart, times one panel: `finish` gets each row's pair when it has
/// just been computed.
#[inline(always)]
pub(super) fn product<R: Real, const MR: usize, const L: usize>(
    rows: usize,
    a: &[R],
    stride: usize,
    panel: &[Pair<R, L>],
    mut finish: impl FnMut(usize, Pair<R, L>),
) {
    let mut done = [[[R::ZERO; L]; 2]; MR];
    for first in (0..rows).step_by(MR) {
        let from: [&[R]; MR] = std::array::from_fn(|k| &a[(first + k) * stride..][..panel.len()]);
        tile::<R, MR, L>(|k, p| from[k][p], panel, &mut done);
        for (k, &pair) in done.iter().enumerate() {
            finish(first + k, pair);
        }
    }
}

/// Σ_p a(i, p) b(p, j) in the registers: `MR` × `2 L` chains of fused multiply-adds side by side.
///
/// The sums are written to `done` at the end, and are a variable of their own until then, which no
/// one indexes but loops that are unrolled: only so do they stay in registers. `a` must look its numbers up with bounds checks: without those exits the compiler vectorises
/// the loop over p instead of the one over columns, which is ten times slower.
#[inline(always)]
pub(super) fn tile<R: Real, const MR: usize, const L: usize>(
    a: impl Fn(usize, usize) -> R,
    b: &[Pair<R, L>],
    done: &mut [Pair<R, L>; MR],
) {
    let mut sum = [[[R::ZERO; L]; 2]; MR];
    for (p, &[left, right]) in b.iter().enumerate() {
        for i in 0..MR {
            let a = a(i, p);
            sum[i][0] = fused(sum[i][0], a, left);
            sum[i][1] = fused(sum[i][1], a, right);
        }
    }
    *done = sum;
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
        self.a.len() + self.b.len()
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
    let mut done = [[[R::ZERO; L]; 2]; MR];
    for j in (0..b.width).step_by(2 * L) {
        pack_pairs::<R, L>(&b, j, packed_b);
        let (lanes, _) = packed_b.as_chunks::<L>();
        let (b_panel, _) = lanes.as_chunks::<2>();
        for (panel, a) in packed_a.chunks_exact(count * MR).enumerate() {
            tile::<R, MR, L>(|i, p| a[p * MR + i], b_panel, &mut done);
            for (i, &pair) in done.iter().enumerate() {
                let at = (panel * MR + i) * stride + j;
                let sum = if add { plus(load(c, at), pair) } else { pair };
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

#[inline(always)]
fn pack_pairs<R: Real, const L: usize>(from: &Rows<'_, R>, first: usize, to: &mut [R]) {
    for (row, to) in from.data.chunks(from.stride).zip(to.chunks_exact_mut(2 * L)) {
        store(to, 0, load::<R, L>(row, first));
    }
}

/// Distance between rows of activity: room for whole panels, and an odd number of cache lines, so
/// that rows do not fall on the same sets of the cache.
pub(super) fn row_stride(width: usize) -> usize {
    width.next_multiple_of(MAX_PANEL) + MAX_PANEL / 2
}
