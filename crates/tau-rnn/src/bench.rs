//! What only the benchmarks and tests of this workspace use (feature `bench`). It is no part of the API: it
//! may change with every commit.

pub use crate::cpu::bench::{Products, fused_multiply_adds};
pub use crate::cuda::peak::fma_peak;
#[cfg(feature = "cuda")]
pub use crate::cuda::timing::KernelTime;
