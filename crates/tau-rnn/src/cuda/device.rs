//! What a device must be able to do: memory, copies, launches.

use std::fmt::Debug;

use crate::{Error, Real};

/// A device that runs the kernels of `kernels/`.
///
/// Work is done in the order of the calls; only [`Device::read`] waits for it.
pub trait Device: Debug + Send {
    /// Memory of the device; freed when dropped.
    type Memory: Debug + Send;

    /// Zeros.
    ///
    /// # Errors
    /// [`Error::DeviceMemory`], [`Error::Device`].
    fn allocate(&self, bytes: usize) -> Result<Self::Memory, Error>;

    /// The address of its first byte, as kernels see it: a multiple of 256.
    fn address(&self, memory: &Self::Memory) -> u64;

    /// Makes all of it zeros.
    ///
    /// # Errors
    /// [`Error::Device`].
    fn clear(&self, memory: &mut Self::Memory) -> Result<(), Error>;

    /// Copies to the device. `bytes` may be changed as soon as this returns.
    ///
    /// # Errors
    /// [`Error::Device`].
    fn write(&self, memory: &mut Self::Memory, offset: usize, bytes: &[u8]) -> Result<(), Error>;

    /// Waits for everything asked so far, and copies from the device.
    ///
    /// # Errors
    /// [`Error::Device`], also for what went wrong in an earlier call.
    fn read(&self, memory: &Self::Memory, offset: usize, bytes: &mut [u8]) -> Result<(), Error>;

    /// Bytes of shared memory that a block may ask for.
    fn shared_limit(&self) -> usize;

    /// Runs a kernel of the precision `R` once for every block of the grid, each with `shared`
    /// bytes of shared memory besides the kernel's own.
    ///
    /// # Safety
    /// `A` must be the structure that the kernel takes; its addresses must be memory of this device
    /// that is large enough for what the kernel does with it, and no grid dimension 0.
    ///
    /// # Errors
    /// [`Error::Device`].
    #[allow(unsafe_code)]
    unsafe fn launch<R: Real, A: Arguments>(
        &self,
        grid: [usize; 3],
        shared: usize,
        arguments: &A,
    ) -> Result<(), Error>;

    /// Runs a kernel once for each of `arguments`, one after the other. A device may remember the
    /// list and be faster when it comes again.
    ///
    /// # Safety
    /// That of [`Device::launch`], for each of them.
    ///
    /// # Errors
    /// [`Error::Device`].
    #[allow(unsafe_code)]
    unsafe fn launch_all<R: Real, A: Arguments>(
        &self,
        grid: [usize; 3],
        shared: usize,
        arguments: &[A],
    ) -> Result<(), Error> {
        // SAFETY: the caller's promise.
        arguments.iter().try_for_each(|one| unsafe { self.launch::<R, A>(grid, shared, one) })
    }
}

/// The arguments of a kernel: a structure with the layout of the one in `kernels/`.
pub trait Arguments: Copy + Debug + PartialEq + Send + 'static {
    /// The kernel that takes them.
    const KERNEL: &'static str;
    /// Threads of a block.
    const THREADS: usize;
}

/// Threads of a block of all kernels but those of `kernels/small.cu`.
pub(super) const THREADS: usize = 256;
