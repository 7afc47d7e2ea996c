//! Sliding window: a fixed number of heads for consecutive N, all of which move on at success
//! (ICLR 2024, §3; the authors' files call it `sliding_{heads}_{forget}`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::growth::{Growth, N_END, N_START, in_order};

/// Largest number of heads of a window.
const MAX_HEADS: usize = 1000;

/// A window of consecutive N. Success moves it by `forget`; the heads stay, and head i reads the
/// window's i-th N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sliding {
    /// Width of the window in heads, 1 to 1000.
    pub heads: usize,
    /// How far the window moves in N, 1 to `heads`.
    pub forget: usize,
    /// First N of the first window.
    pub n_start: usize,
    /// Training ends when this N is solved, at least `n_start`.
    pub n_end: usize,
}

impl Default for Sliding {
    /// Ten heads moving by five over N from 2 to 101, as published.
    fn default() -> Self {
        Self { heads: 10, forget: 5, n_start: N_START, n_end: N_END }
    }
}

impl fmt::Display for Sliding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sliding-{}-{}", self.heads, self.forget)
    }
}

impl Sliding {
    /// Reads `{heads}-{forget}` or the authors' `{heads}_{forget}`; `None` for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (heads, forget) = text.split_once('-').or_else(|| text.split_once('_'))?;
        let (heads, forget) = (heads.parse().ok()?, forget.parse().ok()?);
        Some(Self { heads, forget, ..Self::default() })
    }

    pub(crate) fn check_window(&self) -> Result<(), Error> {
        let Self { heads, forget, .. } = *self;
        if (1..=MAX_HEADS).contains(&heads) && (1..=heads).contains(&forget) {
            Ok(())
        } else {
            Err(Error::Sliding { heads, forget })
        }
    }
}

impl Growth for Sliding {
    fn first(&self) -> Result<Vec<usize>, Error> {
        self.check_window()?;
        in_order(self.n_start, self.n_end)?;
        Ok((0..self.heads).map(|head| self.n_start.saturating_add(head)).collect())
    }

    fn next(&self, memory: &[usize]) -> Vec<usize> {
        memory.iter().map(|n| n + self.forget).collect()
    }

    fn last_n(&self) -> usize {
        self.n_end
    }
}
