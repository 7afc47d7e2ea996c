//! What a network is, before it has any numbers: sizes, equations, initial values, what is trained.

use serde::{Deserialize, Serialize};

use crate::{Activation, Arrays, Cell, Error, Leaky, Placement, Tensor, TimeConstants};

/// Size and equations of a network; the numbers are in [`crate::Params`].
///
/// ```
/// use tau_rnn::{Activation, ArraySpec, Config, Init, Leaky};
///
/// // 100 leaky neurons with tanh, no input bias, and recurrent weights that stay as they start.
/// let mut config = Config::new(Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT }, 100, 2);
/// config.arrays.b_in = None;
/// config.arrays.w_rec = ArraySpec::kept(Init::Orthogonal { gain: 1.0 });
/// config.check()?;
/// # Ok::<(), tau_rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Number of neurons H, 1 to 65 536.
    pub hidden_size: usize,
    /// Number of input channels, at least 1.
    pub input_size: usize,
    /// The equations of a neuron.
    pub cell: Cell,
    /// Initial values and training of every array but τ.
    pub arrays: Arrays,
}

impl Config {
    /// Largest number of neurons that is accepted.
    pub const MAX_HIDDEN_SIZE: usize = 65_536;

    /// `hidden_size` neurons of a cell for `channels` input channels, with the arrays that are usual
    /// for the cell ([`Arrays::of`]).
    #[must_use]
    pub fn new(cell: impl Into<Cell>, hidden_size: usize, channels: usize) -> Self {
        let cell = cell.into();
        Self { hidden_size, input_size: channels, cell, arrays: Arrays::of(&cell) }
    }

    /// Leaky neurons with the settings of [`Leaky::DEFAULT`].
    #[must_use]
    pub fn leaky(hidden_size: usize, channels: usize) -> Self {
        Self::new(Leaky::DEFAULT, hidden_size, channels)
    }

    /// Neurons without a leak, h(t) = tanh(u(t)), which may connect to themselves: an Elman network, as
    /// Keras's `SimpleRNN` and `torch.nn.RNN`.
    #[must_use]
    pub fn elman(hidden_size: usize, channels: usize) -> Self {
        let leaky = Leaky {
            activation: Activation::Tanh,
            tau: TimeConstants::Fixed { value: 1.0 },
            self_connections: true,
            ..Leaky::DEFAULT
        };
        Self::new(leaky, hidden_size, channels)
    }

    /// Long short-term memory.
    #[must_use]
    pub fn lstm(hidden_size: usize, channels: usize) -> Self {
        Self::new(Cell::Lstm, hidden_size, channels)
    }

    /// Gated recurrent units.
    #[must_use]
    pub fn gru(hidden_size: usize, channels: usize) -> Self {
        Self::new(Cell::Gru, hidden_size, channels)
    }

    /// The leaky cell's settings; `None` for a cell with gates.
    #[must_use]
    pub fn leaky_cell(&self) -> Option<&Leaky> {
        self.cell.leaky()
    }

    /// Small steps k = 1/Δt of a step of the task: 1 but for a network in continuous time.
    #[must_use]
    pub fn steps_per_unit(&self) -> u32 {
        self.leaky_cell().map_or(1, |leaky| leaky.placement.steps_per_unit())
    }

    /// The same network at a different time step Δt = 1/k: its parameters mean the same at every k. A
    /// network that is not in continuous time has only k = 1.
    ///
    /// # Errors
    /// [`Error::StepsPerUnit`] for 0, [`Error::NotContinuous`].
    pub fn with_steps_per_unit(&self, steps_per_unit: u32) -> Result<Self, Error> {
        match (self.cell, steps_per_unit) {
            (_, 0) => Err(Error::StepsPerUnit),
            (Cell::Leaky(leaky @ Leaky { placement: Placement::Continuous { .. }, .. }), _) => {
                let placement = Placement::Continuous { steps_per_unit };
                Ok(Self { cell: Cell::Leaky(Leaky { placement, ..leaky }), ..self.clone() })
            }
            (_, 1) => Ok(self.clone()),
            (_, value) => Err(Error::NotContinuous { value }),
        }
    }

    /// Rows of W: as many gates as the cell has, each for every neuron.
    #[must_use]
    pub fn gate_rows(&self) -> usize {
        self.cell.gates() * self.hidden_size
    }

    /// Numbers in the state of a trial: h, and behind it c of an LSTM.
    #[must_use]
    pub fn state_size(&self) -> usize {
        self.cell.states() * self.hidden_size
    }

    /// Whether there is a τ that is trained.
    #[must_use]
    pub fn trains_tau(&self) -> bool {
        self.leaky_cell().is_some_and(|leaky| matches!(leaky.tau, TimeConstants::Trainable { .. }))
    }

