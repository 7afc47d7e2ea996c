//! The CUDA backend: a whole training step on the device, without waiting for it.
//!
//! The maths is that of the CPU backend (`src/cpu/leaky.rs`, `src/cpu/gated`): rows of activity
//! h̃ = (h, x, 1), one matrix M, dM = Σ e h̃ᵀ, everything else from dM. Leaky networks whose matrix fits into shared memory
//! take one launch for all steps, others one per step (sixteen of them a CUDA graph), products in
//! tiles of shared memory; gradients of matrices as products over all steps, cut into splits whose sums
//! are added in a fixed order; clipping and optimiser on the device, which also refuses an update
//! that is not finite. The host reads the loss back when it is asked for it
//! ([`Backend::take_mean_loss`]), so a divergence may be reported by a later call; it names the
//! update, and the parameters are those before it.
//!
//! Everything here is generic over the [`Device`]: an NVIDIA GPU, or the emulator that
//! runs the same kernels on the CPU for tests.

mod arguments;
mod device;
#[cfg(feature = "cuda")]
mod driver;
mod gated;
#[cfg(any(feature = "cuda", test))]
mod graphs;
mod launch;
mod leaky;
mod memory;
mod pass;
#[cfg(feature = "bench")]
pub(crate) mod peak;
mod readout;
mod shown;
#[cfg(feature = "cuda")]
mod staging;
#[cfg(all(feature = "bench", feature = "cuda"))]
pub(crate) mod timing;
mod train;
mod work;

use ndarray::{Array2, Array3, ArrayView3, s};

use tau_random::DrawnBits;

use crate::batch::{check_drawn, prepare_simulation};
use crate::gradients::Trained;
use crate::params::flat_mut;
use crate::{
    Backend, Batch, Config, Error, Gradients, Initial, Losses, Momentum, Optimiser, Params,
    Readout, Real, Score, Scores, Slot,
};

use arguments::{Segment, State};
use memory::Array;
use pass::Keep;
use shown::Shown;
use work::Work;

pub use device::{Arguments, Device};
#[cfg(feature = "cuda")]
pub use driver::Gpu;
pub use work::workspace_bytes;

/// A network on a device.
#[derive(Debug)]
pub struct Cuda<R, D: Device> {
    device: D,
    config: Config,
    /// Shapes; the numbers are those of the last [`Backend::params`] and may be old.
    host: Params<R>,
    cell_frozen: bool,
    /// Flat, in the order of [`Params::tensors`]; so are the next three.
    params: Array<R, D>,
    gradient: Array<R, D>,
    mean: Array<R, D>,
    square: Array<R, D>,
    segments: Array<Segment, D>,
    /// What the device's segments are but for their steps; `None` before the first update.
    active: Option<Vec<bool>>,
    /// Whether the memory of the optimiser is Adam's; `None` before the first update.
    adam: Option<bool>,
    state: Array<State, D>,
    work: Work<R, D>,
}

impl<R: Real, D: Device> Cuda<R, D> {
    /// Takes over a network.
    ///
    /// # Errors
    /// Those of [`Config::check`] and [`Params::checked`]; [`Error::DeviceMemory`].
    pub fn new(config: Config, params: Params<R>, device: D) -> Result<Self, Error> {
        config.check()?;
        let mut host = params.checked(&config)?;
        host.apply_constraints(&config);
        let mut network = Self {
            device,
            config,
            host,
            cell_frozen: false,
            params: Array::default(),
            gradient: Array::default(),
            mean: Array::default(),
            square: Array::default(),
            segments: Array::default(),
            active: None,
            adam: None,
            state: Array::default(),
            work: Work::default(),
        };
        network.state.put(&network.device, &[State::default()])?;
        network.put_params()?;
        Ok(network)
    }

    /// The device.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Moves [`Self::host`] to the device.
    fn put_params(&mut self) -> Result<(), Error> {
        let flat: Vec<R> = self.host.tensors().flat_map(|(_, values)| values).copied().collect();
        self.params.put(&self.device, &flat)?;
        self.work.forget_heads();
        self.active = None;
        Ok(())
    }

    /// Waits for the device and reports a divergence, once.
    fn settle(&mut self) -> Result<State, Error> {
        let mut state = [State::default()];
        self.state.get(&self.device, 0, &mut state)?;
        let [state] = state;
        let what = match state.diverged {
            0 => return Ok(state),
            1 => "loss",
            2 => "gradient norm",
            _ => "step",
        };
        let calm = State { diverged: 0, ..state };
        self.state.put(&self.device, &[calm])?;
        Err(Error::Diverged { update: state.updates, what, value: state.value })
    }

