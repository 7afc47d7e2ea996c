//! Which equations a neuron follows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What a neuron computes in a step. W_k, b_k, w_k and b′_k are the rows of [`crate::Params::w_rec`],
/// `b_rec`, `w_in` and `b_in` that belong to gate k; σ is the logistic function, ⊙ a product number
/// by number, and u_k = W_k h(t−1) + b_k + w_k x(t) + b′_k.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// The τ-RNN: leaky neurons with a time constant each.
    #[default]
    Leaky,
    /// Long short-term memory as `torch.nn.LSTM` (Hochreiter & Schmidhuber 1997, with a forget gate),
    /// gates in the order i, f, g, o:
    ///
    /// > i = σ(u_i), f = σ(u_f), g = tanh(u_g), o = σ(u_o),
    /// > c(t) = f ⊙ c(t−1) + i ⊙ g, h(t) = o ⊙ tanh(c(t)).
    Lstm,
    /// Gated recurrent units as `torch.nn.GRU` (Cho et al. 2014, with the reset gate behind the
    /// product), gates in the order r, z, n:
    ///
    /// > r = σ(u_r), z = σ(u_z), n = tanh(w_n x(t) + b′_n + r ⊙ (W_n h(t−1) + b_n)),
    /// > h(t) = (1 − z) ⊙ n + z ⊙ h(t−1).
    Gru,
}

impl Cell {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Leaky, Self::Lstm, Self::Gru];
    /// Those with gates.
    pub const GATED: [Self; 2] = [Self::Lstm, Self::Gru];

    /// Whether it has gates in place of a time constant.
    #[must_use]
    pub fn gated(self) -> bool {
        self != Self::Leaky
    }

    /// Rows of W for each neuron: 1, 4 (LSTM) or 3 (GRU).
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Leaky => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// Numbers that a neuron carries from step to step: h, and c of an LSTM.
    #[must_use]
    pub fn states(self) -> usize {
        match self {
            Self::Leaky | Self::Gru => 1,
            Self::Lstm => 2,
        }
    }

    // By reference: serde asks so.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_leaky(&self) -> bool {
        *self == Self::Leaky
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaky => "leaky",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
        })
    }
}

impl FromStr for Cell {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|cell| cell.to_string() == name)
            .ok_or_else(|| Error::UnknownCell { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for cell in Cell::ALL {
            assert_eq!(cell.to_string().parse::<Cell>().unwrap(), cell);
            assert_eq!(serde_json::to_string(&cell).unwrap(), format!("\"{cell}\""));
        }
        assert_eq!(
            "rnn".parse::<Cell>().unwrap_err().to_string(),
            "unknown cell: rnn (known: leaky, lstm, gru)"
        );
    }
}
