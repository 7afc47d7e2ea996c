//! The way that bytes take to a GPU.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaEvent, DriverError, PinnedHostSlice};

/// Number of copies to the device that may be on their way at once.
const STAGES: usize = 8;

/// Page-locked memory through which bytes go to the device, so that nobody waits for the copy.
#[derive(Debug, Default)]
pub(super) struct Staging {
    stages: Vec<Stage>,
    next: usize,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) memory: PinnedHostSlice<u8>,
    /// The event after the last copy from this memory.
    pub(super) copied: CudaEvent,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The memory must outlive the copy from it. An error here was told before.
        let _ = self.copied.synchronize();
    }
}

impl Staging {
    /// A piece of page-locked memory that nobody uses and that has room for so many bytes.
    #[allow(unsafe_code)]
    pub(super) fn take(
        &mut self,
        context: &Arc<CudaContext>,
        bytes: usize,
    ) -> Result<&mut Stage, DriverError> {
        let new = || -> Result<Stage, DriverError> {
            let room = bytes.next_power_of_two().max(4096);
            // SAFETY: bytes may have any value, and they are written before they are copied.
            let memory = unsafe { context.alloc_pinned::<u8>(room) }?;
            Ok(Stage { memory, copied: context.new_event(None)? })
        };
        let slot = self.next;
        self.next = (self.next + 1) % STAGES;
        if slot == self.stages.len() {
            self.stages.push(new()?);
        }
        let stage = &mut self.stages[slot];
        stage.copied.synchronize()?;
        if stage.memory.len() < bytes {
            *stage = new()?;
        }
        Ok(stage)
    }
}
