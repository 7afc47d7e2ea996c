//! Which equations a neuron follows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Leaky};

/// What a neuron computes in a step, with the settings that only this kind of neuron has.
///
/// W_k, b_k, w_k and b′_k are the rows of [`crate::Params::w_rec`], `b_rec`, `w_in` and `b_in` that
/// belong to gate k; σ is the logistic function, ⊙ a product number by number, and
/// u_k = W_k h(t−1) + b_k + w_k x(t) + b′_k.
///
/// In files, `kind` says which cell it is and the settings stand beside it:
/// `cell = { kind = "leaky", placement = "whole", … }`, `cell = { kind = "gru" }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "InFile", from = "InFile")]
pub enum Cell {
    /// Leaky neurons with a time constant each, the τ-RNN.
    Leaky(Leaky),
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
    /// One cell of each kind, the leaky one with its default settings.
    pub const ALL: [Self; 3] = [Self::Leaky(Leaky::DEFAULT), Self::Lstm, Self::Gru];
    /// The cells with gates.
    pub const GATED: [Self; 2] = [Self::Lstm, Self::Gru];

    /// The leaky cell's settings; `None` for a cell with gates, which has no time constants.
    #[must_use]
    pub fn leaky(&self) -> Option<&Leaky> {
        match self {
            Self::Leaky(leaky) => Some(leaky),
            Self::Lstm | Self::Gru => None,
        }
    }

    /// Rows of W for each neuron: 1, 4 (LSTM) or 3 (GRU).
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Leaky(_) => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// Numbers that a neuron carries from step to step: h, and c of an LSTM.
    #[must_use]
    pub fn states(self) -> usize {
        match self {
            Self::Leaky(_) | Self::Gru => 1,
            Self::Lstm => 2,
        }
    }

    /// Whether every derivative exists: a (leaky) ReLU has a kink.
    #[must_use]
    pub fn is_smooth(self) -> bool {
        self.leaky().is_none_or(|leaky| leaky.activation.is_smooth())
    }
}

impl From<Leaky> for Cell {
    fn from(leaky: Leaky) -> Self {
        Self::Leaky(leaky)
    }
}

impl fmt::Display for Cell {
    /// The kind: `leaky`, `lstm` or `gru`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Leaky(_) => "leaky",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
        })
    }
}

impl FromStr for Cell {
    type Err = Error;

    /// The cell of that kind, the leaky one with its default settings.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|cell| cell.to_string() == name)
            .ok_or_else(|| Error::UnknownCell { name: name.to_owned() })
    }
}

/// The form in files. The gated cells have braces here: serde refuses unknown settings only then.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum InFile {
    Leaky(Leaky),
    Lstm {},
    Gru {},
}

impl From<Cell> for InFile {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Leaky(leaky) => Self::Leaky(leaky),
            Cell::Lstm => Self::Lstm {},
            Cell::Gru => Self::Gru {},
        }
    }
}

impl From<InFile> for Cell {
    fn from(cell: InFile) -> Self {
        match cell {
            InFile::Leaky(leaky) => Self::Leaky(leaky),
            InFile::Lstm {} => Self::Lstm,
            InFile::Gru {} => Self::Gru,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for cell in Cell::ALL {
            assert_eq!(cell.to_string().parse::<Cell>().unwrap(), cell);
        }
        assert_eq!(
            "rnn".parse::<Cell>().unwrap_err().to_string(),
            "unknown cell: rnn (known: leaky, lstm, gru)"
        );
    }

    #[test]
    fn a_file_names_the_kind_and_only_the_settings_of_that_kind() {
        let leaky = r#"{"kind":"leaky","placement":"whole","activation":"leaky-relu","tau":{"trainable":{"start":1.0}},"self_connections":false}"#;
        check(Cell::Leaky(Leaky::DEFAULT), leaky);
        check(Cell::Lstm, r#"{"kind":"lstm"}"#);
        check(Cell::Gru, r#"{"kind":"gru"}"#);
        refused(r#"{"kind":"gru","activation":"tanh"}"#, "unknown field `activation`");
        refused(r#"{"kind":"rnn"}"#, "unknown variant `rnn`, expected one of `leaky`, `lstm`");
        refused(r#"{"kind":"leaky"}"#, "missing field `placement`");
        refused(&leaky.replace("placement", "place"), "unknown field `place`");
        fn check(cell: Cell, text: &str) {
            assert_eq!(serde_json::to_string(&cell).unwrap(), text);
            assert_eq!(serde_json::from_str::<Cell>(text).unwrap(), cell);
        }
        fn refused(text: &str, reason: &str) {
            let error = serde_json::from_str::<Cell>(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
