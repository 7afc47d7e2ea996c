//! Reads networks that PyTorch wrote, in the layout of the ICLR 2024 authors.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array1, Array2};
use pytorch_reader::{DType, PytorchReader};
use tau_rnn::{Checkpoint, Config, Params, Readout};

use crate::Error;

/// Largest size of a file, in bytes: networks of 5000 neurons are smaller.
const MOST_BYTES: u64 = 1 << 30;

/// Reads the network in a PyTorch archive, which is a `state_dict` or has one under that name. The pickle
/// is parsed and never run; anything but tensors is passed over.
///
/// # Errors
/// [`Error::File`] if the file cannot be read or has more than a gigabyte; [`Error::PyTorch`] if it is no
/// archive, or if arrays are missing or of a different type; the errors of
/// [`Params::checked`].
pub fn read_pytorch(path: &Path) -> Result<Checkpoint<f32>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > MOST_BYTES {
        return Err(failed(std::io::Error::other("it has more than a gigabyte")));
    }
    let file = PytorchReader::with_top_level_key(path, "state_dict")
        .or_else(|_| PytorchReader::new(path))
        .map_err(unusable)?;
    let file = Archive { file, left: Cell::new(bytes as usize) };
    let tau = vector(&file, "parameterlist.0")?;
    let weight = |module: usize| matrix(&file, &format!("modulelist.{module}.weight"));
    let bias = |module: usize| vector(&file, &format!("modulelist.{module}.bias"));
    let mut params = Params {
        tau,
        w_rec: weight(1)?,
        b_rec: bias(1)?,
        w_in: weight(0)?,
        b_in: bias(0)?,
        readouts: Vec::new(),
    };
    let has = |module: usize| file.file.get(&format!("modulelist.{module}.weight")).is_some();
    for module in (2..).take_while(|&module| has(module)) {
        params.readouts.push(Readout {
            weight: weight(module)?,
            bias: bias(module)?,
            frozen: false,
        });
    }
    let config = Config::leaky(params.tau.len(), params.w_in.ncols());
    config.check()?;
    let mut params = params.checked(&config)?;
    // A network that was saved before its first step still has a diagonal, which it never uses.
    params.apply_constraints(&config);
    Ok(Checkpoint { config, params, momentum: None, metadata: BTreeMap::new() })
}

fn unusable(reason: impl ToString) -> Error {
    Error::PyTorch { reason: reason.to_string() }
}

/// An archive, and how many bytes of numbers may still come from it: PyTorch does not compress, so that
/// there are no more than the file has. (A view can claim any shape, a compressed entry any size.)
struct Archive {
    file: PytorchReader,
    left: Cell<usize>,
}

/// Shape and numbers of an array.
fn numbers(archive: &Archive, name: &str) -> Result<(Vec<usize>, Vec<f32>), Error> {
    let tensor = archive.file.get(name).ok_or_else(|| unusable(format!("it has no {name}")))?;
    if tensor.dtype() != DType::F32 {
        return Err(unusable(format!("{name} is {:?} (read: F32)", tensor.dtype())));
    }
    let left = archive.left.get().checked_sub(tensor.byte_len()).ok_or_else(|| {
        let shape = tensor.shape();
        unusable(format!("{name} has the shape {shape:?}, for which the file is too short"))
    })?;
    archive.left.set(left);
    let bytes = tensor.read().map_err(unusable)?;
    let (words, _) = bytes.as_chunks();
    let numbers = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    Ok((tensor.shape().to_vec(), numbers))
}

fn vector(file: &Archive, name: &str) -> Result<Array1<f32>, Error> {
    let (shape, numbers) = numbers(file, name)?;
    match shape[..] {
        [_] => Ok(Array1::from_vec(numbers)),
        _ => Err(unusable(format!("{name} has the shape {shape:?} (expected: one dimension)"))),
    }
}

fn matrix(file: &Archive, name: &str) -> Result<Array2<f32>, Error> {
    let (shape, numbers) = numbers(file, name)?;
    let [rows, columns] = shape[..] else {
        return Err(unusable(format!("{name} has the shape {shape:?} (expected: two dimensions)")));
    };
    Array2::from_shape_vec((rows, columns), numbers)
        .map_err(|error| unusable(format!("{name}: {error}")))
}
