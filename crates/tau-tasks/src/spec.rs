//! Tasks as data, and the registry of tasks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tau_random::Coding;

use crate::{Dms, Error, FlipFlop, Parity, Pulse, Task};

/// The settings of one kind of task; they lie in the task's own file.
pub(crate) trait Definition {
    /// The task's name in specifications and tables.
    const NAME: &'static str;

    /// The task with these settings, checked.
    fn build(&self) -> Result<Box<dyn Task>, Error>;

    /// The settings of the same ladder for another set of N and its coding; `None` without a ladder.
    fn with_memory(&self, memory: &[usize]) -> Option<TaskSpec> {
        let _ = memory;
        None
    }

    /// N of each head as the settings have it; `None` without a ladder.
    fn memory(&self) -> Option<&[usize]> {
        None
    }
}

/// The list of tasks: one line for each, its variant with the type of its settings.
macro_rules! tasks {
    ($($(#[$doc:meta])* $kind:ident;)+) => {
        /// A task as data. In files it is a table whose `kind` is the task's name
        /// (`kind = "flip-flop"`); settings that are not said have their default.
        ///
        /// ```
        /// use tau_tasks::{FlipFlop, TaskSpec};
        /// let flip_flop: TaskSpec = "flip-flop".parse()?;
        /// assert_eq!(flip_flop, TaskSpec::FlipFlop(FlipFlop::default()));
        /// assert_eq!(flip_flop.build()?.shape().channels, 2);
        /// # Ok::<(), tau_tasks::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum TaskSpec {
            $($(#[$doc])* $kind($kind),)+
        }

        impl TaskSpec {
            /// Names of all tasks, in the order of registration.
            pub const NAMES: &[&str] = &[$(<$kind as Definition>::NAME),+];

            /// Every task with its default settings, in the order of registration.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$kind($kind::default())),+]
            }

            /// The task's name, as [`Task::name`].
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => <$kind as Definition>::NAME,)+
                }
            }

            /// The task with these settings.
            ///
            /// # Errors
            /// The first setting out of range, with its range. A ladder without any N is
            /// [`Error::NoMemory`]: a schedule has to fill it ([`with_memory`](Self::with_memory)).
            pub fn build(&self) -> Result<Box<dyn Task>, Error> {
                match self {
                    $(Self::$kind(settings) => settings.build(),)+
                }
            }

            /// This task for a different set of N; `None` for a task that has no N.
            #[must_use]
            pub fn with_memory(&self, memory: &[usize]) -> Option<Self> {
                match self {
                    $(Self::$kind(settings) => settings.with_memory(memory),)+
                }
            }

            /// N of each head (empty where a schedule fills it); `None` for a task that has no N.
            #[must_use]
            pub fn memory(&self) -> Option<&[usize]> {
                match self {
                    $(Self::$kind(settings) => settings.memory(),)+
                }
            }
        }
    };
}

tasks! {
    /// N-parity: is the number of ones among the last N bits odd? N ≥ 1.
    Parity;
    /// N-delayed match to sample: is the last bit the one shown N − 1 steps before? N ≥ 2.
    Dms;
    /// Pulse memorisation: answer a pulse with a pulse after a delay.
    Pulse;
    /// Flip-flop: hold which of two channels had the last pulse.
    FlipFlop;
}

impl TaskSpec {
    /// N-parity for these N, one head each, with input bits 0 and 1.
    #[must_use]
    pub fn parity(memory: &[usize]) -> Self {
        Self::Parity(Parity { n: memory.to_vec(), coding: Coding::Bits })
    }

    /// N-delayed match to sample for these N, one head each, with input bits 0 and 1.
    #[must_use]
    pub fn dms(memory: &[usize]) -> Self {
        Self::Dms(Dms { n: memory.to_vec(), coding: Coding::Bits })
    }
}

impl fmt::Display for TaskSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TaskSpec {
    type Err = Error;

    /// The task of that name with its default settings.
    fn from_str(name: &str) -> Result<Self, Error> {
        let known = |task: &Self| task.name() == name;
        Self::all().into_iter().find(known).ok_or_else(|| Error::UnknownTask {
            name: name.to_owned(),
            known: Self::NAMES.join(", "),
        })
    }
}
