//! The backend itself: which slices run, and what becomes of their sums.

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayView3, Axis, s};
use rayon::ThreadPool;

use crate::batch::prepare_simulation;
use crate::{
    Backend, Batch, Config, Error, Gradients, Initial, Isa, Losses, Momentum, Optimiser, Params,
    Readout, Real, Score, Scores,
};

use super::dispatch::{backward, forward};
use super::gated::state::hand_over;
use super::packed::Packed;
use super::pass::{Backward, Forward};
use super::readout::Read;
use super::slice::{Keep, Slice};
use super::spread::spread;
use super::tile::ROW_BLOCK;
use super::workspace::{self, Asked};

/// Trials of a slice, at most.
pub(super) const SLICE_ROWS: usize = 32;

/// A network on the CPU.
///
/// Several may share a pool. Many small networks are trained faster each on a pool of one thread:
/// then all the work is done by the thread that calls.
#[derive(Debug)]
pub struct Cpu<R> {
    pub(super) config: Config,
    pub(super) params: Params<R>,
    momentum: Momentum<R>,
    cell_frozen: bool,
    isa: Isa,
    pub(super) pool: Arc<ThreadPool>,
    pub(super) packed: Packed<R>,
    /// Whether `packed` holds the cell as it is now.
    fresh: bool,
    /// Work space; the first [`Self::active`] belong to the last batch. It never shrinks: a smaller
    /// batch between two larger ones costs nothing.
    pub(super) slices: Vec<Slice<R>>,
    pub(super) active: usize,
    pub(super) gradients: Gradients<R>,
    updates: u64,
    losses: Losses,
}

impl<R: Real> Cpu<R> {
    /// Takes over a network.
    ///
    /// # Errors
    /// The errors of [`Config::check`] and [`Params::checked`].
    pub fn new(config: Config, params: Params<R>, pool: Arc<ThreadPool>) -> Result<Self, Error> {
        Self::with_isa(config, params, pool, Isa::detect())
    }

    /// [`Cpu::new`] with a chosen instruction set (the best available one at most). All give the
    /// same bits; this is for tests and measurements.
    ///
    /// # Errors
    /// The errors of [`Cpu::new`].
    pub fn with_isa(
        config: Config,
        params: Params<R>,
        pool: Arc<ThreadPool>,
        isa: Isa,
    ) -> Result<Self, Error> {
        config.check()?;
        let mut params = params.checked(&config)?;
        params.apply_constraints(&config);
        let gradients = Gradients::zeros(&params);
        let packed = Packed::new(&config);
        Ok(Self {
            config,
            params,
            momentum: Momentum::default(),
            cell_frozen: false,
            isa,
            pool,
            packed,
            fresh: false,
            slices: Vec::new(),
            active: 0,
            gradients,
            updates: 0,
            losses: Losses::default(),
        })
    }

    /// Bytes that one update needs besides the parameters, their gradients and momentum: mostly the
    /// history of the states. `outputs` counts the outputs of all heads of the batch; `every_step` says
    /// whether they are read at every step.
    #[must_use]
    pub fn workspace_bytes(
        config: &Config,
        steps: usize,
        trials: usize,
        outputs: usize,
        every_step: bool,
    ) -> usize {
        let slices = trials.div_ceil(SLICE_ROWS);
        let trials = trials.min(SLICE_ROWS);
        let asked = Asked { steps, trials, outputs, every_step };
        slices * workspace::numbers(config, asked) * size_of::<R>()
    }

    /// Packs what a batch needs: the cell if it changed, the active heads.
    fn pack(&mut self, heads: &[usize]) {
        let lanes = R::lanes(self.isa);
        let (pool, packed) = (&*self.pool, &mut self.packed);
        if !self.fresh {
            packed.pack_cell(pool, lanes, self.config.steps_per_unit(), &self.params);
            self.fresh = true;
        }
        packed.pack_heads(pool, lanes, &self.params.readouts, heads);
    }

    /// Makes work space for so many slices.
    fn activate(&mut self, slices: usize) {
        if self.slices.len() < slices {
            self.slices.resize_with(slices, Slice::default);
        }
        self.active = slices;
    }

    /// Takes every slice through all steps forward and, if `back`, back again; a slice goes all the
    /// way without waiting for another.
    fn pass(&mut self, batch: &Batch<'_, R>, back: bool) -> Result<(), Error> {
        batch.check(&self.config, &self.params)?;
        self.pack(batch.target.heads());
        let trials = batch.trials();
        self.activate(trials.div_ceil(SLICE_ROWS));
        // Outputs of every step are read from the history, too.
        let keep = if back || batch.target.every_step() { Keep::History } else { Keep::Last };
        let (packed, isa, cell) = (&self.packed, self.isa, self.trains_cell());
        let asked = batch.asked();
        spread(&self.pool, &mut self.slices[..self.active], |k, slice| {
            let range = k * SLICE_ROWS..trials.min((k + 1) * SLICE_ROWS);
            slice.start(packed, range, batch.steps(), keep, &batch.initial);
            let inputs = batch.inputs;
            forward(isa, Forward { packed, inputs, keep, slice: &mut *slice });
            R::read(isa, Read { packed, batch, asked, keep, slice: &mut *slice });
            if back {
                backward(isa, Backward { packed, batch, cell, slice });
            }
        });
        Ok(())
    }

    /// Whether there is anything to train but the heads.
    pub(super) fn trains_cell(&self) -> bool {
        !self.cell_frozen && self.config.trains_cell()
    }

