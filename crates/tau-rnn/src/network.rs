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

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;
    use crate::{Batch, Optimiser};

    #[test]
    fn a_seed_names_the_network_and_each_of_its_heads() {
        let params = |heads: &[usize], seed| {
            Network::new(Config::leaky(6, 1), heads, seed).unwrap().params().unwrap()
        };
        let (one, two) = (params(&[2], 1), params(&[2, 3], 1));
        assert_eq!((&one.w_rec, &one.readouts[0]), (&two.w_rec, &two.readouts[0]));
        assert_eq!(two.readouts[1].outputs(), 3);
        assert_ne!(one.w_rec, params(&[2], 2).w_rec);
    }

    #[test]
    fn a_network_is_used_as_its_backend() {
        let mut network = Network::new(Config::gru(6, 2), &[3], 1).unwrap();
        let (inputs, values) = (Array3::ones((4, 5, 2)), Array3::zeros((4, 5, 3)));
        let batch = Batch::values(&inputs, &values);
        let before = network.evaluate(&batch).unwrap();
        assert_eq!(before.accuracy(), None);
        for _ in 0..20 {
            network.update(&batch, &Optimiser::nesterov()).unwrap();
        }
        assert!(network.evaluate(&batch).unwrap().loss() < before.loss());
        assert!(network.take_mean_loss().unwrap().is_some());
        assert_eq!(network.take_mean_loss().unwrap(), None);
        let labels = Array2::from_elem((5, 1), 3);
        let error = network.evaluate(&Batch::classes(&inputs, &labels)).unwrap_err();
        assert!(error.to_string().starts_with("label: 3 for head 0"), "{error}");
        let error = Network::new(Config::leaky(0, 1), &[2], 1).unwrap_err().to_string();
        assert_eq!(error, "hidden_size: 0 (allowed: 1 to 65536)");
    }
}
