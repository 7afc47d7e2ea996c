//! The way through all steps, forward and back: which kernels run, in which order, on which memory.

use crate::{Cell, Error, Initial, Real};

use super::Cuda;
use super::arguments::{Bits, KeyWords, Ptr, Shape, ShowDrawn, ShowGiven, Start};
use super::device::{Device, THREADS};
use super::launch::{launch, launch_all};
use super::shown::{Inputs, Shown};

/// The number of trials, and the number of terms of a product, are padded to a multiple of it.
pub(super) const TILE: usize = 32;
/// Distances between rows are padded to a multiple of it.
pub(super) const TILE_ALL: usize = 64;
/// Number of steps that an evaluation, which keeps no history, takes at a time: a multiple of 4, as a
/// block of random numbers serves four steps.
const CHUNK_STEPS: usize = 64;
/// Number of steps in one graph (see [`Cuda::launch_steps`]).
const GRAPH_STEPS: usize = 16;
/// Room for a history is made in multiples of this number of steps, so that it seldom moves while
/// sequences grow.
const ROOM_STEPS: usize = 32;

/// Distance between two rows of so many columns.
pub(super) fn stride(columns: usize) -> usize {
    columns.next_multiple_of(TILE_ALL)
}

/// Which states a pass keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// All states.
    History,
    /// The last state.
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

    /// Launches a kernel for each step, `before` of the launches singly and the rest in graphs. Graphs
    /// begin at the same steps whatever the length of a batch, so later batches find them again.
    pub(super) fn launch_steps<A: super::Arguments>(
        &self,
        grid: [usize; 3],
        before: usize,
        steps: &[A],
    ) -> Result<(), Error> {
        let (single, rest) = steps.split_at(before);
        single.iter().try_for_each(|&step| self.launch(grid, step))?;
        let (graphs, last) = rest.as_chunks::<GRAPH_STEPS>();
        graphs.iter().try_for_each(|steps| launch_all::<R, D, A>(&self.device, grid, steps))?;
        last.iter().try_for_each(|&step| self.launch(grid, step))
    }

    /// Launches a kernel for each step from `last` back to the first. The launch of step `last` differs
    /// from that of the same step in a longer batch, so it stands before all graphs.
    pub(super) fn launch_steps_back<A: super::Arguments>(
        &self,
        grid: [usize; 3],
        last: usize,
        steps: &[A],
    ) -> Result<(), Error> {
        let before = (last - 1) % GRAPH_STEPS + 1;
        self.launch_steps(grid, before.min(steps.len()), steps)
    }

    pub(super) fn columns(&self) -> usize {
        self.config.hidden_size + self.config.input_size + 1
    }

    pub(super) fn stride(&self) -> usize {
        stride(self.columns())
    }

    /// The sizes of the network and a batch. They fit into 32 bits: otherwise there is no memory for
    /// them, or the launch is refused.
    pub(super) fn shape(&self, steps: usize, trials: usize) -> Shape {
        Shape {
            hidden: self.config.hidden_size as i32,
            channels: self.config.input_size as i32,
            stride: self.stride() as i32,
            trials: trials as i32,
            rows: trials.next_multiple_of(TILE) as i32,
            steps: steps as i32,
        }
    }

    /// Packs the matrix of the cell.
    pub(super) fn pack_cell(&mut self, shape: Shape) -> Result<(), Error> {
        match self.config.cell {
            Cell::Leaky(_) => self.pack_leaky(shape),
            Cell::Lstm | Cell::Gru => self.pack_gates(shape),
        }
    }

    /// Runs a batch forward and scores it.
    pub(super) fn forward(&mut self, shown: &Shown<'_, R>, keep: Keep) -> Result<(), Error> {
        let (steps, trials) = (shown.steps, shown.trials);
        let shape = self.shape(steps, trials);
        self.pack_cell(shape)?;
        self.pack_readouts(shape, &shown.heads)?;
        // Outputs of every step are read from the history.
        let history = keep == Keep::History || shown.every_step();
        let chunk = if history { steps } else { steps.min(CHUNK_STEPS) };
        self.make_room(shape, chunk, keep)?;
        self.put_inputs(&shown.inputs)?;
        self.start(shape, &shown.initial)?;
        let mut done = 0;
        let mut slot = 0;
        while done < steps {
            let count = chunk.min(steps - done);
            if done > 0 {
                self.go_on(shape, slot)?;
            }
            self.run(Shape { steps: count as i32, ..shape }, &shown.inputs, done, keep)?;
            done += count;
            slot = count;
        }
        self.read_outputs(shape, shown, slot)
    }

    pub(super) fn make_room(
        &mut self,
        shape: Shape,
        steps: usize,
        keep: Keep,
    ) -> Result<(), Error> {
        self.work.h.room(&self.device, (room_steps(steps) + 1) * size(shape))?;
        match self.config.cell {
            Cell::Leaky(_) => self.make_room_leaky(shape, steps),
            Cell::Lstm | Cell::Gru => self.make_room_gated(shape, steps, keep),
        }
    }

    pub(super) fn put_inputs(&mut self, inputs: &Inputs<'_>) -> Result<(), Error> {
        let Inputs::Given(inputs) = inputs else { return Ok(()) };
        let inputs = inputs.as_standard_layout();
        let inputs = inputs.as_slice().expect("standard layout");
        self.work.inputs.put(&self.device, inputs).map(drop)
    }

    /// Address of the activity after `t` steps.
    pub(super) fn h_at(&self, shape: Shape, t: usize) -> Ptr<R> {
        self.work.h.ptr(&self.device).at(t * size(shape))
    }

    /// Sets h(0), and c(0) if the cell has a c.
    pub(super) fn start(&mut self, shape: Shape, initial: &Initial<'_, R>) -> Result<(), Error> {
        let (h, c) = (self.h_at(shape, 0), self.c_at(shape, 0));
        match initial {
            Initial::Given(given) => {
                let given = given.as_standard_layout();
                let numbers = given.as_slice().expect("standard layout");
                let from = self.work.given.put(&self.device, numbers)?;
                let stride = self.config.state_size() as i32;
                self.set(shape, from, stride, h)?;
                self.set(shape, from.at(self.config.hidden_size), stride, c)
            }
            Initial::Zero => {
                self.set(shape, Ptr::NULL, 0, h)?;
                self.set(shape, Ptr::NULL, 0, c)
            }
            Initial::Uniform { scale, key } => {
                let (scale, key) = (R::from_f64(*scale), KeyWords::from(*key));
                let drawn = Start { shape, given: Ptr::NULL, given_stride: 0, scale, key, h };
                self.launch([size(shape).div_ceil(THREADS), 1, 1], drawn)?;
                self.set(shape, Ptr::NULL, 0, c)
            }
        }
    }

    /// Copies the state in a slot to the first slot.
    pub(super) fn go_on(&self, shape: Shape, slot: usize) -> Result<(), Error> {
        self.set(shape, self.h_at(shape, slot), shape.stride, self.h_at(shape, 0))?;
        self.set(shape, self.c_at(shape, slot), shape.stride, self.c_at(shape, 0))
    }

    /// Sets a state to the rows at `given`, or to zero if that is null. If the state itself is null, there
    /// is nothing to do.
    fn set(
        &self,
        shape: Shape,
        given: Ptr<R>,
        given_stride: i32,
        state: Ptr<R>,
    ) -> Result<(), Error> {
        if state == Ptr::NULL {
            return Ok(());
        }
        let (scale, key, h) = (R::ZERO, KeyWords::default(), state);
        let grid = [size(shape).div_ceil(THREADS), 1, 1];
        self.launch(grid, Start { shape, given, given_stride, scale, key, h })
    }

    /// Runs `shape.steps` steps from slot 0 on, with the inputs from step `first` on.
    pub(super) fn run(
        &self,
        shape: Shape,
        inputs: &Inputs<'_>,
        first: usize,
        keep: Keep,
    ) -> Result<(), Error> {
        self.show(shape, inputs, first)?;
        match self.config.cell {
            Cell::Leaky(_) => self.run_leaky(shape),
            Cell::Lstm | Cell::Gru => self.run_gated(shape, keep),
        }
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
            Inputs::Drawn { key, bits } => {
                let (bits, values) = (Bits::new(key, bits), bits.coding.values());
                let grid = [(slots.div_ceil(4) * rows).div_ceil(THREADS), 1, 1];
                self.launch(grid, ShowDrawn { shape, bits, values, first: first as i32, h })
            }
        }
    }

    /// Back-propagates through the batch that [`Cuda::forward`] just ran, and leaves the gradient.
    pub(super) fn backward(&mut self, shown: &Shown<'_, R>) -> Result<(), Error> {
        let shape = self.shape(shown.steps, shown.trials);
        let total = self.params.len();
        self.gradient.room(&self.device, total)?;
        let first_read = if shown.every_step() { 1 } else { shown.steps };
        self.readout_gradient(shape, first_read)?;
        if !self.trains_cell() {
            return Ok(());
        }
        match self.config.cell {
            Cell::Leaky(_) => self.leaky_back(shape, first_read),
            Cell::Lstm | Cell::Gru => self.gated_back(shape, first_read),
        }
    }
}

/// Number of steps for which room is made.
pub(super) fn room_steps(steps: usize) -> usize {
    steps.next_multiple_of(ROOM_STEPS)
}

/// Number of elements in all rows at one step.
pub(super) fn size(shape: Shape) -> usize {
    shape.rows as usize * shape.stride as usize
}

/// The shape as a kernel of one step sees it, which is the same for batches of any length.
pub(super) fn one_step(shape: Shape) -> Shape {
    Shape { steps: 1, ..shape }
}

/// Number of blocks in a step with so many columns.
pub(super) fn step_grid(shape: Shape, columns: usize) -> [usize; 3] {
    [columns.div_ceil(TILE), shape.rows as usize / TILE, 1]
}
