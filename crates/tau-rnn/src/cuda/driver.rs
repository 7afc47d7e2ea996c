//! An NVIDIA GPU, through the driver's library, which is looked for when it is wanted.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::sys::{self, CUdevice_attribute, CUfunction_attribute, CUresult};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaGraph, CudaModule, CudaSlice, CudaStream, DevicePtr,
    DevicePtrMut, DeviceRepr, DriverError, LaunchConfig, PushKernelArg, result,
};
use cudarc::nvrtc::Ptx;

use crate::{Error, Real};

use super::device::{Arguments, Device};
use super::graphs::Graphs;
use super::staging::Staging;
#[cfg(feature = "bench")]
use super::timing::Timing;

/// The module that has a kernel of a precision: its name and its text, made by `cargo xtask kernels`.
fn ptx(precision: &str, kernel: &str) -> Option<(&'static str, &'static str)> {
    match (precision, kernel) {
        #[cfg(feature = "bench")]
        ("f32", "peak") => Some(("peak", include_str!("../../kernels/ptx/peak.ptx"))),
        ("f32", _) => Some(("f32", include_str!("../../kernels/ptx/f32.ptx"))),
        #[cfg(feature = "cuda-f64")]
        ("f64", _) => Some(("f64", include_str!("../../kernels/ptx/f64.ptx"))),
        _ => None,
    }
}

/// CUDA 12.0: the driver 525 and later.
const OLDEST_DRIVER: i32 = 12_000;
/// Volta.
const OLDEST_CAPABILITY: (i32, i32) = (7, 0);

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

/// What all streams on a GPU share: to translate the kernels takes a second, once a process.
#[derive(Debug)]
struct Shared {
    number: usize,
    context: Arc<CudaContext>,
    /// Bytes of shared memory that a block may ask for.
    shared_limit: usize,
    modules: Mutex<HashMap<&'static str, Arc<CudaModule>>>,
}

/// The GPUs that were opened.
static OPEN: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// The lock; what it guards is whole even if another thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Launches that the driver knows as one. Given back while it runs, it ends first (the manual on
/// `cuGraphExecDestroy`).
pub(super) struct Graph(CudaGraph);

// SAFETY: used by one thread at a time, as its `Gpu` is.
#[allow(unsafe_code)]
unsafe impl Send for Graph {}

impl Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").finish_non_exhaustive()
    }
}

fn absent(reason: impl Into<String>) -> Error {
    Error::NoDevice { reason: reason.into() }
}

fn unusable(reason: impl Into<String>) -> Error {
    Error::UnusableDevice { reason: reason.into() }
}

fn failed(error: DriverError) -> Error {
    Error::Device { reason: words(error) }
}

/// The CUDA that the driver supports: 12000 for 12.0.
#[allow(unsafe_code)]
fn driver_version() -> Result<i32, Error> {
    let mut version = 0;
    // SAFETY: writes one integer.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(failed)?;
    Ok(version)
}

/// The driver's own.
fn words(error: DriverError) -> String {
    let text = |of: Result<&CStr, DriverError>| {
        of.map_or_else(|_| "unknown".to_owned(), |text| text.to_string_lossy().into_owned())
    };
    format!("{} ({})", text(error.error_string()), text(error.error_name()))
}

impl Gpu {
    /// Opens the GPU with that number, from 0.
    ///
    /// # Errors
    /// [`Error::NoDevice`] where there is none with that number; [`Error::UnusableDevice`] where the
    /// driver or the GPU is too old, or the driver fails.
    pub fn open(number: usize) -> Result<Self, Error> {
        let mut open = lock(&OPEN);
        let shared = match open.iter().find(|shared| shared.number == number) {
            Some(shared) => Arc::clone(shared),
            None => {
                let context = Self::connect(number)?;
                let what =
                    CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
                let shared_limit = context.attribute(what).map_err(failed)?;
                let shared_limit = usize::try_from(shared_limit).unwrap_or(0);
                let modules = Mutex::default();
                let shared = Arc::new(Shared { number, context, shared_limit, modules });
                open.push(Arc::clone(&shared));
                shared
            }
        };
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

    /// Looks for the driver and the GPU.
    #[allow(unsafe_code)]
    fn connect(number: usize) -> Result<Arc<CudaContext>, Error> {
        // SAFETY: loads a library of the system if it is there.
        if !unsafe { sys::is_culib_present() } {
            return Err(absent("NVIDIA's driver is not installed (libcuda is not found)"));
        }
        if let Err(error) = result::init() {
            let none = error.0 == CUresult::CUDA_ERROR_NO_DEVICE;
            return Err(if none { absent(words(error)) } else { unusable(words(error)) });
        }
        let version = driver_version()?;
        if version < OLDEST_DRIVER {
            let (major, minor) = (version / 1000, version % 1000 / 10);
            return Err(unusable(format!(
                "the NVIDIA driver supports CUDA {major}.{minor} (12.0 or later is needed: driver \
                 525)"
            )));
        }
        let count = CudaContext::device_count().map_err(failed)?;
        if number >= usize::try_from(count).unwrap_or(0) {
            return Err(absent(format!(
                "the driver sees {count} GPUs (numbered from 0, after CUDA_VISIBLE_DEVICES)"
            )));
        }
        let context = CudaContext::new(number).map_err(failed)?;
        let capability = context.compute_capability().map_err(failed)?;
        if capability < OLDEST_CAPABILITY {
            let name = context.name().map_err(failed)?;
            let (major, minor) = capability;
            return Err(unusable(format!(
                "{name} has compute capability {major}.{minor} (7.0 or later is needed: Volta)"
            )));
        }
        // SAFETY: memory of a `Gpu` is used and freed on its stream only.
        unsafe { context.disable_event_tracking() };
        Ok(context)
    }

    /// The GPU's name, architecture and what its driver supports.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn name(&self) -> Result<String, Error> {
        let name = self.stream.context().name().map_err(failed)?;
        let version = driver_version()?;
        let cuda = format!("CUDA {}.{}", version / 1000, version % 1000 / 10);
        Ok(format!("{name} ({}, driver for {cuda})", self.architecture()?))
    }

