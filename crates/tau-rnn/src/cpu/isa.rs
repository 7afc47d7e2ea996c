//! One source, several instruction sets: chooses at run time which compiled copy of a kernel runs.
//!
//! The arithmetic is the same in every copy: each number is made by the same chain of fused
//! multiply-adds, only the number of chains side by side differs. So the choice never changes a
//! bit, and a seed gives the same network on every machine.

use std::sync::OnceLock;

/// The instruction sets that a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// x86-64 with 512-bit vectors.
    Avx512,
    /// x86-64 with 256-bit vectors and fused multiply-add.
    Avx2,
    /// Whatever the compiler may assume of the target: NEON on aarch64. On an x86-64 processor
    /// without fused multiply-add (before 2013) it is exact but very slow.
    Baseline,
}

impl Isa {
    /// The best one that this processor has.
    #[must_use]
    pub fn detect() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| Self::available()[0])
    }

    /// All that this processor has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut found = vec![Self::Baseline];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.insert(0, Self::Avx2);
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                    found.insert(0, Self::Avx512);
                }
            }
        }
        found
    }
}

/// Runs the copy of the kernel for an instruction set. `run::<MR, L>` is written for registers of
/// `L` numbers and a tile of `MR` rows × `2 L` columns. It must be `#[inline(always)]`, and so must
/// be all that it calls in its loops: only inlined code gets the wider instructions.
macro_rules! run {
    ($isa:expr, $kernel:expr, $type:ty, $w:literal, $y:literal, $b:literal) => {
        // Asked again (a cached load): a caller may have made up the variant.
        match $isa.available_at_most() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
                fn avx512(kernel: $type) {
                    kernel.run::<8, $w>();
                }
                // SAFETY: the processor has avx512f, avx512vl, avx2 and fma: just checked.
                unsafe { avx512($kernel) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                #[target_feature(enable = "avx2,fma")]
                fn avx2(kernel: $type) {
                    kernel.run::<4, $y>();
                }
                // SAFETY: the processor has avx2 and fma: just checked.
                unsafe { avx2($kernel) }
            }
            _ => $kernel.run::<8, $b>(),
        }
    };
}

pub(super) use run;

impl Isa {
    /// `self` where the processor has it, else the best that it has.
    pub(super) fn available_at_most(self) -> Self {
        match (self, Self::detect()) {
            (Self::Baseline, _) | (_, Self::Baseline) => Self::Baseline,
            (Self::Avx2, _) | (_, Self::Avx2) => Self::Avx2,
            (Self::Avx512, Self::Avx512) => Self::Avx512,
        }
    }
}
