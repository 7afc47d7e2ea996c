//! What a person writes to define a run: a few keys, the others as published.
//!
//! ```toml
//! task = "parity"
//! curriculum = "multi-head"
//! seed = 1                    # or "random", which is drawn and written back
//! [network]
//! hidden_size = 64
//! cell = "lstm"               # or "gru", "leaky": what is not said is as published for it
//! ```

use rand_core::{OsRng, TryRngCore};
use tau_curricula::{Curriculum, TrainingSpec};
use tau_rnn::Cell;
use tau_tasks::TaskKind;
use toml::{Table, Value};

use crate::Error;

/// Of the language of specs and sweeps.
pub(crate) const VERSION: i64 = 1;
/// Keys whose table names a variant: another variant replaces it whole.
const VARIANTS: [&str; 2] = ["network.tau", "optimiser.rule"];
/// Tables that may stand in one another; the language has three.
const DEEPEST: usize = 8;
/// The key that decides what is published.
const CELL: &str = "network.cell";
/// The key that a training in continuous time has.
const TIME_STEPS: &str = "steps_per_unit";
/// Neurons, unless said otherwise.
const PUBLISHED_SIZE: usize = 500;

/// A spec from its text and `sets`, pairs of a dotted key and a value that go before the text. What
/// is not said is as published for its cell: leaky, parity, multi-head, 500 neurons; a seed that is
/// not given, or given as `"random"`, is drawn.
///
/// # Errors
/// [`Error::UnknownKey`], [`Error::Value`], [`Error::Toml`]; values out of range.
pub fn read_spec(text: &str, sets: &[(String, String)]) -> Result<TrainingSpec, Error> {
    let mut table = parse(text)?;
    for (key, value) in sets {
        insert(&mut table, key, value_of(value))?;
    }
    resolve(table)
}

/// A spec that says everything, as [`write`] wrote it.
pub(crate) fn read_resolved(text: &str) -> Result<TrainingSpec, Error> {
    let mut table = parse(text)?;
    check_version(&mut table)?;
    let spec: TrainingSpec = table.try_into().map_err(toml_error)?;
    spec.check()?;
    Ok(spec)
}

/// All of a spec, as TOML.
pub(crate) fn write(spec: &TrainingSpec) -> Result<String, Error> {
    toml::to_string(spec).map_err(|error| Error::Toml(error.to_string()))
}

pub(crate) fn parse(text: &str) -> Result<Table, Error> {
    text.parse().map_err(toml_error)
}

fn toml_error(error: toml::de::Error) -> Error {
    Error::Toml(error.to_string().trim_end().to_owned())
}

/// `64`, `0.5`, `true`, `[1, 2]` are what they are in TOML; anything else is a text.
fn value_of(text: &str) -> Value {
    let parsed: Option<Table> = format!("value = {text}").parse().ok();
    let value = parsed.and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a value at a dotted key.
pub(crate) fn insert(table: &mut Table, key: &str, value: Value) -> Result<(), Error> {
    if key.matches('.').count() > DEEPEST {
        let start: String = key.chars().take(40).collect();
        let allowed = format!("at most {DEEPEST} dots in a key");
        return Err(Error::Value { key: "key".to_owned(), value: format!("{start} ..."), allowed });
    }
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => insert(inner, rest, value),
                other => Err(Error::Value {
                    key: first.to_owned(),
                    value: other.to_string(),
                    allowed: format!("a table, since {key} is set"),
                }),
            }
        }
    }
}

/// Takes the version out; a newer one is not for this program.
fn check_version(table: &mut Table) -> Result<(), Error> {
    match table.remove("version") {
        None => Ok(()),
        Some(Value::Integer(version)) if (1..=VERSION).contains(&version) => Ok(()),
        Some(version) => Err(Error::Value {
            key: "version".to_owned(),
            value: version.to_string(),
            allowed: format!("1 to {VERSION}; a newer tau wrote it: use that one"),
        }),
    }
}

/// The whole spec of a table that says some of it.
pub(crate) fn resolve(mut table: Table) -> Result<TrainingSpec, Error> {
    check_version(&mut table)?;
    let drawn = table.get("seed").is_none_or(|seed| seed.as_str() == Some("random"));
    if drawn {
        table.insert("seed".to_owned(), Value::Integer(random_seed()));
    }
    let cell = said_cell(&table);
    let (task, curriculum) = (TaskKind::Parity, Curriculum::MultiHead);
    let paper = TrainingSpec::paper_cell(cell, task, curriculum, PUBLISHED_SIZE, 0);
    let mut published = Table::try_from(&paper).map_err(|error| Error::Toml(error.to_string()))?;
    // The leaky cell and no time steps are not written, and are known keys nevertheless.
    insert(&mut published, CELL, Value::String(cell.to_string()))?;
    insert(&mut published, TIME_STEPS, Value::Array(Vec::new()))?;
    let known = keys(&published, "");
    let mut whole = published;
    overlay(&mut whole, table, "", &known)?;
    let spec: TrainingSpec = whole.try_into().map_err(toml_error)?;
    spec.check()?;
    Ok(spec)
}

