//! The way to a GPU: the driver's library, which is looked for when it is wanted, the GPU, and its kernels.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::sys::{self, CUdevice_attribute, CUfunction_attribute, CUresult};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, DriverError, result};
use cudarc::nvrtc::Ptx;

use crate::Error;

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

/// The oldest CUDA that a driver may support: 12.0, which driver 525 brought.
const OLDEST_DRIVER: i32 = 12_000;
/// The oldest compute capability that a GPU may have: Volta's.
const OLDEST_CAPABILITY: (i32, i32) = (7, 0);

/// What all streams on a GPU share. Translating the kernels takes a second, once per process.
#[derive(Debug)]
pub(super) struct Shared {
    /// Number of the GPU, as the driver counts.
    number: usize,
    pub(super) context: Arc<CudaContext>,
    /// Bytes of shared memory that a block may ask for.
    pub(super) shared_limit: usize,
    /// The modules that were translated, by name.
    modules: Mutex<HashMap<&'static str, Arc<CudaModule>>>,
}

/// The GPUs that were opened.
static OPEN: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// Locks a mutex whose content is whole even if another thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// What the streams on the GPU with that number share.
    pub(super) fn of(number: usize) -> Result<Arc<Self>, Error> {
        let mut open = lock(&OPEN);
        if let Some(shared) = open.iter().find(|shared| shared.number == number) {
            return Ok(Arc::clone(shared));
        }
        let context = connect(number)?;
        let what = CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
        let shared_limit = context.attribute(what).map_err(failed)?;
        let shared_limit = usize::try_from(shared_limit).unwrap_or(0);
        let modules = Mutex::default();
        let shared = Arc::new(Self { number, context, shared_limit, modules });
        open.push(Arc::clone(&shared));
        Ok(shared)
    }

    /// Finds a kernel of a precision. The first kernel of a module that is asked for makes the driver
    /// translate the module.
    pub(super) fn function(
        &self,
        precision: &'static str,
        kernel: &str,
    ) -> Result<CudaFunction, Error> {
        let mut modules = lock(&self.modules);
        let (name, text) = ptx(precision, kernel).ok_or_else(|| {
            unusable(format!("this program has no kernels for {precision} (see `cuda-f64`)"))
        })?;
        let module = match modules.get(name) {
            Some(module) => module,
            None => {
                let module = self.context.load_module(Ptx::from_src(text)).map_err(failed)?;
                modules.entry(name).or_insert(module)
            }
        };
        let function = module.load_function(kernel).map_err(failed)?;
        // All networks of the process share the function: its shared memory is set once, under the
        // lock, to the most that there is.
        let what = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let own = CUfunction_attribute::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES;
        let own = function.get_attribute(own).map_err(failed)?;
        let most = self.shared_limit as i32 - own;
        function.set_attribute(what, most.max(0)).map_err(failed)?;
        Ok(function)
    }
}

/// Looks for the driver and for the GPU with that number.
#[allow(unsafe_code)]
fn connect(number: usize) -> Result<Arc<CudaContext>, Error> {
    // SAFETY: this loads a library of the system if it is there.
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
    // SAFETY: the memory of a `Gpu` is used and freed on the stream of that `Gpu` only.
    unsafe { context.disable_event_tracking() };
    Ok(context)
}

fn absent(reason: impl Into<String>) -> Error {
    Error::NoDevice { reason: reason.into() }
}

fn unusable(reason: impl Into<String>) -> Error {
    Error::UnusableDevice { reason: reason.into() }
}

pub(super) fn failed(error: DriverError) -> Error {
    Error::Device { reason: words(error) }
}

/// The CUDA version that the driver supports: 12000 for 12.0.
#[allow(unsafe_code)]
pub(super) fn driver_version() -> Result<i32, Error> {
    let mut version = 0;
    // SAFETY: the call writes one integer.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(failed)?;
    Ok(version)
}

/// The driver's own words for an error.
fn words(error: DriverError) -> String {
    let text = |of: Result<&CStr, DriverError>| {
        of.map_or_else(|_| "unknown".to_owned(), |text| text.to_string_lossy().into_owned())
    };
    format!("{} ({})", text(error.error_string()), text(error.error_name()))
}
