//! Networks and batches in the form in which the peer reads them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use ndarray::{Array2, Array3};
use safetensors::tensor::{Dtype, TensorView};
use tau_rnn::Params;

/// Writes what an update works on.
pub(crate) fn save(
    path: &Path,
    params: &Params<f32>,
    inputs: &Array3<f32>,
    labels: &Array2<u8>,
) -> Result<()> {
    let mut arrays = arrays(params);
    arrays.insert("inputs".to_owned(), (inputs.shape().to_vec(), Dtype::F32, bytes(inputs.iter())));
    let labels = (vec![labels.len()], Dtype::U8, labels.iter().copied().collect());
    arrays.insert("labels".to_owned(), labels);
    write(path, &arrays)
}

pub(crate) type Arrays = BTreeMap<String, (Vec<usize>, Dtype, Vec<u8>)>;

pub(crate) fn arrays(params: &Params<f32>) -> Arrays {
    let shape = |name: &str| match name {
        "w_rec" => params.w_rec.shape().to_vec(),
        "w_in" => params.w_in.shape().to_vec(),
        "readout.0.weight" => params.readouts[0].weight.shape().to_vec(),
        "readout.0.bias" => params.readouts[0].bias.shape().to_vec(),
        _ => vec![params.hidden_size()],
    };
    let array = |(tensor, values): (tau_rnn::Tensor, &[f32])| {
        let name = tensor.to_string();
        (name.clone(), (shape(&name), Dtype::F32, bytes(values.iter())))
    };
    params.tensors().map(array).collect()
}

pub(crate) fn bytes<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<u8> {
    values.flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn write(path: &Path, arrays: &Arrays) -> Result<()> {
    let mut views = Vec::new();
    for (name, (shape, dtype, bytes)) in arrays {
        views.push((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?));
    }
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
