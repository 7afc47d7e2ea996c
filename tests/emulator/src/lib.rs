//! Runs the CUDA kernels of `tau-rnn` on the processor: the same sources, compiled as C++.
//!
//! An [`Emulator`] is a [`Device`]. The threads of a block take turns in random order, shared memory
//! starts as NaN, memory is guarded on both sides, barriers that not all threads reach are errors:
//! what is undefined on a GPU is wrong here. It is thousands of times slower than a GPU.
//!
//! ```
//! use emulator::Emulator;
//! use tau_random::{Key, Purpose};
//! use tau_rnn::{Config, Params, cuda::Cuda};
//! let config = Config::leaky(8, 1);
//! let params = Params::<f32>::init(&config, &mut Key::new(1, Purpose::Parameters).stream())?;
//! let network = Cuda::new(config, params, Emulator::new(1))?;
//! # Ok::<(), tau_rnn::Error>(())
//! ```
//!
//! What it does not know: time, warps, the order in which memory becomes visible.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Arc, Weak};

use tau_rnn::cuda::{Arguments, Device};
use tau_rnn::{Error, Real};

/// A GPU that is none.
#[derive(Debug)]
pub struct Emulator {
    /// Of the next launch's order.
    seed: Cell<u64>,
    shared_limit: usize,
    /// The largest piece of memory that it gives.
    largest: usize,
    /// All memory that someone still has.
    given: RefCell<Vec<Weak<Lines>>>,
}

/// What an H100 has.
const SHARED_LIMIT: usize = 227 * 1024;

impl Emulator {
    /// Blocks and threads take turns in an order that `seed` names.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed: Cell::new(seed << 32),
            shared_limit: SHARED_LIMIT,
            largest: usize::MAX,
            given: RefCell::default(),
        }
    }

    /// A block may ask for no more than so many bytes of shared memory.
    #[must_use]
    pub fn with_shared_limit(self, bytes: usize) -> Self {
        Self { shared_limit: bytes, ..self }
    }

    /// No piece of memory may be larger.
    #[must_use]
    pub fn with_largest_memory(self, bytes: usize) -> Self {
        Self { largest: bytes, ..self }
    }
}

/// Memory between two guards.
#[derive(Debug)]
pub struct Memory(Arc<Lines>);

/// Lines of guard, room and guard.
#[derive(Debug)]
struct Lines {
    lines: Box<[Cell<Line>]>,
    bytes: usize,
}

// SAFETY: memory is used by one thread at a time, as its `Emulator` is.
#[allow(unsafe_code)]
unsafe impl Send for Lines {}
// SAFETY: the same.
#[allow(unsafe_code)]
unsafe impl Sync for Lines {}

/// Addresses on a device are multiples of its size.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(256))]
struct Line([u8; LINE]);

const LINE: usize = 256;
/// Lines of a guard: 64 rows of a small network.
const GUARD: usize = 64;
/// As a number it is NaN: who reads a guard spoils the result.
const GUARD_BYTE: u8 = 0xff;

impl Lines {
    fn new(bytes: usize) -> Self {
        let count = bytes.div_ceil(LINE) + 2 * GUARD;
        let lines = vec![Cell::new(Line([GUARD_BYTE; LINE])); count].into_boxed_slice();
        Self { lines, bytes }
    }

    fn fill(&self, offset: usize, bytes: &mut dyn Iterator<Item = u8>) {
        let mut at = offset;
        let end = self.bytes;
        while at < end {
            let (cell, first) = (&self.lines[GUARD + at / LINE], at % LINE);
            let mut line = cell.get();
            for slot in &mut line.0[first..LINE.min(first + end - at)] {
                match bytes.next() {
                    Some(byte) => *slot = byte,
                    None => {
                        cell.set(line);
                        return;
                    }
                }
            }
            cell.set(line);
            at += LINE - first;
        }
    }

    fn bytes(&self, offset: usize) -> impl Iterator<Item = u8> {
        let lines = &self.lines[GUARD + offset / LINE..];
        lines.iter().flat_map(|line| line.get().0).skip(offset % LINE).take(self.bytes - offset)
    }

    /// Where someone wrote outside, if so.
    fn damage(&self) -> Option<i64> {
        let inside = GUARD * LINE..GUARD * LINE + self.bytes;
        let last = self.lines.len() - GUARD - 1;
        let guards = (0..GUARD).chain(last..self.lines.len());
        let mut bytes = guards.flat_map(|k| {
            let line = self.lines[k].get().0;
            (0..LINE).map(move |byte| (k * LINE + byte, line[byte]))
        });
        let (at, _) = bytes.find(|(at, byte)| !inside.contains(at) && *byte != GUARD_BYTE)?;
        Some(at as i64 - (GUARD * LINE) as i64)
    }
}

