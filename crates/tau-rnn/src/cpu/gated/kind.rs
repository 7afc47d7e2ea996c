//! Which cell with gates.

use super::gates::Gates;

/// A cell with gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu) enum Kind {
    Lstm,
    Gru,
}

/// Evaluates `$body` with `$gates` as the type that stands for the cell.
macro_rules! with_gates {
    ($kind:expr, $gates:ident => $body:expr) => {
        match $kind {
            $crate::cpu::gated::kind::Kind::Lstm => {
                type $gates = $crate::cpu::gated::lstm::Lstm;
                $body
            }
            $crate::cpu::gated::kind::Kind::Gru => {
                type $gates = $crate::cpu::gated::gru::Gru;
                $body
            }
        }
    };
}
pub(super) use with_gates;

impl Kind {
    /// Rows of W for each neuron.
    pub(in crate::cpu) fn gates(self) -> usize {
        // The same for either precision.
        with_gates!(self, G => <G as Gates<f32>>::GATES)
    }

    /// Numbers kept of a neuron and step.
    pub(in crate::cpu) fn kept(self) -> usize {
        with_gates!(self, G => <G as Gates<f32>>::KEPT)
    }

    /// Whether there is a c.
    pub(in crate::cpu) fn has_memory(self) -> bool {
        with_gates!(self, G => <G as Gates<f32>>::MEMORY)
    }

    /// Whether the input of the last gate stands outside of the product.
    pub(in crate::cpu) fn input_apart(self) -> bool {
        with_gates!(self, G => <G as Gates<f32>>::INPUT_APART)
    }
}
