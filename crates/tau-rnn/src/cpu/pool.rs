//! Pools of threads.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::Error;

/// Largest number of threads of a pool.
const MAX_THREADS: usize = 1024;

/// A pool of `threads` threads for [`crate::Cpu::new`]; `None` for one per processor, or as many as the
/// environment variable `RAYON_NUM_THREADS` says.
///
/// # Errors
/// [`Error::Threads`] for zero or more than 1024; [`Error::StartThreads`].
pub fn thread_pool(threads: Option<usize>) -> Result<Arc<ThreadPool>, Error> {
    if let Some(value) = threads
        && !(1..=MAX_THREADS).contains(&value)
    {
        return Err(Error::Threads { value });
    }
    let threads = threads.unwrap_or(0);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => Ok(Arc::new(pool)),
        Err(error) => Err(Error::StartThreads { threads, reason: error.to_string() }),
    }
}
