//! The contract that every device keeps.

use ndarray::{Array2, Array3, ArrayView3};
use tau_random::DrawnBits;

use crate::{
    Batch, Config, Error, Gradients, Initial, Momentum, Optimiser, Params, Readout, Real, Scores,
};

/// The losses of some updates. The sum is a chain of additions: a training that goes on from it comes
/// to the same bits as one that never stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Sum of the losses.
    pub sum: f64,
    /// Number of updates.
    pub count: u64,
}

impl Losses {
    /// The mean loss; `None` if there were no updates.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// A network that lives on a device, with the memory of its optimiser.
///
/// Numerics that every implementation keeps:
/// - the same call gives the same bits, whatever the number of threads or blocks;
/// - the diagonal of a leaky network's W is zero in every forward pass, unless it has
///   self-connections ([`crate::Leaky`]);
/// - an update whose loss or gradient is not finite is not applied;
/// - a device that works on its own may tell a divergence later, once, by whichever call meets it
///   first; the error names the update, and the parameters are those before it;
/// - values agree with [`crate::reference`] to the rounding of the precision `R`. A unit whose
///   argument rounds to the other side of the kink of a (leaky) ReLU is within that contract.
pub trait Backend<R: Real>: Send {
    /// Size and equations.
    fn config(&self) -> &Config;

    /// A copy of the current parameters.
    ///
    /// # Errors
    /// When the device is lost.
    fn params(&self) -> Result<Params<R>, Error>;

    /// One step of training: gradient of the batch, clipping, optimiser.
    ///
    /// # Errors
    /// [`Error::Diverged`] before the parameters are touched; a batch that does not fit.
    fn update(&mut self, batch: &Batch<'_, R>, optimiser: &Optimiser) -> Result<(), Error>;

    /// The losses of the updates since [`Backend::set_losses`]. Devices may keep them to themselves
    /// until then.
    ///
    /// # Errors
    /// When the device is lost; a divergence that it kept to itself.
    fn losses(&mut self) -> Result<Losses, Error>;

    /// Goes on from these losses, for instance those of a training that is resumed.
    ///
    /// # Errors
    /// The errors of [`Backend::losses`].
    fn set_losses(&mut self, losses: Losses) -> Result<(), Error>;

    /// The mean loss of the updates since the last call; `None` if there were none.
    ///
    /// # Errors
    /// The errors of [`Backend::losses`].
    fn take_mean_loss(&mut self) -> Result<Option<f64>, Error> {
        let losses = self.losses()?;
        self.set_losses(Losses::default())?;
        Ok(losses.mean())
    }

    /// Scores and gradient of a batch; nothing is changed.
    ///
    /// # Errors
    /// A batch that does not fit.
    fn gradients(&mut self, batch: &Batch<'_, R>) -> Result<(Scores, Gradients<R>), Error>;

    /// [`Backend::update`] on a batch of random bits that the device draws itself; `None` from a
    /// device that wants to be handed the batch.
    ///
    /// # Errors
    /// The errors of [`Backend::update`].
    fn update_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
        optimiser: &Optimiser,
    ) -> Result<Option<()>, Error> {
        let _ = (drawn, initial, optimiser);
        Ok(None)
    }

    /// [`Backend::evaluate`] of a batch of random bits that the device draws itself, or `None`.
    ///
    /// # Errors
    /// The errors of [`Backend::evaluate`].
    fn evaluate_drawn(
        &mut self,
        drawn: &DrawnBits<'_>,
        initial: Initial<'_, R>,
    ) -> Result<Option<Scores>, Error> {
        let _ = (drawn, initial);
        Ok(None)
    }

    /// Scores of a batch, without keeping the history (but for a target at every step).
    ///
    /// # Errors
    /// A batch that does not fit.
    fn evaluate(&mut self, batch: &Batch<'_, R>) -> Result<Scores, Error>;

    /// Runs on from `state` (trial, neuron) through `inputs` (time, trial, channel), leaves the
    /// last state in `state` and every state in `activity` (time, trial, neuron), which is
    /// resized as needed. Long simulations call this in chunks. The state of an LSTM has
    /// [`Config::state_size`] columns, h and then c; its activity is h alone.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn advance(
        &mut self,
        state: &mut Array2<R>,
        inputs: ArrayView3<'_, f32>,
        activity: &mut Array3<R>,
    ) -> Result<(), Error>;

    /// Goes on at a different time step Δt = 1/k, from the next call on. Parameters and the memory of the
    /// optimiser mean the same at every k; the maker of the inputs holds each for k steps.
    ///
    /// # Errors
    /// The errors of [`Config::with_steps_per_unit`].
    fn set_steps_per_unit(&mut self, steps_per_unit: u32) -> Result<(), Error>;

    /// Adds a head behind the others and returns its index.
    ///
    /// # Errors
    /// A shape that does not fit the network.
    fn add_head(&mut self, readout: Readout<R>) -> Result<usize, Error>;

    /// Removes a head; those behind it move up by one.
    ///
    /// # Errors
    /// [`Error::Head`].
    fn drop_head(&mut self, head: usize) -> Result<(), Error>;

    /// Stops (or resumes) the training of one head.
    ///
    /// # Errors
    /// [`Error::Head`].
    fn freeze_head(&mut self, head: usize, frozen: bool) -> Result<(), Error>;

    /// Stops (or resumes) the training of everything but the heads: τ, W, w_in and biases.
    fn freeze_cell(&mut self, frozen: bool);

    /// The memory of the optimiser: with the parameters, all that the next update depends on.
    ///
    /// # Errors
    /// When the device is lost.
    fn momentum(&self) -> Result<Momentum<R>, Error>;

    /// Puts back what [`Backend::momentum`] gave.
    ///
    /// # Errors
    /// [`Error::Shape`] if it does not fit the parameters.
    fn set_momentum(&mut self, momentum: Momentum<R>) -> Result<(), Error>;
}
