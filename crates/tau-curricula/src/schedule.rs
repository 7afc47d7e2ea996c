//! The stage machine, and the registry of curricula.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tau_tasks::TaskSpec;

use crate::growth::Growth;
use crate::{Error, MultiHead, SingleHead, Sliding};

/// Which tasks follow one another. In files it is a table whose `kind` is `none`, `single-head`,
/// `multi-head` or `sliding`. Its text form is the name of the curriculum (`sliding-10-5`); the names
/// in the authors' files are understood as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// One stage: the task as its settings have it (authors: `single_nocurr`).
    #[default]
    None,
    /// One head, one N at a time (authors: `single`).
    #[serde(alias = "single")]
    SingleHead(SingleHead),
    /// One head for each N so far (authors: `cumulative`).
    #[serde(alias = "cumulative")]
    MultiHead(MultiHead),
    /// A window of N (authors: `sliding_{heads}_{forget}`).
    Sliding(Sliding),
}

/// One stage of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The task that is trained; of a ladder, with the N of every active head, the newest last.
    pub task: TaskSpec,
    /// The name of what is reached when the stage is solved: `N005`, or `solved` for a task that has
    /// no N. It names checkpoints and rows of tables.
    pub milestone: String,
}

impl Stage {
    fn new(task: TaskSpec) -> Self {
        let largest = task.memory().and_then(|memory| memory.iter().copied().max());
        let milestone = largest.map_or_else(|| "solved".to_owned(), n_milestone);
        Self { task, milestone }
    }

    /// The largest N, which success makes solved; `None` for a task that has no N.
    #[must_use]
    pub fn n_max(&self) -> Option<usize> {
        self.task.memory().and_then(|memory| memory.iter().copied().max())
    }
}

/// The milestone of a solved N.
fn n_milestone(n: usize) -> String {
    format!("N{n:03}")
}

