//! What a device must be able to do: give memory, copy, launch kernels.

use std::fmt::Debug;

use crate::{Error, Real};

/// A device that runs the kernels of `kernels/`.
///
/// A device does its work in the order of the calls; only [`Device::read`] waits for that work.
pub trait Device: Debug + Send {
    /// Memory of the device, which is freed when it is dropped.
    type Memory: Debug + Send;

    /// Gives memory that is filled with zeros.
    ///
    /// # Errors
    /// [`Error::DeviceMemory`], [`Error::Device`].
    fn allocate(&self, bytes: usize) -> Result<Self::Memory, Error>;

    /// The address of the first byte of the memory, as kernels see it: a multiple of 256.
    fn address(&self, memory: &Self::Memory) -> u64;

    /// Fills the memory with zeros.
    ///
    /// # Errors
    /// [`Error::Device`].
    fn clear(&self, memory: &mut Self::Memory) -> Result<(), Error>;

    /// Copies `bytes` to the device, to `offset` in the memory. The caller may change `bytes` as soon as
    /// this returns.
    ///
    /// # Errors
    /// [`Error::Device`].
    fn write(&self, memory: &mut Self::Memory, offset: usize, bytes: &[u8]) -> Result<(), Error>;

    /// Waits for all work asked for so far, and copies from the device.
    ///
    /// # Errors
    /// [`Error::Device`], also for work of an earlier call that failed.
    fn read(&self, memory: &Self::Memory, offset: usize, bytes: &mut [u8]) -> Result<(), Error>;

    /// Number of bytes of shared memory that a block may ask for.
    fn shared_limit(&self) -> usize;

    /// Runs a kernel of the precision `R` once for every block of the grid. Each block has `shared`
    /// bytes of shared memory besides the kernel's own.
    ///
    /// # Safety
    /// `A` must be the structure that the kernel takes. Its addresses must be memory of this device
    /// that is large enough for what the kernel does with it, and no dimension of the grid may be 0.
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

    /// Runs a kernel once for each element of `arguments`, one after the other. A device may remember
    /// the list and be faster when the same list comes again.
    ///
    /// # Safety
    /// What [`Device::launch`] asks must hold for each element.
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
        // SAFETY: the caller promises it for each element.
        arguments.iter().try_for_each(|one| unsafe { self.launch::<R, A>(grid, shared, one) })
    }
}

/// The arguments of a kernel: a structure with the layout of its twin in `kernels/`.
pub trait Arguments: Copy + Debug + PartialEq + Send + 'static {
    /// Name of the kernel that takes the structure.
    const KERNEL: &'static str;
    /// Number of threads in a block of the kernel.
    const THREADS: usize;
}

/// Number of threads in a block of every kernel outside `kernels/small.cu`.
pub(super) const THREADS: usize = 256;