    /// The score of each head in the forward pass.
    fn scores<'a>(&'a self, batch: &'a Batch<'_, R>) -> impl Iterator<Item = Score> + 'a {
        let asked = batch.asked();
        let slices = &self.slices[..self.active];
        self.packed.heads.iter().enumerate().map(move |(position, outputs)| {
            let loss: f64 = slices.iter().map(|slice| slice.losses[position]).sum();
            let hits: u32 = slices.iter().map(|slice| slice.hits[position]).sum();
            let accuracy = (!batch.target.every_step()).then(|| f64::from(hits) / asked);
            Score { loss: loss / batch.target.loss_count(asked, outputs.len()), accuracy }
        })
    }
}

impl<R: Real> Backend<R> for Cpu<R> {
    fn config(&self) -> &Config {
        &self.config
    }

    fn params(&self) -> Result<Params<R>, Error> {
        Ok(self.params.clone())
    }

    fn update(&mut self, batch: &Batch<'_, R>, optimiser: &Optimiser) -> Result<(), Error> {
        optimiser.check()?;
        self.pass(batch, true)?;
        let loss: f64 = self.scores(batch).map(|head| head.loss).sum();
        let update = self.updates;
        let diverged = |what, value| Err(Error::Diverged { update, what, value });
        if !loss.is_finite() {
            return diverged("loss", loss);
        }
        self.reduce(batch.target.heads());
        let norm = self.gradients.norm();
        if !norm.is_finite() {
            return diverged("gradient norm", norm);
        }
        let reach = optimiser.reach(norm);
        if reach.is_nan() || reach > R::LARGEST_STEP {
            return diverged("step", reach);
        }
        optimiser.step(&mut self.params, &self.gradients, norm, &mut self.momentum);
        self.params.apply_constraints(&self.config);
        self.fresh = !self.trains_cell();
        self.updates += 1;
        self.losses.sum += loss;
        self.losses.count += 1;
        Ok(())
    }

    fn losses(&mut self) -> Result<Losses, Error> {
        Ok(self.losses)
    }

    fn set_losses(&mut self, losses: Losses) -> Result<(), Error> {
        self.losses = losses;
        Ok(())
    }

    fn gradients(&mut self, batch: &Batch<'_, R>) -> Result<(Scores, Gradients<R>), Error> {
        self.pass(batch, true)?;
        let scores = Scores { heads: self.scores(batch).collect() };
        self.reduce(batch.target.heads());
        Ok((scores, self.gradients.clone()))
    }

    fn evaluate(&mut self, batch: &Batch<'_, R>) -> Result<Scores, Error> {
        self.pass(batch, false)?;
        Ok(Scores { heads: self.scores(batch).collect() })
    }

    fn advance(
        &mut self,
        state: &mut Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut Array3<R>,
    ) -> Result<(), Error> {
        let [steps, trials] = prepare_simulation(&self.config, state, inputs, activity)?;
        self.pack(&[]);
        // Few trials and many steps: the smallest slices keep all threads busy.
        let rows = ROW_BLOCK;
        self.activate(trials.div_ceil(rows));
        let (packed, isa) = (&self.packed, self.isa);
        let slices = &mut self.slices[..self.active];
        let first = Initial::Given(state.view());
        let parts = activity.axis_chunks_iter_mut(Axis(1), rows);
        let mut pairs: Vec<_> = slices.iter_mut().zip(parts).collect();
        spread(&self.pool, &mut pairs, |k, (slice, part)| {
            let range = k * rows..trials.min((k + 1) * rows);
            slice.start(packed, range, steps, Keep::History, &first);
            let keep = Keep::History;
            forward(isa, Forward { packed, inputs, keep, slice: &mut **slice });
            for (t, mut part) in part.outer_iter_mut().enumerate() {
                let (h, stride) = slice.state(t + 1);
                for (mut part, h) in part.rows_mut().into_iter().zip(h.chunks(stride)) {
                    part.iter_mut().zip(h).for_each(|(part, &h)| *part = h);
                }
            }
        });
        drop(pairs);
        let Some(last) = activity.outer_iter().next_back() else { return Ok(()) };
        let hidden = self.config.hidden_size;
        state.slice_mut(s![.., ..hidden]).assign(&last);
        hand_over(&self.slices, state, hidden, rows, steps);
        Ok(())
    }

    fn set_steps_per_unit(&mut self, steps_per_unit: u32) -> Result<(), Error> {
        let config = self.config.with_steps_per_unit(steps_per_unit)?;
        // The leak is packed with the cell.
        self.fresh &= config == self.config;
        self.config = config;
        Ok(())
    }

    fn add_head(&mut self, readout: Readout<R>) -> Result<usize, Error> {
        let mut params = self.params.clone();
        params.readouts.push(readout);
        self.params = params.checked(&self.config)?;
        self.gradients = Gradients::zeros(&self.params);
        Ok(self.params.readouts.len() - 1)
    }

    fn drop_head(&mut self, head: usize) -> Result<(), Error> {
        self.params.check_head(head)?;
        self.params.readouts.remove(head);
        self.momentum.drop_head(head);
        self.gradients = Gradients::zeros(&self.params);
        Ok(())
    }

    fn freeze_head(&mut self, head: usize, frozen: bool) -> Result<(), Error> {
        self.params.check_head(head)?;
        self.params.readouts[head].frozen = frozen;
        Ok(())
    }

    fn freeze_cell(&mut self, frozen: bool) {
        self.cell_frozen = frozen;
    }

    fn momentum(&self) -> Result<Momentum<R>, Error> {
        Ok(self.momentum.clone())
    }

    fn set_momentum(&mut self, momentum: Momentum<R>) -> Result<(), Error> {
        momentum.check(&self.params)?;
        self.momentum = momentum;
        Ok(())
    }
}
