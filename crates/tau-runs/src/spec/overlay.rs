//! What was said, laid over a base.

use tau_curricula::Schedule;
use tau_rnn::{Arrays, Cell};
use toml::{Table, Value};

use super::dictionary::{KIND, KINDS, NONE, OPTIONAL, dictionary, join, table};
use super::fault::{Fault, nearest};
use super::lines::Text;
use super::words::{is_like, kind, list, meant};

/// Puts `kind = NAME` where only a name was said: `task = "parity"`. Names that say more than a kind
/// (`sliding-10-5`, and those of the authors' files) become what they say.
pub(crate) fn names_as_tables(said: &mut Table) -> Result<(), Fault> {
    for path in KINDS {
        let Some(value) = find(said, path) else { continue };
        if let Value::String(name) = value {
            *value = Value::Table(Table::from_iter([(KIND.to_owned(), name.as_str().into())]));
        }
        let Value::Table(inner) = value else { continue };
        let Some(Value::String(name)) = inner.get(KIND).cloned() else { continue };
        for (key, value) in named(path, &name)? {
            if key == KIND || !inner.contains_key(&key) {
                inner.insert(key, value);
            }
        }
    }
    Ok(())
}

/// What a name says: its kind, and of a window its size.
fn named(path: &str, name: &str) -> Result<Table, Fault> {
    let known = dictionary().kind_names(path).unwrap_or_default();
    if known.contains(&name) {
        return Ok(Table::from_iter([(KIND.to_owned(), name.into())]));
    }
    let key = join(path, KIND);
    if path != "schedule" {
        return Err(Fault::value(&key, format!("{name:?}"), list(known)));
    }
    match name.parse::<Schedule>() {
        Ok(schedule) => {
            let mut said = table(&schedule);
            for key in ["n_start", "n_end"] {
                said.remove(key);
            }
            Ok(said)
        }
        Err(error) => Err(Fault::of(&key, format!("{key}: {error}"))),
    }
}

/// Checks that every key is known, and that its value is of the right kind.
pub(crate) fn check_keys(text: &Text, said: &Table, prefix: &str) -> Result<(), Fault> {
    for (key, value) in said {
        let path = join(prefix, key);
        if !dictionary().has(&path) {
            return Err(unknown(&path, dictionary().keys()));
        }
        match value {
            Value::Table(inner) if dictionary().has_table(&path) => {
                check_keys(text, inner, &path)?;
            }
            value if may_stand(&path, value) => {}
            value => return Err(wrong_kind(text, &path, value)),
        }
    }
    Ok(())
}

/// The error of a key that nobody knows.
pub(crate) fn unknown<'a>(path: &str, known: impl IntoIterator<Item = &'a str>) -> Fault {
    let nearest = nearest(path, known).unwrap_or_default();
    Fault::of(path, format!("unknown key: {path} (did you mean {nearest}?)"))
}

/// Whether something that is no table may stand at a key; which words may is seen later.
fn may_stand(path: &str, value: &Value) -> bool {
    let word = value.as_str();
    let is_one_of_several = dictionary().variant_names(path).is_some();
    dictionary().examples(path).iter().any(|example| is_like(value, example))
        || (word.is_some() && is_one_of_several)
        || (word == Some(NONE) && OPTIONAL.contains(&path))
}

fn wrong_kind(text: &Text, path: &str, value: &Value) -> Fault {
    let raw = match (value, text.raw(path)) {
        (Value::Table(_), _) => String::new(),
        (_, Some(raw)) => format!("{raw}, "),
        (_, None) => format!("{value}, "),
    };
    let meant = dictionary().examples(path).iter().find_map(|example| meant(value, example));
    let allowed = match (meant, dictionary().examples(path).first()) {
        (Some(meant), Some(example)) => {
            format!("{}, for instance {meant}", super::words::wanted(example))
        }
        _ => dictionary().allowed(path),
    };
    Fault::value(path, format!("{raw}{}", kind(value)), allowed)
}

/// A table whose kind differs from that of the base replaces it whole; a new cell has the arrays that
/// are usual for it, and one with gates begins with zeros.
pub(crate) fn replace_kinds(base: &mut Table, said: &Table) -> Result<(), Fault> {
    for path in KINDS {
        let Some(Value::Table(new)) = get(said, path) else { continue };
        let name = |table: &Value| Some(table.get(KIND)?.as_str()?.to_owned());
        let before = get(base, path).and_then(name);
        let after = new.get(KIND).and_then(Value::as_str).map(str::to_owned).or(before.clone());
        let Some(after) = after else {
            let names = list(dictionary().kind_names(path).unwrap_or_default());
            return Err(Fault::value(&join(path, KIND), NONE, names));
        };
        check_keys_of_kind(path, &after, new)?;
        if before.as_ref() == Some(&after) {
            continue;
        }
        if let Some(usual) = dictionary().usual(path, &after) {
            put(base, path, Value::Table(usual.clone()));
        }
        if let ("network.cell", Ok(cell)) = (path, after.parse::<Cell>()) {
            put(base, "network.arrays", Value::Table(table(&Arrays::of(&cell))));
            if cell.leaky().is_none() {
                put(base, "initial_state", Value::Float(0.0));
                base.remove("steps_per_unit");
            }
        }
    }
    Ok(())
}

