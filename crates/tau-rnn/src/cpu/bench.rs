//! Parts of the kernels alone, for benchmarks: the two products, and the register tile.

use crate::{Error, Isa, Real};

use super::buffer::Buffer;
use super::dispatch::Vectorised;
use super::isa::run;
use super::pool::thread_pool;
use super::product::{OuterScratch, Panels, Rows, Store, outer, product};
use super::tile::{ROW_BLOCK, row_stride, tile};

/// Matrices of ones and the memory of their products.
#[derive(Debug)]
pub struct Products {
    isa: Isa,
    rows: usize,
    columns: usize,
    a: Buffer<f32>,
    b: Panels<f32>,
    c: Buffer<f32>,
    sums: Buffer<f32>,
    scratch: OuterScratch<f32>,
}

impl Products {
    /// Of `rows` rows (a multiple of 8) and a square matrix of `columns` columns.
    ///
    /// # Errors
    /// [`Error::StartThreads`].
    pub fn new(isa: Isa, rows: usize, columns: usize) -> Result<Self, Error> {
        let rows = rows.next_multiple_of(ROW_BLOCK);
        let stride = row_stride(columns);
        let mut b = Panels::default();
        b.pack(&*thread_pool(Some(1))?, f32::lanes(isa), columns, columns, |_, _| f32::ONE);
        let ones = |len: usize| {
            let mut buffer = Buffer::default();
            buffer.room(len).fill(f32::ONE);
            buffer
        };
        let (a, c) = (ones(rows * stride), ones(rows * stride));
        let sums = ones(columns.next_multiple_of(ROW_BLOCK) * stride);
        Ok(Self { isa, rows, columns, a, b, c, sums, scratch: OuterScratch::default() })
    }

    /// c = a b: that of a step.
    #[allow(unsafe_code)]
    pub fn step(&mut self) {
        run!(self.isa, Step(self), Step<'_>, 16, 8, 4);
    }

    /// Σ aᵀ c: that of a gradient, packing included.
    #[allow(unsafe_code)]
    pub fn gradient(&mut self) {
        run!(self.isa, Gradient(self), Gradient<'_>, 16, 8, 4);
    }
}

struct Step<'a>(&'a mut Products);

impl Step<'_> {
    #[inline(always)]
    fn run<const MR: usize, const L: usize>(self) {
        let Products { rows, columns, a, b, c, .. } = self.0;
        let stride = row_stride(*columns);
        let mut store = Store { to: c, stride };
        product::<f32, MR, L>(*rows, a, stride, b, *columns, &mut store);
    }
}

struct Gradient<'a>(&'a mut Products);

impl Gradient<'_> {
    #[inline(always)]
    fn run<const MR: usize, const L: usize>(self) {
        let Products { rows, columns, a, c, sums, scratch, .. } = self.0;
        let stride = row_stride(*columns);
        let left = Rows { data: a, stride, width: *columns };
        let right = Rows { data: c, stride, width: *columns };
        outer::<f32, MR, L>(*rows, left, right, sums, stride, false, scratch);
    }
}

/// Rows of the panel that [`Spin`] goes through: it stays in the first-level cache, and the time of
/// writing the sums does not count.
const SPIN_ROWS: usize = 128;

/// Nothing but the register tile, again and again.
struct Spin {
    rounds: u64,
}

impl Spin {
    #[inline(always)]
    fn run<const MR: usize, const L: usize>(self) {
        // Their lengths must be unknown: see `tile`.
        let panel = std::hint::black_box(vec![[[0.999_f32; L]; 2]; SPIN_ROWS]);
        let a = std::hint::black_box(vec![0.001; SPIN_ROWS * MR]);
        let mut done = [[[0.0; L]; 2]; MR];
        for _ in 0..self.rounds {
            tile::<f32, MR, L, 2>(|i, p| a[p * MR + i], &panel, &mut done);
            std::hint::black_box(&mut done);
        }
    }
}

/// Does fused multiply-adds (f32) in registers for `rounds` rounds, as fast as the register tile
/// can, and returns the number of floating-point operations: the peak that updates are measured by.
#[must_use]
#[allow(unsafe_code)]
pub fn fused_multiply_adds(isa: Isa, rounds: u64) -> f64 {
    run!(isa, Spin { rounds }, Spin, 16, 8, 4);
    let rows = if isa.available_at_most() == Isa::Avx2 { 4 } else { 8 };
    (2 * SPIN_ROWS * rows * 2 * f32::lanes(isa)) as f64 * rounds as f64
}
