//! The short way to a network.

use std::ops::{Deref, DerefMut};

use tau_random::{Key, Purpose};

use crate::{Backend, Config, Cpu, Error, Params, Readout, thread_pool};

/// A network in single precision on the processor, with initial values named by a seed.
///
/// It is used as the [`Backend`] that it holds: [`Backend::update`], [`Backend::evaluate`],
/// [`Backend::advance`] and all the rest are methods of a `Network`, too.
#[derive(Debug)]
pub struct Network {
    cpu: Cpu<f32>,
}

impl Network {
    /// A network with a head for each number of outputs in `heads`, on one thread per processor.
    ///
    /// The arrays of the cell are drawn from the stream [`Purpose::Parameters`] of the seed, those of
    /// head k from [`Purpose::Readout`] at stage k.
    ///
    /// # Errors
    /// The errors of [`Config::check`]; a head without outputs; [`Error::StartThreads`].
    pub fn new(config: Config, heads: &[usize], seed: u64) -> Result<Self, Error> {
        let mut params = Params::init(&config, &mut Key::new(seed, Purpose::Parameters).stream())?;
        for (head, &outputs) in heads.iter().enumerate() {
            let key = Key::new(seed, Purpose::Readout).stage(head as u32);
            params.readouts.push(Readout::init(&config, outputs, &mut key.stream()));
        }
        Ok(Self { cpu: Cpu::new(config, params, thread_pool(None)?)? })
    }
}

impl Deref for Network {
    type Target = dyn Backend<f32>;

    fn deref(&self) -> &Self::Target {
        &self.cpu
    }
}

impl DerefMut for Network {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.cpu
    }
}
