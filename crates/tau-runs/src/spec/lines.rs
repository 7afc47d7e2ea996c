//! A text in TOML, with the place where each of its values stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::fault::Fault;

/// Where a value of a spec was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the text; lines and columns are counted from 1.
    Line {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// Among the values that go before the text (`--set` of the program).
    Set,
}

/// Where a value was said, and its text there.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    place: Place,
    raw: String,
}

/// A table, with the place of every key by its dotted path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) table: Table,
    said: BTreeMap<String, Said>,
}

impl Text {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let spans = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        let table: Table = text.parse().map_err(|error| syntax(text, &error))?;
        let mut said = BTreeMap::new();
        note(spans.get_ref(), "", text, &mut said);
        Ok(Self { table, said })
    }

    /// The place of a key; of one that was not said, that of the innermost table around it.
    pub(crate) fn place(&self, path: &str) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(said) = self.said.get(path) {
                return Some(said.place);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    /// A value as it was written.
    pub(crate) fn raw(&self, path: &str) -> Option<&str> {
        self.said.get(path).map(|said| said.raw.as_str())
    }

    /// The paths of everything that is no table, in the order of the text.
    pub(crate) fn leaves(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        collect(&self.table, "", &mut leaves);
        let position = |path: &String| match self.place(path) {
            Some(Place::Line { line, column }) => (line, column),
            Some(Place::Set) | None => (0, 0),
        };
        leaves.sort_by_key(position);
        leaves
    }

    /// The text without one value.
    pub(crate) fn without(&self, path: &str) -> Self {
        let mut rest = self.clone();
        remove(&mut rest.table, path);
        rest
    }

    /// A value was said at a place that is not its own: by `--set`, or in a grid.
    pub(crate) fn say(&mut self, path: &str, place: Option<Place>, raw: String) {
        match place {
            Some(place) => drop(self.said.insert(path.to_owned(), Said { place, raw })),
            None => drop(self.said.remove(path)),
        }
    }
}

/// Notes where every key of a table stands.
fn note(table: &DeTable<'_>, prefix: &str, text: &str, said: &mut BTreeMap<String, Said>) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        let raw = text.get(value.span()).unwrap_or_default().to_owned();
        let span =
            if matches!(value.get_ref(), DeValue::Table(_)) { key.span() } else { value.span() };
        said.insert(path.clone(), Said { place: place(text, span), raw });
        if let DeValue::Table(inner) = Spanned::get_ref(value) {
            note(inner, &format!("{path}."), text, said);
        }
    }
}

fn place(text: &str, span: Range<usize>) -> Place {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Place::Line { line, column }
}

/// The error of a text that is no TOML.
fn syntax(text: &str, error: &toml::de::Error) -> Fault {
    let place = error.span().map(|span| place(text, span));
    let message = error.message().replace('\n', ", ");
    let allowed = if message.contains("extend value of type string") {
        "a table in place of the name, for instance task = { kind = \"parity\", n = [3] }"
    } else {
        "lines of key = value, for instance seed = 1"
    };
    Fault::new(format!("no TOML: {message} (allowed: {allowed})")).at(place)
}

fn collect(table: &Table, prefix: &str, leaves: &mut Vec<String>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => collect(inner, &format!("{path}."), leaves),
            _ => leaves.push(path),
        }
    }
}

fn remove(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => drop(table.remove(path)),
        Some((first, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(first) {
                remove(inner, rest);
                if inner.is_empty() {
                    table.remove(first);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line_and_its_text() {
        let text = "# a spec\nseed = 1_000\n\"τ\".x = 2 # two\n[network]\n hidden_size = 0x10\n\
                    cell = { kind = \"gru\" }\n";
        let read = Text::parse(text).unwrap();
        let at = |line, column| Some(Place::Line { line, column });
        assert_eq!(read.place("seed"), at(2, 8));
        assert_eq!(read.place("network.hidden_size"), at(5, 16));
        assert_eq!(read.place("network.cell.kind"), at(6, 17));
        // Of what was not said, the place of the table.
        assert_eq!(read.place("network.cell.activation"), at(6, 1));
        assert_eq!(read.place("batch_size"), None);
        assert_eq!(read.raw("seed"), Some("1_000"));
        assert_eq!(read.raw("network.hidden_size"), Some("0x10"));
        assert_eq!(read.leaves(), ["seed", "τ.x", "network.hidden_size", "network.cell.kind"]);
        let rest = read.without("network.cell.kind");
        assert_eq!(rest.leaves(), ["seed", "τ.x", "network.hidden_size"]);
    }
}
