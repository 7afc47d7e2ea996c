//! What is wrong with a spec.

use std::fmt;

use super::lines::Place;

/// What is wrong with a spec, with the key and the place if they are known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// Dotted path of the key that is to blame.
    pub(crate) key: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { key: None, place: None, message: message.into() }
    }

    /// `key: value (allowed: …)`.
    pub(crate) fn value(key: &str, value: impl fmt::Display, allowed: impl fmt::Display) -> Self {
        Self::of(key, format!("{key}: {value} (allowed: {allowed})"))
    }

    /// A message about a key.
    pub(crate) fn of(key: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), ..Self::new(message) }
    }

    pub(crate) fn at(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place::Line { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The key of `known` that is most like a key: as a whole, or by its last part.
pub(crate) fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |other: &&str| {
        let whole = strsim::normalized_damerau_levenshtein(key, other);
        whole.max(strsim::normalized_damerau_levenshtein(&last(key), &last(other)))
    };
    known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}
