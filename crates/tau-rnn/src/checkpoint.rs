//! Parameters as bytes: the safetensors format, readable from Python without this crate.
//!
//! Tensors are named as [`crate::Tensor`] prints them, matrices are [to, from] in row-major order,
//! type `F32` or `F64`. If training is to go on from it, `momentum.…` and `square.…` stand beside
//! each array that was trained. The header's metadata has one entry `tau_rnn`, a JSON object (one entry,
//! so that equal checkpoints are equal bytes): its `format`, a `digest` of everything, so that no bit
//! changes unseen, the [`Config`], the indices of `frozen` heads, and the caller's own `metadata`.

use std::collections::{BTreeMap, HashMap};

use ndarray::{Array1, Array2};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::{Config, Error, Momentum, Params, Readout, Real, Slot, Tensor};

/// Version of the format.
const FORMAT: u32 = 1;
/// The entry of the header.
const ENTRY: &str = "tau_rnn";

/// Stands where the digest will stand.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A network at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<R> {
    /// Size and equations.
    pub config: Config,
    /// The numbers.
    pub params: Params<R>,
    /// The optimiser's memory, if training is to go on from here.
    pub momentum: Option<Momentum<R>>,
    /// Notes of the caller, by name.
    pub metadata: BTreeMap<String, String>,
}

/// The part of the header that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// See [`digest`].
    digest: String,
    config: Config,
    frozen: Vec<usize>,
    /// Updates that each array took part in, if there is a momentum.
    steps: Option<Vec<u64>>,
    metadata: BTreeMap<String, String>,
}

impl<R: Real> Checkpoint<R> {
    /// The bytes of a file. Equal checkpoints give equal bytes.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the format cannot hold the network (it can hold every checked one).
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let params = &self.params;
        let dtype = if R::NAME == "f32" { Dtype::F32 } else { Dtype::F64 };
        let mut arrays: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (tensor, values) in params.tensors() {
            arrays.push((tensor.to_string(), shape(params, tensor), bytes(values)));
        }
        let slots = self.momentum.iter().flat_map(|momentum| &momentum.slots);
        for (slot, (tensor, _)) in slots.zip(params.tensors()) {
            let parts = [("momentum", &slot.mean), ("square", &slot.square)];
            for (part, values) in parts.into_iter().filter(|(_, values)| !values.is_empty()) {
                let name = format!("{part}.{tensor}");
                arrays.push((name, shape(params, tensor), bytes(values)));
            }
        }
        let mut views = Vec::new();
        for (name, shape, bytes) in &arrays {
            let view = TensorView::new(dtype, shape.clone(), bytes).map_err(unreadable)?;
            views.push((name.as_str(), view));
        }
        views.sort_unstable_by_key(|(name, _)| *name);
        let header = Header {
            format: FORMAT,
            digest: NO_DIGEST.to_owned(),
            config: self.config.clone(),
            frozen: (0..params.readouts.len()).filter(|&k| params.readouts[k].frozen).collect(),
            steps: self.momentum.as_ref().map(|m| m.slots.iter().map(|slot| slot.steps).collect()),
            metadata: self.metadata.clone(),
        };
        let header = serde_json::to_string(&header).map_err(unreadable)?;
        let header = header.replacen(NO_DIGEST, &digest(&header, &views), 1);
        let header = HashMap::from([(ENTRY.to_owned(), header)]);
        safetensors::serialize(views, Some(header)).map_err(unreadable)
    }

    /// Reads what [`Checkpoint::to_bytes`] wrote, in the precision `R`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for bytes that are cut short or no checkpoint; the errors of
    /// [`Config::check`] and [`Params::checked`] for contents that are no network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (_, entries) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let header = entries.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let text = header.ok_or_else(|| Error::Checkpoint {
            reason: format!("its header has no entry {ENTRY} (was it written by another program?)"),
        })?;
        let header = read_header(text, &tensors)?;
        header.config.check()?;
        let mut params = Params {
            tau: vector(&tensors, Tensor::Tau)?,
            w_rec: matrix(&tensors, Tensor::WRec)?,
            b_rec: vector(&tensors, Tensor::BRec)?,
            w_in: matrix(&tensors, Tensor::WIn)?,
            b_in: vector(&tensors, Tensor::BIn)?,
            readouts: Vec::new(),
        };
        let is_head = |name: &&str| name.starts_with("readout.") && name.ends_with(".weight");
        let heads = tensors.names().into_iter().filter(is_head).count();
        for head in 0..heads {
            params.readouts.push(Readout {
                weight: matrix(&tensors, Tensor::ReadoutWeight(head))?,
                bias: vector(&tensors, Tensor::ReadoutBias(head))?,
                frozen: header.frozen.contains(&head),
            });
        }
        let params = params.checked(&header.config)?;
        let momentum = match header.steps {
            Some(steps) => Some(momentum(&tensors, &params, &steps)?),
            None => None,
        };
        Ok(Self { config: header.config, params, momentum, metadata: header.metadata })
    }
}

