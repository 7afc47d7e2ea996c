//! What a person writes to define a run: a base by name, and what differs from it.
//!
//! ```toml
//! task = "flip-flop"          # or a table: task = { kind = "flip-flop", gap = 30 }
//! seed = 1                    # or "random", which is drawn and written back
//! stop.loss_below = 0.001
//! [network]
//! hidden_size = 50
//! cell = { kind = "leaky", activation = "tanh" }
//! ```

mod canonical;
mod choice;
mod dictionary;
mod fault;
mod lines;
mod overlay;
mod reader;
#[cfg(test)]
mod tests;
mod words;

use rand_core::{OsRng, TryRngCore};
use tau_training::TrainingSpec;
use toml::{Table, Value};

pub(crate) use canonical::canonical;
pub use canonical::{spec_differences, spec_values};
pub(crate) use fault::Fault;
pub use lines::Place;
pub(crate) use lines::Text;
pub(crate) use words::parsed;

use crate::{Base, Error, format};
use dictionary::{join, table};

/// Tables that may stand in one another; the language has six.
const DEEPEST: usize = 8;

/// A spec from its text and `sets`, pairs of a dotted key and a value that go before the text.
///
/// The text names a base (`base = "NAME"`, one of `bases` or `plain`) and says what differs from it.
/// Without a name it begins from the first base that fits its task and has its cell, else the first
/// that fits its task, else `plain`, which is [`TrainingSpec::plain`] with 100 neurons. A seed that is
/// not given, or given as `"random"`, is drawn.
///
/// # Errors
/// [`Error::is_spec`]: a text that is no TOML, an unknown key, a value of the wrong kind or out of
/// range, each with the line and the remedy.
pub fn read_spec(
    text: &str,
    sets: &[(String, String)],
    bases: &[Base],
) -> Result<TrainingSpec, Error> {
    let mut text = Text::parse(text)?;
    for (key, said) in sets {
        let value = parsed(said).unwrap_or_else(|| Value::String(said.clone()));
        set(&mut text, key, value, Some(Place::Set))?;
    }
    let drawn = text.table.get("seed").is_none_or(|seed| seed.as_str() == Some("random"));
    if drawn {
        text.table.insert("seed".to_owned(), Value::Integer(random_seed()));
    }
    Ok(resolve(&text, bases)?)
}

/// A spec that says everything, as [`write`] wrote it.
pub(crate) fn read_resolved(text: &str) -> Result<TrainingSpec, Fault> {
    let text = Text::parse(text)?;
    let read = || -> Result<TrainingSpec, Fault> {
        let mut table = text.table.clone();
        take_format(&mut table, true)?;
        let spec: TrainingSpec = reader::read(&table)?;
        spec.check().map_err(|error| Fault::new(error.to_string()))?;
        Ok(spec)
    };
    read().map_err(|fault| located(fault, &text, |_| false))
}

/// All of a spec, as TOML.
pub(crate) fn write(spec: &TrainingSpec) -> Result<String, Error> {
    let text = toml::to_string(spec).map_err(|error| Fault::new(error.to_string()))?;
    Ok(format!("{} = {}\n{text}", format::KEY, format::FORMAT))
}

/// Puts a value at a dotted key, as if the text had said it at this place.
pub(crate) fn set(
    text: &mut Text,
    key: &str,
    value: Value,
    place: Option<Place>,
) -> Result<(), Fault> {
    if key.matches('.').count() > DEEPEST {
        let start: String = key.chars().take(40).collect();
        let allowed = format!("at most {DEEPEST} dots in a key");
        return Err(Fault::value("key", format!("{start} ..."), allowed).at(place));
    }
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (inner, value) in table {
                set(text, &join(key, &inner), value, place)?;
            }
            Ok(())
        }
        value => {
            text.say(key, place, value.to_string());
            insert(&mut text.table, "", key, value).map_err(|fault| fault.at(place))
        }
    }
}

