//! The functions, by the names that the driver has for them.
//!
//! All of them believe their caller as the driver does: pointers are good, texts end with a zero.

// What can go wrong stands in the driver's manual.
#![allow(unsafe_code, unsafe_op_in_unsafe_fn, clippy::missing_safety_doc)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};

use cudarc::driver::sys::{
    CUcontext, CUdevice, CUdevice_attribute as Attribute, CUdeviceptr, CUevent, CUfunction,
    CUfunction_attribute, CUgraph, CUgraphExec, CUmodule, CUresult, CUstream, CUstreamCaptureMode,
};

use crate::gpu::{Call, OWN_SHARED, Work, gpu, setting};

/// The only context.
const CONTEXT: u64 = 1;

fn code(call: Call) -> CUresult {
    call.err().unwrap_or(CUresult::CUDA_SUCCESS)
}

/// Writes a result where it is wanted.
unsafe fn give<T>(to: *mut T, call: Call<T>) -> CUresult {
    // SAFETY: the caller's pointer is good.
    code(call.map(|value| unsafe { to.write(value) }))
}

fn number<T>(handle: *mut T) -> u64 {
    handle.addr() as u64
}

fn handle<T>(number: u64) -> *mut T {
    std::ptr::without_provenance_mut(number as usize)
}

/// The driver's functions.
macro_rules! driver {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> CUresult {
                $body
            }
        )*
    };
}

