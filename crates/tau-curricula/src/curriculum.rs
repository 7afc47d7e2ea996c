//! Curricula as data for one stage machine: which N each head has, and what follows on success.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// When and how N grows (paper, section 3). Its text form is the canonical name; the names of the
/// authors' files are understood as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Curriculum {
    /// `single-head` (authors: `single`): one head; after success it goes on with N + 1.
    SingleHead,
    /// `multi-head` (authors: `cumulative`): one head for each N so far; success adds a head.
    MultiHead,
    /// `sliding-{heads}-{forget}` (authors: `sliding_{heads}_{forget}`): a window of consecutive
    /// N. Success moves it by `forget`; the heads stay, head i reads the window's i-th N.
    Sliding {
        /// Width of the window, at least 1.
        heads: usize,
        /// How far it moves, 1 to `heads`.
        forget: usize,
    },
    /// `no-curriculum` (authors: `single_nocurr`): one head, one N; success ends the training.
    NoCurriculum,
}

/// One stage: head i answers for the i-th of these N.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// N of each active head; the last one is the newest.
    pub memory: Vec<usize>,
}

impl Stage {
    /// The largest N, which success makes "solved".
    #[must_use]
    pub fn n_max(&self) -> usize {
        self.memory.iter().copied().max().unwrap_or(0)
    }
}

impl Curriculum {
    /// The stage that training starts with. The paper starts at N = 2.
    #[must_use]
    pub fn first(self, start: usize) -> Stage {
        let heads = match self {
            Self::Sliding { heads, .. } => heads,
            Self::SingleHead | Self::MultiHead | Self::NoCurriculum => 1,
        };
        Stage { memory: (start..start + heads).collect() }
    }

    /// The stage after `stage` was solved; `None` when there is nothing more to learn.
    #[must_use]
    pub fn next(self, stage: &Stage) -> Option<Stage> {
        let newest = stage.n_max();
        let memory = match self {
            Self::SingleHead => vec![newest + 1],
            Self::MultiHead => stage.memory.iter().copied().chain([newest + 1]).collect(),
            Self::Sliding { forget, .. } => stage.memory.iter().map(|n| n + forget).collect(),
            Self::NoCurriculum => return None,
        };
        Some(Stage { memory })
    }
}

impl fmt::Display for Curriculum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleHead => f.write_str("single-head"),
            Self::MultiHead => f.write_str("multi-head"),
            Self::Sliding { heads, forget } => write!(f, "sliding-{heads}-{forget}"),
            Self::NoCurriculum => f.write_str("no-curriculum"),
        }
    }
}

impl FromStr for Curriculum {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownCurriculum { name: name.to_owned() };
        match name {
            "single-head" | "single" => Ok(Self::SingleHead),
            "multi-head" | "cumulative" => Ok(Self::MultiHead),
            "no-curriculum" | "single_nocurr" => Ok(Self::NoCurriculum),
            _ => {
                let rest = name.strip_prefix("sliding").ok_or_else(unknown)?;
                let separator = rest.chars().next().filter(|c| "-_".contains(*c));
                let mut parts = rest.split(separator.ok_or_else(unknown)?).skip(1);
                let mut number =
                    || parts.next().and_then(|part| part.parse().ok()).ok_or_else(unknown);
                let (heads, forget) = (number()?, number()?);
                if parts.next().is_some() {
                    return Err(unknown());
                }
                if heads == 0 || forget == 0 || forget > heads {
                    return Err(Error::Sliding { heads, forget });
                }
                Ok(Self::Sliding { heads, forget })
            }
        }
    }
}

impl TryFrom<String> for Curriculum {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Curriculum> for String {
    fn from(curriculum: Curriculum) -> Self {
        curriculum.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The N of the heads over the first stages, as the paper's section 3 describes them.
    #[test]
    fn stages_follow_the_paper() {
        check("single-head", &[&[2], &[3], &[4]]);
        check("multi-head", &[&[2], &[2, 3], &[2, 3, 4]]);
        check("sliding-3-2", &[&[2, 3, 4], &[4, 5, 6], &[6, 7, 8]]);
        check("no-curriculum", &[&[2]]);
        fn check(name: &str, expected: &[&[usize]]) {
            let curriculum: Curriculum = name.parse().unwrap();
            let mut stage = Some(curriculum.first(2));
            for expected in expected {
                let now = stage.unwrap();
                assert_eq!(now.memory, *expected, "{name}");
                stage = curriculum.next(&now);
            }
            assert_eq!(stage.is_none(), name == "no-curriculum");
        }
    }

    #[test]
    fn both_families_of_names_are_understood() {
        check("single", Curriculum::SingleHead, "single-head");
        check("cumulative", Curriculum::MultiHead, "multi-head");
        check("sliding_10_5", Curriculum::Sliding { heads: 10, forget: 5 }, "sliding-10-5");
        check("single_nocurr", Curriculum::NoCurriculum, "no-curriculum");
        fn check(authors: &str, expected: Curriculum, canonical: &str) {
            assert_eq!(authors.parse::<Curriculum>().unwrap(), expected);
            assert_eq!(canonical.parse::<Curriculum>().unwrap(), expected);
            assert_eq!(expected.to_string(), canonical);
        }
    }

    #[test]
    fn names_that_are_none_are_answered_with_the_known_ones() {
        for name in ["", "multi", "sliding", "sliding-3", "sliding-3-1-1", "sliding_x_1", "Single"]
        {
            assert_eq!(
                name.parse::<Curriculum>().unwrap_err().to_string(),
                format!(
                    "unknown curriculum: {name:?} (known: single-head, multi-head, \
                     sliding-{{heads}}-{{forget}}, no-curriculum)"
                )
            );
        }
        assert_eq!(
            "sliding-3-4".parse::<Curriculum>().unwrap_err().to_string(),
            "sliding window: 3 heads moving by 4 (allowed: 1 to 1000 heads, moving by 1 to that many)"
        );
    }
}