    /// Its architecture, for instance `sm_90`.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn architecture(&self) -> Result<String, Error> {
        let context = self.stream.context();
        let (major, minor) = context.compute_capability().map_err(failed)?;
        Ok(format!("sm_{major}{minor}"))
    }

    /// Bytes that are free once all work is done, and all bytes.
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
    /// That of [`Device::launch`].
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
        // SAFETY: the caller's promise.
        unsafe { launch.launch(config) }.map(drop)
    }

    fn function<R: Real>(&self, kernel: &'static str) -> Result<CudaFunction, Error> {
        if let Some(function) = self.functions.borrow().get(&(R::NAME, kernel)) {
            return Ok(function.clone());
        }
        let mut modules = lock(&self.shared.modules);
        let (name, text) = ptx(R::NAME, kernel).ok_or_else(|| {
            unusable(format!("this program has no kernels for {} (see `cuda-f64`)", R::NAME))
        })?;
        let module = match modules.get(name) {
            Some(module) => module,
            None => {
                let context = self.stream.context();
                let module = context.load_module(Ptx::from_src(text)).map_err(failed)?;
                modules.entry(name).or_insert(module)
            }
        };
        let function = module.load_function(kernel).map_err(failed)?;
        // Once, under the lock and to the most there is: all networks of the process share it.
        let what = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let own = CUfunction_attribute::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES;
        let own = function.get_attribute(own).map_err(failed)?;
        let most = self.shared.shared_limit as i32 - own;
        function.set_attribute(what, most.max(0)).map_err(failed)?;
        self.functions.borrow_mut().insert((R::NAME, kernel), function.clone());
        Ok(function)
    }
}

/// How many blocks of how many threads.
fn launch_config<A: Arguments>(grid: [usize; 3], shared: usize) -> Result<LaunchConfig, Error> {
    let too_many = |_| Error::Device { reason: format!("a grid of {grid:?} blocks") };
    let [x, y, z] = grid.map(u32::try_from);
    Ok(LaunchConfig {
        grid_dim: (x.map_err(too_many)?, y.map_err(too_many)?, z.map_err(too_many)?),
        block_dim: (A::THREADS as u32, 1, 1),
        shared_mem_bytes: shared as u32,
    })
}

/// Arguments in the form in which they are pushed.
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
                // What was given back is free only when the work that used it is done.
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
            // SAFETY: both are `bytes.len()` long; the source is page-locked and stays as it is
            // until `copied` has come to pass.
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
        // Before the recording: to load a kernel is not allowed in one.
        let function = self.function::<R>(A::KERNEL)?;
        let config = launch_config::<A>(grid, shared)?;
        let record = || -> Result<Graph, DriverError> {
            // Other threads may do what they like meanwhile.
            let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
            self.stream.begin_capture(mode)?;
            // SAFETY: the caller's promise, also for later: only the same arguments find the graph.
            let asked =
                arguments.iter().try_for_each(|one| unsafe { self.start(&function, config, one) });
            let end = || self.stream.end_capture(sys::CUgraphInstantiate_flags(0));
            // In any case, else the stream would go on recording; twice, since an error that was
            // left over from elsewhere is told first, and nothing done.
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
        // No memory for graphs, for instance: it goes without. What is really wrong comes again.
        self.without_graphs.set(true);
        // SAFETY: the caller's promise.
        unsafe { self.launch_all::<R, A>(grid, shared, arguments) }
    }
}
