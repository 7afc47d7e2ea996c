//! The only place where kernels are started.

use crate::{Error, Real};

use super::device::{Arguments, Device};

/// Runs a kernel once for each element of `arguments`, one after the other.
#[allow(unsafe_code)]
pub(super) fn launch_all<R: Real, D: Device, A: Arguments>(
    device: &D,
    grid: [usize; 3],
    arguments: &[A],
) -> Result<(), Error> {
    if grid.contains(&0) {
        return Ok(());
    }
    // SAFETY: as in `launch`.
    unsafe { device.launch_all::<R, A>(grid, 0, arguments) }
}

/// Runs a kernel; for a grid without blocks there is nothing to do.
#[allow(unsafe_code)]
pub(super) fn launch<R: Real, D: Device, A: Arguments>(
    device: &D,
    grid: [usize; 3],
    shared: usize,
    arguments: A,
) -> Result<(), Error> {
    if grid.contains(&0) {
        return Ok(());
    }
    // SAFETY: `Arguments` is implemented only in arguments.rs, for the structure of the kernel that
    // it names. Addresses come from `Array::room`, whose length the files of this folder compute from
    // the same shape as the bounds of the kernel; the tests of the emulator run every kernel with
    // guarded memory.
    unsafe { device.launch::<R, A>(grid, shared, &arguments) }
}
