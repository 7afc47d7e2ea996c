//! One source, several instruction sets: chooses at run time which compiled copy of a job runs.
//!
//! The arithmetic is the same in every copy: each number is made by the same chain of fused
//! multiply-adds, only the number of chains side by side differs. So the choice never changes a
//! bit, and a seed gives the same network on every machine.

use std::sync::OnceLock;

/// The instruction sets that a job is compiled for.
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

/// Work that is written once and compiled for each instruction set. A vector register holds `L`
/// numbers; `MR` rows × `2 L` columns are the tile of a matrix product that fits the registers.
/// `run` must be `#[inline(always)]`, and so must be all that it calls in its loops: only inlined
/// code gets the wider instructions.
pub trait Job<R> {
    /// Does it.
    fn run<const MR: usize, const L: usize>(self);
}

/// A number type for which jobs are compiled.
pub trait Vectorised: Sized {
    /// Runs the copy of `job` for `isa`.
    fn dispatch(isa: Isa, job: impl Job<Self>);
    /// The `2 L` with which [`Vectorised::dispatch`] runs a job.
    fn panel_width(isa: Isa) -> usize;
}

/// Largest `2 L` of all; rows of activity are padded to a multiple of it.
pub(super) const MAX_PANEL: usize = 32;
/// A multiple of every `MR`; slices of a batch are padded to it.
pub(super) const ROW_BLOCK: usize = 8;

macro_rules! vectorised {
    ($type:ident, avx512: $w:literal, avx2: $y:literal, baseline: $b:literal) => {
        impl Vectorised for $type {
            #[allow(unsafe_code)]
            fn dispatch(isa: Isa, job: impl Job<Self>) {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
                    fn avx512(job: impl Job<$type>) {
                        job.run::<8, $w>();
                    }
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2(job: impl Job<$type>) {
                        job.run::<4, $y>();
                    }
                    // Asked again (a cached load): a caller may have made up the variant.
                    if Isa::available_at_most(isa) == Isa::Avx512 {
                        // SAFETY: the processor has avx512f, avx512vl, avx2 and fma: just checked.
                        return unsafe { avx512(job) };
                    }
                    if Isa::available_at_most(isa) == Isa::Avx2 {
                        // SAFETY: the processor has avx2 and fma: just checked.
                        return unsafe { avx2(job) };
                    }
                }
                let _ = isa;
                job.run::<8, $b>();
            }

            fn panel_width(isa: Isa) -> usize {
                match Isa::available_at_most(isa) {
                    Isa::Avx512 => 2 * $w,
                    Isa::Avx2 => 2 * $y,
                    Isa::Baseline => 2 * $b,
                }
            }
        }
    };
}

impl Isa {
    /// `self` where the processor has it, else the best that it has.
    fn available_at_most(self) -> Self {
        match (self, Self::detect()) {
            (Self::Baseline, _) | (_, Self::Baseline) => Self::Baseline,
            (Self::Avx2, _) | (_, Self::Avx2) => Self::Avx2,
            (Self::Avx512, Self::Avx512) => Self::Avx512,
        }
    }
}

vectorised!(f32, avx512: 16, avx2: 8, baseline: 4);
vectorised!(f64, avx512: 8, avx2: 4, baseline: 2);
