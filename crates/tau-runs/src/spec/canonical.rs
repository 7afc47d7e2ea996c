//! A spec in a form of its own, whatever the order of its keys and the format of its file.

use std::collections::BTreeMap;

use tau_training::TrainingSpec;
use toml::{Table, Value};

use super::dictionary::{KIND, NONE, dictionary, join, table};
use super::fault::Fault;

/// Every value of a spec by its dotted key, in the order of the keys. A text is itself, everything else
/// as TOML has it.
#[must_use]
pub fn spec_values(spec: &TrainingSpec) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    flatten("", &table(spec), &mut all);
    all.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// A text itself, everything else as TOML has it.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The values by which a spec differs from another one, by their dotted keys; `none` for what only the
/// other one has. What takes the place of something else, such as a different task, is there whole.
#[must_use]
pub fn spec_differences(spec: &TrainingSpec, other: &TrainingSpec) -> Vec<(String, String)> {
    let mut all = BTreeMap::new();
    differ(&table(spec), &table(other), "", &mut all);
    all.into_iter().map(|(key, value)| (key, text(value))).collect()
}

fn differ(mine: &Table, other: &Table, path: &str, all: &mut BTreeMap<String, Value>) {
    for (key, value) in mine {
        let path = join(path, key);
        match (value, other.get(key)) {
            (value, Some(other)) if value == other => {}
            (Value::Table(mine), Some(Value::Table(other))) if is_same(&path, mine, other) => {
                differ(mine, other, &path, all);
            }
            (Value::Table(mine), _) => flatten(&path, mine, all),
            (value, _) => drop(all.insert(path, value.clone())),
        }
    }
    for key in other.keys().filter(|key| !mine.contains_key(*key)) {
        all.insert(join(path, key), Value::String(NONE.to_owned()));
    }
}

/// Whether two tables are of one kind, or the same of several.
fn is_same(path: &str, mine: &Table, other: &Table) -> bool {
    let is_variant = dictionary().variant_names(path).is_some();
    mine.get(KIND) == other.get(KIND) && (!is_variant || mine.keys().eq(other.keys()))
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
