//! Published values: a small table beside a figure, transcribed by hand.

use serde::Deserialize;

/// One published value, a mean over the networks of a publication.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Id of the panel.
    pub panel: String,
    /// Name of the series.
    pub series: String,
    /// Position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Unit of the value.
    pub unit: String,
}

impl Published {
    /// Reads a table `panel,series,x,y,unit`; lines that begin with `#` say where the values are from.
    pub(crate) fn read(text: &str) -> Result<Vec<Self>, String> {
        let reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let values: Result<Vec<Self>, _> = reader.into_deserialize().collect();
        let values = values.map_err(|error| format!("published values: {error}"))?;
        match values.iter().find(|value| !(value.x.is_finite() && value.y.is_finite())) {
            Some(value) => Err(format!("published values: not a number: {value:?}")),
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_and_its_faults_are_named() {
        let text = "# Read off figure 2.\npanel,series,x,y,unit\nmean,multi-head,2,1.5,steps\n";
        let values = Published::read(text).unwrap();
        assert_eq!((values.len(), &*values[0].series, values[0].y), (1, "multi-head", 1.5));
        assert_eq!(Published::read(""), Ok(Vec::new()));
        let check = |text: &str, words: &str| {
            let fault = Published::read(text).unwrap_err();
            assert!(fault.starts_with("published values: ") && fault.contains(words), "{fault}");
        };
        check("panel,series,x,y\nmean,multi-head,2,1.5\n", "unit");
        check("panel,series,x,y,unit\nmean,multi-head,two,1.5,steps\n", "line: 2");
        check("panel,series,x,y,unit\nmean,multi-head,2,inf,steps\n", "not a number");
    }
}
