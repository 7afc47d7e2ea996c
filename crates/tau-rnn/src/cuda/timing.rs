//! What benchmarks ask of a GPU: the time of each kernel, and what graphs are worth.

use std::cell::RefCell;
use std::collections::HashMap;

use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaStream, DriverError};

use super::driver::Gpu;

/// What all launches of a kernel took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelTime {
    /// How often it was launched.
    pub launches: u64,
    /// Milliseconds of all launches together.
    pub milliseconds: f64,
}

/// The time of each kernel since somebody asked for it; `None` if nobody did.
#[derive(Debug, Default)]
pub(super) struct Timing(RefCell<Option<HashMap<&'static str, KernelTime>>>);

impl Timing {
    pub(super) fn is_on(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Does `work`, which launches a kernel, and waits for the kernel if it is to be timed.
    pub(super) fn run(
        &self,
        stream: &CudaStream,
        kernel: &'static str,
        work: impl FnOnce() -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        let mut times = self.0.borrow_mut();
        let Some(times) = times.as_mut() else { return work() };
        let stamp = || stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        let start = stamp()?;
        work()?;
        let end = stamp()?;
        end.synchronize()?;
        let time = times.entry(kernel).or_default();
        time.launches += 1;
        time.milliseconds += f64::from(start.elapsed_ms(&end)?);
        Ok(())
    }
}

impl Gpu {
    /// Number of graphs that the GPU remembers.
    #[must_use]
    pub fn graphs(&self) -> usize {
        self.graphs.borrow().len()
    }

    /// Lets every step be a launch of its own, to see what graphs are worth.
    pub fn launch_singly(&self) {
        self.without_graphs.set(true);
    }

    /// Begins to time every kernel, one after the other: all in all slower than without.
    pub fn start_timing(&self) {
        *self.timing.0.borrow_mut() = Some(HashMap::new());
    }

    /// Ends the timing and returns the time of each kernel, the longest first.
    #[must_use]
    pub fn stop_timing(&self) -> Vec<(&'static str, KernelTime)> {
        let mut times: Vec<_> = self.timing.0.take().unwrap_or_default().into_iter().collect();
        times.sort_by(|(_, a), (_, b)| b.milliseconds.total_cmp(&a.milliseconds));
        times
    }
}
