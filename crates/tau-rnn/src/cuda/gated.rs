//! Cells with gates on the device: `kernels/gated.cu` and `gradient.cu`.
//!
//! As on the processor (`src/cpu/gated`), the errors of the gates replace what the way forward kept of
//! them, so the next step back and dW̃ read them from the history of the gates. A neuron has four columns
//! in that history, whatever its cell (`kernels/gates.cuh`).

use ndarray::{Array2, s};

use crate::{Error, Real};

use super::Cuda;
use super::arguments::{
    BackwardGates, Collect, ForwardGates, GateGradient, PackGates, Ptr, Shape, gated,
};
use super::device::{Device, THREADS};
use super::pass::{Keep, TILE, one_step, room_steps, size, step_grid, stride};

/// Number of columns that a neuron has in a row of gates.
pub(super) const COLUMNS: usize = 4;

impl<R: Real, D: Device> Cuda<R, D> {
    /// Distance between two rows of gates, in numbers.
    fn gate_stride(&self) -> usize {
        stride(COLUMNS * self.config.hidden_size)
    }

    /// Whether the cell has a c.
    fn has_memory(&self) -> bool {
        self.config.cell.states() > 1
    }

    /// Packs W̃ of the parameters as they are now.
    pub(super) fn pack_gates(&mut self, shape: Shape) -> Result<(), Error> {
        let (stride, gate_stride) = (self.stride(), self.gate_stride());
        let (device, work) = (&self.device, &mut self.work);
        let arguments = PackGates {
            shape,
            params: self.params.ptr(device),
            forward: work.forward.room(device, stride * gate_stride)?,
            backward: work.backward.room(device, gate_stride * stride)?,
            gate_stride: gate_stride as i32,
            cell: gated(self.config.cell),
        };
        self.launch([stride / TILE, gate_stride / TILE, 1], arguments)
    }

    /// Makes room for what a cell with gates keeps of so many steps besides the activity.
    pub(super) fn make_room_gated(
        &mut self,
        shape: Shape,
        steps: usize,
        keep: Keep,
    ) -> Result<(), Error> {
        let (room, gate_stride) = (room_steps(steps), self.gate_stride());
        if self.has_memory() {
            self.work.c.room(&self.device, (room + 1) * size(shape))?;
        }
        if keep == Keep::History {
            self.work.gates.room(&self.device, room * shape.rows as usize * gate_stride)?;
        }
        Ok(())
    }

    /// Address of c after `t` steps; null for a cell without c.
    pub(super) fn c_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        if self.has_memory() {
            self.work.c.ptr(&self.device).at(t * size(shape))
        } else {
            Ptr::NULL
        }
    }

    /// Address of the gates of step `t`.
    fn gates_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        let rows = (t - 1) * shape.rows as usize;
        self.work.gates.ptr(&self.device).at(rows * self.gate_stride())
    }

    /// Runs `shape.steps` steps of a cell with gates, from slot 0 on.
    pub(super) fn run_gated(&self, shape: Shape, keep: Keep) -> Result<(), Error> {
        let step = |t| ForwardGates {
            shape: one_step(shape),
            before: self.h_at(shape, t - 1),
            after: self.h_at(shape, t),
            memory: self.c_at(shape, t - 1),
            memory_after: self.c_at(shape, t),
            gates: if keep == Keep::History { self.gates_at(shape, t) } else { Ptr::NULL },
            matrix: self.work.forward.ptr(&self.device),
            gate_stride: self.gate_stride() as i32,
            cell: gated(self.config.cell),
        };
        let steps: Vec<_> = (1..=shape.steps as usize).map(step).collect();
        self.launch_steps(step_grid(shape, COLUMNS * self.config.hidden_size), 0, &steps)
    }

    /// Goes back through all steps and leaves the gradient of the cell. The heads read the steps from
    /// `first_read` on.
    pub(super) fn gated_back(&mut self, shape: Shape, first_read: usize) -> Result<(), Error> {
        let (steps, gate_stride) = (shape.steps as usize, self.gate_stride());
        let carry = self.work.carry.zeros(&self.device, size(shape))?;
        let step = |t: usize| BackwardGates {
            shape: one_step(shape),
            later: if t == steps { Ptr::NULL } else { self.gates_at(shape, t + 1) },
            matrix: self.work.backward.ptr(&self.device),
            heads: self.heads_at(shape, t, first_read),
            gates: self.gates_at(shape, t),
            before: self.h_at(shape, t - 1),
            memory: self.c_at(shape, t - 1),
            memory_after: self.c_at(shape, t),
            carry,
            gate_stride: gate_stride as i32,
            cell: gated(self.config.cell),
            underflow: R::UNDERFLOW,
        };
        let steps_back: Vec<_> = (1..=steps).rev().map(step).collect();
        self.launch_steps_back(step_grid(shape, self.config.hidden_size), steps, &steps_back)?;
        let (errors, h) = (self.gates_at(shape, 1), self.h_at(shape, 0));
        let rows = steps * shape.rows as usize;
        let matrix = self.outer(errors, gate_stride, h, self.stride(), rows)?;
        let arguments = GateGradient {
            shape,
            matrix,
            gradient: self.gradient.ptr(&self.device),
            cell: gated(self.config.cell),
            unused: 0,
        };
        self.launch([COLUMNS * self.config.hidden_size, 1, 1], arguments)
    }

    /// Writes c after `t` steps behind h in the state. A cell without c changes nothing.
    pub(super) fn hand_over(
        &mut self,
        shape: Shape,
        t: usize,
        state: &mut Array2<R>,
    ) -> Result<(), Error> {
        if !self.has_memory() {
            return Ok(());
        }
        let hidden = self.config.hidden_size;
        let mut memory = Array2::from_elem((state.nrows(), hidden), R::ZERO);
        let to = self.work.states.room(&self.device, memory.len())?;
        let collect = Collect { shape: one_step(shape), h: self.c_at(shape, t), to };
        self.launch([memory.len().div_ceil(THREADS), 1, 1], collect)?;
        self.work.states.get(&self.device, 0, crate::params::flat_mut(&mut memory))?;
        state.slice_mut(s![.., hidden..]).assign(&memory);
        Ok(())
    }
}
