//! Runs the CUDA kernels of `tau-rnn` on the processor: the same sources, compiled as C++.
//!
//! An [`Emulator`] is a [`Device`]. The threads of a block take turns in random order, shared memory
//! starts as NaN, memory is guarded on both sides, barriers that not all threads reach are errors:
//! what is undefined on a GPU is wrong here. It is thousands of times slower than a GPU.
//!
//! ```
//! use tau_emulator::Emulator;
//! use tau_random::{Key, Purpose};
//! use tau_rnn::{Config, Params, cuda::Cuda};
//! let config = Config::paper(8);
//! let params = Params::<f32>::init(&config, &mut Key::new(1, Purpose::Parameters).stream())?;
//! let network = Cuda::new(config, params, Emulator::new(1))?;
//! # Ok::<(), tau_rnn::Error>(())
//! ```
//!
//! What it does not know: time, warps, the order in which memory becomes visible.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};

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
}

/// What an H100 has.
const SHARED_LIMIT: usize = 227 * 1024;

impl Emulator {
    /// Blocks and threads take turns in an order that `seed` names.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed: Cell::new(seed << 32), shared_limit: SHARED_LIMIT, largest: usize::MAX }
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
pub struct Memory {
    /// Lines of guard, room and guard.
    lines: Vec<Line>,
    bytes: usize,
}

/// Addresses on a device are multiples of its size.
#[derive(Clone, Debug)]
#[repr(C, align(256))]
struct Line([u8; LINE]);

const LINE: usize = 256;
/// Lines of a guard.
const GUARD: usize = 16;
/// As a number it is NaN: who reads a guard spoils the result.
const GUARD_BYTE: u8 = 0xff;

impl Memory {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.lines[GUARD..].iter().flat_map(|line| line.0).take(self.bytes)
    }

    /// Whether nobody wrote outside.
    fn check(&self) -> Result<(), Error> {
        let all = || self.lines.iter().flat_map(|line| line.0).enumerate();
        let inside = GUARD * LINE..GUARD * LINE + self.bytes;
        match all().find(|&(at, byte)| !inside.contains(&at) && byte != GUARD_BYTE) {
            None => Ok(()),
            Some((at, _)) => {
                let at = at as i64 - (GUARD * LINE) as i64;
                Err(error(format!("a kernel wrote at byte {at} of {}", self.bytes)))
            }
        }
    }

    fn fill(&mut self, offset: usize, bytes: impl Iterator<Item = u8>) {
        let room = self.lines[GUARD..].iter_mut().flat_map(|line| &mut line.0).skip(offset);
        room.zip(bytes).for_each(|(to, byte)| *to = byte);
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

impl Device for Emulator {
    type Memory = Memory;

    fn allocate(&self, bytes: usize) -> Result<Memory, Error> {
        if bytes > self.largest {
            return Err(Error::DeviceMemory { bytes, free: self.largest, fits: 0 });
        }
        let lines = bytes.div_ceil(LINE) + 2 * GUARD;
        let mut memory = Memory { lines: vec![Line([GUARD_BYTE; LINE]); lines], bytes };
        self.clear(&mut memory)?;
        Ok(memory)
    }

    fn address(&self, memory: &Memory) -> u64 {
        memory.lines[GUARD..].as_ptr().expose_provenance() as u64
    }

    fn clear(&self, memory: &mut Memory) -> Result<(), Error> {
        memory.fill(0, std::iter::repeat_n(0, memory.bytes));
        Ok(())
    }

    fn write(&self, memory: &mut Memory, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        memory.check()?;
        assert!(offset + bytes.len() <= memory.bytes, "a write outside of the memory");
        memory.fill(offset, bytes.iter().copied());
        Ok(())
    }

    fn read(&self, memory: &Memory, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        memory.check()?;
        assert!(offset + bytes.len() <= memory.bytes, "a read outside of the memory");
        bytes.iter_mut().zip(memory.bytes().skip(offset)).for_each(|(to, byte)| *to = byte);
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
        let name = CString::new(A::KERNEL).map_err(|bad| error(bad.to_string()))?;
        let seed = self.seed.get();
        self.seed.set(seed + 1);
        let [x, y, z] = grid.map(|blocks| blocks as u32);
        let is_double = c_int::from(R::NAME == "f64");
        let bytes = size_of::<A>();
        let arguments = std::ptr::from_ref(arguments).cast();
        let threads = A::THREADS as u32;
        // SAFETY: the name is a C string, the arguments are `bytes` long; addresses in them are the
        // caller's promise.
        let message = unsafe {
            tau_launch(name.as_ptr(), is_double, bytes, x, y, z, threads, shared, arguments, seed)
        };
        if message.is_null() {
            return Ok(());
        }
        // SAFETY: a C string that lives until this thread's next launch.
        let message = unsafe { CStr::from_ptr(message) };
        Err(error(message.to_string_lossy().into_owned()))
    }
}
