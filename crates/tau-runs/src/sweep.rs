//! Many runs from one text: a spec, a grid of values, seeds.
//!
//! ```toml
//! task = "parity"
//! seeds = 8                   # 0 to 7; or a list
//! [network]
//! hidden_size = 64
//! [grid]
//! curriculum = ["single-head", "multi-head"]
//! "network.activation" = ["leaky-relu", "tanh"]
//! ```

use std::collections::{HashMap, HashSet};

use tau_curricula::TrainingSpec;
use toml::{Table, Value};

use crate::Error;
use crate::spec::{insert, parse, resolve, write};

/// More than anybody means.
const MOST: usize = 100_000;

/// Every run of a sweep: each value of the grid with each of the others, seeds last.
///
/// # Errors
/// Those of [`crate::read_spec`]; a grid that is none; more than 100 000 runs.
pub fn read_sweep(text: &str) -> Result<Vec<TrainingSpec>, Error> {
    let mut base = parse(text)?;
    let mut axes = Vec::new();
    if let Some(grid) = base.remove("grid") {
        let Value::Table(grid) = grid else { return Err(value("grid", &grid, "a table of lists")) };
        flatten(grid, "", &mut axes)?;
    }
    let in_grid = axes.iter().any(|(key, _)| key == "seed");
    if let (true, Some(key)) =
        (in_grid, ["seed", "seeds", "first_seed"].into_iter().find(|key| base.contains_key(*key)))
    {
        return Err(value("grid.seed", &base[key], &format!("not together with {key}")));
    }
    if !in_grid {
        axes.push(("seed".to_owned(), seeds(&mut base)?));
    }
    let count = axes.iter().try_fold(1_usize, |count, (_, values)| count.checked_mul(values.len()));
    let count = count.filter(|&count| count <= MOST).ok_or_else(|| Error::Value {
        key: "grid".to_owned(),
        value: "too many runs".to_owned(),
        allowed: format!("at most {MOST}: make several sweeps of it"),
    })?;
    let mut specs: Vec<TrainingSpec> = Vec::with_capacity(count);
    let mut seen = HashMap::new();
    for index in 0..count {
        let (mut table, mut rest) = (base.clone(), index);
        // The last axis is the fastest.
        for (key, values) in axes.iter().rev() {
            insert(&mut table, key, values[rest % values.len()].clone())?;
            rest /= values.len();
        }
        let spec = resolve(table)?;
        if let Some(first) = seen.insert(write(&spec)?, index) {
            return Err(Error::Value {
                key: "sweep".to_owned(),
                value: format!("run {} is run {} again", index + 1, first + 1),
                allowed: "each run once: is a value there twice, under two names?".to_owned(),
            });
        }
        specs.push(spec);
    }
    Ok(specs)
}

fn value(key: &str, value: &Value, allowed: &str) -> Error {
    Error::Value { key: key.to_owned(), value: value.to_string(), allowed: allowed.to_owned() }
}

/// The lists of a grid by their dotted keys, however they are nested.
fn flatten(grid: Table, prefix: &str, axes: &mut Vec<(String, Vec<Value>)>) -> Result<(), Error> {
    for (key, found) in grid {
        let path = format!("{prefix}{key}");
        match found {
            Value::Table(inner) => flatten(inner, &format!("{path}."), axes)?,
            Value::Array(values) if !values.is_empty() => {
                let distinct: HashSet<String> = values.iter().map(Value::to_string).collect();
                if distinct.len() < values.len() {
                    let list = Value::Array(values);
                    return Err(value(&format!("grid.{path}"), &list, "each value once"));
                }
                axes.push((path, values));
            }
            other => {
                return Err(value(&format!("grid.{path}"), &other, "a list of one or more values"));
            }
        }
    }
    Ok(())
}

