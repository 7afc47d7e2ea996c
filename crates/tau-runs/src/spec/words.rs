//! Values of TOML in plain words.

use toml::Value;

/// What a value is.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// What stands where this example may stand.
pub(crate) fn wanted(example: &Value) -> &'static str {
    match example {
        Value::Float(_) => "a number",
        other => kind(other),
    }
}

/// Whether a value may stand where an example stands.
pub(crate) fn is_like(value: &Value, example: &Value) -> bool {
    match (value, example) {
        (Value::Integer(_), Value::Float(_)) => true,
        (Value::Array(values), Value::Array(examples)) => {
            examples.first().is_none_or(|one| values.iter().all(|value| is_like(value, one)))
        }
        (value, example) => value.same_type(example),
    }
}

/// The value that was meant, if it can be seen: 1000 for 1e3, 1 for "1".
pub(crate) fn meant(value: &Value, example: &Value) -> Option<Value> {
    let meant = match (value, example) {
        (Value::Float(number), Value::Integer(_)) if number.fract() == 0.0 => {
            format!("{number:.0}").parse().ok().map(Value::Integer)
        }
        (Value::String(text), Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => {
            parsed(text)
        }
        (Value::String(_) | Value::Array(_) | Value::Table(_), _) => None,
        (one, Value::Array(_)) => Some(Value::Array(vec![one.clone()])),
        _ => None,
    };
    meant.filter(|meant| is_like(meant, example))
}

/// `64`, `0.5`, `true`, `[1, 2]`, as TOML has them; `None` for anything else.
pub(crate) fn parsed(text: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {text}").parse().ok()?;
    // A text with a line of its own could hold several values.
    if table.len() == 1 { table.get("value").cloned() } else { None }
}

/// Words with commas between them.
pub(crate) fn list<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_seen() {
        let (whole, number) = (Value::Integer(3), Value::Float(0.5));
        assert_eq!(meant(&Value::Float(1e3), &whole), Some(Value::Integer(1000)));
        assert_eq!(meant(&Value::Float(0.5), &whole), None);
        assert_eq!(meant(&Value::String("1".to_owned()), &whole), Some(Value::Integer(1)));
        assert_eq!(meant(&Value::String("many".to_owned()), &whole), None);
        assert_eq!(meant(&Value::Float(1e300), &whole), None);
        let lists = Value::Array(vec![Value::Integer(7)]);
        assert_eq!(meant(&whole, &lists), Some(Value::Array(vec![whole.clone()])));
        assert!(is_like(&whole, &number) && !is_like(&number, &whole));
        assert!(!is_like(&Value::Array(vec![number]), &lists));
        assert_eq!(parsed("1\nother = 2"), None);
    }
}
