//! The CUDA backend: a whole training step on the device, without waiting for it.
//!
//! The maths is that of the CPU backend (`src/cpu`): rows of activity h̃ = (h, x, 1), one matrix M,
//! dM = Σ e h̃ᵀ, and everything else follows from dM. A leaky network whose matrix fits into shared
//! memory takes one launch for all steps. Other networks take one launch per step, with products in tiles
//! of shared memory; sixteen of these launches are a CUDA graph. Gradients of matrices are products over
//! all steps, cut into splits whose sums are added in a fixed order. Clipping and optimiser run on the
//! device, which also refuses an update that is not finite. The host reads the loss back when somebody
//! asks for it ([`Backend::take_mean_loss`]), so a later call may report a divergence; the error names
//! the update, and the parameters are those before it.
//!
//! Everything here is generic over the [`Device`]: an NVIDIA GPU, or the emulator that runs the same
//! kernels on the processor for tests.
//!
//! What it does not know: several networks in one launch, networks on several GPUs, other precisions
//! than `f32` and `f64` (TF32, half precision).

mod arguments;
mod backend;
#[cfg(feature = "cuda")]
mod connect;
mod device;
#[cfg(feature = "cuda")]
mod driver;
mod gated;
#[cfg(any(feature = "cuda", test))]
mod graphs;
mod launch;
mod leaky;
mod memory;
mod momentum;
mod outer;
mod parts;
mod pass;
#[cfg(feature = "bench")]
pub(crate) mod peak;
mod readout;
mod shown;
mod simulate;
#[cfg(feature = "cuda")]
mod staging;
#[cfg(all(feature = "bench", feature = "cuda"))]
pub(crate) mod timing;
mod train;
mod work;

use crate::gradients::Trained;
use crate::{Backend, Config, Error, Momentum, Optimiser, Params, Real, Score, Scores};

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
    /// Shapes, names and what is frozen; the numbers may be old, those on the device count.
    host: Params<R>,
    cell_frozen: bool,
    /// The parameters, flat, in the order of [`Params::tensors`]. The next three arrays are like it.
    params: Array<R, D>,
    gradient: Array<R, D>,
    /// Momentum, or Adam's mean gradient.
    mean: Array<R, D>,
    /// Adam's mean squared gradient.
    square: Array<R, D>,
    /// Where each array of the parameters lies, and what the optimiser knows of it.
    segments: Array<Segment, D>,
    /// Whether each segment on the device is trained; `None` before the first update.
    active: Option<Vec<bool>>,
    /// Whether the memory of the optimiser is Adam's; `None` before the first update.
    adam: Option<bool>,
    /// What the host reads now and then.
    state: Array<State, D>,
    work: Work<R, D>,
}

impl<R: Real, D: Device> Cuda<R, D> {
    /// Moves a network to a device.
    ///
    /// # Errors
    /// The errors of [`Config::check`] and [`Params::checked`]; [`Error::DeviceMemory`].
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

    /// The device that the network is on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Copies the parameters of `host` to the device.
    fn put_params(&mut self) -> Result<(), Error> {
        let flat: Vec<R> = self.host.tensors().flat_map(|(_, values)| values).copied().collect();
        self.params.put(&self.device, &flat)?;
        self.work.forget_heads();
        self.active = None;
        Ok(())
    }

    /// Waits for the device; reports a divergence once.
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

    /// Reads parameters and optimiser's memory back, changes the heads, and puts everything on the device
    /// again.
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

    /// Whether a batch trains anything but the heads.
    fn trains_cell(&self) -> bool {
        !self.cell_frozen && self.config.trains_cell()
    }

    /// The arrays that a batch for these heads trains.
    fn trained<'a>(&'a self, heads: &'a [usize]) -> Trained<'a> {
        Trained { config: &self.config, cell: self.trains_cell(), heads }
    }

    /// Does one update.
    fn train(&mut self, shown: &Shown<'_, R>, optimiser: &Optimiser) -> Result<(), Error> {
        self.prepare_optimiser(optimiser, &shown.heads)?;
        self.pass(shown)?;
        self.apply(shown, optimiser)
    }

    /// Runs a batch forward and back, with all states in memory.
    fn pass(&mut self, shown: &Shown<'_, R>) -> Result<(), Error> {
        let passed = self.forward(shown, Keep::History).and_then(|()| self.backward(shown));
        passed.map_err(|error| self.with_what_fits(error, shown))
    }

    /// Adds to an error of memory the number of trials that would have fitted.
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

    /// Runs a batch forward and scores it.
    fn look(&mut self, shown: &Shown<'_, R>) -> Result<Scores, Error> {
        self.settle()?;
        let passed = self.forward(shown, Keep::Last);
        passed.map_err(|error| self.with_what_fits(error, shown))?;
        self.scores(shown)
    }

    /// The scores of the heads in the last pass.
    fn scores(&self, shown: &Shown<'_, R>) -> Result<Scores, Error> {
        let losses = self.work.losses.to_vec(&self.device)?;
        let scale = shown.share(self.work.outputs());
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