    /// The optimiser's memory, which may have fewer arrays than the network by now.
    fn read_momentum(&self) -> Result<Momentum<R>, Error> {
        let Some(adam) = self.adam else { return Ok(Momentum::default()) };
        let mean = self.mean.to_vec(&self.device)?;
        let square = if adam { self.square.to_vec(&self.device)? } else { Vec::new() };
        let segments = self.segments.to_vec(&self.device)?;
        let mut begin = 0;
        let slot = |segment: &Segment| {
            let range = begin..segment.end as usize;
            begin = range.end;
            Slot {
                mean: mean[range.clone()].to_vec(),
                square: square.get(range).unwrap_or_default().to_vec(),
                steps: segment.steps as u64,
            }
        };
        Ok(Momentum { slots: segments.iter().map(slot).collect() })
    }

    /// Puts an optimiser's memory on the device; arrays that it lacks begin anew.
    fn put_momentum(&mut self, momentum: &Momentum<R>) -> Result<(), Error> {
        let total = self.params.len();
        let adam = momentum.slots.iter().any(|slot| !slot.square.is_empty());
        self.adam = if momentum.slots.is_empty() { None } else { Some(adam) };
        // A slot may lack a part that others have: it begins with zeros.
        let flat = |part: fn(&Slot<R>) -> &[R]| {
            let mut flat = Vec::with_capacity(total);
            for slot in &momentum.slots {
                let end = flat.len() + slot.mean.len();
                flat.extend_from_slice(part(slot));
                flat.resize(end, R::ZERO);
            }
            flat.resize(total, R::ZERO);
            flat
        };
        self.mean.put(&self.device, &flat(|slot| &slot.mean))?;
        if adam {
            self.square.put(&self.device, &flat(|slot| &slot.square))?;
        }
        let steps: Vec<i32> = momentum.slots.iter().map(|slot| slot.steps as i32).collect();
        self.put_segments(&steps)
    }

    /// Puts the table of arrays on the device: nothing is active yet.
    fn put_segments(&mut self, steps: &[i32]) -> Result<(), Error> {
        let mut end = 0;
        let segment = |(k, (_, values)): (usize, (_, &[R]))| {
            end += values.len() as u64;
            Segment { end, steps: steps.get(k).copied().unwrap_or(0), ..Segment::default() }
        };
        let segments: Vec<Segment> = self.host.tensors().enumerate().map(segment).collect();
        self.segments.put(&self.device, &segments)?;
        self.active = Some(vec![false; segments.len()]);
        Ok(())
    }

    /// Reads parameters and memory back, changes the heads, and puts all of it on the device again.
    fn change_heads(
        &mut self,
        change: impl FnOnce(&mut Params<R>, &mut Momentum<R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut params, mut momentum) = (self.params()?, self.read_momentum()?);
        change(&mut params, &mut momentum)?;
        self.host = params.checked(&self.config)?;
        self.put_params()?;
        self.put_momentum(&momentum)
    }

    /// Whether there is anything to train but the heads.
    fn trains_cell(&self) -> bool {
        !self.cell_frozen && self.config.trains_cell()
    }

    /// Which arrays a batch for these heads trains.
    fn trained<'a>(&'a self, heads: &'a [usize]) -> Trained<'a> {
        Trained { config: &self.config, cell: self.trains_cell(), heads }
    }

    /// One update.
    fn train(&mut self, shown: &Shown<'_, R>, optimiser: &Optimiser) -> Result<(), Error> {
        self.prepare_optimiser(optimiser, &shown.heads)?;
        self.pass(shown)?;
        self.apply(shown, optimiser)
    }

    /// Forward and back, with the history.
    fn pass(&mut self, shown: &Shown<'_, R>) -> Result<(), Error> {
        let passed = self.forward(shown, Keep::History).and_then(|()| self.backward(shown));
        passed.map_err(|error| self.with_what_fits(error, shown))
    }

    /// Says how many trials there would have been memory for.
    fn with_what_fits(&self, error: Error, shown: &Shown<'_, R>) -> Error {
        let Error::DeviceMemory { bytes, free, .. } = error else { return error };
        let outputs = |&head: &usize| self.host.readouts[head].outputs();
        let (outputs, every_step) = (shown.heads.iter().map(outputs).sum(), shown.every_step());
        let need =
            |trials| workspace_bytes::<R>(&self.config, shown.steps, trials, outputs, every_step);
        let all = free + self.work.bytes();
        let fits = (0..shown.trials).step_by(pass::TILE).rfind(|&trials| need(trials) <= all);
        Error::DeviceMemory { bytes, free, fits: Some(fits.unwrap_or(0)) }
    }

    /// Scores, without a gradient.
    fn look(&mut self, shown: &Shown<'_, R>) -> Result<Scores, Error> {
        self.settle()?;
        let passed = self.forward(shown, Keep::Last);
        passed.map_err(|error| self.with_what_fits(error, shown))?;
        self.scores(shown)
    }

    /// How well each head did in the last pass.
    fn scores(&self, shown: &Shown<'_, R>) -> Result<Scores, Error> {
        let losses = self.work.losses.to_vec(&self.device)?;
        let scale = shown.loss_scale(self.work.outputs());
        let heads = if shown.every_step() {
            let loss = losses.iter().sum::<f64>() * scale;
            vec![Score { loss, accuracy: None }]
        } else {
            let hits = self.work.hits.to_vec(&self.device)?;
            let score = |(loss, hits): (&f64, &f64)| Score {
                loss: loss * scale,
                accuracy: Some(hits / shown.trials as f64),
            };
            losses.iter().zip(&hits).map(score).collect()
        };
        Ok(Scores { heads })
    }
}