/// `seeds = K`, from `first_seed` or 0 on; `seeds = [..]`; or the one `seed`.
fn seeds(base: &mut Table) -> Result<Vec<Value>, Error> {
    let first = match base.remove("first_seed") {
        None => 0,
        Some(Value::Integer(first)) if first >= 0 => first,
        Some(other) => return Err(value("first_seed", &other, "0 or more")),
    };
    let one = base.remove("seed");
    match (base.remove("seeds"), one) {
        (Some(seeds), Some(_)) => {
            Err(value("seeds", &seeds, "not together with seed: say one of them"))
        }
        (Some(Value::Integer(count)), None) if (1..=MOST as i64).contains(&count) => {
            let Some(end) = first.checked_add(count) else {
                let first = Value::Integer(first);
                return Err(value(
                    "first_seed",
                    &first,
                    "9223372036854775807 less the number of seeds",
                ));
            };
            Ok((first..end).map(Value::Integer).collect())
        }
        (Some(Value::Array(seeds)), None)
            if !seeds.is_empty() && seeds.iter().all(Value::is_integer) =>
        {
            Ok(seeds)
        }
        (Some(other), None) => Err(value("seeds", &other, "1 to 100000, or a list of seeds")),
        // A plan that is made again must be the same plan.
        (None, Some(seed)) if !seed.is_integer() => {
            Err(value("seed", &seed, "a number: a sweep must be the same when it goes on"))
        }
        (None, one) => Ok(vec![one.unwrap_or(Value::Integer(first))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_meets_every_other() {
        let text = "n_end = 9\nseeds = 3\n[network]\nhidden_size = 8\n[grid]\n\
                    task = [\"parity\", \"dms\"]\n\"network.hidden_size\" = [10, 20]";
        let specs = read_sweep(text).unwrap();
        let found: Vec<_> =
            specs.iter().map(|s| (s.network.hidden_size, s.task.to_string(), s.seed)).collect();
        assert_eq!(found.len(), 12);
        assert_eq!(
            found[..4],
            [
                (10, "parity".to_owned(), 0),
                (10, "parity".to_owned(), 1),
                (10, "parity".to_owned(), 2),
                (10, "dms".to_owned(), 0),
            ]
        );
        assert!(specs.iter().all(|spec| spec.n_end == 9));
        assert_eq!(read_sweep(text).unwrap(), specs);
        assert_eq!(read_sweep("").unwrap().len(), 1);
        let seeds = |text| read_sweep(text).unwrap().iter().map(|s| s.seed).collect::<Vec<_>>();
        assert_eq!(seeds("seeds = [5, 2]"), [5, 2]);
        assert_eq!(seeds("seeds = 2\nfirst_seed = 7"), [7, 8]);
        assert_eq!(seeds("seed = 4"), [4]);
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        check("seeds = 0", "seeds: 0 (allowed: 1 to 100000, or a list of seeds)");
        check("seeds = 2\nseed = 1", "seeds: 2 (allowed: not together with seed");
        check("seed = \"random\"", "seed: \"random\" (allowed: a number");
        check("[grid]\ntask = []", "grid.task: [] (allowed: a list of one or more values)");
        check("[grid]\nn_end = [3, 3]", "grid.n_end: [3, 3] (allowed: each value once)");
        check("seeds = 100000\n[grid]\nn_end = [3, 4]", "grid: too many runs");
        check(
            "seeds = 2\n[grid]\nseed = [1, 2]",
            "grid.seed: 2 (allowed: not together with seeds)",
        );
        check("seeds = [1, 1]", "sweep: run 2 is run 1 again (allowed: each run once");
        check("[grid]\ncurriculum = [\"single\", \"single-head\"]", "sweep: run 2 is run 1 again");
        check("seeds = 5\nfirst_seed = 9223372036854775807", "first_seed: 9223372036854775807");
        check(
            &format!("[grid]\n\"{}\" = [1]", "a.".repeat(400_000)),
            "key: a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a. ... (allowed: at most 8 dots in a key)",
        );
        check("[grid]\nnend = [3]", "unknown key: nend (did you mean n_end?)");
        check("[grid]\nnetwork.hiddensize = [3]", "unknown key: network.hiddensize");
        fn check(text: &str, expected: &str) {
            let error = read_sweep(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
