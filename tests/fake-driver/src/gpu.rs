//! The GPU that is none: memory, streams of work, graphs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Instant;

use cudarc::driver::sys::CUresult;
use emulator::{Emulator, Memory};
use tau_rnn::cuda::Device;

/// What a call of the driver gives.
pub(crate) type Call<T = ()> = Result<T, CUresult>;

/// The kernels that it knows, precision and PTX.
const PTX: [(&str, &str); 3] = [
    ("f32", include_str!("../../../crates/tau-rnn/kernels/ptx/f32.ptx")),
    ("f64", include_str!("../../../crates/tau-rnn/kernels/ptx/f64.ptx")),
    ("f32", include_str!("../../../crates/tau-rnn/kernels/ptx/peak.ptx")),
];

/// Shared memory that kernels declare, to be told from what a launch asks for.
pub(crate) const OWN_SHARED: i32 = 16 * 1024;

/// A number that someone set from outside.
pub(crate) fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The machine, locked.
pub(crate) fn gpu() -> MutexGuard<'static, Gpu> {
    static GPU: LazyLock<Mutex<Gpu>> = LazyLock::new(|| Mutex::new(Gpu::new()));
    GPU.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A kernel of a module.
#[derive(Debug)]
pub(crate) struct Function {
    name: String,
    precision: &'static str,
    /// Size of its arguments together, in bytes.
    bytes: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Launch {
    function: &'static Function,
    grid: [usize; 3],
    threads: usize,
    shared: usize,
    /// In words, so that they are aligned.
    arguments: Vec<u64>,
}

/// Addresses of the host are numbers: they are looked at when the work is done.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Launch(Launch),
    Write { to: u64, from: usize, bytes: usize },
    Read { to: usize, from: u64, bytes: usize },
    Fill { to: u64, value: u8, bytes: usize },
    Free { address: u64 },
    Mark { event: u64 },
}

#[derive(Debug, Default)]
struct Stream {
    waiting: VecDeque<Work>,
    recording: Option<Vec<Launch>>,
}

/// A mark in a stream.
#[derive(Debug, Default)]
struct Event {
    stream: u64,
    /// How often it was put into a stream and not yet reached.
    ahead: usize,
    reached: Option<Instant>,
}

pub(crate) struct Gpu {
    emulator: Emulator,
    memory: BTreeMap<u64, (Memory, usize)>,
    pinned: HashMap<usize, Box<[u64]>>,
    streams: HashMap<u64, Stream>,
    events: HashMap<u64, Event>,
    graphs: HashMap<u64, Vec<Launch>>,
    last_handle: u64,
    launches: usize,
    used: usize,
    /// Who records, and whether all other threads must keep still meanwhile.
    recording: Option<(ThreadId, bool)>,
    /// An error that stays.
    lost: Option<CUresult>,
}

impl Gpu {
    fn new() -> Self {
        let shared = setting("FAKE_SHARED_MEMORY", 227 * 1024);
        Self {
            emulator: Emulator::new(1).with_shared_limit(shared),
            memory: BTreeMap::new(),
            pinned: HashMap::new(),
            streams: HashMap::new(),
            events: HashMap::new(),
            graphs: HashMap::new(),
            last_handle: 0,
            launches: 0,
            used: 0,
            recording: None,
            lost: None,
        }
    }