driver! {
    fn cuInit(_flags: c_uint) { CUresult::CUDA_SUCCESS }

    fn cuDriverGetVersion(version: *mut c_int) {
        give(version, Ok(setting("FAKE_CUDA", 12_080) as c_int))
    }

    fn cuDeviceGetCount(count: *mut c_int) { give(count, Ok(setting("FAKE_GPUS", 1) as c_int)) }

    fn cuDeviceGet(device: *mut CUdevice, number: c_int) { give(device, Ok(number)) }

    fn cuDeviceGetName(name: *mut c_char, room: c_int, _device: CUdevice) {
        let text = c"Fake GPU".to_bytes_with_nul();
        let bytes = text.len().min(room as usize);
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), name, bytes);
        CUresult::CUDA_SUCCESS
    }

    fn cuDeviceGetAttribute(to: *mut c_int, which: Attribute, _device: CUdevice) {
        let capability = setting("FAKE_CAPABILITY", 90) as c_int;
        give(to, match which {
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR => Ok(capability / 10),
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR => Ok(capability % 10),
            Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED => Ok(1),
            Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN =>
                Ok(setting("FAKE_SHARED_MEMORY", 227 * 1024) as c_int),
            _ => Err(CUresult::CUDA_ERROR_NOT_SUPPORTED),
        })
    }

    fn cuDevicePrimaryCtxRetain(context: *mut CUcontext, _device: CUdevice) {
        give(context, Ok(handle(CONTEXT)))
    }

    fn cuDevicePrimaryCtxRelease_v2(_device: CUdevice) { CUresult::CUDA_SUCCESS }

    fn cuCtxSetCurrent(_context: CUcontext) { CUresult::CUDA_SUCCESS }

    fn cuCtxGetCurrent(context: *mut CUcontext) { give(context, Ok(handle(CONTEXT))) }

    fn cuCtxSynchronize() { code(gpu().wait_for_all()) }

    fn cuMemGetInfo_v2(free: *mut usize, all: *mut usize) {
        let [bytes, of] = gpu().memory_info();
        give(free, Ok(bytes));
        give(all, Ok(of))
    }

    fn cuStreamCreate(stream: *mut CUstream, _flags: c_uint) {
        give(stream, Ok(handle(gpu().new_stream())))
    }

    fn cuStreamDestroy_v2(stream: CUstream) { code(gpu().drop_stream(number(stream))) }

    fn cuStreamSynchronize(stream: CUstream) { code(gpu().wait(number(stream))) }

    fn cuStreamBeginCapture_v2(stream: CUstream, mode: CUstreamCaptureMode) {
        let global = mode == CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_GLOBAL;
        code(gpu().begin_recording(number(stream), global))
    }

    fn cuStreamEndCapture(stream: CUstream, graph: *mut CUgraph) {
        give(graph, gpu().end_recording(number(stream)).map(handle))
    }

    fn cuGraphInstantiateWithFlags(to: *mut CUgraphExec, graph: CUgraph, _flags: c_ulonglong) {
        give(to, gpu().instantiate(number(graph)).map(handle))
    }

    fn cuGraphLaunch(graph: CUgraphExec, stream: CUstream) {
        code(gpu().launch_graph(number(graph), number(stream)))
    }

    fn cuGraphExecDestroy(graph: CUgraphExec) {
        gpu().drop_graph(number(graph));
        CUresult::CUDA_SUCCESS
    }

    fn cuGraphDestroy(graph: CUgraph) {
        gpu().drop_graph(number(graph));
        CUresult::CUDA_SUCCESS
    }

    fn cuEventCreate(event: *mut CUevent, _flags: c_uint) {
        give(event, Ok(handle(gpu().new_event())))
    }

    fn cuEventDestroy_v2(event: CUevent) {
        gpu().drop_event(number(event));
        CUresult::CUDA_SUCCESS
    }

    fn cuEventRecord(event: CUevent, stream: CUstream) {
        code(gpu().mark(number(event), number(stream)))
    }

    fn cuEventSynchronize(event: CUevent) { code(gpu().wait_for(number(event))) }

    fn cuEventElapsedTime(to: *mut f32, start: CUevent, end: CUevent) {
        give(to, gpu().milliseconds(number(start), number(end)))
    }

    fn cuModuleLoadData(module: *mut CUmodule, image: *const c_void) {
        let text = CStr::from_ptr(image.cast()).to_str().unwrap_or_default();
        give(module, gpu().module(text).map(handle))
    }

    fn cuModuleUnload(_module: CUmodule) { CUresult::CUDA_SUCCESS }

    fn cuModuleGetFunction(to: *mut CUfunction, module: CUmodule, name: *const c_char) {
        let name = CStr::from_ptr(name).to_str().unwrap_or_default();
        give(to, gpu().function(number(module), name).map(handle))
    }

    fn cuFuncGetAttribute(to: *mut c_int, which: CUfunction_attribute, _function: CUfunction) {
        give(to, match which {
            CUfunction_attribute::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES => Ok(OWN_SHARED),
            _ => Err(CUresult::CUDA_ERROR_NOT_SUPPORTED),
        })
    }

    fn cuFuncSetAttribute(_function: CUfunction, which: CUfunction_attribute, value: c_int) {
        let size = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let most = setting("FAKE_SHARED_MEMORY", 227 * 1024) as c_int;
        if let Err(error) = gpu().may_wait() {
            return error;
        }
        if which == size && (0..=most).contains(&value) {
            CUresult::CUDA_SUCCESS
        } else {
            CUresult::CUDA_ERROR_INVALID_VALUE
        }
    }

    fn cuMemAllocAsync(to: *mut CUdeviceptr, bytes: usize, stream: CUstream) {
        give(to, gpu().allocate(bytes, number(stream)))
    }

    fn cuMemFreeAsync(address: CUdeviceptr, stream: CUstream) {
        code(gpu().ask(number(stream), Work::Free { address }))
    }

    fn cuMemHostAlloc(to: *mut *mut c_void, bytes: usize, _flags: c_uint) {
        give(to, gpu().allocate_pinned(bytes).map(std::ptr::with_exposed_provenance_mut))
    }

    fn cuMemFreeHost(memory: *mut c_void) { code(gpu().free_pinned(memory.addr())) }

    fn cuMemsetD8Async(to: CUdeviceptr, value: u8, bytes: usize, stream: CUstream) {
        code(gpu().ask(number(stream), Work::Fill { to, value, bytes }))
    }

    fn cuMemcpyHtoDAsync_v2(to: CUdeviceptr, from: *const c_void, bytes: usize, stream: CUstream) {
        let from = from.expose_provenance();
        code(gpu().ask(number(stream), Work::Write { to, from, bytes }))
    }

    fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: CUdeviceptr, bytes: usize, stream: CUstream) {
        let to = to.expose_provenance();
        code(gpu().ask(number(stream), Work::Read { to, from, bytes }))
    }

    fn cuLaunchKernel(
        function: CUfunction,
        x: c_uint,
        y: c_uint,
        z: c_uint,
        threads: c_uint,
        _threads_y: c_uint,
        _threads_z: c_uint,
        shared: c_uint,
        stream: CUstream,
        arguments: *mut *mut c_void,
        _extra: *mut *mut c_void,
    ) {
        let grid = [x, y, z].map(|blocks| blocks as usize);
        let first = (*arguments).cast_const().cast();
        let (threads, shared) = (threads as usize, shared as usize);
        code(gpu().launch(number(function), grid, threads, shared, first, number(stream)))
    }

    fn cuGetErrorName(error: CUresult, to: *mut *const c_char) {
        let name = match error {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => c"CUDA_ERROR_OUT_OF_MEMORY",
            CUresult::CUDA_ERROR_LAUNCH_FAILED => c"CUDA_ERROR_LAUNCH_FAILED",
            CUresult::CUDA_ERROR_ILLEGAL_ADDRESS => c"CUDA_ERROR_ILLEGAL_ADDRESS",
            _ => c"CUDA_ERROR_OTHER",
        };
        give(to, Ok(name.as_ptr()))
    }

    fn cuGetErrorString(error: CUresult, to: *mut *const c_char) {
        let text = match error {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => c"out of memory",
            CUresult::CUDA_ERROR_LAUNCH_FAILED => c"unspecified launch failure",
            CUresult::CUDA_ERROR_ILLEGAL_ADDRESS => c"an illegal memory access was encountered",
            _ => c"another error",
        };
        give(to, Ok(text.as_ptr()))
    }
}
