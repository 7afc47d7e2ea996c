//! The registry of tasks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Coding, Error, Task, dms, parity};

/// One line per task: its variant and the file that gives its `NAME` and `build`s it.
macro_rules! tasks {
    ($($(#[$doc:meta])* $kind:ident = $file:ident;)+) => {
        /// The known tasks; spelled by name (`parity`, `dms`) in text and in files.
        ///
        /// ```
        /// use tau_tasks::TaskKind;
        /// assert_eq!("dms".parse(), Ok(TaskKind::Dms));
        /// assert_eq!(TaskKind::Parity.to_string(), "parity");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum TaskKind {
            $($(#[$doc])* $kind,)+
        }

        impl TaskKind {
            /// Every task, in the order of registration.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The task's name, as [`Task::name`].
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $file::NAME,)+
                }
            }

            /// The task with the given memory (N of every head, in the order of the heads) and
            /// input coding.
            ///
            /// # Errors
            /// [`Error::NoMemory`], [`Error::Memory`], [`Error::RepeatedMemory`]: each N once,
            /// from the task's smallest (parity 1, DMS 2) to [`MAX_N`](crate::MAX_N).
            pub fn with_coding(
                self,
                memory: &[usize],
                coding: Coding,
            ) -> Result<Box<dyn Task>, Error> {
                match self {
                    $(Self::$kind => $file::build(memory, coding),)+
                }
            }
        }
    };
}

tasks! {
    /// N-parity: is the number of ones among the last N bits odd? N ≥ 1.
    Parity = parity;
    /// N-delayed match to sample: is the last bit the one shown N − 1 steps before? N ≥ 2.
    Dms = dms;
}

impl TaskKind {
    /// The task with the given memory and input bits 0 and 1 ([`Coding::Bits`]).
    ///
    /// # Errors
    /// As [`with_coding`](Self::with_coding).
    pub fn with_memory(self, memory: &[usize]) -> Result<Box<dyn Task>, Error> {
        self.with_coding(memory, Coding::default())
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TaskKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = |kind: &&Self| kind.name() == name;
        Self::ALL.iter().find(known).copied().ok_or_else(|| Error::UnknownTask {
            name: name.to_owned(),
            known: Self::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl TryFrom<String> for TaskKind {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<TaskKind> for &'static str {
    fn from(kind: TaskKind) -> Self {
        kind.name()
    }
}
