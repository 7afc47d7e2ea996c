//! Through all steps forward and back: which kernels run, in which order, on which memory.

use ndarray::{Array2, ArrayView3, Axis};

use crate::{Error, Initial, Placement, Real};

use super::Cuda;
use super::arguments::{
    Backward, BackwardSmall, Bits, CellGradient, Collect, Forward, ForwardSmall, KeyWords, Outer,
    PackCell, Ptr, SMALL_THREADS, Shape, ShowDrawn, ShowGiven, Splits, Start, activation,
};
use super::device::{Device, THREADS};
use super::launch::{launch, launch_all};
use super::shown::{Inputs, Shown};

/// Rows of activity, and terms of a product, are padded to a multiple of it.
pub(super) const TILE: usize = 32;
/// Strides are padded to a multiple of it.
const TILE_ALL: usize = 64;
/// Steps at a time of an evaluation, which keeps no history; a multiple of the four that a block of
/// random numbers is for.
const CHUNK_STEPS: usize = 64;
/// Steps of one graph (see [`Cuda::launch_steps`]).
const GRAPH_STEPS: usize = 16;
/// Steps of a simulation at a time: memory and graphs are those of one piece.
const SIMULATED_STEPS: usize = 1024;
/// Room for a history is made in multiples of it: it moves seldom while sequences grow.
const ROOM_STEPS: usize = 32;
/// Trials of a block in `kernels/small.cu`.
const SMALL_ROWS: usize = 4;

/// Distance between rows of so many columns.
pub(super) fn stride(columns: usize) -> usize {
    columns.next_multiple_of(TILE_ALL)
}

/// Blocks that keep any GPU busy with an outer product.
const ENOUGH_BLOCKS: usize = 512;

/// How the rows of an outer product are shared out. A function of its shape alone: so are the bits
/// of the sum.
pub(super) struct Splitting {
    rows: usize,
    rows_per_split: usize,
    pub(super) splits: usize,
}

impl Splitting {
    /// For a result of `a_stride` × `b_stride`.
    pub(super) fn new(rows: usize, a_stride: usize, b_stride: usize) -> Self {
        let tiles = (a_stride / TILE_ALL) * (b_stride / TILE_ALL);
        let wanted = (rows / 512).min(ENOUGH_BLOCKS / tiles.max(1)).max(1);
        let rows_per_split = rows.div_ceil(wanted).next_multiple_of(TILE).max(TILE);
        Self { rows, rows_per_split, splits: rows.div_ceil(rows_per_split) }
    }
}

/// What is remembered of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// All of them.
    History,
    /// The last one.
    Last,
}

impl<R: Real, D: Device> Cuda<R, D> {
    pub(super) fn launch<A: super::Arguments>(
        &self,
        grid: [usize; 3],
        arguments: A,
    ) -> Result<(), Error> {
        launch::<R, D, A>(&self.device, grid, 0, arguments)
    }

    /// Launches for steps from first to last, `before` of them before the first graph. Graphs begin
    /// at the same steps whatever the length of a batch: so they are found again.
    fn launch_steps<A: super::Arguments>(
        &self,
        shape: Shape,
        before: usize,
        steps: &[A],
    ) -> Result<(), Error> {
        let (single, rest) = steps.split_at(before);
        let grid = step_grid(shape);
        single.iter().try_for_each(|&step| self.launch(grid, step))?;
        let (graphs, last) = rest.as_chunks::<GRAPH_STEPS>();
        graphs.iter().try_for_each(|steps| launch_all::<R, D, A>(&self.device, grid, steps))?;
        last.iter().try_for_each(|&step| self.launch(grid, step))
    }

    /// Shared memory of a block of `kernels/small.cu` for products of so many terms; `None` if it
    /// is more than a block may have.
    fn small(&self, terms: usize) -> Option<usize> {
        let width = self.config.hidden_size.next_multiple_of(TILE);
        let groups = SMALL_THREADS / width;
        let numbers = SMALL_ROWS * (terms + groups * width) + terms * width;
        let bytes = numbers * size_of::<R>();
        (groups > 0 && bytes <= self.device.shared_limit()).then_some(bytes)
    }

