//! What a network is, before it has any numbers: sizes, equations, what is trained.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Cell, Error};

/// Where the nonlinearity stands in the update of the leaky cell. With a = 1/τ and
/// u = W h(t−1) + b_rec + w_in x(t) + b_in:
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Placement {
    /// h(t) = φ((1 − a) h(t−1) + a u): the paper's main results.
    Whole,
    /// h(t) = (1 − a) h(t−1) + a φ(u): the paper's control.
    Drive,
    /// [`Placement::Drive`] with τ·k in place of τ: k small steps make one step of the task, and
    /// every input is held for k steps (by whoever makes the input: `tau_tasks::hold`).
    Continuous {
        /// k = 1/Δt, at least 1.
        steps_per_unit: u32,
    },
}

impl Placement {
    /// Factor k by which τ is multiplied: 1 except for [`Placement::Continuous`].
    #[must_use]
    pub fn steps_per_unit(self) -> u32 {
        match self {
            Self::Whole | Self::Drive => 1,
            Self::Continuous { steps_per_unit } => steps_per_unit,
        }
    }
}

/// The nonlinearity φ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(s, 0.01 s), as PyTorch's default `LeakyReLU`.
    LeakyRelu,
    /// max(s, 0).
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + exp(−s)).
    Sigmoid,
}

impl Activation {
    /// Slope of the leaky ReLU for negative arguments.
    pub const NEGATIVE_SLOPE: f64 = 0.01;
    /// All of them, in the order of their names' listing.
    pub const ALL: [Self; 4] = [Self::LeakyRelu, Self::Relu, Self::Tanh, Self::Sigmoid];
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeakyRelu => "leaky-relu",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        })
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|activation| activation.to_string() == name)
            .ok_or_else(|| Error::UnknownActivation { name: name.to_owned() })
    }
}

/// How the time constants start and whether they are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TimeConstants {
    /// τ_raw ~ U[start, start + 1], trained; the paper has start = 1.
    Trainable {
        /// Lower end of the interval of initial values, in steps, at least 1.
        start: f64,
    },
    /// Every τ is this value, in steps, and stays there.
    Fixed {
        /// At least 1.
        value: f64,
    },
}

/// Size and equations of a network; the numbers are in [`crate::Params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Number of neurons H, at least 1 (500 in the paper).
    pub hidden_size: usize,
    /// Number of input channels, at least 1 (1 in the paper).
    pub input_size: usize,
    /// The equations of a neuron. What follows is about the leaky cell: for the others it must be as
    /// [`Config::paper`] has it, and means nothing. (Not written when it is the leaky cell: so older
    /// files, and what is derived from their text, stay as they are.)
    #[serde(default, skip_serializing_if = "Cell::is_leaky")]
    pub cell: Cell,
    /// Where the nonlinearity stands.
    pub placement: Placement,
    /// The nonlinearity.
    pub activation: Activation,
    /// Start and training of τ.
    pub tau: TimeConstants,
    /// Whether a neuron may connect to itself. In the paper it may not: the diagonal of W is set
    /// to zero before every forward pass, while its gradient still counts in the clipped norm.
    /// (Gated cells always do.)
    pub self_connections: bool,
}

impl Config {
    /// Largest number of neurons that is accepted.
    pub const MAX_HIDDEN_SIZE: usize = 65_536;

    /// The paper's τ-RNN (section 1) with `hidden_size` neurons: one input channel, leaky ReLU
    /// around the whole update, trainable τ starting in [1, 2], no self-connections.
    #[must_use]
    pub fn paper(hidden_size: usize) -> Self {
        Self {
            hidden_size,
            input_size: 1,
            cell: Cell::Leaky,
            placement: Placement::Whole,
            activation: Activation::LeakyRelu,
            tau: TimeConstants::Trainable { start: 1.0 },
            self_connections: false,
        }
    }

