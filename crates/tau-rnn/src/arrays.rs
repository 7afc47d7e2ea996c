//! Which arrays a network has, how they start, and which of them are trained.

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::init::{Init, Place};
use crate::{Cell, Error, Tensor};

/// One array: the law of its initial values, and whether it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArraySpec {
    /// The law of the initial values.
    pub init: Init,
    /// An array that is not trained keeps its initial values, has no gradient and counts in no norm.
    pub trained: bool,
}

impl ArraySpec {
    /// A trained array that starts by this law.
    #[must_use]
    pub const fn trained(init: Init) -> Self {
        Self { init, trained: true }
    }

    /// An array that keeps the values by which it starts.
    #[must_use]
    pub const fn kept(init: Init) -> Self {
        Self { init, trained: false }
    }
}

/// The arrays of a network besides τ, named as in [`crate::Params`].
///
/// A bias may be absent: `None`, in files `"none"`. It is an array of zeros then, has no gradient and
/// counts in no norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrays {
    /// Recurrent weights W.
    pub w_rec: ArraySpec,
    /// Recurrent bias.
    #[serde(with = "absent")]
    pub b_rec: Option<ArraySpec>,
    /// Input weights.
    pub w_in: ArraySpec,
    /// Input bias.
    #[serde(with = "absent")]
    pub b_in: Option<ArraySpec>,
    /// Weights of every head.
    pub readout_weight: ArraySpec,
    /// Biases of every head.
    #[serde(with = "absent")]
    pub readout_bias: Option<ArraySpec>,
}

impl Arrays {
    /// PyTorch's laws, everything trained: U(±1/√columns) for linear maps and the leaky cell's maps,
    /// U(±1/√H) for the arrays of gates.
    #[must_use]
    pub const fn of(cell: &Cell) -> Self {
        let linear = ArraySpec::trained(Init::FanIn);
        let in_cell = match cell {
            Cell::Leaky(_) => linear,
            Cell::Lstm | Cell::Gru => ArraySpec::trained(Init::HiddenSize),
        };
        Self {
            w_rec: in_cell,
            b_rec: Some(in_cell),
            w_in: in_cell,
            b_in: Some(in_cell),
            readout_weight: linear,
            readout_bias: Some(linear),
        }
    }

    /// The law of an array; `None` for an absent bias, and for τ, whose law is the cell's.
    #[must_use]
    pub fn get(&self, tensor: Tensor) -> Option<ArraySpec> {
        match tensor {
            Tensor::Tau => None,
            Tensor::WRec => Some(self.w_rec),
            Tensor::BRec => self.b_rec,
            Tensor::WIn => Some(self.w_in),
            Tensor::BIn => self.b_in,
            Tensor::ReadoutWeight(_) => Some(self.readout_weight),
            Tensor::ReadoutBias(_) => self.readout_bias,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let bias = |name, spec: Option<ArraySpec>| {
            spec.map_or(Ok(()), |spec| spec.init.check(name, Place::Bias))
        };
        self.w_rec.init.check("w_rec", Place::Recurrent)?;
        bias("b_rec", self.b_rec)?;
        self.w_in.init.check("w_in", Place::Matrix)?;
        bias("b_in", self.b_in)?;
        self.readout_weight.init.check("readout_weight", Place::Matrix)?;
        bias("readout_bias", self.readout_bias)
    }
}

/// An array that may be absent: its table, or the word `none`. (A file that leaves it out says nothing:
/// that is an error, so that no bias goes missing by a slip.)
mod absent {
    use super::*;

    const NONE: &str = "none";

    // By reference: serde asks so.
    #[allow(clippy::ref_option)]
    pub(super) fn serialize<S: Serializer>(
        spec: &Option<ArraySpec>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match spec {
            Some(spec) => spec.serialize(serializer),
            None => serializer.serialize_str(NONE),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ArraySpec>, D::Error> {
        struct Spec;

        impl<'de> Visitor<'de> for Spec {
            type Value = Option<ArraySpec>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"none\", or a table with `init` and `trained`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
                if word == NONE {
                    Ok(None)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(word), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                ArraySpec::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
        }

        deserializer.deserialize_any(Spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_of_every_array_how_it_starts_or_that_it_is_absent() {
        let kept = ArraySpec::kept(Init::Orthogonal { gain: 0.5 });
        let arrays = Arrays { w_rec: kept, b_in: None, ..Arrays::of(&Cell::Gru) };
        let text = serde_json::to_string(&arrays).unwrap();
        let expected = concat!(
            r#"{"w_rec":{"init":{"orthogonal":{"gain":0.5}},"trained":false},"#,
            r#""b_rec":{"init":"hidden-size","trained":true},"#,
            r#""w_in":{"init":"hidden-size","trained":true},"b_in":"none","#,
            r#""readout_weight":{"init":"fan-in","trained":true},"#,
            r#""readout_bias":{"init":"fan-in","trained":true}}"#,
        );
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Arrays>(&text).unwrap(), arrays);
        let refused = |from: &str, to: &str, reason: &str| {
            let error = serde_json::from_str::<Arrays>(&text.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        };
        refused(
            "\"none\"",
            "\"no\"",
            "invalid value: string \"no\", expected \"none\", or a table",
        );
        refused(",\"b_in\":\"none\"", "", "missing field `b_in`");
        refused("hidden-size", "hidden", "unknown variant `hidden`");
        refused("\"gain\":0.5", "\"sd\":0.5", "unknown field `sd`");
    }
}
