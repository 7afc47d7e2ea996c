//! Trainings with a name that specs may begin from.

use tau_runs::Base;

/// The bases of all papers, in the order in which a spec without `base` looks for one that fits its
/// task. A paper's bases are one line here.
pub(crate) const BASES: &[Base] = &[];
