//! Every key that a spec may have, by example.
//!
//! Three tables have a `kind`, which decides what else they hold ([`KINDS`]); some values are one of
//! several tables or words, whose name says which ([`Dictionary::variants`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Serialize;
use tau_curricula::Schedule;
use tau_rnn::{Arrays, Cell, Init, Optimiser, Placement, Rule, TimeConstants};
use tau_tasks::TaskSpec;
use tau_training::{Data, Stop, TrainingSpec};
use toml::{Table, Value};

use super::words::{list, wanted};

/// The tables with a `kind`.
pub(crate) const KINDS: [&str; 3] = ["task", "schedule", "network.cell"];
/// The key that says the kind.
pub(crate) const KIND: &str = "kind";
/// The word that takes a value away.
pub(crate) const NONE: &str = "none";
/// The keys that may be `"none"`, which is then as if they were not there.
pub(crate) const OPTIONAL: [&str; 4] =
    ["stop", "keep_every", "optimiser.clip_norm", "steps_per_unit"];

/// One kind of a table.
struct Kind {
    name: String,
    /// The table when nothing else is said.
    usual: Table,
    /// The table with every key that it may have.
    full: Table,
}

/// See the module.
pub(crate) struct Dictionary {
    kinds: BTreeMap<&'static str, Vec<Kind>>,
    variants: BTreeMap<String, Vec<Value>>,
    /// Examples of what is no table, by dotted path: several where several things may stand.
    examples: BTreeMap<String, Vec<Value>>,
    /// The paths of all tables.
    tables: BTreeSet<String>,
}

/// The only one.
pub(crate) fn dictionary() -> &'static Dictionary {
    static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
    DICTIONARY.get_or_init(Dictionary::new)
}

/// Plain data as TOML, which cannot fail.
pub(crate) fn value(plain: &impl Serialize) -> Value {
    Value::try_from(plain).unwrap_or_else(|_| Value::Table(Table::new()))
}

