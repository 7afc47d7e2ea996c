//! Named trainings that a spec may begin from.

use tau_tasks::TaskSpec;
use tau_training::TrainingSpec;

/// A training with a name: a spec that names it says only what differs.
///
/// ```
/// use tau_runs::{Base, read_spec};
/// use tau_tasks::TaskSpec;
/// use tau_training::TrainingSpec;
///
/// const SMALL: Base = Base {
///     name: "small",
///     about: "eight neurons on 2-parity",
///     spec: || TrainingSpec::plain(TaskSpec::parity(&[2]), 8, 0).expect("parity has N = 2"),
///     fits: |task| task.memory().is_some(),
/// };
/// let spec = read_spec("base = \"small\"\nseed = 3\nbatch_size = 16", &[], &[SMALL])?;
/// assert_eq!((spec.network.hidden_size, spec.batch_size, spec.seed), (8, 16, 3));
/// # Ok::<(), tau_runs::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Base {
    /// The name, as `base` in a spec has it.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The training; its seed is replaced.
    pub spec: fn() -> TrainingSpec,
    /// Whether a spec with this task and no `base` begins from it.
    pub fits: fn(&TaskSpec) -> bool,
}

/// The name of the base that every task has: [`TrainingSpec::plain`].
pub(crate) const PLAIN: &str = "plain";
/// Neurons of it.
pub(crate) const PLAIN_NEURONS: usize = 100;