/// Puts a value at a dotted key. A name at a table with a kind is its kind; of values that are one of
/// several, a new one takes the place of the one that was there.
fn insert(table: &mut Table, prefix: &str, key: &str, value: Value) -> Result<(), Fault> {
    let kind = |name: String| Table::from_iter([(dictionary::KIND.to_owned(), name.into())]);
    let known = dictionary::dictionary();
    let (first, rest) =
        key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let path = join(prefix, first);
    let Some(rest) = rest else {
        match (table.get_mut(first), value) {
            (Some(Value::Table(inner)), Value::String(name))
                if known.kind_names(&path).is_some() =>
            {
                inner.extend(kind(name));
            }
            (_, value) => drop(table.insert(first.to_owned(), value)),
        }
        return Ok(());
    };
    let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
    if let Value::String(name) = inner {
        if known.kind_names(&path).is_some() {
            *inner = Value::Table(kind(name.clone()));
        } else if known.has_table(&path) {
            *inner = Value::Table(Table::new());
        }
    }
    match inner {
        Value::Table(inner) => {
            let variant = rest.split('.').next().unwrap_or(rest);
            if known.variant_names(&path).is_some() {
                inner.retain(|name, _| name == variant);
            }
            insert(inner, &path, rest, value)
        }
        other => Err(Fault::value(&path, other, format!("a table, since {path}.{rest} is set"))),
    }
}

/// Takes the format out of a table and checks it.
fn take_format(table: &mut Table, required: bool) -> Result<(), Fault> {
    let said = table.remove(format::KEY);
    if said.is_none() && !required {
        return Ok(());
    }
    let text = said.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    format::check(said.and_then(|said| said.as_integer()), text)
        .map_err(|message| Fault::of(format::KEY, message))
}

/// The whole spec of a text that says some of it, and has a seed.
pub(crate) fn resolve(text: &Text, bases: &[Base]) -> Result<TrainingSpec, Fault> {
    attempt(text, bases)
        .map_err(|fault| located(fault, text, |without| attempt(without, bases).is_ok()))
}

fn attempt(text: &Text, bases: &[Base]) -> Result<TrainingSpec, Fault> {
    let mut said = text.table.clone();
    take_format(&mut said, false)?;
    overlay::names_as_tables(&mut said)?;
    let base = said.remove("base");
    overlay::check_keys(text, &said, "")?;
    let mut whole = table(&choice::choose(base.as_ref(), &said, bases)?);
    overlay::replace_kinds(&mut whole, &said)?;
    overlay::add_biases(&mut whole, &said);
    overlay::overlay(&mut whole, &said, "")?;
    let mut spec: TrainingSpec = reader::read(&whole)?;
    if overlay::get(&said, "network.input_size").is_none()
        && let Ok(task) = spec.task.with_memory(&[2]).unwrap_or_else(|| spec.task.clone()).build()
    {
        spec.network.input_size = task.shape().channels;
    }
    spec.check().map_err(|error| Fault::new(error.to_string()))?;
    Ok(spec)
}

/// A fault with the key that is to blame, and its place. `is_well` says whether a text is a spec.
fn located(mut fault: Fault, text: &Text, is_well: impl Fn(&Text) -> bool) -> Fault {
    if fault.key.is_none() {
        fault.key = blamed(&fault.message, text, is_well);
        if let Some(key) = &fault.key {
            fault.message = with_key(key, &fault.message);
        }
    }
    let place = fault.key.as_deref().and_then(|key| text.place(key));
    Fault { place: fault.place.or(place), ..fault }
}

/// The key that a message is about: the one that it names, else the first without which all is well.
fn blamed(message: &str, text: &Text, is_well: impl Fn(&Text) -> bool) -> Option<String> {
    let leaves = text.leaves();
    let named =
        |key: &&String| message.strip_prefix(key.as_str()).is_some_and(|m| m.starts_with(':'));
    let last = |key: &&String| {
        let last = key.rsplit('.').next().unwrap_or(key);
        message.strip_prefix(last).is_some_and(|rest| rest.starts_with(':'))
    };
    if let Some(key) = leaves.iter().find(named) {
        return Some(key.clone());
    }
    let mut ends: Vec<&String> = leaves.iter().filter(last).collect();
    if let (Some(key), true) = (ends.pop(), ends.is_empty()) {
        return Some(key.clone());
    }
    leaves.into_iter().find(|key| is_well(&text.without(key)))
}

/// The message with the whole key at its beginning.
fn with_key(key: &str, message: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    if message.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) {
        return message.to_owned();
    }
    match message.strip_prefix(last) {
        Some(rest) if rest.starts_with(':') => format!("{key}{rest}"),
        _ => format!("{key}: {message}"),
    }
}

/// A seed from the system; positive and short enough to be read aloud.
fn random_seed() -> i64 {
    // A system without randomness has a clock.
    let number = OsRng.try_next_u32().unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.subsec_nanos())
    });
    i64::from(number)
}
