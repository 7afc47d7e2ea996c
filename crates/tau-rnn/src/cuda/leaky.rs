//! The leaky cell on the device: `kernels/cell.cu`, `step.cu`, `small.cu` and `gradient.cu`.

use crate::{Error, Placement, Real};

use super::Cuda;
use super::arguments::{
    Backward, BackwardSmall, CellGradient, Forward, ForwardSmall, PackCell, Ptr, SMALL_THREADS,
    Shape, activation,
};
use super::device::Device;
use super::launch::launch;
use super::pass::{TILE, one_step, room_steps, size, step_grid};

/// Number of trials that a block of `kernels/small.cu` takes.
const SMALL_ROWS: usize = 4;

impl<R: Real, D: Device> Cuda<R, D> {
    /// Bytes of shared memory that a block of `kernels/small.cu` needs for products of so many terms;
    /// `None` if that is more than a block may have.
    fn small(&self, terms: usize) -> Option<usize> {
        let width = self.config.hidden_size.next_multiple_of(TILE);
        let groups = SMALL_THREADS / width;
        let numbers = SMALL_ROWS * (terms + groups * width) + terms * width;
        let bytes = numbers * size_of::<R>();
        (groups > 0 && bytes <= self.device.shared_limit()).then_some(bytes)
    }

    fn whole(&self) -> bool {
        self.config.leaky_cell().is_some_and(|leaky| leaky.placement == Placement::Whole)
    }

    fn steps_per_unit(&self) -> i32 {
        self.config.steps_per_unit() as i32
    }

    /// Packs M of the parameters as they are now.
    pub(super) fn pack_leaky(&mut self, shape: Shape) -> Result<(), Error> {
        let (stride, device) = (self.stride(), &self.device);
        let work = &mut self.work;
        let arguments = PackCell {
            shape,
            params: self.params.ptr(device),
            forward: work.forward.room(device, stride * stride)?,
            backward: work.backward.room(device, stride * stride)?,
            alpha: work.alpha.room(device, stride)?,
            decay: work.decay.room(device, stride)?,
            whole: i32::from(self.whole()),
            k: self.steps_per_unit(),
        };
        self.launch([stride / TILE, stride / TILE, 1], arguments)
    }

    /// Makes room for what the leaky cell keeps of so many steps besides the activity.
    pub(super) fn make_room_leaky(&mut self, shape: Shape, steps: usize) -> Result<(), Error> {
        if !self.whole() {
            self.work.f.room(&self.device, (room_steps(steps) + 1) * size(shape))?;
        }
        Ok(())
    }

    fn f_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        if self.whole() { Ptr::NULL } else { self.work.f.ptr(&self.device).at(t * size(shape)) }
    }

    /// Runs `shape.steps` steps of the leaky cell, from slot 0 on.
    pub(super) fn run_leaky(&self, shape: Shape) -> Result<(), Error> {
        if let Some(shared) = self.small(self.columns()) {
            let arguments = ForwardSmall {
                shape,
                h: self.h_at(shape, 0),
                f: self.f_at(shape, 0),
                matrix: self.work.forward.ptr(&self.device),
                alpha: self.work.alpha.ptr(&self.device),
                decay: self.work.decay.ptr(&self.device),
                activation: activation(&self.config),
            };
            return launch::<R, D, _>(&self.device, small_grid(shape), shared, arguments);
        }
        let step = |t| Forward {
            shape: one_step(shape),
            before: self.h_at(shape, t - 1),
            after: self.h_at(shape, t),
            f: self.f_at(shape, t),
            matrix: self.work.forward.ptr(&self.device),
            alpha: self.work.alpha.ptr(&self.device),
            decay: self.work.decay.ptr(&self.device),
            activation: activation(&self.config),
        };
        let steps: Vec<_> = (1..=shape.steps as usize).map(step).collect();
        self.launch_steps(step_grid(shape, self.config.hidden_size), 0, &steps)
    }

    /// Goes back through all steps and leaves the gradient of the cell. The heads read the steps from
    /// `first_read` on.
    pub(super) fn leaky_back(&mut self, shape: Shape, first_read: usize) -> Result<(), Error> {
        let (whole, device, steps) = (self.whole(), &self.device, shape.steps as usize);
        let size = size(shape);
        let errors = self.work.errors.room(device, room_steps(steps) * size)?;
        let (carry, tau_sums) = if whole {
            (Ptr::NULL, Ptr::NULL)
        } else {
            (self.work.carry.zeros(device, size)?, self.work.tau_sums.zeros(device, size)?)
        };
        let small = self.small(self.config.hidden_size).filter(|_| first_read == steps);
        // The errors of the last step come from the heads alone; in small networks one kernel goes on
        // from there.
        let one_by_one = if small.is_some() { steps..=steps } else { 1..=steps };
        let step = |t: usize| Backward {
            shape: one_step(shape),
            later: if t == steps { Ptr::NULL } else { errors.at(t * size) },
            matrix: self.work.backward.ptr(device),
            heads: self.heads_at(shape, t, first_read),
            value: if whole { self.h_at(shape, t) } else { self.f_at(shape, t) },
            error: errors.at((t - 1) * size),
            before: self.h_at(shape, t - 1),
            carry,
            tau_sums,
            alpha: self.work.alpha.ptr(device),
            decay: self.work.decay.ptr(device),
            activation: activation(&self.config),
            underflow: R::UNDERFLOW,
        };
        let steps_back: Vec<_> = one_by_one.rev().map(step).collect();
        self.launch_steps_back(step_grid(shape, self.config.hidden_size), steps, &steps_back)?;
        if let Some(shared) = small {
            let arguments = BackwardSmall {
                shape,
                h: self.h_at(shape, 0),
                f: self.f_at(shape, 0),
                errors,
                matrix: self.work.backward.ptr(&self.device),
                carry,
                tau_sums,
                alpha: self.work.alpha.ptr(&self.device),
                decay: self.work.decay.ptr(&self.device),
                activation: activation(&self.config),
                underflow: R::UNDERFLOW,
            };
            launch::<R, D, _>(&self.device, small_grid(shape), shared, arguments)?;
        }
        let rows = steps * shape.rows as usize;
        let stride = self.stride();
        let matrix = self.outer(errors, stride, self.h_at(shape, 0), stride, rows)?;
        let arguments = CellGradient {
            shape,
            matrix,
            params: self.params.ptr(&self.device),
            gradient: self.gradient.ptr(&self.device),
            alpha: self.work.alpha.ptr(&self.device),
            tau_sums,
            k: self.steps_per_unit(),
            trains_tau: i32::from(self.config.trains_tau()),
        };
        self.launch([self.config.hidden_size, 1, 1], arguments)
    }
}

/// Number of blocks of the kernels in `kernels/small.cu`.
fn small_grid(shape: Shape) -> [usize; 3] {
    [shape.rows as usize / SMALL_ROWS, 1, 1]
}
