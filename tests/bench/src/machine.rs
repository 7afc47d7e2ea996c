//! What the machine can do.

use std::time::{Duration, Instant};

use anyhow::Result;
use tau_rnn::bench::{fma_peak, fused_multiply_adds};
use tau_rnn::cuda::Gpu;
use tau_rnn::{Hardware, Isa};

/// Gflop/s of nothing but fused multiply-adds (f32) in registers, on this many threads: the best
/// try of half a second, in which the system has given each thread its processor.
pub(crate) fn fma_peak_gflops(hardware: Hardware, threads: usize) -> Result<f64> {
    if let Hardware::Cuda { number } = hardware {
        return Ok(fma_peak(&Gpu::open(number)?, 20_000)? / 1e9);
    }
    let spin = |rounds| {
        let start = Instant::now();
        let flops: f64 = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(move || fused_multiply_adds(Isa::detect(), rounds)))
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
        });
        flops / start.elapsed().as_secs_f64() / 1e9
    };
    let (start, mut best) = (Instant::now(), 0.0);
    while start.elapsed() < Duration::from_millis(500) {
        best = f64::max(best, spin(100_000));
    }
    Ok(best)
}

/// Largest resident memory of this process so far, in MB, where the system tells it.
pub(crate) fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Forgets the largest resident memory so far, where the system can.
pub(crate) fn forget_peak_rss() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
