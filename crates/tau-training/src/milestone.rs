//! Names of what is worth keeping.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a state of a training that is kept: of a checkpoint, and of rows in tables.
///
/// | name | the state after |
/// |---|---|
/// | `N005` | the epoch that solved N = 5 |
/// | `solved` | the epoch that solved a task without N |
/// | `epoch-020` | epoch 20, counted from 1 |
/// | `final` | the last epoch |
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Milestone(pub String);

impl Milestone {
    /// The milestone of an epoch, counted from 1.
    #[must_use]
    pub fn epoch(epoch: usize) -> Self {
        Self(format!("epoch-{epoch:03}"))
    }

    /// The milestone of the last epoch.
    #[must_use]
    pub fn last() -> Self {
        Self("final".to_owned())
    }

    /// The milestone of a solved N.
    #[must_use]
    pub fn n(n: usize) -> Self {
        Self(format!("N{n:03}"))
    }

    /// The N that it is the milestone of; `None` for one without N.
    #[must_use]
    pub fn memory(&self) -> Option<usize> {
        self.0.strip_prefix('N').and_then(|number| number.parse().ok())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_training() {
        assert_eq!(Milestone::epoch(19).to_string(), "epoch-019");
        assert!(Milestone::epoch(9) < Milestone::epoch(10));
        assert!(Milestone::n(9) < Milestone::n(101));
        assert_eq!(Milestone::n(7).memory(), Some(7));
        assert_eq!(Milestone::last().memory(), None);
        assert_eq!(Milestone("Nobody".to_owned()).memory(), None);
    }
}