    pub(super) fn columns(&self) -> usize {
        self.config.hidden_size + self.config.input_size + 1
    }

    pub(super) fn stride(&self) -> usize {
        stride(self.columns())
    }

    fn whole(&self) -> bool {
        self.config.placement == Placement::Whole
    }

    fn steps_per_unit(&self) -> i32 {
        self.config.placement.steps_per_unit() as i32
    }

    /// Sizes; all fit, since memory of that size was had or the launch is refused.
    fn shape(&self, steps: usize, trials: usize) -> Shape {
        Shape {
            hidden: self.config.hidden_size as i32,
            channels: self.config.input_size as i32,
            stride: self.stride() as i32,
            trials: trials as i32,
            rows: trials.next_multiple_of(TILE) as i32,
            steps: steps as i32,
        }
    }

    /// The cell's matrix as the parameters are now.
    fn pack_cell(&mut self, shape: Shape) -> Result<(), Error> {
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

    /// Runs a batch forward and scores it.
    pub(super) fn forward(&mut self, shown: &Shown<'_, R>, keep: Keep) -> Result<(), Error> {
        let (steps, trials) = (shown.steps, shown.trials);
        let shape = self.shape(steps, trials);
        self.pack_cell(shape)?;
        self.pack_readouts(shape, &shown.heads)?;
        // Outputs of every step are read from the history, too.
        let history = keep == Keep::History || shown.every_step();
        let chunk = if history { steps } else { steps.min(CHUNK_STEPS) };
        self.make_room(chunk, trials)?;
        self.put_inputs(&shown.inputs)?;
        self.start(shape, &shown.initial)?;
        let mut done = 0;
        let mut slot = 0;
        while done < steps {
            let count = chunk.min(steps - done);
            if done > 0 {
                // The last state becomes the first.
                let from = self.h_at(shape, slot);
                self.start_from(shape, from, shape.stride)?;
            }
            self.run(Shape { steps: count as i32, ..shape }, &shown.inputs, done)?;
            done += count;
            slot = count;
        }
        self.read_outputs(shape, shown, slot)
    }

    fn make_room(&mut self, steps: usize, trials: usize) -> Result<(), Error> {
        let size = trials.next_multiple_of(TILE) * self.stride();
        let steps = room_steps(steps);
        let (whole, device, work) = (self.whole(), &self.device, &mut self.work);
        work.h.room(device, (steps + 1) * size)?;
        if !whole {
            work.f.room(device, (steps + 1) * size)?;
        }
        Ok(())
    }

    fn put_inputs(&mut self, inputs: &Inputs<'_>) -> Result<(), Error> {
        let Inputs::Given(inputs) = inputs else { return Ok(()) };
        let inputs = inputs.as_standard_layout();
        let inputs = inputs.as_slice().expect("standard layout");
        self.work.inputs.put(&self.device, inputs).map(drop)
    }

    /// Where the activity after `t` steps stands.
    pub(super) fn h_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        self.work.h.ptr(&self.device).at(t * size(shape))
    }

