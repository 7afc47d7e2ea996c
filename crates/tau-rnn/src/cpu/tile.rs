//! What a register holds, the tile of registers of a product, and the sizes that follow from them.

use crate::Real;

/// Largest panel width of all instruction sets; rows of activity are padded to a multiple of it.
pub(super) const MAX_PANEL: usize = 32;
/// A multiple of the rows of every register tile; slices of a batch are padded to it.
pub(super) const ROW_BLOCK: usize = 8;

/// The numbers of one vector register. Arithmetic on whole arrays of this type, passed by value,
/// is what the compiler turns into one instruction each.
pub(super) type Lanes<R, const L: usize> = [R; L];

/// One row of a panel: `W` registers side by side.
pub(super) type Wide<R, const L: usize, const W: usize> = [Lanes<R, L>; W];

/// `sum + a * b` in every lane.
#[inline(always)]
fn fused<R: Real, const L: usize>(sum: Lanes<R, L>, a: R, b: Lanes<R, L>) -> Lanes<R, L> {
    let mut result = sum;
    for j in 0..L {
        result[j] = a.mul_add(b[j], sum[j]);
    }
    result
}

/// `f(a)` in every lane.
#[inline(always)]
pub(super) fn each<R: Real, const L: usize>(a: Lanes<R, L>, f: impl Fn(R) -> R) -> Lanes<R, L> {
    let mut to = a;
    for j in 0..L {
        to[j] = f(a[j]);
    }
    to
}

/// `f(a, b)` in every lane.
#[inline(always)]
pub(super) fn both<R: Real, const L: usize>(
    a: Lanes<R, L>,
    b: Lanes<R, L>,
    f: impl Fn(R, R) -> R,
) -> Lanes<R, L> {
    let mut to = a;
    for j in 0..L {
        to[j] = f(a[j], b[j]);
    }
    to
}

/// The numbers from `start` on.
#[inline(always)]
pub(super) fn load<R: Real, const L: usize>(from: &[R], start: usize) -> Lanes<R, L> {
    let (lanes, _) = from[start..][..L].as_chunks::<L>();
    lanes[0]
}

/// Puts the numbers where [`load`] would find them.
#[inline(always)]
pub(super) fn store<R: Real, const L: usize>(to: &mut [R], start: usize, numbers: Lanes<R, L>) {
    let (lanes, _) = to[start..][..L].as_chunks_mut::<L>();
    lanes[0] = numbers;
}

/// Σ_p a(i, p) b(p, j) in the registers: `MR` × `W L` chains of fused multiply-adds side by side.
///
/// The sums are written to `done` at the end, and are a variable of their own until then, which no
/// one indexes but loops that are unrolled: only so do they stay in registers. `a` must look its
/// numbers up with bounds checks: without those exits the compiler vectorises the loop over p
/// instead of the one over columns, which is ten times slower.
#[inline(always)]
pub(super) fn tile<R: Real, const MR: usize, const L: usize, const W: usize>(
    a: impl Fn(usize, usize) -> R,
    b: &[Wide<R, L, W>],
    done: &mut [Wide<R, L, W>; MR],
) {
    const { assert!(W == 1 || W == 2) };
    let mut sum = [[[R::ZERO; L]; W]; MR];
    for (p, &b) in b.iter().enumerate() {
        for i in 0..MR {
            let a = a(i, p);
            sum[i][0] = fused(sum[i][0], a, b[0]);
            if W == 2 {
                sum[i][1] = fused(sum[i][1], a, b[1]);
            }
        }
    }
    *done = sum;
}

/// Distance between rows of activity: room for whole panels, and an odd number of cache lines, so
/// that rows do not fall on the same sets of the cache.
pub(super) fn row_stride(width: usize) -> usize {
    width.next_multiple_of(MAX_PANEL) + MAX_PANEL / 2
}
