//! From TOML to plain data, with errors in our words instead of those of serde.

use std::fmt::Display;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

use super::dictionary::{dictionary, join};
use super::fault::Fault;
use super::words::list;

/// Reads plain data from a table.
pub(crate) fn read<T: DeserializeOwned>(table: &Table) -> Result<T, Fault> {
    read_value(&Value::Table(table.clone())).map_err(|error| error.told(table))
}

fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Reader(value.clone()))
}

/// What serde found, and where.
#[derive(Debug)]
struct Error {
    /// Keys from the inside out.
    path: Vec<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Wrong { found: String, allowed: String },
    Word { name: String, known: &'static [&'static str] },
    Key { name: String, known: &'static [&'static str] },
    Missing { name: &'static str },
    Other(String),
}

impl Error {
    fn new(what: What) -> Self {
        Self { path: Vec::new(), what }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }

    /// In our words. Inside of a table with a `kind` serde no longer knows the key: it is the one with
    /// the value that serde names.
    fn told(self, table: &Table) -> Fault {
        let path = self.path.iter().rev().fold(String::new(), |path, key| join(&path, key));
        let with_value = |text: &str| {
            let inside = if path.is_empty() { None } else { super::overlay::get(table, &path) };
            let inner = inside.and_then(Value::as_table)?;
            let key = key_of(inner, text)?;
            Some(join(&path, &key))
        };
        match self.what {
            What::Wrong { found, allowed } => {
                let key = with_value(&found).unwrap_or(path);
                Fault::value(&key, found, allowed)
            }
            What::Word { name, known } => {
                let key = with_value(&name).unwrap_or(path);
                Fault::value(&key, format!("{name:?}"), list(known))
            }
            What::Key { name, known } => {
                let key = join(&path, &name);
                Fault::of(&key, format!("unknown key: {key} (allowed: {})", list(known)))
            }
            What::Missing { name } => {
                let key = join(&path, name);
                let example = dictionary().examples(&key).first().map(ToString::to_string);
                let example = example.unwrap_or_else(|| "...".to_owned());
                let message = format!("{key}: missing (say it, for instance {key} = {example})");
                Fault::of(&key, message)
            }
            What::Other(message) => Fault::of(&path, format!("{path}: {message}")),
        }
    }
}

/// The dotted key of the value that is this text.
fn key_of(table: &Table, text: &str) -> Option<String> {
    table.iter().find_map(|(key, value)| match value {
        Value::Table(inner) => Some(join(key, &key_of(inner, text)?)),
        Value::String(word) => (word == text).then(|| key.clone()),
        Value::Array(values) => {
            values.iter().any(|value| value.to_string() == text).then(|| key.clone())
        }
        other => (other.to_string() == text).then(|| key.clone()),
    })
}

/// A range in words for the type that serde names.
fn allowed(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "u32" => "a whole number, 0 to 4294967295".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Str(text) => text.to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(What::Other(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Wrong { found: found(unexpected), allowed: allowed(expected) })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Word { name: name.to_owned(), known })
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Key { name: name.to_owned(), known })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(What::Missing { name })
    }
}

/// A value that serde reads.
struct Reader(Value);

impl<'de> de::Deserializer<'de> for Reader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(value) => visitor.visit_bool(value),
            Value::Datetime(date) => visitor.visit_string(date.to_string()),
            Value::Array(values) => visitor.visit_seq(List(values.into_iter())),
            Value::Table(table) => visitor.visit_map(Keys::new(table)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Choice { name, inner: None }),
            Value::Table(table) if table.len() == 1 => {
                let (name, inner) = table.into_iter().next().expect("one entry");
                visitor.visit_enum(Choice { name, inner: Some(inner) })
            }
            other => {
                let found = super::words::kind(&other).to_owned();
                Err(Error::new(What::Wrong { found, allowed: format!("one of {}", list(known)) }))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct List(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for List {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(Reader(value))).transpose()
    }
}

struct Keys {
    rest: <Table as IntoIterator>::IntoIter,
    next: Option<(String, Value)>,
}

impl Keys {
    fn new(table: Table) -> Self {
        Self { rest: table.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Keys {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.next = self.rest.next();
        let Some((key, _)) = &self.next else { return Ok(None) };
        let key: StringDeserializer<Error> = key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, value)) = self.next.take() else {
            return Err(de::Error::custom("a value without a key"));
        };
        seed.deserialize(Reader(value)).map_err(|error| error.within(&key))
    }
}

/// A variant of an enum, alone or with what it holds.
struct Choice {
    name: String,
    inner: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StringDeserializer<Error> = self.name.clone().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Choice {
    /// What the variant holds.
    fn held(self) -> Result<(String, Value), Error> {
        let Self { name, inner } = self;
        match inner {
            Some(inner) => Ok((name, inner)),
            None => {
                let allowed = "a table of this name".to_owned();
                Err(Error::new(What::Wrong { found: name, allowed }))
            }
        }
    }
}

impl<'de> VariantAccess<'de> for Choice {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.inner {
            None => Ok(()),
            Some(_) => {
                let allowed = format!("{:?} alone", self.name);
                Err(Error::new(What::Wrong { found: "a table".to_owned(), allowed }))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let (name, inner) = self.held()?;
        seed.deserialize(Reader(inner)).map_err(|error| error.within(&name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        let (name, inner) = self.held()?;
        de::Deserializer::deserialize_any(Reader(inner), visitor)
            .map_err(|error| error.within(&name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (name, inner) = self.held()?;
        de::Deserializer::deserialize_any(Reader(inner), visitor)
            .map_err(|error| error.within(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_rnn::Init;
    use tau_training::{Data, Stop};

    /// A variant that is new has an example: its keys are known.
    #[test]
    fn every_variant_that_can_be_read_is_in_the_dictionary() {
        fn known<T: DeserializeOwned>(path: &str) {
            let error = read_value::<T>(&Value::String("?".to_owned())).err().unwrap();
            let What::Word { known, .. } = error.what else { panic!("{error:?}") };
            let mut names = dictionary().variant_names(path).unwrap();
            let mut known = known.to_vec();
            names.sort_unstable();
            known.sort_unstable();
            assert_eq!(names, known, "{path}");
        }
        known::<Init>("network.arrays.w_rec.init");
        known::<Data>("data");
        known::<Stop>("stop");
        known::<tau_rnn::Rule>("optimiser.rule");
        known::<tau_rnn::TimeConstants>("network.cell.tau");
        known::<tau_rnn::Placement>("network.cell.placement");
        let schedule = Table::from_iter([("kind".to_owned(), Value::String("?".to_owned()))]);
        let error = read::<tau_curricula::Schedule>(&schedule).unwrap_err().to_string();
        for name in dictionary().kind_names("schedule").unwrap() {
            assert!(error.contains(name), "{error}");
        }
    }
}