    fn f_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        if self.whole() { Ptr::NULL } else { self.work.f.ptr(&self.device).at(t * size(shape)) }
    }

    /// Sets h(0).
    fn start(&mut self, shape: Shape, initial: &Initial<'_, R>) -> Result<(), Error> {
        match initial {
            Initial::Given(given) => {
                let given = given.as_standard_layout();
                let numbers = given.as_slice().expect("standard layout");
                let from = self.work.given.put(&self.device, numbers)?;
                self.start_from(shape, from, shape.hidden)
            }
            Initial::Zero => self.start_from(shape, Ptr::NULL, 0),
            Initial::Uniform { scale, key } => {
                let (scale, key) = (R::from_f64(*scale), KeyWords::from(*key));
                let h = self.h_at(shape, 0);
                let drawn = Start { shape, given: Ptr::NULL, given_stride: 0, scale, key, h };
                self.launch([size(shape).div_ceil(THREADS), 1, 1], drawn)
            }
        }
    }

    /// Sets h(0) to rows on the device; to zero for none.
    fn start_from(&self, shape: Shape, given: Ptr<R>, given_stride: i32) -> Result<(), Error> {
        let (scale, key, h) = (R::ZERO, KeyWords::default(), self.h_at(shape, 0));
        let grid = [size(shape).div_ceil(THREADS), 1, 1];
        self.launch(grid, Start { shape, given, given_stride, scale, key, h })
    }

    /// Runs `shape.steps` steps from slot 0 on, with the inputs from step `first` on.
    fn run(&self, shape: Shape, inputs: &Inputs<'_>, first: usize) -> Result<(), Error> {
        self.show(shape, inputs, first)?;
        if let Some(shared) = self.small(self.columns()) {
            let arguments = ForwardSmall {
                shape,
                h: self.h_at(shape, 0),
                f: self.f_at(shape, 0),
                matrix: self.work.forward.ptr(&self.device),
                alpha: self.work.alpha.ptr(&self.device),
                decay: self.work.decay.ptr(&self.device),
                activation: activation(self.config.activation),
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
            activation: activation(self.config.activation),
        };
        let steps: Vec<_> = (1..=shape.steps as usize).map(step).collect();
        self.launch_steps(shape, 0, &steps)
    }

    /// Puts inputs and ones behind the neurons, from step `first` on.
    fn show(&self, shape: Shape, inputs: &Inputs<'_>, first: usize) -> Result<(), Error> {
        let (slots, rows) = (shape.steps as usize + 1, shape.rows as usize);
        let h = self.h_at(shape, 0);
        match *inputs {
            Inputs::Given(_) => {
                let per_step = (shape.trials * shape.channels) as usize;
                let inputs = self.work.inputs.ptr(&self.device).at(first * per_step);
                let grid = [(slots * rows).div_ceil(THREADS), 1, 1];
                self.launch(grid, ShowGiven { shape, inputs, h })
            }
            Inputs::Drawn { key, fair, values } => {
                let bits = Bits { key: key.into(), fair: i32::from(fair) };
                let grid = [(slots.div_ceil(4) * rows).div_ceil(THREADS), 1, 1];
                self.launch(grid, ShowDrawn { shape, bits, values, first: first as i32, h })
            }
        }
    }

    /// Back-propagates through the batch that [`Cuda::forward`] just kept; leaves the gradient.
    pub(super) fn backward(&mut self, shown: &Shown<'_, R>) -> Result<(), Error> {
        let (steps, trials) = (shown.steps, shown.trials);
        let shape = self.shape(steps, trials);
        let every_step = shown.every_step();
        let total = self.params.len();
        self.gradient.room(&self.device, total)?;
        let first_read = if every_step { 1 } else { steps };
        self.readout_gradient(shape, first_read)?;
        if self.cell_frozen {
            return Ok(());
        }
        let (whole, device) = (self.whole(), &self.device);
        let size = size(shape);
        let errors = self.work.errors.room(device, room_steps(steps) * size)?;
        let (carry, tau_sums) = if whole {
            (Ptr::NULL, Ptr::NULL)
        } else {
            (self.work.carry.zeros(device, size)?, self.work.tau_sums.zeros(device, size)?)
        };
        let y = self.work.y.ptr(device);
        let output_stride = self.work.output_stride();
        let small = self.small(self.config.hidden_size).filter(|_| !every_step);
        // The last step has its errors from the heads alone; for small networks one kernel goes on.
        let one_by_one = if small.is_some() { steps..=steps } else { 1..=steps };
        let step = |t: usize| {
            let read = t >= first_read;
            let y_at = (t - first_read.min(t)) * shape.rows as usize * output_stride;
            Backward {
                shape: one_step(shape),
                later: if t == steps { Ptr::NULL } else { errors.at(t * size) },
                matrix: self.work.backward.ptr(device),
                errors: if read { y.at(y_at) } else { Ptr::NULL },
                readout: self.work.readout_backward.ptr(device),
                output_stride: output_stride as i32,
                output_terms: self.work.outputs().next_multiple_of(TILE) as i32,
                value: if whole { self.h_at(shape, t) } else { self.f_at(shape, t) },
                error: errors.at((t - 1) * size),
                before: self.h_at(shape, t - 1),
                carry,
                tau_sums,
                alpha: self.work.alpha.ptr(device),
                decay: self.work.decay.ptr(device),
                activation: activation(self.config.activation),
                underflow: R::UNDERFLOW,
            }
        };
        // The last step differs from what it is in a longer batch.
        let before = (steps - 1) % GRAPH_STEPS + 1;
        let steps_back: Vec<_> = one_by_one.rev().map(step).collect();
        self.launch_steps(shape, before.min(steps_back.len()), &steps_back)?;
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
                activation: activation(self.config.activation),
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

    /// Σ leftᵀ right over `rows` rows, in splits.
    pub(super) fn outer(
        &mut self,
        left: Ptr<R>,
        a_stride: usize,
        right: Ptr<R>,
        b_stride: usize,
        rows: usize,
    ) -> Result<Splits<R>, Error> {
        let Splitting { rows, rows_per_split, splits } = Splitting::new(rows, a_stride, b_stride);
        let size = a_stride * b_stride;
        let out = self.work.parts.room(&self.device, splits * size)?;
        let arguments = Outer {
            left,
            right,
            out,
            a_stride: a_stride as i32,
            b_stride: b_stride as i32,
            rows: rows as i32,
            rows_per_split: rows_per_split as i32,
        };
        self.launch([b_stride / TILE_ALL, a_stride / TILE_ALL, splits], arguments)?;
        Ok(Splits { parts: out, splits: splits as i32, size: size as u64 })
    }

    /// Runs on from `state`; every state goes to `activity` (time, trial, neuron).
    pub(super) fn simulate(
        &mut self,
        state: &Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut [R],
    ) -> Result<(), Error> {
        let [steps, trials, _] = [0, 1, 2].map(|axis| inputs.shape()[axis]);
        let at_once = steps.min(SIMULATED_STEPS);
        self.pack_cell(self.shape(steps, trials))?;
        self.make_room(at_once, trials)?;
        self.start(self.shape(at_once, trials), &Initial::Given(state.view()))?;
        let per_step = trials * self.config.hidden_size;
        let pieces =
            activity.chunks_mut(at_once * per_step).zip(inputs.axis_chunks_iter(Axis(0), at_once));
        for (k, (activity, inputs)) in pieces.enumerate() {
            let shape = self.shape(inputs.len_of(Axis(0)), trials);
            if k > 0 {
                // The last state of the piece before, which was a whole one.
                self.start_from(shape, self.h_at(shape, at_once), shape.stride)?;
            }
            let inputs = Inputs::Given(inputs);
            self.put_inputs(&inputs)?;
            self.run(shape, &inputs, 0)?;
            let to = self.work.states.room(&self.device, activity.len())?;
            let collect = Collect { shape, h: self.h_at(shape, 1), to };
            self.launch([activity.len().div_ceil(THREADS), 1, 1], collect)?;
            self.work.states.get(&self.device, 0, activity)?;
        }
        Ok(())
    }
}

/// Steps that room is made for.
pub(super) fn room_steps(steps: usize) -> usize {
    steps.next_multiple_of(ROOM_STEPS)
}

/// Numbers of all rows at one step.
fn size(shape: Shape) -> usize {
    shape.rows as usize * shape.stride as usize
}

/// Blocks of the kernels in `kernels/small.cu`.
fn small_grid(shape: Shape) -> [usize; 3] {
    [shape.rows as usize / SMALL_ROWS, 1, 1]
}

/// The shape as a kernel of one step sees it, the same for batches of any length.
fn one_step(shape: Shape) -> Shape {
    Shape { steps: 1, ..shape }
}

/// Blocks of a step of the cell.
fn step_grid(shape: Shape) -> [usize; 3] {
    [(shape.hidden as usize).div_ceil(TILE), shape.rows as usize / TILE, 1]
}