/// Plain data as a table of TOML.
pub(crate) fn table(plain: &impl Serialize) -> Table {
    match value(plain) {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}

fn values(all: &[impl Serialize]) -> Vec<Value> {
    all.iter().map(value).collect()
}

fn kinds(all: Vec<(Table, Table)>) -> Vec<Kind> {
    let kind = |(usual, full): (Table, Table)| {
        let name = full.get(KIND).and_then(Value::as_str).unwrap_or_default().to_owned();
        Kind { name, usual, full }
    };
    all.into_iter().map(kind).collect()
}

/// A task with every setting written.
fn full(task: &TaskSpec) -> Table {
    table(&task.with_memory(&[2, 3]).unwrap_or_else(|| task.clone()))
}

impl Dictionary {
    fn new() -> Self {
        let tasks = TaskSpec::all().iter().map(|task| (table(task), full(task))).collect();
        let same = |table: Table| (table.clone(), table);
        let schedules = Schedule::all();
        let schedules = schedules.iter().map(|schedule| same(table(schedule))).collect();
        let cells = Cell::ALL.iter().map(|cell| same(table(cell))).collect();
        let mut dictionary = Self {
            kinds: BTreeMap::from([
                ("task", kinds(tasks)),
                ("schedule", kinds(schedules)),
                ("network.cell", kinds(cells)),
            ]),
            variants: variants(),
            examples: BTreeMap::new(),
            tables: BTreeSet::new(),
        };
        dictionary.collect();
        dictionary
    }

    /// Fills the examples and the tables.
    fn collect(&mut self) {
        let mut all: Vec<(String, Value)> = Vec::new();
        all.extend(whole().into_iter().map(|whole| (String::new(), whole)));
        let kinds = self.kinds.iter().flat_map(|(path, kinds)| {
            kinds.iter().map(|kind| ((*path).to_owned(), Value::Table(kind.full.clone())))
        });
        let variants = self.variants.iter().flat_map(|(path, variants)| {
            variants.iter().map(|variant| (path.clone(), variant.clone()))
        });
        all.extend(kinds.chain(variants));
        for (path, example) in all {
            self.add(&path, example);
        }
    }

    fn add(&mut self, path: &str, example: Value) {
        match example {
            Value::Table(inner) => {
                self.tables.insert(path.to_owned());
                for (key, value) in inner {
                    self.add(&join(path, &key), value);
                }
            }
            leaf => {
                let examples = self.examples.entry(path.to_owned()).or_default();
                if !examples.contains(&leaf) {
                    examples.push(leaf);
                }
            }
        }
    }

    /// Whether there is such a key.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.examples.contains_key(path) || self.tables.contains(path)
    }

    /// Whether a table may stand there.
    pub(crate) fn has_table(&self, path: &str) -> bool {
        self.tables.contains(path)
    }

    /// What may stand there, besides tables.
    pub(crate) fn examples(&self, path: &str) -> &[Value] {
        self.examples.get(path).map_or(&[], Vec::as_slice)
    }

    /// Every key that leads to a value.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.examples.keys().map(String::as_str)
    }

    /// The names of the kinds of a table; `None` for one without kinds.
    pub(crate) fn kind_names(&self, path: &str) -> Option<Vec<&str>> {
        let kinds = self.kinds.get(path)?;
        Some(kinds.iter().map(|kind| kind.name.as_str()).collect())
    }

    /// A table of a kind when nothing else is said.
    pub(crate) fn usual(&self, path: &str, kind: &str) -> Option<&Table> {
        Some(&self.kind(path, kind)?.usual)
    }

    /// The keys of a kind of a table.
    pub(crate) fn keys_of_kind(&self, path: &str, kind: &str) -> Option<Vec<&str>> {
        Some(self.kind(path, kind)?.full.keys().map(String::as_str).collect())
    }

    fn kind(&self, path: &str, name: &str) -> Option<&Kind> {
        self.kinds.get(path)?.iter().find(|kind| kind.name == name)
    }

    /// The names of what may stand at a key that is one of several; `None` at other keys.
    pub(crate) fn variant_names(&self, path: &str) -> Option<Vec<&str>> {
        Some(self.variants.get(path)?.iter().map(variant_name).collect())
    }

    /// The numbers of a variant of which only some are said: the published ones of Adam, else none.
    pub(crate) fn variant_defaults(&self, path: &str, name: &str) -> Option<Table> {
        let is_adam = path == "optimiser.rule" && name == "adam";
        let rule = table(&Optimiser::adam().rule);
        rule.get(name).and_then(Value::as_table).filter(|_| is_adam).cloned()
    }

    /// Whether a variant is a word alone.
    pub(crate) fn is_word(&self, path: &str, name: &str) -> bool {
        let known = self.variants.get(path).map_or(&[][..], Vec::as_slice);
        known.iter().any(|variant| variant.as_str() == Some(name))
    }

    /// What may stand at a key, with an example.
    pub(crate) fn allowed(&self, path: &str) -> String {
        let mut allowed = if let Some(names) = self.kind_names(path) {
            format!(
                "{}; or a table with kind, for instance {path}.kind = \"{}\"",
                list(&names),
                names[0]
            )
        } else if let Some(names) = self.variant_names(path) {
            format!("{}, for instance {}", list(&names), self.assignment(path))
        } else if let Some(example) = self.examples(path).first() {
            format!("{}, for instance {example}", wanted(example))
        } else {
            format!("a table, for instance {}", self.assignment(path))
        };
        if OPTIONAL.contains(&path) || self.is_absent_or_table(path) {
            allowed.push_str("; or \"none\"");
        }
        allowed
    }

    /// Whether a key holds a table or the word "none": a bias.
    pub(crate) fn is_absent_or_table(&self, path: &str) -> bool {
        let word = |example: &Value| example.as_str() == Some(NONE);
        self.has_table(path) && self.examples(path).iter().any(word)
    }

    /// `path.key = example`, for the first key below a path.
    fn assignment(&self, path: &str) -> String {
        let below = |key: &&str| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let key = self.keys().find(below).unwrap_or(path);
        let example = self.examples(key).first().map_or_else(String::new, ToString::to_string);
        format!("{key} = {example}")
    }
}

pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn variant_name(variant: &Value) -> &str {
    match variant {
        Value::String(word) => word,
        Value::Table(table) => table.keys().next().map_or("", String::as_str),
        _ => "",
    }
}

/// Every value that is one of several, with an example of each.
fn variants() -> BTreeMap<String, Vec<Value>> {
    let data = [
        Data::Fresh { updates_per_epoch: 100, test_batches: 10 },
        Data::Fixed { trials: 1000, held_out: 100, data_seed: 1 },
    ];
    let stops = [Stop::LossBelow(0.001), Stop::AccuracyAbove(0.98)];
    let rules = [Rule::Sgd { learning_rate: 0.05, momentum: 0.1 }, Optimiser::adam().rule];
    let taus = [TimeConstants::Trainable { start: 1.0 }, TimeConstants::Fixed { value: 2.0 }];
    let placements =
        [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 10 }];
    let inits = [
        Init::Zero,
        Init::FanIn,
        Init::HiddenSize,
        Init::Uniform { bound: 0.1 },
        Init::Normal { sd: 0.1 },
        Init::NormalFanIn { gain: 1.0 },
        Init::Orthogonal { gain: 1.0 },
        Init::Glorot,
    ];
    let mut variants = BTreeMap::from([
        ("data".to_owned(), values(&data)),
        ("stop".to_owned(), values(&stops)),
        ("optimiser.rule".to_owned(), values(&rules)),
        ("network.cell.tau".to_owned(), values(&taus)),
        ("network.cell.placement".to_owned(), values(&placements)),
    ]);
    for array in table(&Arrays::of(&Cell::ALL[0])).keys() {
        variants.insert(format!("network.arrays.{array}.init"), values(&inits));
    }
    variants
}

/// A training that says everything, and one whose biases are absent.
fn whole() -> Vec<Value> {
    let Ok(mut spec) = TrainingSpec::plain(TaskSpec::parity(&[2]), 100, 1) else {
        return Vec::new();
    };
    (spec.stop, spec.keep_every, spec.steps_per_unit) =
        (Some(Stop::LossBelow(0.001)), Some(10), vec![10]);
    let mut absent = spec.clone();
    let arrays = &mut absent.network.arrays;
    (arrays.b_rec, arrays.b_in, arrays.readout_bias) = (None, None, None);
    values(&[spec, absent])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_with_what_may_stand_there() {
        let known = dictionary();
        check("batch_size", "a whole number, for instance 64");
        check("initial_state", "a number, for instance 0.0");
        check("keep_every", "a whole number, for instance 10; or \"none\"");
        check("network.cell.self_connections", "true or false, for instance false");
        check(
            "task",
            "parity, dms, pulse, flip-flop; or a table with kind, for instance task.kind = \"parity\"",
        );
        check("network.cell.tau.fixed", "a table, for instance network.cell.tau.fixed.value = 2.0");
        check("data", "fresh, fixed, for instance data.fixed.data_seed = 1");
        assert!(known.has("task.gap") && known.has("task.n") && known.has("schedule.heads"));
        assert!(known.has("network.arrays.w_rec.init.orthogonal.gain"));
        assert!(known.is_absent_or_table("network.arrays.b_in"));
        assert!(!known.is_absent_or_table("network.arrays.w_in"));
        assert!(!known.has("network.cel"));
        fn check(path: &str, expected: &str) {
            assert_eq!(dictionary().allowed(path), expected, "{path}");
        }
    }
}