    /// Whether an array is trained, as far as the network decides it: a backend may freeze it besides.
    #[must_use]
    pub fn trains(&self, tensor: Tensor) -> bool {
        match tensor {
            Tensor::Tau => self.trains_tau(),
            _ => self.arrays.get(tensor).is_some_and(|spec| spec.trained),
        }
    }

    /// Whether anything but the heads is trained.
    pub(crate) fn trains_cell(&self) -> bool {
        Tensor::CELL.into_iter().any(|tensor| self.trains(tensor))
    }

    /// Whether the diagonal of W is zero in every forward pass.
    pub(crate) fn clears_diagonal(&self) -> bool {
        self.leaky_cell().is_some_and(|leaky| !leaky.self_connections)
    }

    /// Checks every field once; everything that takes a `Config` relies on it.
    ///
    /// # Errors
    /// The first field out of range, with its value and the range.
    pub fn check(&self) -> Result<(), Error> {
        if self.hidden_size == 0 || self.hidden_size > Self::MAX_HIDDEN_SIZE {
            return Err(Error::HiddenSize { value: self.hidden_size });
        }
        if self.input_size == 0 {
            return Err(Error::InputSize { value: self.input_size });
        }
        self.leaky_cell().map_or(Ok(()), Leaky::check)?;
        self.arrays.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArraySpec, Init};

    #[test]
    fn the_default_networks_are_valid_at_every_size() {
        for hidden_size in [1, 64, 500, Config::MAX_HIDDEN_SIZE] {
            for cell in Cell::ALL {
                Config::new(cell, hidden_size, 3).check().unwrap();
            }
        }
    }

    #[test]
    fn a_bad_value_is_named_with_its_range() {
        fn spoil_leaky(spoil: impl Fn(&mut Leaky)) -> Config {
            let mut leaky = Leaky::DEFAULT;
            spoil(&mut leaky);
            Config::new(leaky, 10, 1)
        }
        let tau = |tau| spoil_leaky(|leaky| leaky.tau = tau);
        check(&Config::leaky(0, 1), "hidden_size: 0 (allowed: 1 to 65536)");
        check(&Config::gru(65_537, 1), "hidden_size: 65537 (allowed: 1 to 65536)");
        check(&Config::lstm(10, 0), "input_size: 0 (allowed: 1 or more)");
        check(
            &tau(TimeConstants::Fixed { value: 0.5 }),
            "fixed tau: 0.5 steps (allowed: 1 or more; a time constant below one step has no meaning in this discretisation)",
        );
        check(&tau(TimeConstants::Fixed { value: f64::NAN }), "fixed tau: NaN steps");
        check(&tau(TimeConstants::Trainable { start: 0.0 }), "start of tau: 0 steps");
        check(
            &spoil_leaky(|leaky| leaky.placement = Placement::Continuous { steps_per_unit: 0 }),
            "steps_per_unit: 0 (allowed: 1 or more)",
        );
        let mut config = Config::gru(10, 1);
        config.arrays.readout_bias = Some(ArraySpec::trained(Init::Normal { sd: 0.0 }));
        check(&config, "sd of readout_bias: 0 (allowed: above 0, finite)");
        fn check(config: &Config, message: &str) {
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn only_a_network_in_continuous_time_has_several_time_steps() {
        let placed = |placement| Config::new(Leaky { placement, ..Leaky::DEFAULT }, 3, 1);
        for config in [placed(Placement::Drive), Config::gru(3, 1)] {
            assert_eq!(config.with_steps_per_unit(1).unwrap(), config);
            assert_eq!(
                config.with_steps_per_unit(4).unwrap_err().to_string(),
                "steps_per_unit: 4 (allowed: 1, since the network is not in continuous time; give it \
                 the placement `continuous`)"
            );
        }
        let at = |steps_per_unit| placed(Placement::Continuous { steps_per_unit });
        assert_eq!(at(7).with_steps_per_unit(200).unwrap(), at(200));
        assert_eq!(at(7).steps_per_unit(), 7);
        assert_eq!(at(7).with_steps_per_unit(0).unwrap_err(), Error::StepsPerUnit);
    }

    #[test]
    fn what_is_trained_follows_from_cell_and_arrays() {
        let mut config = Config::leaky(3, 1);
        config.arrays.w_in.trained = false;
        config.arrays.b_in = None;
        let trained = |config: &Config| Tensor::CELL.map(|tensor| config.trains(tensor));
        assert_eq!(trained(&config), [true, true, true, false, false]);
        assert!(config.trains(Tensor::ReadoutBias(7)));
        config.arrays.readout_bias = None;
        assert!(!config.trains(Tensor::ReadoutBias(7)));
        assert_eq!(trained(&Config::gru(3, 1)), [false, true, true, true, true]);
    }

    #[test]
    fn a_file_gives_the_same_network() {
        for cell in Cell::ALL {
            let config = Config::new(cell, 7, 2);
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
    }
}