/// The cell that the table names. Whatever is no cell is met when the whole table is read.
fn said_cell(table: &Table) -> Cell {
    let (network, key) = CELL.split_once('.').unwrap_or_default();
    let said = table.get(network).and_then(|network| network.get(key)).and_then(Value::as_str);
    said.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// From the system; positive and short enough to be read aloud.
fn random_seed() -> i64 {
    // A system without randomness has a clock.
    let number = OsRng.try_next_u32().unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.subsec_nanos())
    });
    i64::from(number)
}

/// All dotted keys that lead to values.
pub(crate) fn keys(table: &Table, prefix: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => all.extend(keys(inner, &format!("{path}."))),
            _ => all.push(path),
        }
    }
    all
}

/// Lays what was said over what is published.
fn overlay(base: &mut Table, said: Table, prefix: &str, known: &[String]) -> Result<(), Error> {
    for (key, value) in said {
        let path = format!("{prefix}{key}");
        if value.as_str() == Some("none") && base.contains_key(&key) && path.ends_with("clip_norm")
        {
            base.remove(&key);
            continue;
        }
        match (base.get_mut(&key), value) {
            (None, _) => return Err(unknown(path, known)),
            (Some(Value::Table(base)), Value::Table(said)) => {
                let other_variant = said.keys().any(|variant| !base.contains_key(variant));
                if VARIANTS.contains(&path.as_str()) && other_variant {
                    *base = said;
                } else {
                    overlay(base, said, &format!("{path}."), known)?;
                }
            }
            (Some(base), value) => *base = value,
        }
    }
    Ok(())
}

