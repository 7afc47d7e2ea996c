//! Parts of the kernels alone, for benchmarks (feature `bench`). No promise is made about them.

pub use crate::cpu::bench::{Products, fused_multiply_adds};
