//! What tells one curriculum over N from another.

use std::fmt::Display;

use crate::Error;

/// How the set of N grows. Its `Display` is the curriculum's name with its settings.
pub(crate) trait Growth: Display {
    /// N of each head of the first stage, checked.
    fn first(&self) -> Result<Vec<usize>, Error>;

    /// N of each head after the stage with these N was solved. The last N may be passed: whether the
    /// curriculum has ended is decided by [`Growth::last_n`].
    fn next(&self, memory: &[usize]) -> Vec<usize>;

    /// The curriculum ends when this N is solved.
    fn last_n(&self) -> usize;
}

/// Checks the order of the first and the last N.
pub(crate) fn in_order(start: usize, end: usize) -> Result<(), Error> {
    if end < start { Err(Error::Range { start, end }) } else { Ok(()) }
}

/// The first N of the published curricula.
pub(crate) const N_START: usize = 2;
/// The last N of the published curricula.
pub(crate) const N_END: usize = 101;