/// The error for a key, with the known one that is most like it: as a whole, or by its last part.
pub(crate) fn unknown(key: String, known: &[String]) -> Error {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |other: &&String| {
        let whole = strsim::normalized_damerau_levenshtein(&key, other);
        whole.max(strsim::normalized_damerau_levenshtein(&last(&key), &last(other)))
    };
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Error::UnknownKey { nearest: nearest.cloned().unwrap_or_default(), key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_rnn::Rule;

    #[test]
    fn what_is_not_said_is_as_published() {
        let spec = read_spec("seed = 7", &[]).unwrap();
        assert_eq!(spec, TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 500, 7));
        let spec = read_spec("seed = 7\n[network]\nhidden_size = 64", &[]).unwrap();
        assert_eq!(spec, TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 64, 7));
        assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
    }

    #[test]
    fn sets_go_before_the_text() {
        let sets = [("network.hidden_size", "20"), ("task", "dms"), ("n_end", "5"), ("seed", "3")];
        let sets = sets.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let spec = read_spec("seed = 7\nn_end = 9", &sets).unwrap();
        assert_eq!((spec.network.hidden_size, spec.n_end, spec.seed), (20, 5, 3));
        assert_eq!(spec.task, TaskKind::Dms);
    }

    #[test]
    fn another_variant_replaces_the_published_one() {
        let text = "seed = 1\n[optimiser]\nclip_norm = \"none\"\n[optimiser.rule.sgd]\nlearning_rate = 0.5";
        let spec = read_spec(text, &[]).unwrap();
        assert_eq!(spec.optimiser.rule, Rule::Sgd { learning_rate: 0.5, momentum: 0.1 });
        assert_eq!(spec.optimiser.clip_norm, None);
        let adam = "beta1 = 0.9\nbeta2 = 0.99\nepsilon = 1e-6\ndecay = 0.0";
        let text = format!("seed = 1\n[optimiser.rule.adam]\nlearning_rate = 0.5\n{adam}");
        assert!(matches!(read_spec(&text, &[]).unwrap().optimiser.rule, Rule::Adam { .. }));
    }

    #[test]
    fn what_is_not_said_of_a_gated_network_is_as_published_for_it() {
        let paper = |cell, hidden_size| {
            TrainingSpec::paper_cell(cell, TaskKind::Parity, Curriculum::MultiHead, hidden_size, 7)
        };
        let spec = read_spec("seed = 7\nnetwork.cell = \"lstm\"", &[]).unwrap();
        assert_eq!(spec, paper(Cell::Lstm, 500));
        let sets = [("network.cell", "gru"), ("network.hidden_size", "32")];
        let sets = sets.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let spec = read_spec("seed = 7", &sets).unwrap();
        assert_eq!(spec, paper(Cell::Gru, 32));
        assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
        let spec = read_spec("seed = 7\nnetwork.cell = \"leaky\"", &[]).unwrap();
        assert_eq!(spec, paper(Cell::Leaky, 500));
        let text = "seed = 1\nnetwork.cell = \"lstm\"\nbatch_size = 8\nmax_epochs = 3";
        let spec = read_spec(text, &[]).unwrap();
        assert_eq!((spec.batch_size, spec.max_epochs, spec.updates_per_epoch), (8, 3, 300));
    }

    #[test]
    fn a_training_in_continuous_time_says_at_which_time_steps() {
        let text = "seed = 7\nsteps_per_unit = [7, 8, 9, 10]\n\
                    [network.placement.continuous]\nsteps_per_unit = 10";
        let paper = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 500, 7);
        let spec = read_spec(text, &[]).unwrap();
        assert_eq!(spec, paper.in_continuous_time(&[7, 8, 9, 10]));
        assert_eq!(read_resolved(&write(&spec).unwrap()).unwrap(), spec);
        let sets = [("network.placement.continuous.steps_per_unit", "3"), ("seed", "1")];
        let sets = sets.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read_spec("", &sets).unwrap().time_steps(), [3]);
        let own = read_spec("steps_per_unit = [7, 8]\n", &sets).unwrap_err().to_string();
        assert!(own.starts_with("steps_per_unit: 3 (allowed: for the network: one of"), "{own}");
        let whole = read_spec("steps_per_unit = [7, 8]", &[]).unwrap_err().to_string();
        assert!(whole.starts_with("steps_per_unit: 7 (allowed: none, unless"), "{whole}");
    }

    /// A digest of this text names the folder of a run.
    #[test]
    fn the_text_of_a_published_spec_is_what_it_was_before_there_were_gated_cells() {
        let spec = TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, 500, 7);
        let text = "seed = 7\ntask = \"parity\"\ncoding = \"bits\"\ncurriculum = \"multi-head\"\n\
                    n_start = 2\nn_end = 101\nmax_epochs = 1000\nupdates_per_epoch = 600\n\
                    batch_size = 256\ntest_batches = 50\nsuccess_accuracy = 0.98\n\
                    initial_state = 0.1\n\n[network]\nhidden_size = 500\ninput_size = 1\n\
                    placement = \"whole\"\nactivation = \"leaky-relu\"\nself_connections = false\n\n\
                    [network.tau.trainable]\nstart = 1.0\n\n[optimiser]\nclip_norm = 2.0\n\n\
                    [optimiser.rule.sgd]\nlearning_rate = 0.05\nmomentum = 0.1\n";
        assert_eq!(write(&spec).unwrap(), text);
    }

    #[test]
    fn seeds_are_drawn_and_differ() {
        let seeds: Vec<u64> =
            ["", "seed = \"random\"", ""].map(|text| read_spec(text, &[]).unwrap().seed).into();
        assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2], "{seeds:?}");
    }

    #[test]
    fn mistakes_are_named_with_what_was_meant() {
        check("sede = 1", "unknown key: sede (did you mean seed?)");
        check(
            "[network]\nhidden_sizes = 4",
            "unknown key: network.hidden_sizes (did you mean network.hidden_size?)",
        );
        check("hidden_size = 4", "unknown key: hidden_size (did you mean network.hidden_size?)");
        check("version = 2", "version: 2 (allowed: 1 to 1; a newer tau wrote it: use that one)");
        check("network.cel = \"gru\"", "unknown key: network.cel (did you mean network.cell?)");
        check("network.cell = \"rnn\"", "unknown variant `rnn`, expected one of `leaky`, `lstm`");
        check("network.cell = 3", "invalid type");
        check(
            "[network]\ncell = \"gru\"\nplacement = \"drive\"",
            "placement: drive (allowed for gru: whole;",
        );
        check("initial_state = 0.1\nnetwork.cell = \"gru\"", "initial_state: 0.1 (allowed: 0 for");
        check("batch_size = 0", "batch_size: 0 (allowed: 1 to 4294967295)");
        check("batch_size = \"many\"", "invalid type: string \"many\", expected usize");
        check("task = ", "TOML parse error at line 1");
        check("n_end = 1", "n_end: 1 (allowed: n_start = 2 or more)");
        check(
            "[network.tau.fixed]\nvalue = 5\nvalue_of = 6",
            "unknown field `value_of`, expected `value`",
        );
        check(
            "[optimiser.rule.adam]\nlearning_rates = 1",
            "unknown field `learning_rates`, expected one of `learning_rate`, `beta1`",
        );
        check("seed = -1", "invalid value: integer `-1`, expected u64");
        fn check(text: &str, expected: &str) {
            let error = read_spec(text, &[]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
