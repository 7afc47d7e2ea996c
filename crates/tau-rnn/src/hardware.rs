//! Where networks are computed: one place that makes a [`Backend`] for either device.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::sync::Arc;

use rayon::ThreadPool;

use crate::{Backend, Config, Cpu, Error, Isa, Params, Real};

const CPU_NUMERICS: &str = "3";
const CUDA_NUMERICS: &str = "cuda-2";

/// A device of this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hardware {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU, numbered from 0.
    Cuda {
        /// The number by which the driver counts, after `CUDA_VISIBLE_DEVICES`.
        number: usize,
    },
}

impl Display for Hardware {
    /// The name that [`FromStr`] reads.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.pad("cpu"),
            Self::Cuda { number } => f.pad(&format!("cuda:{number}")),
        }
    }
}

impl FromStr for Hardware {
    type Err = Error;

    /// Reads `cpu`, `cuda` (the first GPU) or `cuda:NUMBER`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let number = match name {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => Some(0),
            _ => name.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
        };
        number
            .map(|number| Self::Cuda { number })
            .ok_or_else(|| Error::UnknownDevice { name: name.to_owned() })
    }
}

impl Hardware {
    /// A network on this device. The pool is for the processor.
    ///
    /// # Errors
    /// The errors of [`Cpu::new`] and [`crate::cuda::Cuda::new`]; [`Error::NoDevice`].
    pub fn network<R: Real>(
        self,
        config: Config,
        params: Params<R>,
        pool: Arc<ThreadPool>,
    ) -> Result<Box<dyn Backend<R>>, Error> {
        match self {
            Self::Cpu => Ok(Box::new(Cpu::new(config, params, pool)?)),
            Self::Cuda { number } => gpu::network(config, params, number),
        }
    }

    /// The version of the arithmetic. It is raised whenever an update gives different bits than before:
    /// a run that was begun with one version must not be continued with another. Every processor has
    /// the same version. The version of a GPU names its architecture, too: the elementary functions
    /// depend on it, and the shared memory that decides which kernel runs.
    ///
    /// # Errors
    /// [`Error::NoDevice`].
    pub fn numerics(self) -> Result<String, Error> {
        match self {
            Self::Cpu => Ok(CPU_NUMERICS.to_owned()),
            Self::Cuda { number } => Ok(format!("{CUDA_NUMERICS} {}", gpu::architecture(number)?)),
        }
    }

    /// The name of the device, as the system gives it.
    ///
    /// # Errors
    /// [`Error::NoDevice`].
    pub fn name(self) -> Result<String, Error> {
        match self {
            Self::Cpu => Ok(format!("{} ({:?})", processor(), Isa::detect())),
            Self::Cuda { number } => gpu::name(number),
        }
    }

    /// Bytes of memory of a GPU: those that are free, and all of them.
    ///
    /// # Errors
    /// [`Error::NoDevice`], also for the processor, whose memory the system shares out.
    pub fn memory(self) -> Result<(usize, usize), Error> {
        match self {
            Self::Cpu => Err(Error::NoDevice { reason: "asked for its memory".to_owned() }),
            Self::Cuda { number } => gpu::memory(number),
        }
    }

    /// Bytes that one update needs besides parameters, gradient and momentum. `outputs` counts the
    /// outputs of all heads of the batch; `every_step` says whether they are read at every step.
    #[must_use]
    pub fn workspace_bytes(
        self,
        config: &Config,
        steps: usize,
        trials: usize,
        outputs: usize,
        every_step: bool,
    ) -> usize {
        let bytes = match self {
            Self::Cpu => Cpu::<f32>::workspace_bytes,
            Self::Cuda { .. } => crate::cuda::workspace_bytes::<f32>,
        };
        bytes(config, steps, trials, outputs, every_step)
    }
}

/// The name of the processor, where the system tells it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|rest| rest.trim_start_matches([' ', '\t', ':']).trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

#[cfg(feature = "cuda")]
mod gpu {
    use super::*;
    use crate::cuda::{Cuda, Gpu};

    pub(super) fn network<R: Real>(
        config: Config,
        params: Params<R>,
        number: usize,
    ) -> Result<Box<dyn Backend<R>>, Error> {
        Ok(Box::new(Cuda::new(config, params, Gpu::open(number)?)?))
    }

    pub(super) fn name(number: usize) -> Result<String, Error> {
        Gpu::open(number)?.name()
    }

    pub(super) fn architecture(number: usize) -> Result<String, Error> {
        Gpu::open(number)?.architecture()
    }

    pub(super) fn memory(number: usize) -> Result<(usize, usize), Error> {
        Gpu::open(number)?.memory()
    }
}

#[cfg(not(feature = "cuda"))]
mod gpu {
    use super::*;

    pub(super) fn network<R: Real>(
        _: Config,
        _: Params<R>,
        _: usize,
    ) -> Result<Box<dyn Backend<R>>, Error> {
        Err(missing())
    }

    pub(super) fn name(_: usize) -> Result<String, Error> {
        Err(missing())
    }

    pub(super) fn architecture(_: usize) -> Result<String, Error> {
        Err(missing())
    }

    pub(super) fn memory(_: usize) -> Result<(usize, usize), Error> {
        Err(missing())
    }

    fn missing() -> Error {
        Error::NoDevice { reason: "built without the feature `cuda`".to_owned() }
    }
}
