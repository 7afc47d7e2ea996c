//! A spec in a form of its own, whatever the order of its keys and the format of its file.

use std::collections::BTreeMap;

use tau_training::TrainingSpec;
use toml::{Table, Value};

use super::dictionary::{join, table};
use super::fault::Fault;

/// Every value of a spec by its dotted key, in the order of the keys. A text is itself, everything else
/// as TOML has it.
#[must_use]
pub fn spec_values(spec: &TrainingSpec) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    flatten("", &table(spec), &mut all);
    all.into_iter()
        .map(|(key, value)| match value {
            Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect()
}

/// One line for each value, `key = value`, in the order of the keys: what names a run is a digest of
/// this text.
pub(crate) fn canonical(spec: &TrainingSpec) -> Result<String, Fault> {
    let table = Table::try_from(spec).map_err(|error| Fault::new(error.to_string()))?;
    let mut all = BTreeMap::new();
    flatten("", &table, &mut all);
    Ok(all.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect())
}

fn flatten(path: &str, table: &Table, all: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let path = join(path, key);
        match value {
            Value::Table(inner) if !inner.is_empty() => flatten(&path, inner, all),
            other => drop(all.insert(path, other.clone())),
        }
    }
}