    fn handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }

    pub(crate) fn well(&self) -> Call {
        self.lost.map_or(Ok(()), Err)
    }

    /// What may wait for the device is not allowed while a stream records: to the thread that
    /// records, or to all.
    pub(crate) fn may_wait(&self) -> Call {
        self.well()?;
        match self.recording {
            Some((thread, global)) if global || thread == std::thread::current().id() => {
                Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED)
            }
            _ => Ok(()),
        }
    }

    /// It is lost, and says why on the terminal.
    fn lose(&mut self, error: CUresult, why: &str) -> CUresult {
        eprintln!("fake driver: {why}");
        self.lost = Some(error);
        error
    }

    pub(crate) fn memory_info(&self) -> [usize; 2] {
        let all = setting("FAKE_MEMORY", 8 << 30);
        [all.saturating_sub(self.used), all]
    }

    pub(crate) fn allocate(&mut self, bytes: usize, stream: u64) -> Call<u64> {
        self.not_recording(stream)?;
        if bytes > self.memory_info()[0] {
            return Err(CUresult::CUDA_ERROR_OUT_OF_MEMORY);
        }
        let failed = |_| CUresult::CUDA_ERROR_OUT_OF_MEMORY;
        let mut memory = self.emulator.allocate(bytes).map_err(failed)?;
        self.emulator.write(&mut memory, 0, &vec![0xA5; bytes]).map_err(failed)?;
        let address = self.emulator.address(&memory);
        self.memory.insert(address, (memory, bytes));
        self.used += bytes;
        Ok(address)
    }

    pub(crate) fn allocate_pinned(&mut self, bytes: usize) -> Call<usize> {
        self.may_wait()?;
        let room = vec![u64::MAX; bytes.div_ceil(8)].into_boxed_slice();
        let address = room.as_ptr().expose_provenance();
        self.pinned.insert(address, room);
        Ok(address)
    }

    /// Memory that copies still wait for may not be given back.
    pub(crate) fn free_pinned(&mut self, address: usize) -> Call {
        self.may_wait()?;
        let invalid = CUresult::CUDA_ERROR_INVALID_VALUE;
        let room = self.pinned.remove(&address).ok_or(invalid)?;
        let range = address..address + 8 * room.len();
        let wanted = self
            .streams
            .values()
            .flat_map(|stream| &stream.waiting)
            .any(|work| matches!(work, Work::Write { from, .. } if range.contains(from)));
        if wanted {
            return Err(self.lose(invalid, "memory given back before it was copied"));
        }
        Ok(())
    }

    pub(crate) fn new_stream(&mut self) -> u64 {
        let stream = self.handle();
        self.streams.insert(stream, Stream::default());
        stream
    }

    pub(crate) fn drop_stream(&mut self, stream: u64) -> Call {
        self.wait(stream)?;
        self.streams.remove(&stream);
        Ok(())
    }

    fn stream(&mut self, stream: u64) -> Call<&mut Stream> {
        // The stream of those who have none.
        if stream == 0 {
            return Ok(self.streams.entry(0).or_default());
        }
        self.streams.get_mut(&stream).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)
    }

    fn not_recording(&mut self, stream: u64) -> Call {
        self.well()?;
        if self.stream(stream)?.recording.is_some() {
            return Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
        Ok(())
    }

    /// Puts work on a stream.
    pub(crate) fn ask(&mut self, stream: u64, work: Work) -> Call {
        self.well()?;
        let stream = self.stream(stream)?;
        match (&mut stream.recording, work) {
            (None, work) => stream.waiting.push_back(work),
            (Some(recording), Work::Launch(launch)) => recording.push(launch),
            (Some(_), _) => return Err(CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED),
        }
        Ok(())
    }

    pub(crate) fn launch(
        &mut self,
        function: u64,
        grid: [usize; 3],
        threads: usize,
        shared: usize,
        arguments: *const u8,
        stream: u64,
    ) -> Call {
        // SAFETY: `function` was given out by `Gpu::function` and never goes away.
        #[allow(unsafe_code)]
        let function: &'static Function =
            unsafe { &*std::ptr::with_exposed_provenance(function as usize) };
        let mut words = vec![0_u64; function.bytes.div_ceil(8)];
        // SAFETY: the caller's arguments are as long as the kernel's, as for the real driver.
        #[allow(unsafe_code)]
        unsafe {
            std::ptr::copy_nonoverlapping(
                arguments,
                words.as_mut_ptr().cast::<u8>(),
                function.bytes,
            );
        }
        self.ask(stream, Work::Launch(Launch { function, grid, threads, shared, arguments: words }))
    }

    /// Does what a stream waits for.
    pub(crate) fn wait(&mut self, stream: u64) -> Call {
        self.not_recording(stream)?;
        while let Some(work) = self.stream(stream)?.waiting.pop_front() {
            self.work(work)?;
        }
        Ok(())
    }

    pub(crate) fn wait_for_all(&mut self) -> Call {
        let streams: Vec<u64> = self.streams.keys().copied().collect();
        streams.into_iter().try_for_each(|stream| self.wait(stream))
    }

    /// The memory that has this address, and where in it.
    fn find(&mut self, address: u64, bytes: usize) -> Call<(&mut Memory, usize)> {
        let outside = CUresult::CUDA_ERROR_INVALID_VALUE;
        let (first, (memory, room)) =
            self.memory.range_mut(..=address).next_back().ok_or(outside)?;
        let offset = (address - first) as usize;
        if offset + bytes > *room { Err(outside) } else { Ok((memory, offset)) }
    }

    fn work(&mut self, work: Work) -> Call {
        let failed = |_| CUresult::CUDA_ERROR_INVALID_VALUE;
        match work {
            Work::Launch(launch) => self.run(&launch),
            Work::Write { to, from, bytes } => {
                // SAFETY: the source of a copy must live until it is done.
                #[allow(unsafe_code)]
                let source = unsafe {
                    std::slice::from_raw_parts(std::ptr::with_exposed_provenance(from), bytes)
                }
                .to_vec();
                let (memory, offset) = self.find(to, bytes)?;
                Emulator::new(0).write(memory, offset, &source).map_err(failed)
            }
            Work::Read { to, from, bytes } => {
                // SAFETY: the same for its target.
                #[allow(unsafe_code)]
                let target = unsafe {
                    std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(to), bytes)
                };
                let (memory, offset) = self.find(from, bytes)?;
                Emulator::new(0).read(memory, offset, target).map_err(failed)
            }
            Work::Fill { to, value, bytes } => {
                let (memory, offset) = self.find(to, bytes)?;
                Emulator::new(0).write(memory, offset, &vec![value; bytes]).map_err(failed)
            }
            Work::Free { address } => {
                let (_, bytes) =
                    self.memory.remove(&address).ok_or(CUresult::CUDA_ERROR_INVALID_VALUE)?;
                self.used -= bytes;
                Ok(())
            }
            Work::Mark { event } => {
                if let Some(event) = self.events.get_mut(&event) {
                    event.ahead -= 1;
                    event.reached = Some(Instant::now());
                }
                Ok(())
            }
        }
    }

    fn run(&mut self, launch: &Launch) -> Call {
        self.launches += 1;
        if self.launches > setting("FAKE_LOST_AFTER", usize::MAX) {
            return Err(self.lose(CUresult::CUDA_ERROR_LAUNCH_FAILED, "the GPU is lost"));
        }
        let Launch { function, grid, threads, shared, arguments } = launch;
        // SAFETY: addresses in the arguments are the caller's promise, as for the real driver; the
        // emulator guards the memory around them.
        #[allow(unsafe_code)]
        let done = unsafe {
            self.emulator.run(
                &function.name,
                function.precision,
                *grid,
                *threads,
                *shared,
                arguments.as_ptr().cast(),
                function.bytes,
            )
        };
        done.map_err(|error| self.lose(CUresult::CUDA_ERROR_ILLEGAL_ADDRESS, &error.to_string()))
    }

    pub(crate) fn new_event(&mut self) -> u64 {
        let event = self.handle();
        self.events.insert(event, Event::default());
        event
    }

    pub(crate) fn drop_event(&mut self, event: u64) {
        self.events.remove(&event);
    }

    pub(crate) fn mark(&mut self, event: u64, stream: u64) -> Call {
        self.ask(stream, Work::Mark { event })?;
        let event = self.events.get_mut(&event).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?;
        event.stream = stream;
        event.ahead += 1;
        Ok(())
    }

    /// Does what stands before the event, and no more.
    pub(crate) fn wait_for(&mut self, event: u64) -> Call {
        let invalid = CUresult::CUDA_ERROR_INVALID_HANDLE;
        loop {
            self.well()?;
            let Event { stream, ahead, .. } = *self.events.get(&event).ok_or(invalid)?;
            if ahead == 0 {
                return Ok(());
            }
            let work = self.stream(stream)?.waiting.pop_front().ok_or(invalid)?;
            self.work(work)?;
        }
    }

    pub(crate) fn milliseconds(&self, start: u64, end: u64) -> Call<f32> {
        let reached = |event| {
            let event: Option<&Event> = self.events.get(event);
            event.and_then(|event| event.reached).ok_or(CUresult::CUDA_ERROR_NOT_READY)
        };
        let (start, end) = (reached(&start)?, reached(&end)?);
        Ok(end.duration_since(start).as_secs_f32() * 1e3)
    }

    pub(crate) fn begin_recording(&mut self, stream: u64, global: bool) -> Call {
        self.not_recording(stream)?;
        self.recording = Some((std::thread::current().id(), global));
        self.stream(stream)?.recording = Some(Vec::new());
        Ok(())
    }

    pub(crate) fn end_recording(&mut self, stream: u64) -> Call<u64> {
        self.well()?;
        let nothing = CUresult::CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
        let launches = self.stream(stream)?.recording.take().ok_or(nothing)?;
        self.recording = None;
        let graph = self.handle();
        self.graphs.insert(graph, launches);
        Ok(graph)
    }

    /// A graph that can be launched is a copy.
    pub(crate) fn instantiate(&mut self, graph: u64) -> Call<u64> {
        let launches = self.graphs.get(&graph).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?.clone();
        let copy = self.handle();
        self.graphs.insert(copy, launches);
        Ok(copy)
    }

    pub(crate) fn launch_graph(&mut self, graph: u64, stream: u64) -> Call {
        let launches = self.graphs.get(&graph).ok_or(CUresult::CUDA_ERROR_INVALID_HANDLE)?.clone();
        launches.into_iter().try_for_each(|launch| self.ask(stream, Work::Launch(launch)))
    }

    pub(crate) fn drop_graph(&mut self, graph: u64) {
        self.graphs.remove(&graph);
    }

    /// The number of the module with that text.
    pub(crate) fn module(&self, text: &str) -> Call<u64> {
        self.may_wait()?;
        let place = PTX.iter().position(|(_, known)| *known == text);
        place.map(|place| place as u64 + 1).ok_or(CUresult::CUDA_ERROR_INVALID_PTX)
    }

    /// A kernel, if the module has it; what its arguments take is read there.
    pub(crate) fn function(&self, module: u64, name: &str) -> Call<u64> {
        self.may_wait()?;
        let missing = CUresult::CUDA_ERROR_NOT_FOUND;
        let (precision, text) = *PTX.get(module as usize - 1).ok_or(missing)?;
        let (_, from) = text.split_once(&format!(".entry {name}(")).ok_or(missing)?;
        let (_, from) = from.split_once(&format!("{name}_param_0[")).ok_or(missing)?;
        let (bytes, _) = from.split_once(']').ok_or(missing)?;
        let bytes = bytes.parse().map_err(|_| missing)?;
        let function = Box::new(Function { name: name.to_owned(), precision, bytes });
        Ok(std::ptr::from_ref(Box::leak(function)).expose_provenance() as u64)
    }
}
