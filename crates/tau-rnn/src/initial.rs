//! States before the first step.

use ndarray::{Array2, ArrayView2};
use tau_random::Key;

use crate::{Config, Error, Real};

/// Hidden state before the first step.
#[derive(Clone, Copy, Debug)]
pub enum Initial<'a, R> {
    /// h(0) = 0.
    Zero,
    /// h(0) = scale · U[0, 1), drawn anew for each trial and neuron: number
    /// `trial · H + neuron` of the stream. A gated cell begins with zeros: for it the scale must
    /// be 0.
    Uniform {
        /// Upper end of the interval.
        scale: f64,
        /// Name of the stream.
        key: Key,
    },
    /// The given states, shape (trial, neuron); of an LSTM (trial, h of all neurons and then c).
    Given(ArrayView2<'a, R>),
}

impl<R: Real> Initial<'_, R> {
    /// The states before the first step of so many trials: (trial, [`Config::state_size`]).
    ///
    /// # Errors
    /// Given states of another shape; random states of a cell that begins with zeros.
    pub fn states(&self, trials: usize, config: &Config) -> Result<Array2<R>, Error> {
        self.check(trials, config)?;
        let mut states = Array2::from_elem((trials, config.state_size()), R::ZERO);
        match self {
            Initial::Given(given) => states.assign(given),
            Initial::Zero | Initial::Uniform { .. } => {
                for (trial, mut state) in states.outer_iter_mut().enumerate() {
                    let state = state.as_slice_mut().expect("row-major");
                    self.fill(trial, &mut state[..config.hidden_size]);
                }
            }
        }
        Ok(states)
    }

    pub(crate) fn check(&self, trials: usize, config: &Config) -> Result<(), Error> {
        let expected = [trials, config.state_size()];
        match *self {
            Initial::Given(state) if state.shape() != expected => {
                Err(Error::shape("initial state", state.shape(), &expected))
            }
            Initial::Uniform { scale, .. } if config.leaky_cell().is_none() && scale != 0.0 => {
                Err(Error::GatedInitial { cell: config.cell, scale })
            }
            _ => Ok(()),
        }
    }

    /// Writes h(0) of one trial (of given states as many as fit).
    pub(crate) fn fill(&self, trial: usize, state: &mut [R]) {
        match self {
            Initial::Zero => state.fill(R::ZERO),
            Initial::Given(given) => {
                for (value, &given) in state.iter_mut().zip(given.row(trial)) {
                    *value = given;
                }
            }
            Initial::Uniform { scale, key } => {
                let scale = R::from_f64(*scale);
                let first = (trial * state.len()) as u64;
                let mut numbers = [0.0; 64];
                for (k, values) in state.chunks_mut(numbers.len()).enumerate() {
                    let start = first + (k * numbers.len()) as u64;
                    key.fill_unit_f32(start, &mut numbers[..values.len()]);
                    for (value, &number) in values.iter_mut().zip(&numbers) {
                        *value = scale * R::from_f32(number);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::s;
    use tau_random::Purpose;

    #[test]
    fn states_are_those_that_a_batch_starts_with() {
        let key = Key::new(3, Purpose::InitialState);
        let (leaky, lstm) = (Config::leaky(70, 1), Config::lstm(3, 1));
        let zero = Initial::<f64>::Zero;
        assert_eq!(zero.states(2, &lstm).unwrap(), Array2::<f64>::zeros((2, 6)));
        let drawn: Array2<f64> = Initial::Uniform { scale: 0.5, key }.states(4, &leaky).unwrap();
        for ((trial, neuron), &state) in drawn.indexed_iter() {
            let number = key.unit_f32((trial * 70 + neuron) as u64);
            assert_eq!(state.to_bits(), (0.5 * f64::from(number)).to_bits());
        }
        let given = Initial::Given(drawn.slice(s![.., ..6]));
        assert_eq!(given.states(4, &lstm).unwrap(), drawn.slice(s![.., ..6]));
    }

    #[test]
    fn states_that_a_network_cannot_have_are_refused() {
        let key = Key::new(3, Purpose::InitialState);
        let (leaky, gru) = (Config::leaky(3, 1), Config::gru(3, 1));
        let narrow = Array2::<f32>::zeros((4, 2));
        assert_eq!(
            Initial::Given(narrow.view()).states(4, &leaky).unwrap_err().to_string(),
            "shape of initial state: [4, 2] (expected: [4, 3])"
        );
        let drawn: Initial<'_, f32> = Initial::Uniform { scale: 0.1, key };
        let message = drawn.states(4, &gru).unwrap_err().to_string();
        assert!(message.starts_with("initial state: uniform up to 0.1 (allowed for gru: zero"));
    }
}