impl Schedule {
    /// Every kind of schedule with its default settings, in the order of registration.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::None,
            Self::SingleHead(SingleHead::default()),
            Self::MultiHead(MultiHead::default()),
            Self::Sliding(Sliding::default()),
        ]
    }

    /// The first N that a curriculum over N solves, and the last; `None` for a schedule without N.
    #[must_use]
    pub fn range(&self) -> Option<(usize, usize)> {
        let growth = self.growth()?;
        Some((growth.first().ok()?.into_iter().max()?, growth.last_n()))
    }

    fn growth(&self) -> Option<&dyn Growth> {
        match self {
            Self::None => None,
            Self::SingleHead(growth) => Some(growth),
            Self::MultiHead(growth) => Some(growth),
            Self::Sliding(growth) => Some(growth),
        }
    }

    /// The stage that training starts with.
    ///
    /// # Errors
    /// Settings out of range; a curriculum over N for a task without N, or for a task whose settings
    /// name N themselves; an N that the task does not have.
    pub fn first(&self, task: &TaskSpec) -> Result<Stage, Error> {
        let Some(growth) = self.growth() else {
            task.build()?;
            return Ok(Stage::new(task.clone()));
        };
        let memory = growth.first()?;
        let without = || Error::NoLadder { schedule: self.to_string(), task: task.name() };
        let own = task.memory().ok_or_else(without)?;
        if !own.is_empty() {
            let (task, memory) = (task.name(), own.to_vec());
            return Err(Error::TwoMemories { task, memory, schedule: self.to_string() });
        }
        // The task knows which N it can have: the first stage and the last N are the extremes.
        let first = task.with_memory(&memory).ok_or_else(without)?;
        first.build()?;
        task.with_memory(&[growth.last_n()]).ok_or_else(without)?.build()?;
        Ok(Stage::new(first))
    }

    /// The stage after `stage` was solved; `None` when there is nothing more to learn.
    #[must_use]
    pub fn after(&self, stage: &Stage) -> Option<Stage> {
        let growth = self.growth()?;
        let memory = stage.task.memory()?;
        if stage.n_max()? >= growth.last_n() {
            return None;
        }
        stage.task.with_memory(&growth.next(memory)).map(Stage::new)
    }

    /// Every stage in its order.
    ///
    /// # Errors
    /// The errors of [`Schedule::first`].
    pub fn stages<'a>(
        &'a self,
        task: &TaskSpec,
    ) -> Result<impl Iterator<Item = Stage> + use<'a>, Error> {
        Ok(std::iter::successors(Some(self.first(task)?), |stage| self.after(stage)))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.growth() {
            Some(growth) => growth.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    /// The curriculum of that name, over N from 2 to 101.
    fn from_str(name: &str) -> Result<Self, Error> {
        let window = name.strip_prefix("sliding").and_then(|rest| rest.strip_prefix(['-', '_']));
        match (name, window) {
            ("none" | "no-curriculum" | "single_nocurr", _) => Ok(Self::None),
            ("single-head" | "single", _) => Ok(Self::SingleHead(SingleHead::default())),
            ("multi-head" | "cumulative", _) => Ok(Self::MultiHead(MultiHead::default())),
            (_, Some(window)) if let Some(window) = Sliding::read(window) => {
                window.check_window()?;
                Ok(Self::Sliding(window))
            }
            _ => Err(Error::UnknownSchedule {
                name: name.to_owned(),
                known: "none, single-head, multi-head, sliding-{heads}-{forget}".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memories(schedule: &Schedule) -> Vec<Vec<usize>> {
        let stages = schedule.stages(&TaskSpec::parity(&[])).unwrap();
        stages.map(|stage| stage.task.memory().unwrap().to_vec()).collect()
    }

    /// N of the heads over the first stages, as ICLR 2024, §3, describes them.
    #[test]
    fn stages_follow_the_paper() {
        check("single-head", &[&[2], &[3], &[4]]);
        check("multi-head", &[&[2], &[2, 3], &[2, 3, 4]]);
        check("sliding-3-2", &[&[2, 3, 4], &[4, 5, 6], &[6, 7, 8]]);
        fn check(name: &str, expected: &[&[usize]]) {
            assert_eq!(memories(&name.parse().unwrap())[..3], *expected, "{name}");
        }
    }

    #[test]
    fn a_curriculum_ends_when_its_last_n_is_solved() {
        let single = Schedule::SingleHead(SingleHead { n_start: 3, n_end: 5 });
        assert_eq!(memories(&single), [[3], [4], [5]]);
        let window = Sliding { heads: 3, forget: 2, n_start: 2, n_end: 7 };
        let window = Schedule::Sliding(window);
        assert_eq!(memories(&window), [[2, 3, 4], [4, 5, 6], [6, 7, 8]]);
        let task = TaskSpec::dms(&[2, 7]);
        assert_eq!((single.range(), window.range()), (Some((3, 5)), Some((4, 7))));
        assert_eq!(Schedule::None.range(), None);
        let only: Vec<Stage> = Schedule::None.stages(&task).unwrap().collect();
        assert_eq!(only, [Stage { task, milestone: "N007".to_owned() }]);
        let pulse: TaskSpec = "pulse".parse().unwrap();
        assert_eq!(Schedule::None.first(&pulse).unwrap().milestone, "solved");
    }

    #[test]
    fn both_families_of_names_are_understood() {
        check("single", "single-head");
        check("cumulative", "multi-head");
        check("sliding_10_5", "sliding-10-5");
        check("single_nocurr", "none");
        fn check(authors: &str, canonical: &str) {
            let schedule: Schedule = authors.parse().unwrap();
            assert_eq!(canonical.parse::<Schedule>().unwrap(), schedule);
            assert_eq!(schedule.to_string(), canonical);
        }
        let short = toml::from_str::<Schedule>("kind = \"cumulative\"\nn_end = 9").unwrap();
        assert_eq!(short, Schedule::MultiHead(MultiHead { n_start: 2, n_end: 9 }));
        let text = toml::to_string(&short).unwrap();
        assert_eq!(text, "kind = \"multi-head\"\nn_start = 2\nn_end = 9\n");
        assert_eq!(toml::from_str::<Schedule>(&text).unwrap(), short);
    }

    #[test]
    fn names_that_are_none_are_answered_with_the_known_ones() {
        for name in ["", "multi", "sliding", "sliding-3", "sliding-3-1-1", "sliding_x_1", "Single"]
        {
            assert_eq!(
                name.parse::<Schedule>().unwrap_err().to_string(),
                format!(
                    "schedule: {name:?} (known: none, single-head, multi-head, \
                     sliding-{{heads}}-{{forget}})"
                )
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_before_it_begins() {
        let sliding = |heads, forget| Sliding { heads, forget, ..Sliding::default() };
        let single = |n_start, n_end| Schedule::SingleHead(SingleHead { n_start, n_end });
        let parity = TaskSpec::parity(&[]);
        let window = "sliding schedule: 3 heads moving by 4 (allowed: 1 to 1000 heads, moving by 1 \
                      to that many)";
        check(Schedule::Sliding(sliding(3, 4)), &parity, window);
        assert_eq!("sliding-3-4".parse::<Schedule>().unwrap_err().to_string(), window);
        assert!(Schedule::Sliding(sliding(1 << 60, 1)).first(&parity).is_err());
        assert!(single(usize::MAX, usize::MAX).first(&parity).is_err());
        let window = Sliding { n_start: usize::MAX, n_end: usize::MAX, ..sliding(3, 1) };
        assert!(Schedule::Sliding(window).first(&parity).is_err());
        check(single(6, 5), &parity, "schedule.n_end: 5 (allowed: n_start = 6 or more)");
        check(single(0, 5), &parity, "n: 0 (allowed for parity: 1 to 100000)");
        check(single(1, 5), &TaskSpec::dms(&[]), "n: 1 (allowed for dms: 2 to 100000)");
        check(single(2, 100_001), &parity, "n: 100001 (allowed for parity: 1 to 100000)");
        check(
            single(2, 5),
            &TaskSpec::parity(&[3]),
            "n of parity: [3] together with the schedule single-head (allowed: one of the two; \
             leave n out, or say schedule.kind = \"none\")",
        );
        check(
            single(2, 5),
            &"pulse".parse().unwrap(),
            "schedule: single-head for the task pulse, which has no N (allowed: none)",
        );
        check(
            Schedule::None,
            &parity,
            "n: none (give at least one, for instance n = [2], or a schedule that fills it)",
        );
        fn check(schedule: Schedule, task: &TaskSpec, message: &str) {
            assert_eq!(schedule.first(task).unwrap_err().to_string(), message);
        }
    }
}