fn error(reason: String) -> Error {
    Error::Device { reason }
}

#[allow(unsafe_code)]
unsafe extern "C" {
    fn tau_launch(
        name: *const c_char,
        is_double: c_int,
        bytes: usize,
        x: u32,
        y: u32,
        z: u32,
        threads: u32,
        shared: usize,
        arguments: *const c_void,
        seed: u64,
    ) -> *const c_char;
}

impl Emulator {
    /// Runs a kernel of a precision ("f32" or "f64"): [`Device::launch`] for who knows its structure
    /// of arguments as bytes.
    ///
    /// # Safety
    /// That of [`Device::launch`]; `arguments` must be aligned and `bytes` long.
    ///
    /// # Errors
    /// [`Error::Device`]: whatever is wrong with the kernel, its arguments or the launch.
    #[allow(unsafe_code, clippy::too_many_arguments)]
    pub unsafe fn run(
        &self,
        kernel: &str,
        precision: &str,
        grid: [usize; 3],
        threads: usize,
        shared: usize,
        arguments: *const c_void,
        bytes: usize,
    ) -> Result<(), Error> {
        let name = CString::new(kernel).map_err(|bad| error(bad.to_string()))?;
        let seed = self.seed.get();
        self.seed.set(seed + 1);
        let [x, y, z] = grid.map(|blocks| blocks as u32);
        let (is_double, threads) = (c_int::from(precision == "f64"), threads as u32);
        // SAFETY: the name is a C string; the rest is the caller's promise.
        let message = unsafe {
            tau_launch(name.as_ptr(), is_double, bytes, x, y, z, threads, shared, arguments, seed)
        };
        if message.is_null() {
            return self.check_guards(kernel);
        }
        // SAFETY: a C string that lives until this thread's next launch.
        let message = unsafe { CStr::from_ptr(message) };
        Err(error(message.to_string_lossy().into_owned()))
    }

    /// Whether the kernel wrote inside the memory that was given.
    fn check_guards(&self, kernel: &str) -> Result<(), Error> {
        let mut given = self.given.borrow_mut();
        given.retain(|lines| lines.strong_count() > 0);
        for lines in given.iter().filter_map(Weak::upgrade) {
            if let Some(at) = lines.damage() {
                return Err(error(format!("{kernel} wrote at byte {at} of {}", lines.bytes)));
            }
        }
        Ok(())
    }
}

impl Device for Emulator {
    type Memory = Memory;

    fn allocate(&self, bytes: usize) -> Result<Memory, Error> {
        if bytes > self.largest {
            return Err(Error::DeviceMemory { bytes, free: self.largest, fits: None });
        }
        let mut memory = Memory(Arc::new(Lines::new(bytes)));
        self.given.borrow_mut().push(Arc::downgrade(&memory.0));
        self.clear(&mut memory)?;
        Ok(memory)
    }

    fn address(&self, memory: &Memory) -> u64 {
        memory.0.lines[GUARD..].as_ptr().expose_provenance() as u64
    }

    fn clear(&self, memory: &mut Memory) -> Result<(), Error> {
        memory.0.fill(0, &mut std::iter::repeat(0));
        Ok(())
    }

    fn write(&self, memory: &mut Memory, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        assert!(offset + bytes.len() <= memory.0.bytes, "a write outside of the memory");
        memory.0.fill(offset, &mut bytes.iter().copied());
        Ok(())
    }

    fn read(&self, memory: &Memory, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        assert!(offset + bytes.len() <= memory.0.bytes, "a read outside of the memory");
        bytes.iter_mut().zip(memory.0.bytes(offset)).for_each(|(to, byte)| *to = byte);
        Ok(())
    }

    fn shared_limit(&self) -> usize {
        self.shared_limit
    }

    #[allow(unsafe_code)]
    unsafe fn launch<R: Real, A: Arguments>(
        &self,
        grid: [usize; 3],
        shared: usize,
        arguments: &A,
    ) -> Result<(), Error> {
        let bytes = size_of::<A>();
        let arguments = std::ptr::from_ref(arguments).cast();
        // SAFETY: the caller's promise.
        unsafe { self.run(A::KERNEL, R::NAME, grid, A::THREADS, shared, arguments, bytes) }
    }
}
