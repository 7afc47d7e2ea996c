//! An NVIDIA GPU: a stream of work on it, through the driver's library.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{
    CudaFunction, CudaGraph, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr,
    DriverError, LaunchConfig, PushKernelArg, result,
};

use crate::{Error, Real};

use super::connect::{Shared, driver_version, failed};
use super::device::{Arguments, Device};
use super::graphs::Graphs;
use super::staging::Staging;
#[cfg(feature = "bench")]
use super::timing::Timing;

/// One GPU, and a stream of work on it.
#[derive(Debug)]
pub struct Gpu {
    stream: Arc<CudaStream>,
    shared: Arc<Shared>,
    functions: RefCell<HashMap<(&'static str, &'static str), CudaFunction>>,
    staging: RefCell<Staging>,
    pub(super) graphs: RefCell<Graphs<Graph>>,
    pub(super) without_graphs: Cell<bool>,
    #[cfg(feature = "bench")]
    pub(super) timing: Timing,
}

/// A list of launches that the driver knows as one. A graph that is dropped while it runs ends first
/// (manual of `cuGraphExecDestroy`).
pub(super) struct Graph(CudaGraph);

// SAFETY: a graph is used by one thread at a time, as its `Gpu` is.
#[allow(unsafe_code)]
unsafe impl Send for Graph {}

impl Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").finish_non_exhaustive()
    }
}

impl Gpu {
    /// Opens the GPU with that number, counted from 0.
    ///
    /// # Errors
    /// [`Error::NoDevice`] where no GPU has that number; [`Error::UnusableDevice`] where the driver or
    /// the GPU is too old, or the driver fails.
    pub fn open(number: usize) -> Result<Self, Error> {
        let shared = Shared::of(number)?;
        let stream = shared.context.new_stream().map_err(failed)?;
        Ok(Self {
            stream,
            shared,
            functions: RefCell::default(),
            staging: RefCell::default(),
            graphs: RefCell::default(),
            without_graphs: Cell::new(false),
            #[cfg(feature = "bench")]
            timing: Timing::default(),
        })
    }

    /// Name and architecture of the GPU, and the CUDA version that its driver supports.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn name(&self) -> Result<String, Error> {
        let name = self.stream.context().name().map_err(failed)?;
        let version = driver_version()?;
        let cuda = format!("CUDA {}.{}", version / 1000, version % 1000 / 10);
        Ok(format!("{name} ({}, driver for {cuda})", self.architecture()?))
    }

    /// Architecture of the GPU, for instance `sm_90`.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn architecture(&self) -> Result<String, Error> {
        let context = self.stream.context();
        let (major, minor) = context.compute_capability().map_err(failed)?;
        Ok(format!("sm_{major}{minor}"))
    }

    /// Number of bytes that are free once all work is done, and number of all bytes.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn memory(&self) -> Result<(usize, usize), Error> {
        let context = self.stream.context();
        context.synchronize().and_then(|()| context.mem_get_info()).map_err(failed)
    }

    /// Whether every step is a launch of its own.
    fn launches_singly(&self) -> bool {
        #[cfg(feature = "bench")]
        if self.timing.is_on() {
            return true;
        }
        self.without_graphs.get()
    }

    /// Puts a launch on the stream.
    ///
    /// # Safety
    /// What [`Device::launch`] asks must hold.
    #[allow(unsafe_code)]
    unsafe fn start<A: Arguments>(
        &self,
        function: &CudaFunction,
        config: LaunchConfig,
        arguments: &A,
    ) -> Result<(), DriverError> {
        let packet = Packet(*arguments);
        let mut launch = self.stream.launch_builder(function);
        launch.arg(&packet);
        // SAFETY: the caller promises what `Device::launch` asks.
        unsafe { launch.launch(config) }.map(drop)
    }

    fn function<R: Real>(&self, kernel: &'static str) -> Result<CudaFunction, Error> {
        if let Some(function) = self.functions.borrow().get(&(R::NAME, kernel)) {
            return Ok(function.clone());
        }
        let function = self.shared.function(R::NAME, kernel)?;
        self.functions.borrow_mut().insert((R::NAME, kernel), function.clone());
        Ok(function)
    }
}

/// Number of blocks and threads of a launch.
fn launch_config<A: Arguments>(grid: [usize; 3], shared: usize) -> Result<LaunchConfig, Error> {
    let too_many = |_| Error::Device { reason: format!("a grid of {grid:?} blocks") };
    let [x, y, z] = grid.map(u32::try_from);
    Ok(LaunchConfig {
        grid_dim: (x.map_err(too_many)?, y.map_err(too_many)?, z.map_err(too_many)?),
        block_dim: (A::THREADS as u32, 1, 1),
        shared_mem_bytes: shared as u32,
    })
}

