//! What tells specs apart.

use std::collections::{BTreeMap, BTreeSet};

use tau_runs::{Base, spec_differences, spec_values};
use tau_training::TrainingSpec;

/// Keys that the name of a run, or the line about it, has already.
const SAID: [&str; 8] = [
    "task.kind",
    "schedule.kind",
    "schedule.n_start",
    "schedule.n_end",
    "schedule.heads",
    "schedule.forget",
    "network.hidden_size",
    "seed",
];

/// The base that a spec is most like, and what differs from it: `network.cell.activation = tanh`. The
/// plain training of its task counts among the bases.
pub(crate) fn nearest_base(spec: &TrainingSpec, bases: &[Base]) -> (&'static str, Vec<String>) {
    let hidden = spec.network.hidden_size;
    let plain = TrainingSpec::plain(spec.task.clone(), hidden, spec.seed).ok();
    let fitting = bases.iter().filter(|base| (base.fits)(&spec.task));
    let all = fitting.map(|base| (base.name, (base.spec)()));
    let all = all.chain(plain.map(|plain| ("plain", plain)));
    let differences = all.map(|(name, other)| (name, spec_differences(spec, &other)));
    let said = differences.map(|(name, all)| {
        let all = all.into_iter().filter(|(key, _)| !SAID.contains(&key.as_str()));
        (name, all.map(|(key, value)| format!("{key} = {value}")).collect())
    });
    said.min_by_key(|(_, differences): &(_, Vec<String>)| differences.len())
        .unwrap_or(("nothing", Vec::new()))
}

/// For each spec the values in which it differs from those whose names begin alike, by the last part of
/// their keys: `activation=tanh`.
pub(crate) fn each_other(specs: &[&TrainingSpec]) -> Vec<String> {
    let alike = |spec: &TrainingSpec| {
        format!("{} {} {}", spec.task, spec.schedule, spec.network.hidden_size)
    };
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, spec) in specs.iter().enumerate() {
        groups.entry(alike(spec)).or_default().push(index);
    }
    let mut names = vec![String::new(); specs.len()];
    for group in groups.into_values() {
        let members: Vec<&TrainingSpec> = group.iter().map(|&index| specs[index]).collect();
        for (index, name) in group.into_iter().zip(in_group(&members)) {
            names[index] = name;
        }
    }
    names
}

fn in_group(specs: &[&TrainingSpec]) -> Vec<String> {
    let all: Vec<BTreeMap<String, String>> = specs.iter().map(|spec| spec_values(spec)).collect();
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
    use tau_rnn::{Activation, Cell, Leaky};
    use tau_tasks::TaskSpec;

    #[test]
    fn a_table_of_a_different_form_is_said_once() {
        let mut other = plain().with_fixed_data(9, 2, 1);
        other.network.arrays.b_in = None;
        other.optimiser.clip_norm = None;
        let (_, unlike) = nearest_base(&other, &[]);
        let expected = [
            "data.fixed.data_seed = 1",
            "data.fixed.held_out = 2",
            "data.fixed.trials = 9",
            "network.arrays.b_in = none",
            "optimiser.clip_norm = none",
        ];
        assert_eq!(unlike, expected);
    }

    fn plain() -> TrainingSpec {
        TrainingSpec::plain(TaskSpec::parity(&[2]), 20, 1).unwrap()
    }

    const BASES: &[Base] = &[Base {
        name: "short",
        about: "",
        spec: || TrainingSpec { max_epochs: 3, batch_size: 3, ..plain() },
        fits: |task| task.memory().is_some(),
    }];

    #[test]
    fn only_what_differs_is_said() {
        let first = plain();
        let mut second = TrainingSpec { seed: 2, ..first.clone() };
        assert_eq!(nearest_base(&second, BASES), ("plain", vec![]));
        assert_eq!(each_other(&[&first, &second]), ["", ""]);
        let leaky = Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT };
        second.network.cell = Cell::Leaky(leaky);
        let tanh = vec!["network.cell.activation = tanh".to_owned()];
        assert_eq!(nearest_base(&second, BASES), ("plain", tanh));
        assert_eq!(each_other(&[&first, &second]), ["activation=leaky-relu", "activation=tanh"]);
        let short = TrainingSpec { max_epochs: 3, batch_size: 4, ..plain() };
        assert_eq!(nearest_base(&short, BASES), ("short", vec!["batch_size = 4".to_owned()]));
        // A value that is not there is said, too.
        let kept = TrainingSpec { keep_every: Some(2), ..plain() };
        assert_eq!(each_other(&[&first, &kept]), ["", "keep_every=2"]);
        // The names tell these apart.
        let pulse = TrainingSpec::plain("pulse".parse().unwrap(), 20, 1).unwrap();
        assert_eq!(each_other(&[&first, &pulse]), ["", ""]);
    }
}
