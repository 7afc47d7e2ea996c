//! Measures the peak of fused multiply-adds.

use std::time::Instant;

use crate::Error;

use super::arguments::Peak;
use super::device::{Device, THREADS};
use super::launch::launch;
use super::memory::Array;

/// Number of chains in a thread, as in `kernels/peak.cu`.
const CHAINS: usize = 16;
/// Number of blocks: enough for every multiprocessor of any GPU, several times over.
const BLOCKS: usize = 4096;

/// Floating-point operations per second of nothing but fused multiply-adds in single precision: the best
/// of a few launches of `rounds` rounds.
///
/// # Errors
/// Whatever the device meets.
pub fn fma_peak<D: Device>(device: &D, rounds: usize) -> Result<f64, Error> {
    let mut out = Array::<f32, D>::default();
    let pointer = out.room(device, BLOCKS * THREADS)?;
    let arguments = Peak { out: pointer, rounds: rounds as i32, unused: 0 };
    let mut best = 0.0;
    for _ in 0..5 {
        let start = Instant::now();
        launch::<f32, D, _>(device, [BLOCKS, 1, 1], 0, arguments)?;
        // This waits for the kernel.
        out.get(device, 0, &mut [0.0])?;
        let flops = (2 * CHAINS * rounds * BLOCKS * THREADS) as f64;
        best = f64::max(best, flops / start.elapsed().as_secs_f64());
    }
    Ok(best)
}
