//! The settings that only the leaky cell has: placement, activation, time constants.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// A leaky neuron. With a = 1/τ and u = W h(t−1) + b_rec + w_in x(t) + b_in, the placement says where
/// the nonlinearity φ stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaky {
    /// Where the nonlinearity stands.
    pub placement: Placement,
    /// The nonlinearity.
    pub activation: Activation,
    /// Start and training of τ.
    pub tau: TimeConstants,
    /// Whether a neuron may connect to itself. If not, the diagonal of W is set to zero before every
    /// forward pass, while its gradient still counts in the clipped norm.
    pub self_connections: bool,
}

impl Leaky {
    /// A leaky ReLU around the whole update, τ trained from [1, 2], no self-connections.
    pub const DEFAULT: Self = Self {
        placement: Placement::Whole,
        activation: Activation::LeakyRelu,
        tau: TimeConstants::Trainable { start: 1.0 },
        self_connections: false,
    };

    pub(crate) fn check(&self) -> Result<(), Error> {
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
}

impl Default for Leaky {
    /// [`Leaky::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where the nonlinearity stands in the update of the leaky cell. With a = 1/τ and
/// u = W h(t−1) + b_rec + w_in x(t) + b_in:
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Placement {
    /// h(t) = φ((1 − a) h(t−1) + a u).
    Whole,
    /// h(t) = (1 − a) h(t−1) + a φ(u).
    Drive,
    /// [`Placement::Drive`] with τ·k in place of τ: k small steps make one step of the task, and
    /// every input is held for k steps (the maker of the input does that: `tau_tasks::hold`).
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
    /// Every activation, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::LeakyRelu, Self::Relu, Self::Tanh, Self::Sigmoid];

    /// Whether φ has a derivative everywhere: the (leaky) ReLU has a kink at 0.
    #[must_use]
    pub fn is_smooth(self) -> bool {
        matches!(self, Self::Tanh | Self::Sigmoid)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
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
    /// τ_raw ~ U[start, start + 1], trained.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_activation_is_answered_with_the_known_ones() {
        assert_eq!("tanh".parse::<Activation>().unwrap(), Activation::Tanh);
        assert_eq!(
            "swish".parse::<Activation>().unwrap_err().to_string(),
            "unknown activation: swish (known: leaky-relu, relu, tanh, sigmoid)"
        );
    }
}