impl<R: Real, D: Device> Backend<R> for Cuda<R, D> {
    fn config(&self) -> &Config {
        &self.config
    }

    fn params(&self) -> Result<Params<R>, Error> {
        let flat = self.params.to_vec(&self.device)?;
        let mut params = self.host.clone();
        let mut begin = 0;
        for (_, values) in params.tensors_mut() {
            values.copy_from_slice(&flat[begin..][..values.len()]);
            begin += values.len();
        }
        Ok(params)
    }

    fn update(&mut self, batch: &Batch<'_, R>, optimiser: &Optimiser) -> Result<(), Error> {
        optimiser.check()?;
        batch.check(&self.config, &self.host)?;
        self.train(&Shown::batch(batch)?, optimiser)
    }

    fn update_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
        optimiser: &Optimiser,
    ) -> Result<Option<()>, Error> {
        optimiser.check()?;
        check_drawn(drawn, &initial, &self.config, &self.host)?;
        self.train(&Shown::drawn(drawn, initial), optimiser).map(Some)
    }

    fn evaluate_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
    ) -> Result<Option<Scores>, Error> {
        check_drawn(drawn, &initial, &self.config, &self.host)?;
        self.look(&Shown::drawn(drawn, initial)).map(Some)
    }

    fn losses(&mut self) -> Result<Losses, Error> {
        let State { loss: sum, losses: count, .. } = self.settle()?;
        Ok(Losses { sum, count })
    }

    fn set_losses(&mut self, Losses { sum, count }: Losses) -> Result<(), Error> {
        let state = self.settle()?;
        self.state.put(&self.device, &[State { loss: sum, losses: count, ..state }]).map(drop)
    }

    fn gradients(&mut self, batch: &Batch<'_, R>) -> Result<(Scores, Gradients<R>), Error> {
        batch.check(&self.config, &self.host)?;
        self.settle()?;
        let shown = Shown::batch(batch)?;
        self.pass(&shown)?;
        let scores = self.scores(&shown)?;
        let flat = self.gradient.to_vec(&self.device)?;
        let mut gradients = Gradients::zeros(&self.host);
        gradients.restart(self.trained(batch.target.heads()), &self.host);
        let mut begin = 0;
        let has: Vec<bool> =
            gradients.values.tensors().map(|(tensor, _)| gradients.has(tensor)).collect();
        for ((_, values), has) in gradients.values.tensors_mut().zip(has) {
            if has {
                values.copy_from_slice(&flat[begin..][..values.len()]);
            }
            begin += values.len();
        }
        Ok((scores, gradients))
    }

    fn evaluate(&mut self, batch: &Batch<'_, R>) -> Result<Scores, Error> {
        batch.check(&self.config, &self.host)?;
        self.look(&Shown::batch(batch)?)
    }

    fn advance(
        &mut self,
        state: &mut Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut Array3<R>,
    ) -> Result<(), Error> {
        let [steps, trials] = prepare_simulation(&self.config, state, inputs, activity)?;
        if steps == 0 || trials == 0 {
            return Ok(());
        }
        self.settle()?;
        self.simulate(state, inputs, flat_mut(activity))?;
        if let Some(last) = activity.outer_iter().next_back() {
            // Behind it is c, which was handed over.
            state.slice_mut(s![.., ..last.ncols()]).assign(&last);
        }
        Ok(())
    }

    fn set_steps_per_unit(&mut self, steps_per_unit: u32) -> Result<(), Error> {
        // The leak is packed anew in every pass.
        self.config = self.config.with_steps_per_unit(steps_per_unit)?;
        Ok(())
    }

    fn add_head(&mut self, readout: Readout<R>) -> Result<usize, Error> {
        self.settle()?;
        self.change_heads(|params, _| {
            params.readouts.push(readout);
            Ok(())
        })?;
        Ok(self.host.readouts.len() - 1)
    }

    fn drop_head(&mut self, head: usize) -> Result<(), Error> {
        self.host.check_head(head)?;
        self.settle()?;
        self.change_heads(|params, momentum| {
            params.readouts.remove(head);
            momentum.drop_head(head);
            Ok(())
        })
    }

    fn freeze_head(&mut self, head: usize, frozen: bool) -> Result<(), Error> {
        self.host.check_head(head)?;
        self.host.readouts[head].frozen = frozen;
        Ok(())
    }

    fn freeze_cell(&mut self, frozen: bool) {
        self.cell_frozen = frozen;
    }

    fn momentum(&self) -> Result<Momentum<R>, Error> {
        self.read_momentum()
    }

    fn set_momentum(&mut self, momentum: Momentum<R>) -> Result<(), Error> {
        momentum.check(&self.host)?;
        self.settle()?;
        self.put_momentum(&momentum)
    }
}
