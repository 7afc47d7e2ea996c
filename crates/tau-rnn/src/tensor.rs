//! Names and order of the arrays of a network.

/// Which array of [`crate::Params`]; its `Display` is the name used in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the variants are the fields of `Params`
pub enum Tensor {
    Tau,
    WRec,
    BRec,
    WIn,
    BIn,
    ReadoutWeight(usize),
    ReadoutBias(usize),
}

impl Tensor {
    /// The arrays of the cell, in the order of [`crate::Params::tensors`].
    pub const CELL: [Self; 5] = [Self::Tau, Self::WRec, Self::BRec, Self::WIn, Self::BIn];

    /// The position of the array in [`crate::Params::tensors`]: those of the cell, then two for each head.
    #[must_use]
    pub const fn position(self) -> usize {
        match self {
            Self::Tau => 0,
            Self::WRec => 1,
            Self::BRec => 2,
            Self::WIn => 3,
            Self::BIn => 4,
            Self::ReadoutWeight(head) => Self::CELL.len() + 2 * head,
            Self::ReadoutBias(head) => Self::CELL.len() + 2 * head + 1,
        }
    }

    /// The number of arrays of a network with that many heads.
    #[must_use]
    pub const fn count(heads: usize) -> usize {
        Self::ReadoutWeight(heads).position()
    }
}

impl std::fmt::Display for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tau => f.write_str("tau"),
            Self::WRec => f.write_str("w_rec"),
            Self::BRec => f.write_str("b_rec"),
            Self::WIn => f.write_str("w_in"),
            Self::BIn => f.write_str("b_in"),
            Self::ReadoutWeight(head) => write!(f, "readout.{head}.weight"),
            Self::ReadoutBias(head) => write!(f, "readout.{head}.bias"),
        }
    }
}
