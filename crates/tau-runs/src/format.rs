//! The version of every file that this crate writes.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The version. A reader that meets a newer one refuses it.
pub(crate) const FORMAT: i64 = 1;

/// The entry that says it.
pub(crate) const KEY: &str = "format";

/// Checks the version that a file says.
pub(crate) fn check(found: Option<i64>, said: impl Display) -> Result<(), String> {
    let remedy = match found {
        Some(FORMAT) => return Ok(()),
        Some(found) if found > FORMAT => "a newer tau wrote it: use that one",
        _ => "this tau did not write it",
    };
    Err(format!("{KEY}: {said} (allowed: {FORMAT}; {remedy})"))
}

#[derive(Serialize)]
struct Written<'a, T> {
    format: i64,
    #[serde(flatten)]
    value: &'a T,
}

/// A struct as a JSON object that begins with its format.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    // Plain data cannot fail.
    serde_json::to_string(&Written { format: FORMAT, value }).unwrap_or_default()
}

/// A struct from the text of [`to_json`]; what is wrong, in words.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut object: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let said = object.remove(KEY).unwrap_or_else(|| Value::String("none".to_owned()));
    check(said.as_i64(), said.as_str().map_or_else(|| said.to_string(), str::to_owned))?;
    serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: f64,
        name: Option<String>,
    }

    #[test]
    fn a_file_comes_back_and_a_newer_one_is_refused() {
        let point = Point { x: 0.1 + 0.2, name: None };
        let text = to_json(&point);
        assert_eq!(text, r#"{"format":1,"x":0.30000000000000004,"name":null}"#);
        assert_eq!(from_json::<Point>(text.as_bytes()).unwrap(), point);
        let refused = |text: &str, message: &str| {
            assert_eq!(from_json::<Point>(text.as_bytes()).unwrap_err(), message);
        };
        let newer = "format: 2 (allowed: 1; a newer tau wrote it: use that one)";
        refused(&text.replace(":1,", ":2,"), newer);
        refused("{}", "format: none (allowed: 1; this tau did not write it)");
        refused("{\"format\":0}", "format: 0 (allowed: 1; this tau did not write it)");
        refused("{\"format\":1}", "missing field `x`");
    }
}