/// Arguments in the form in which the driver takes them.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Packet<A>(A);

// SAFETY: `A` has the layout of the structure that the kernel takes: the promise of `launch`.
#[allow(unsafe_code)]
unsafe impl<A: Arguments> DeviceRepr for Packet<A> {}

impl Device for Gpu {
    type Memory = CudaSlice<u8>;

    fn allocate(&self, bytes: usize) -> Result<Self::Memory, Error> {
        let too_much = |error: &DriverError| error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY;
        self.stream
            .alloc_zeros(bytes)
            .or_else(|error| {
                // Memory that was given back is free only when the work that used it is done.
                if too_much(&error) {
                    self.stream.synchronize()?;
                    return self.stream.alloc_zeros(bytes);
                }
                Err(error)
            })
            .map_err(|error| {
                if too_much(&error) {
                    let free = self.memory().map_or(0, |(free, _)| free);
                    Error::DeviceMemory { bytes, free, fits: None }
                } else {
                    failed(error)
                }
            })
    }

    fn address(&self, memory: &Self::Memory) -> u64 {
        memory.device_ptr(&self.stream).0
    }

    fn clear(&self, memory: &mut Self::Memory) -> Result<(), Error> {
        self.stream.memset_zeros(memory).map_err(failed)
    }

    #[allow(unsafe_code)]
    fn write(&self, memory: &mut Self::Memory, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        let mut copy = || -> Result<(), DriverError> {
            let mut staging = self.staging.borrow_mut();
            let stage = staging.take(self.stream.context(), bytes.len())?;
            let source = &mut stage.memory.as_mut_slice()?[..bytes.len()];
            source.copy_from_slice(bytes);
            let mut to = memory.slice_mut(offset..offset + bytes.len());
            let (to, _) = to.device_ptr_mut(&self.stream);
            // SAFETY: both sides are `bytes.len()` long; the source is page-locked, and nobody writes
            // to it before the stream has reached `copied`.
            unsafe { result::memcpy_htod_async(to, source, self.stream.cu_stream()) }?;
            stage.copied.record(&self.stream)
        };
        copy().map_err(failed)
    }

    fn read(&self, memory: &Self::Memory, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let from = memory.slice(offset..offset + bytes.len());
        self.stream.memcpy_dtoh(&from, bytes).map_err(failed)?;
        self.stream.synchronize().map_err(failed)
    }

    fn shared_limit(&self) -> usize {
        self.shared.shared_limit
    }

    #[allow(unsafe_code)]
    unsafe fn launch<R: Real, A: Arguments>(
        &self,
        grid: [usize; 3],
        shared: usize,
        arguments: &A,
    ) -> Result<(), Error> {
        let function = self.function::<R>(A::KERNEL)?;
        let config = launch_config::<A>(grid, shared)?;
        // SAFETY: the caller's promise.
        let work = || unsafe { self.start(&function, config, arguments) };
        #[cfg(feature = "bench")]
        let work = || self.timing.run(&self.stream, A::KERNEL, work);
        work().map_err(failed)
    }

    #[allow(unsafe_code)]
    unsafe fn launch_all<R: Real, A: Arguments>(
        &self,
        grid: [usize; 3],
        shared: usize,
        arguments: &[A],
    ) -> Result<(), Error> {
        if self.launches_singly() {
            // SAFETY: the caller's promise.
            return arguments
                .iter()
                .try_for_each(|one| unsafe { self.launch::<R, A>(grid, shared, one) });
        }
        // A kernel may not be loaded while a stream records, so this comes first.
        let function = self.function::<R>(A::KERNEL)?;
        let config = launch_config::<A>(grid, shared)?;
        let record = || -> Result<Graph, DriverError> {
            // The recording binds this thread only.
            let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
            self.stream.begin_capture(mode)?;
            // SAFETY: the caller promises it, for later launches too: only the same arguments find
            // the graph.
            let asked =
                arguments.iter().try_for_each(|one| unsafe { self.start(&function, config, one) });
            let end = || self.stream.end_capture(sys::CUgraphInstantiate_flags(0));
            // The recording must end in any case, or the stream would go on with it. An error that was
            // left over from elsewhere is told by the first call, which then does nothing: hence twice.
            let graph = end().or_else(|_| end());
            asked?;
            let graph =
                graph?.ok_or(DriverError(CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED))?;
            Ok(Graph(graph))
        };
        let mut graphs = self.graphs.borrow_mut();
        if let Ok(graph) = graphs.get(grid, shared, arguments, record) {
            return graph.0.launch().map_err(failed);
        }
        // There may be no memory for graphs: it goes without them. A real error comes again.
        self.without_graphs.set(true);
        // SAFETY: the caller's promise.
        unsafe { self.launch_all::<R, A>(grid, shared, arguments) }
    }
}
