//! What a pass works on.

use std::ops::Range;

use crate::Real;

use super::device::Device;
use super::memory::Array;
use super::pass::stride;

/// Memory of a pass, used again from batch to batch. Padding is never written: it stays zero.
#[derive(Debug)]
pub(super) struct Work<R, D: Device> {
    /// M and Mᵀ.
    pub(super) forward: Array<R, D>,
    pub(super) backward: Array<R, D>,
    pub(super) alpha: Array<R, D>,
    pub(super) decay: Array<R, D>,
    /// Readouts of the active heads.
    pub(super) readout_forward: Array<R, D>,
    pub(super) readout_backward: Array<R, D>,
    /// The heads that the next four tables are for; `None` if the parameters have moved since.
    pub(super) heads: Option<Vec<usize>>,
    pub(super) weights: Array<u64, D>,
    pub(super) biases: Array<u64, D>,
    pub(super) first: Array<i32, D>,
    /// The outputs of each active head.
    pub(super) ranges: Vec<Range<usize>>,
    /// h̃(0) … h̃(T).
    pub(super) h: Array<R, D>,
    pub(super) f: Array<R, D>,
    /// e(1) … e(T).
    pub(super) errors: Array<R, D>,
    pub(super) carry: Array<R, D>,
    pub(super) tau_sums: Array<R, D>,
    pub(super) y: Array<R, D>,
    /// Sums of outer products.
    pub(super) parts: Array<R, D>,
    pub(super) inputs: Array<f32, D>,
    pub(super) given: Array<R, D>,
    /// States without their padding.
    pub(super) states: Array<R, D>,
    pub(super) labels: Array<u8, D>,
    pub(super) memory: Array<i32, D>,
    pub(super) targets: Array<f32, D>,
    pub(super) losses: Array<f64, D>,
    pub(super) hits: Array<f64, D>,
    /// Sums of squares.
    pub(super) squares: Array<f64, D>,
}

impl<R, D: Device> Default for Work<R, D> {
    fn default() -> Self {
        Self {
            forward: Array::default(),
            backward: Array::default(),
            alpha: Array::default(),
            decay: Array::default(),
            readout_forward: Array::default(),
            readout_backward: Array::default(),
            heads: None,
            weights: Array::default(),
            biases: Array::default(),
            first: Array::default(),
            ranges: Vec::new(),
            h: Array::default(),
            f: Array::default(),
            errors: Array::default(),
            carry: Array::default(),
            tau_sums: Array::default(),
            y: Array::default(),
            parts: Array::default(),
            inputs: Array::default(),
            given: Array::default(),
            states: Array::default(),
            labels: Array::default(),
            memory: Array::default(),
            targets: Array::default(),
            losses: Array::default(),
            hits: Array::default(),
            squares: Array::default(),
        }
    }
}

impl<R, D: Device> Work<R, D> {
    /// Bytes of the arrays that grow with the batch.
    pub(super) fn bytes(&self) -> usize
    where
        R: Real,
    {
        let arrays = [&self.h, &self.f, &self.errors, &self.carry, &self.tau_sums, &self.y];
        let numbers: usize = arrays.iter().map(|array| array.capacity()).sum();
        (numbers + self.parts.capacity()) * size_of::<R>()
    }

    pub(super) fn forget_heads(&mut self) {
        self.heads = None;
    }

    /// Outputs of the active heads.
    pub(super) fn outputs(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }

    pub(super) fn output_stride(&self) -> usize {
        stride(self.outputs())
    }
}
