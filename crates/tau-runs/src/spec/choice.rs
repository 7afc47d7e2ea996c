//! The base that a spec begins from.

use tau_tasks::TaskSpec;
use tau_training::TrainingSpec;
use toml::{Table, Value};

use super::dictionary::{KIND, dictionary};
use super::fault::{Fault, nearest};
use super::overlay::get;
use super::reader::read;
use super::words::list;
use crate::Base;
use crate::base::{PLAIN, PLAIN_NEURONS};

/// The base that was named, or the one that suits what was said.
pub(super) fn choose(
    name: Option<&Value>,
    said: &Table,
    bases: &[Base],
) -> Result<TrainingSpec, Fault> {
    let task = task(said);
    let Some(name) = name else {
        return match suited(said, task.as_ref(), bases) {
            Some(base) => Ok((base.spec)()),
            None => plain(task),
        };
    };
    if name.as_str() == Some(PLAIN) {
        return plain(task);
    }
    if let Some(base) = bases.iter().find(|base| name.as_str() == Some(base.name)) {
        return Ok((base.spec)());
    }
    let names = || bases.iter().map(|base| base.name).chain([PLAIN]);
    let meant = name.as_str().and_then(|name| nearest(name, names())).unwrap_or(PLAIN);
    let allowed = format!("{}; did you mean {meant}?", list(names()));
    Err(Fault::value("base", name, allowed))
}

/// The first base that fits the task and has the cell; else the first that fits the task.
fn suited<'a>(said: &Table, task: Option<&TaskSpec>, bases: &'a [Base]) -> Option<&'a Base> {
    let fits = |base: &&Base| task.is_none_or(|task| (base.fits)(task));
    let cell = get(said, "network.cell").and_then(|cell| cell.get(KIND)).and_then(Value::as_str);
    let has_cell =
        |base: &&Base| cell.is_none_or(|cell| (base.spec)().network.cell.to_string() == cell);
    let with_cell = bases.iter().filter(fits).find(has_cell);
    with_cell.or_else(|| bases.iter().find(fits))
}

/// The task that was said, with its settings if they can be read.
fn task(said: &Table) -> Option<TaskSpec> {
    let Some(Value::Table(settings)) = said.get("task") else { return None };
    let kind = settings.get(KIND)?.as_str()?;
    read(settings).ok().or_else(|| kind.parse().ok())
}

fn plain(task: Option<TaskSpec>) -> Result<TrainingSpec, Fault> {
    let Some(task) = task else {
        let allowed = dictionary().allowed("task");
        return Err(Fault::value("task", "none", allowed));
    };
    // Settings out of range are the check's to name.
    let spec = TrainingSpec::plain(task.clone(), PLAIN_NEURONS, 0).or_else(|_| {
        let usual = TaskSpec::all().into_iter().find(|usual| usual.name() == task.name());
        TrainingSpec::plain(usual.unwrap_or(task), PLAIN_NEURONS, 0)
    });
    spec.map_err(|error| Fault::new(error.to_string()))
}
