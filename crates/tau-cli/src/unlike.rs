//! What tells specs apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tau_curricula::TrainingSpec;

/// Keys that the name of a run, or the line about it, has already.
const SAID: [&str; 6] = ["task", "curriculum", "network.hidden_size", "seed", "n_start", "n_end"];

/// Every value of a spec by its dotted key.
fn flat(spec: &TrainingSpec) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    flatten("", &serde_json::to_value(spec).unwrap_or_default(), &mut all);
    all
}

fn flatten(key: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                let dot = if key.is_empty() { "" } else { "." };
                flatten(&format!("{key}{dot}{name}"), value, all);
            }
        }
        Value::String(text) => drop(all.insert(key.to_owned(), text.clone())),
        other => drop(all.insert(key.to_owned(), other.to_string())),
    }
}

/// What is not as published: `network.activation = tanh`.
pub(crate) fn the_paper(spec: &TrainingSpec) -> Vec<String> {
    let hidden = spec.network.hidden_size;
    let paper = flat(&TrainingSpec::paper(spec.task, spec.curriculum, hidden, spec.seed));
    let unlike = |(key, value): &(String, String)| {
        !SAID.contains(&key.as_str()) && paper.get(key) != Some(value)
    };
    let mine = flat(spec).into_iter().filter(unlike);
    mine.map(|(key, value)| format!("{key} = {value}")).collect()
}

/// For each spec the values in which these specs differ, by the last part of their keys:
/// `activation=tanh`.
pub(crate) fn each_other(specs: &[&TrainingSpec]) -> Vec<String> {
    let all: Vec<_> = specs.iter().map(|spec| flat(spec)).collect();
    let mut values: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    let keys: BTreeSet<&str> =
        all.iter().flat_map(|flat| flat.keys().map(String::as_str)).collect();
    for key in keys {
        for flat in &all {
            values.entry(key).or_default().insert(flat.get(key).map(String::as_str));
        }
    }
    values.retain(|key, values| values.len() > 1 && !SAID.contains(key));
    let name = |flat: &BTreeMap<String, String>| {
        let mine = values.keys().filter_map(|key| {
            let value = flat.get(*key)?;
            Some(format!("{}={value}", key.rsplit('.').next().unwrap_or(key)))
        });
        mine.collect::<Vec<_>>().join(" ")
    };
    all.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_curricula::Curriculum;
    use tau_rnn::Activation;
    use tau_tasks::TaskKind;

    #[test]
    fn only_what_differs_is_said() {
        let first = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 20, 1);
        let mut second = TrainingSpec { seed: 2, n_end: 9, ..first.clone() };
        assert_eq!(the_paper(&second), Vec::<String>::new());
        assert_eq!(each_other(&[&first, &second]), ["", ""]);
        second.network.activation = Activation::Tanh;
        assert_eq!(the_paper(&second), ["network.activation = tanh"]);
        assert_eq!(each_other(&[&first, &second]), ["activation=leaky-relu", "activation=tanh"]);
    }
}
