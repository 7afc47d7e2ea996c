//! Single-head: one head, which goes on with N + 1 (ICLR 2024, §3; the authors' files call it
//! `single`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::growth::{Growth, N_END, N_START, in_order};

/// One head for one N at a time; after success it goes on with N + 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SingleHead {
    /// First N.
    pub n_start: usize,
    /// Training ends when this N is solved, at least `n_start`.
    pub n_end: usize,
}

impl Default for SingleHead {
    /// N from 2 to 101, as published.
    fn default() -> Self {
        Self { n_start: N_START, n_end: N_END }
    }
}

impl fmt::Display for SingleHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("single-head")
    }
}

impl Growth for SingleHead {
    fn first(&self) -> Result<Vec<usize>, Error> {
        in_order(self.n_start, self.n_end)?;
        Ok(vec![self.n_start])
    }

    fn next(&self, memory: &[usize]) -> Vec<usize> {
        memory.iter().map(|n| n + 1).collect()
    }

    fn last_n(&self) -> usize {
        self.n_end
    }
}