/// The header, once its version and its digest are right.
fn read_header(text: &str, tensors: &SafeTensors<'_>) -> Result<Header, Error> {
    let Version { format } = serde_json::from_str(text).map_err(unreadable)?;
    if format != FORMAT {
        let remedy =
            if format > FORMAT { "a newer tau wrote it: use that one" } else { "train it again" };
        return Err(unreadable(format!("format: {format} (allowed: {FORMAT}; {remedy})")));
    }
    let header: Header = serde_json::from_str(text).map_err(unreadable)?;
    let mut views = tensors.tensors();
    views.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    if digest(&text.replacen(&header.digest, NO_DIGEST, 1), &views) != header.digest {
        let reason = "its contents do not belong to its digest: it was damaged or edited";
        return Err(unreadable(reason));
    }
    Ok(header)
}

/// BLAKE3 of the header (with [`NO_DIGEST`] in its place) and of all arrays in the order of names.
fn digest(header: &str, arrays: &[(impl AsRef<str>, TensorView<'_>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        // With its length: nothing can move from one part to the next.
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(header.as_bytes());
    for (name, view) in arrays {
        part(name.as_ref().as_bytes());
        part(format!("{:?} {:?}", view.dtype(), view.shape()).as_bytes());
        part(view.data());
    }
    hasher.finalize().to_hex().to_string()
}

fn momentum<R: Real>(
    tensors: &SafeTensors<'_>,
    params: &Params<R>,
    steps: &[u64],
) -> Result<Momentum<R>, Error> {
    let mut momentum = Momentum::default();
    for (&steps, (tensor, numbers)) in steps.iter().zip(params.tensors()) {
        let mean = if numbers.is_empty() {
            // τ of a gated cell: nothing was written.
            Vec::new()
        } else {
            values(tensors, &format!("momentum.{tensor}"))?.1
        };
        let square = format!("square.{tensor}");
        let square = match tensors.tensor(&square) {
            Ok(_) => values(tensors, &square)?.1,
            Err(_) => Vec::new(),
        };
        momentum.slots.push(Slot { mean, square, steps });
    }
    momentum.check(params)?;
    Ok(momentum)
}

fn shape<R: Real>(params: &Params<R>, tensor: Tensor) -> Vec<usize> {
    match tensor {
        Tensor::Tau => params.tau.shape().to_vec(),
        Tensor::BRec | Tensor::BIn => params.b_rec.shape().to_vec(),
        Tensor::WRec => params.w_rec.shape().to_vec(),
        Tensor::WIn => params.w_in.shape().to_vec(),
        Tensor::ReadoutWeight(head) => params.readouts[head].weight.shape().to_vec(),
        Tensor::ReadoutBias(head) => params.readouts[head].bias.shape().to_vec(),
    }
}

fn bytes<R: Real>(values: &[R]) -> Vec<u8> {
    if R::NAME == "f32" {
        // Exact: the values are `f32`.
        values.iter().flat_map(|x| (x.to_f64() as f32).to_le_bytes()).collect()
    } else {
        values.iter().flat_map(|x| x.to_f64().to_le_bytes()).collect()
    }
}

/// Shape and values of one array.
fn values<R: Real>(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<usize>, Vec<R>), Error> {
    let view = tensors.tensor(name).map_err(unreadable)?;
    let values = match view.dtype() {
        Dtype::F32 => {
            let (numbers, _) = view.data().as_chunks();
            numbers.iter().map(|&x| R::from_f32(f32::from_le_bytes(x))).collect()
        }
        Dtype::F64 => {
            let (numbers, _) = view.data().as_chunks();
            numbers.iter().map(|&x| R::from_f64(f64::from_le_bytes(x))).collect()
        }
        other => {
            let reason = format!("{name} has the type {other:?} (allowed: F32, F64)");
            return Err(Error::Checkpoint { reason });
        }
    };
    Ok((view.shape().to_vec(), values))
}

fn vector<R: Real>(tensors: &SafeTensors<'_>, tensor: Tensor) -> Result<Array1<R>, Error> {
    let (shape, values) = values(tensors, &tensor.to_string())?;
    if shape.len() == 1 {
        Ok(Array1::from_vec(values))
    } else {
        Err(Error::shape(tensor.to_string(), &shape, &[values.len()]))
    }
}

fn matrix<R: Real>(tensors: &SafeTensors<'_>, tensor: Tensor) -> Result<Array2<R>, Error> {
    let (shape, values) = values(tensors, &tensor.to_string())?;
    let [rows, columns] = shape[..] else {
        return Err(Error::Checkpoint {
            reason: format!("{tensor} has {} dimensions (expected: 2)", shape.len()),
        });
    };
    Array2::from_shape_vec((rows, columns), values).map_err(unreadable)
}

fn unreadable(reason: impl std::fmt::Display) -> Error {
    Error::Checkpoint { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_random::{Key, Purpose};

    fn network() -> Checkpoint<f32> {
        let config = Config::leaky(9, 1);
        let mut random = Key::new(4, Purpose::Parameters).stream();
        let mut params = Params::init(&config, &mut random).unwrap();
        for frozen in [false, true, false] {
            params.readouts.push(Readout { frozen, ..Readout::init(&config, 2, &mut random) });
        }
        let metadata = ["n_max", "epoch", "seed", "task"].map(|key| (key.to_owned(), "5".into()));
        let slot = |(k, (_, values)): (usize, (Tensor, &[f32]))| Slot {
            mean: values.iter().map(|x| x * 0.5).collect(),
            square: if k % 2 == 0 { values.iter().map(|x| x * x).collect() } else { Vec::new() },
            steps: k as u64,
        };
        // The last head was never trained.
        let slots = params.tensors().enumerate().take(9).map(slot).collect();
        let momentum = Some(Momentum { slots });
        Checkpoint { config, params, momentum, metadata: BTreeMap::from(metadata) }
    }

    #[test]
    fn a_network_comes_back_bit_by_bit_with_its_metadata() {
        let network = network();
        let bytes = network.to_bytes().unwrap();
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), network);
        assert_eq!(network.clone().to_bytes().unwrap(), bytes);
        let double = Checkpoint::<f64>::from_bytes(&bytes).unwrap();
        assert_eq!(double.params, network.params.cast());
        let at_rest = Checkpoint { momentum: None, ..network.clone() };
        assert_eq!(Checkpoint::from_bytes(&at_rest.to_bytes().unwrap()).unwrap(), at_rest);
        let bytes = double.to_bytes().unwrap();
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), network);
    }

    #[test]
    fn gated_cells_come_back_bit_by_bit() {
        for cell in crate::Cell::GATED {
            let config = Config::new(cell, 5, 2);
            let mut random = Key::new(4, Purpose::Parameters).stream();
            let mut params = Params::<f32>::init(&config, &mut random).unwrap();
            params.readouts.push(Readout::init(&config, 2, &mut random));
            let slot = |(k, (_, values)): (usize, (Tensor, &[f32]))| Slot {
                mean: values.iter().map(|x| x * 0.5).collect(),
                square: values.iter().map(|x| x * x).collect(),
                steps: k as u64,
            };
            let slots = params.tensors().enumerate().map(slot).collect();
            let momentum = Some(Momentum { slots });
            let network = Checkpoint { config, params, momentum, metadata: BTreeMap::new() };
            let bytes = network.to_bytes().unwrap();
            assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), network);
            let at_rest = Checkpoint { momentum: None, ..network };
            assert_eq!(Checkpoint::from_bytes(&at_rest.to_bytes().unwrap()).unwrap(), at_rest);
        }
    }

    #[test]
    fn a_checkpoint_cut_anywhere_is_refused() {
        let bytes = network().to_bytes().unwrap();
        for len in 0..bytes.len() {
            let error = Checkpoint::<f32>::from_bytes(&bytes[..len]).unwrap_err().to_string();
            assert!(error.starts_with("not a readable checkpoint: "), "{len}: {error}");
        }
    }

    #[test]
    fn no_bit_can_change_unseen() {
        let bytes = network().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1 << (at % 8);
            let read = Checkpoint::<f32>::from_bytes(&spoilt);
            // A space in the padding of the header may become another space: nothing is lost.
            assert!(read.is_err() || read.is_ok_and(|read| read == network()), "byte {at}");
        }
    }

    /// The bytes with a different text in the header.
    fn edited(bytes: &[u8], edit: impl Fn(&str) -> String) -> Vec<u8> {
        let (len, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*len) as usize);
        let text = edit(std::str::from_utf8(header).unwrap());
        [&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat()
    }

    #[test]
    fn another_version_of_the_format_is_refused_with_the_remedy() {
        let bytes = network().to_bytes().unwrap();
        let refused = |edit: &dyn Fn(&str) -> String, reason: &str| {
            let error = Checkpoint::<f32>::from_bytes(&edited(&bytes, edit)).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        };
        let version = |format: &'static str| {
            move |text: &str| {
                let edited = text.replace(r#"\"format\":1"#, &format!(r#"\"format\":{format}"#));
                assert_ne!(edited, text);
                edited
            }
        };
        refused(&version("2"), "format: 2 (allowed: 1; a newer tau wrote it: use that one)");
        refused(&version("0"), "format: 0 (allowed: 1; train it again)");
        refused(&version(r#"\"tau-rnn 1\""#), "invalid type: string");
        let without_digest = |text: &str| {
            let start = text.find("\\\"digest").unwrap();
            let end = text.find("\\\"config").unwrap();
            format!("{}{}", &text[..start], &text[end..])
        };
        refused(&without_digest, "missing field `digest`");
    }

    #[test]
    fn a_foreign_file_is_refused_with_a_reason() {
        let data = [0u8; 8];
        let view = TensorView::new(Dtype::F32, vec![2], &data).unwrap();
        let bytes = safetensors::serialize([("tau", view)], None).unwrap();
        let error = Checkpoint::<f32>::from_bytes(&bytes).unwrap_err().to_string();
        assert_eq!(
            error,
            "not a readable checkpoint: its header has no entry tau_rnn (was it written by another program?)"
        );
    }
}
