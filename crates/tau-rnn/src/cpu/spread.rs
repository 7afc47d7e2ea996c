//! Work shared out among the threads of a pool.

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::Real;

/// So few numbers are added up before another thread has woken.
const FEW: usize = 1 << 15;

/// Does the work on every block of `len` numbers, the last of which may be shorter.
pub(super) fn spread_blocks<R: Real>(
    pool: &ThreadPool,
    numbers: &mut [R],
    len: usize,
    work: impl Fn(usize, &mut [R]) + Sync,
) {
    if pool.current_num_threads() == 1 || numbers.len() < FEW {
        numbers.chunks_mut(len).enumerate().for_each(|(k, block)| work(k, block));
    } else {
        pool.install(|| {
            numbers.par_chunks_mut(len).enumerate().for_each(|(k, block)| work(k, block));
        });
    }
}

/// Does the work on every item; on one thread without leaving it, which for small networks saves
/// more than the work takes.
pub(super) fn spread<T: Send>(
    pool: &ThreadPool,
    items: &mut [T],
    work: impl Fn(usize, &mut T) + Sync,
) {
    if pool.current_num_threads() == 1 {
        items.iter_mut().enumerate().for_each(|(k, item)| work(k, item));
    } else {
        pool.install(|| items.par_iter_mut().enumerate().for_each(|(k, item)| work(k, item)));
    }
}
