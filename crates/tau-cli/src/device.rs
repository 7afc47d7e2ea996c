//! The option `--device`.

use std::str::FromStr;

use anyhow::bail;
use tau_rnn::{Error, Hardware, self_test};

use crate::terminal::say_plainly;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    Auto,
    Chosen(Hardware),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        let unknown = |_: tau_rnn::Error| "allowed: cpu, cuda, cuda:NUMBER, auto".to_owned();
        name.parse().map(Self::Chosen).map_err(unknown)
    }
}

impl Device {
    /// The device, said in one line. For `auto` a GPU that passes the self-test, else the processor,
    /// with the reason: there is none, it is busy or full, or it computes something else.
    pub(crate) fn choose(self) -> anyhow::Result<Hardware> {
        let (hardware, why) = match self {
            Self::Chosen(hardware) => (hardware, String::new()),
            Self::Auto => {
                let gpu = Hardware::Cuda { number: 0 };
                match gpu.name().and_then(|_| self_test(gpu)) {
                    Ok(()) => (gpu, String::new()),
                    Err(error) => (Hardware::Cpu, format!("; {}", reason(&error))),
                }
            }
        };
        match hardware.name() {
            Ok(name) => {
                say_plainly(&format!("device: {hardware}, {name}{why}"));
                Ok(hardware)
            }
            Err(error) => bail!("{hardware}: {error} (--device cpu uses the processor)"),
        }
    }
}

/// Why a GPU is not used. What is said of a GPU in the middle of a training is of no use before it.
fn reason(error: &Error) -> String {
    match error {
        Error::Device { reason } => format!("the GPU cannot be used now: {reason}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_read() {
        check("auto", Ok(Device::Auto));
        check("cpu", Ok(Device::Chosen(Hardware::Cpu)));
        check("cuda", Ok(Device::Chosen(Hardware::Cuda { number: 0 })));
        check("cuda:3", Ok(Device::Chosen(Hardware::Cuda { number: 3 })));
        for bad in ["gpu", "cuda:", "cuda:x", "CPU"] {
            check(bad, Err("allowed: cpu, cuda, cuda:NUMBER, auto".to_owned()));
        }
        fn check(name: &str, expected: Result<Device, String>) {
            assert_eq!(name.parse(), expected);
        }
    }
}