    /// The same network at another time step Δt = 1/k: its parameters mean the same at every k. One
    /// that is not in continuous time is its own at k = 1, and has no other.
    ///
    /// # Errors
    /// [`Error::StepsPerUnit`] for 0, [`Error::NotContinuous`].
    pub fn with_steps_per_unit(&self, steps_per_unit: u32) -> Result<Self, Error> {
        match (self.placement, steps_per_unit) {
            (_, 0) => Err(Error::StepsPerUnit),
            (Placement::Continuous { .. }, _) => {
                Ok(Self { placement: Placement::Continuous { steps_per_unit }, ..self.clone() })
            }
            (Placement::Whole | Placement::Drive, 1) => Ok(self.clone()),
            (Placement::Whole | Placement::Drive, value) => Err(Error::NotContinuous { value }),
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
        if self.cell.gated() {
            return self.check_gated();
        }
        if self.placement.steps_per_unit() == 0 {
            return Err(Error::StepsPerUnit);
        }
        match self.tau {
            TimeConstants::Fixed { value } if !(value.is_finite() && value >= 1.0) => {
                Err(Error::FixedTau { value })
            }
            TimeConstants::Trainable { start } if !(start.is_finite() && start >= 1.0) => {
                Err(Error::StartTau { value: start })
            }
            _ => Ok(()),
        }
    }

    /// A setting that would be ignored is refused: whoever says it means something by it.
    fn check_gated(&self) -> Result<(), Error> {
        let refused = |name, value: String, allowed| {
            Err(Error::GatedSetting { cell: self.cell, name, value, allowed })
        };
        match self.placement {
            Placement::Whole => {}
            Placement::Drive => return refused("placement", "drive".to_owned(), "whole"),
            Placement::Continuous { .. } => {
                return refused("placement", "continuous".to_owned(), "whole");
            }
        }
        if self.activation != Activation::LeakyRelu {
            return refused("activation", self.activation.to_string(), "leaky-relu");
        }
        match self.tau {
            TimeConstants::Trainable { start: 1.0 } => {}
            TimeConstants::Trainable { start } => {
                return refused("start of tau", start.to_string(), "1");
            }
            TimeConstants::Fixed { value } => {
                return refused("fixed tau", value.to_string(), "none");
            }
        }
        if self.self_connections {
            return refused("self_connections", "true".to_owned(), "false");
        }
        Ok(())
    }

    /// Whether there is a τ that is trained.
    #[must_use]
    pub fn trains_tau(&self) -> bool {
        !self.cell.gated() && matches!(self.tau, TimeConstants::Trainable { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_network_is_valid_at_every_size() {
        for hidden_size in [1, 64, 500, Config::MAX_HIDDEN_SIZE] {
            Config::paper(hidden_size).check().unwrap();
        }
    }

    #[test]
    fn a_bad_value_is_named_with_its_range() {
        check(|c| c.hidden_size = 0, "hidden_size: 0 (allowed: 1 to 65536)");
        check(|c| c.hidden_size = 65_537, "hidden_size: 65537 (allowed: 1 to 65536)");
        check(|c| c.input_size = 0, "input_size: 0 (allowed: 1 or more)");
        check(
            |c| c.tau = TimeConstants::Fixed { value: 0.5 },
            "fixed tau: 0.5 steps (allowed: 1 or more; a time constant below one step has no meaning in this discretisation)",
        );
        check(|c| c.tau = TimeConstants::Fixed { value: f64::NAN }, "fixed tau: NaN steps");
        check(|c| c.tau = TimeConstants::Trainable { start: 0.0 }, "start of tau: 0 steps");
        check(
            |c| c.placement = Placement::Continuous { steps_per_unit: 0 },
            "steps_per_unit: 0 (allowed: 1 or more)",
        );
        fn check(spoil: impl Fn(&mut Config), message: &str) {
            let mut config = Config::paper(10);
            spoil(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn only_a_network_in_continuous_time_has_other_time_steps() {
        let drive = Config { placement: Placement::Drive, ..Config::paper(3) };
        assert_eq!(drive.with_steps_per_unit(1).unwrap(), drive);
        assert_eq!(
            drive.with_steps_per_unit(4).unwrap_err().to_string(),
            "steps_per_unit: 4 (allowed: 1, since the network is not in continuous time; give it the \
             placement `continuous`)"
        );
        let at = |steps_per_unit| Config {
            placement: Placement::Continuous { steps_per_unit },
            ..Config::paper(3)
        };
        assert_eq!(at(7).with_steps_per_unit(200).unwrap(), at(200));
        assert_eq!(at(7).with_steps_per_unit(0).unwrap_err(), Error::StepsPerUnit);
    }

    /// Digests of these texts name the folders of runs.
    #[test]
    fn the_text_of_the_leaky_cell_is_what_it_was_before_there_were_others() {
        let text = r#"{"hidden_size":500,"input_size":1,"placement":"whole","activation":"leaky-relu","tau":{"trainable":{"start":1.0}},"self_connections":false}"#;
        assert_eq!(serde_json::to_string(&Config::paper(500)).unwrap(), text);
        assert_eq!(serde_json::from_str::<Config>(text).unwrap(), Config::paper(500));
        for cell in Cell::ALL {
            let config = Config { cell, ..Config::paper(7) };
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
    }

    #[test]
    fn gated_cells_have_no_settings_of_the_leaky_one() {
        check(|_| {}, None);
        check(
            |c| c.placement = Placement::Drive,
            Some(
                "placement: drive (allowed for gru: whole; only the leaky cell has it: leave it out, \
                 or choose that cell)",
            ),
        );
        check(
            |c| c.placement = Placement::Continuous { steps_per_unit: 0 },
            Some("placement: continuous (allowed for gru: whole;"),
        );
        check(
            |c| c.activation = Activation::Tanh,
            Some("activation: tanh (allowed for gru: leaky-relu;"),
        );
        check(
            |c| c.tau = TimeConstants::Fixed { value: 2.5 },
            Some("fixed tau: 2.5 (allowed for gru: none;"),
        );
        check(
            |c| c.tau = TimeConstants::Trainable { start: f64::NAN },
            Some("start of tau: NaN (allowed for gru: 1;"),
        );
        check(
            |c| c.self_connections = true,
            Some("self_connections: true (allowed for gru: false;"),
        );
        check(|c| c.hidden_size = 0, Some("hidden_size: 0 (allowed: 1 to 65536)"));
        fn check(spoil: impl Fn(&mut Config), message: Option<&str>) {
            let mut config = Config { cell: Cell::Gru, ..Config::paper(10) };
            spoil(&mut config);
            match (config.check(), message) {
                (Ok(()), None) => {}
                (Err(error), Some(message)) => {
                    assert!(error.to_string().starts_with(message), "{error}");
                }
                (found, _) => panic!("{found:?} (expected: {message:?})"),
            }
        }
    }

    #[test]
    fn an_unknown_activation_is_answered_with_the_known_ones() {
        assert_eq!("tanh".parse::<Activation>().unwrap(), Activation::Tanh);
        assert_eq!(
            "swish".parse::<Activation>().unwrap_err().to_string(),
            "unknown activation: swish (known: leaky-relu, relu, tanh, sigmoid)"
        );
    }
}
