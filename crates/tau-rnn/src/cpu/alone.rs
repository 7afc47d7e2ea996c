//! The two products alone, for `benches/kernels.rs`.

use super::buffer::Buffer;
use super::isa::{Isa, ROW_BLOCK, Vectorised, run};
use super::product::{OuterScratch, Panels, Rows, Store, outer, product, row_stride};
use crate::cpu::thread_pool;
use crate::{Error, Real};

/// Matrices of ones and the memory of their products.
#[derive(Debug)]
#[doc(hidden)]
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
