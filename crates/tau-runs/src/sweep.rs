//! Many runs from one text: a spec, a grid of values, seeds.
//!
//! ```toml
//! task = "parity"
//! schedule.n_end = 20
//! seeds = 8                   # 0 to 7; or a list
//! [grid]
//! schedule = ["single-head", "multi-head"]
//! "network.cell.activation" = ["leaky-relu", "tanh"]
//! ```

use std::collections::{HashMap, HashSet};

use tau_training::TrainingSpec;
use toml::{Table, Value};

use crate::spec::{Fault, Place, Text, canonical, resolve, set};
use crate::{Base, Error};

/// More than anybody means.
const MOST: usize = 100_000;

/// The values of one key, and where they were said.
struct Axis {
    key: String,
    values: Vec<Value>,
    place: Option<Place>,
}

/// Every run of a sweep: each value of the grid with each of the others, seeds last. A value may be a
/// table.
///
/// # Errors
/// The errors of [`crate::read_spec`]; a grid that is none; more than 100 000 runs.
pub fn read_sweep(text: &str, bases: &[Base]) -> Result<Vec<TrainingSpec>, Error> {
    let mut text = Text::parse(text)?;
    let axes = axes(&mut text)?;
    let count = axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len()));
    let count = count.filter(|&count| count <= MOST).ok_or_else(|| {
        let allowed = format!("at most {MOST}: make several sweeps of it");
        Fault::value("grid", "too many runs", allowed).at(text.place("grid"))
    })?;
    let mut specs: Vec<TrainingSpec> = Vec::with_capacity(count);
    let mut seen = HashMap::new();
    for index in 0..count {
        let (mut one, mut rest) = (text.clone(), index);
        // The last axis is the fastest.
        for Axis { key, values, place } in axes.iter().rev() {
            set(&mut one, key, values[rest % values.len()].clone(), *place)?;
            rest /= values.len();
        }
        let spec = resolve(&one, bases)?;
        if let Some(first) = seen.insert(canonical(&spec)?, index) {
            let found = format!("run {} is run {} again", index + 1, first + 1);
            let allowed = "each run once: is a value there twice, under two names?";
            return Err(Fault::value("sweep", found, allowed).into());
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// The lists of the grid, and the seeds, taken out of the text.
fn axes(text: &mut Text) -> Result<Vec<Axis>, Fault> {
    let mut axes = Vec::new();
    if let Some(grid) = text.table.remove("grid") {
        let Value::Table(grid) = grid else {
            return Err(value(text, "grid", &grid, "a table of lists"));
        };
        flatten(text, grid, "", &mut axes)?;
    }
    let in_grid = axes.iter().find(|axis| axis.key == "seed");
    if let Some(axis) = in_grid {
        let keys = ["seed", "seeds", "first_seed"];
        if let Some(key) = keys.into_iter().find(|key| text.table.contains_key(*key)) {
            let allowed = format!("not together with {key}");
            return Err(Fault::value("grid.seed", &text.table[key], allowed).at(axis.place));
        }
        return Ok(axes);
    }
    let values = seeds(text)?;
    let place = text.place("seeds").or_else(|| text.place("seed"));
    axes.push(Axis { key: "seed".to_owned(), values, place });
    Ok(axes)
}

fn value(text: &Text, key: &str, value: &Value, allowed: &str) -> Fault {
    Fault::value(key, value, allowed).at(text.place(key))
}

/// The lists of a grid by their dotted keys, however they are nested.
fn flatten(text: &Text, grid: Table, prefix: &str, axes: &mut Vec<Axis>) -> Result<(), Fault> {
    for (key, found) in grid {
        let path = format!("{prefix}{key}");
        let in_grid = format!("grid.{path}");
        match found {
            Value::Table(inner) => flatten(text, inner, &format!("{path}."), axes)?,
            Value::Array(values) if !values.is_empty() => {
                let distinct: HashSet<String> = values.iter().map(Value::to_string).collect();
                if distinct.len() < values.len() {
                    return Err(value(text, &in_grid, &Value::Array(values), "each value once"));
                }
                axes.push(Axis { key: path, values, place: text.place(&in_grid) });
            }
            other => return Err(value(text, &in_grid, &other, "a list of one or more values")),
        }
    }
    Ok(())
}

/// `seeds = K`, from `first_seed` or 0 on; `seeds = [..]`; or the one `seed`.
fn seeds(text: &mut Text) -> Result<Vec<Value>, Fault> {
    let first = match text.table.remove("first_seed") {
        None => 0,
        Some(Value::Integer(first)) if first >= 0 => first,
        Some(other) => return Err(value(text, "first_seed", &other, "0 or more")),
    };
    let one = text.table.remove("seed");
    match (text.table.remove("seeds"), one) {
        (Some(seeds), Some(_)) => {
            Err(value(text, "seeds", &seeds, "not together with seed: say one of them"))
        }
        (Some(Value::Integer(count)), None) if (1..=MOST as i64).contains(&count) => {
            let Some(end) = first.checked_add(count) else {
                let allowed = "9223372036854775807 less the number of seeds";
                return Err(value(text, "first_seed", &Value::Integer(first), allowed));
            };
            Ok((first..end).map(Value::Integer).collect())
        }
        (Some(Value::Array(seeds)), None)
            if !seeds.is_empty() && seeds.iter().all(Value::is_integer) =>
        {
            Ok(seeds)
        }
        (Some(other), None) => Err(value(
            text,
            "seeds",
            &other,
            "1 to 100000, or a list of seeds, for instance [3, 5]",
        )),
        // A plan that is made again must be the same plan.
        (None, Some(seed)) if !seed.is_integer() => {
            let allowed = "a number, for instance 1: a sweep must be the same when it goes on";
            Err(value(text, "seed", &seed, allowed))
        }
        (None, one) => Ok(vec![one.unwrap_or(Value::Integer(first))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_curricula::{MultiHead, Schedule};
    use tau_rnn::Config;
    use tau_tasks::TaskSpec;
    use tau_training::Stop;

    fn ladder() -> TrainingSpec {
        TrainingSpec {
            schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end: 101 }),
            stop: Some(Stop::AccuracyAbove(0.98)),
            ..TrainingSpec::plain(TaskSpec::parity(&[]), 50, 0).unwrap()
        }
    }

    const BASES: &[Base] =
        &[Base { name: "ladder", about: "", spec: ladder, fits: |task| task.memory().is_some() }];

    fn read(text: &str) -> Vec<TrainingSpec> {
        read_sweep(text, BASES).unwrap()
    }

    #[test]
    fn every_value_meets_every_other() {
        let text = "schedule.n_end = 9\nseeds = 3\n[network]\nhidden_size = 8\n[grid]\n\
                    task = [\"parity\", \"dms\"]\n\"network.hidden_size\" = [10, 20]";
        let specs = read(text);
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
        let last_n = Schedule::MultiHead(MultiHead { n_start: 2, n_end: 9 });
        assert!(specs.iter().all(|spec| spec.schedule == last_n));
        assert_eq!(read(text), specs);
        assert_eq!(read("").len(), 1);
        let seeds = |text| read(text).iter().map(|s| s.seed).collect::<Vec<_>>();
        assert_eq!(seeds("seeds = [5, 2]"), [5, 2]);
        assert_eq!(seeds("seeds = 2\nfirst_seed = 7"), [7, 8]);
        assert_eq!(seeds("seed = 4"), [4]);
    }

    #[test]
    fn values_of_a_grid_may_be_tables() {
        let text = "schedule = { kind = \"multi-head\", n_end = 9 }\n[grid]\n\
                    \"network.cell\" = [{ kind = \"leaky\", activation = \"tanh\" }, \"gru\"]\n\
                    schedule = [\"single-head\", { kind = \"sliding\", heads = 2, forget = 1 }]";
        let specs = read(text);
        let names: Vec<String> = specs.iter().map(|spec| spec.schedule.to_string()).collect();
        assert_eq!(names, ["single-head", "sliding-2-1", "single-head", "sliding-2-1"]);
        assert_eq!(specs[2].network, Config::gru(50, 1));
        let ends = specs.iter().map(|spec| spec_end(&spec.schedule));
        assert!(ends.eq([9; 4]));
        let text = "task = \"flip-flop\"\n[grid]\ndata = [{ fresh = { updates_per_epoch = 3 } }, \
                    { fixed = { trials = 30, held_out = 3, data_seed = 1 } }]";
        let tests = read(text).iter().map(|spec| spec.data.test_batches(10)).collect::<Vec<_>>();
        assert_eq!(tests, [10, 1]);
    }

    fn spec_end(schedule: &Schedule) -> usize {
        match schedule {
            Schedule::None => 0,
            Schedule::SingleHead(growth) => growth.n_end,
            Schedule::MultiHead(growth) => growth.n_end,
            Schedule::Sliding(growth) => growth.n_end,
        }
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        check("seeds = 0", "line 1, column 9: seeds: 0 (allowed: 1 to 100000, or a list of seeds");
        check("seeds = 2\nseed = 1", "line 1, column 9: seeds: 2 (allowed: not together with seed");
        check("seed = \"random\"", "line 1, column 8: seed: \"random\" (allowed: a number");
        check(
            "[grid]\ntask = []",
            "line 2, column 8: grid.task: [] (allowed: a list of one or more values)",
        );
        check(
            "[grid]\nschedule.n_end = [3, 3]",
            "line 2, column 18: grid.schedule.n_end: [3, 3] (allowed: each value once)",
        );
        check(
            "seeds = 100000\n[grid]\nschedule.n_end = [3, 4]",
            "line 2, column 2: grid: too many",
        );
        check(
            "seeds = 2\n[grid]\nseed = [1, 2]",
            "line 3, column 8: grid.seed: 2 (allowed: not together with seeds)",
        );
        check("seeds = [1, 1]", "sweep: run 2 is run 1 again (allowed: each run once");
        check("[grid]\nschedule = [\"single\", \"single-head\"]", "sweep: run 2 is run 1 again");
        check(
            "seeds = 5\nfirst_seed = 9223372036854775807",
            "line 2, column 14: first_seed: 9223372036854775807",
        );
        check(
            &format!("[grid]\n\"{}\" = [1]", "a.".repeat(400_000)),
            "line 2, column 800006: key: a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a. ... (allowed: at most \
             8 dots in a key)",
        );
        check(
            "[grid]\nnend = [3]",
            "line 2, column 8: unknown key: nend (did you mean schedule.n_end?)",
        );
        check(
            "[grid]\nnetwork.hiddensize = [3]",
            "line 2, column 22: unknown key: network.hiddensize",
        );
        check(
            "[grid]\nbatch_size = [8, 0]",
            "line 2, column 14: batch_size: 0 (allowed: 1 to 16383)",
        );
        fn check(text: &str, expected: &str) {
            let error = read_sweep(text, BASES).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