fn check_keys_of_kind(path: &str, name: &str, said: &Table) -> Result<(), Fault> {
    let known = dictionary().keys_of_kind(path, name).unwrap_or_default();
    let Some(key) = said.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let path_of_key = join(path, key);
    let allowed = list(known.iter().filter(|known| **known != KIND));
    let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed };
    let message =
        format!("unknown key: {path_of_key} (allowed with {path}.{KIND} = \"{name}\": {allowed})");
    Err(Fault::of(&path_of_key, message))
}

/// Biases that the base does not have, and of which something is said, begin as is usual for the cell.
pub(crate) fn add_biases(base: &mut Table, said: &Table) {
    let Some(Value::Table(arrays)) = get(said, "network.arrays") else { return };
    let kind = get(base, "network.cell").and_then(|cell| cell.get(KIND)).and_then(Value::as_str);
    let Some(Ok(cell)) = kind.map(str::parse::<Cell>) else { return };
    let usual = table(&Arrays::of(&cell));
    for (key, _) in arrays.iter().filter(|(_, value)| value.is_table()) {
        let path = join("network.arrays", key);
        if let (Some(usual), false) =
            (usual.get(key), get(base, &path).is_some_and(Value::is_table))
        {
            put(base, &path, usual.clone());
        }
    }
}

/// Lays what was said over the base.
pub(crate) fn overlay(base: &mut Table, said: &Table, prefix: &str) -> Result<(), Fault> {
    for (key, value) in said {
        let path = join(prefix, key);
        if value.as_str() == Some(NONE) && OPTIONAL.contains(&path.as_str()) {
            base.remove(key);
        } else if let Some(names) = dictionary().variant_names(&path) {
            let new = variant(base.get(key), value, &path, &names)?;
            base.insert(key.clone(), new);
        } else if let Value::Table(inner) = value {
            let mut table = match base.remove(key) {
                Some(Value::Table(table)) => table,
                _ => Table::new(),
            };
            overlay(&mut table, inner, &path)?;
            base.insert(key.clone(), Value::Table(table));
        } else {
            base.insert(key.clone(), value.clone());
        }
    }
    Ok(())
}

/// A value that is one of several, laid over the one that was there: a different one replaces it.
fn variant(base: Option<&Value>, said: &Value, path: &str, names: &[&str]) -> Result<Value, Fault> {
    let one = |name: &str, inner| Value::Table(Table::from_iter([(name.to_owned(), inner)]));
    match said {
        Value::String(name) if dictionary().is_word(path, name) => Ok(said.clone()),
        Value::String(name) => match dictionary().variant_defaults(path, name) {
            Some(defaults) => Ok(one(name, Value::Table(defaults))),
            None => Err(Fault::value(path, format!("{name:?}"), dictionary().allowed(path))),
        },
        Value::Table(table) => {
            let mut said = table.iter();
            let (Some((name, inner)), None) = (said.next(), said.next()) else {
                let found =
                    if table.is_empty() { "nothing".to_owned() } else { list(table.keys()) };
                return Err(Fault::value(path, found, format!("one of {}", list(names))));
            };
            let Value::Table(inner) = inner else { return Ok(one(name, inner.clone())) };
            let mut whole = match base.and_then(|base| base.get(name)) {
                Some(Value::Table(base)) => base.clone(),
                _ => dictionary().variant_defaults(path, name).unwrap_or_default(),
            };
            overlay(&mut whole, inner, &join(path, name))?;
            Ok(one(name, Value::Table(whole)))
        }
        other => Err(Fault::value(path, kind(other), dictionary().allowed(path))),
    }
}

/// The value at a dotted path.
pub(crate) fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((first, rest)) => get(table.get(first)?.as_table()?, rest),
    }
}

fn find<'a>(table: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    match path.split_once('.') {
        None => table.get_mut(path),
        Some((first, rest)) => find(table.get_mut(first)?.as_table_mut()?, rest),
    }
}

/// Puts a value at a dotted path, below tables.
pub(crate) fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(table.insert(path.to_owned(), value)),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
