//! One source, several instruction sets: chooses at run time which compiled copy of a kernel runs.
//!
//! The arithmetic is the same in every copy: each number is made by the same chain of fused
//! multiply-adds, only the number of chains side by side differs. So the choice never changes a
//! bit, and a seed gives the same network on every machine.

use std::sync::OnceLock;

use crate::Real;

use super::gated::Gated;
use super::readout::Read;
use super::slice::{Backward, Forward};

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

/// A number type with its kernels, each compiled for every instruction set. They are compiled here,
/// once, and not in every crate that uses [`crate::Cpu`].
pub trait Vectorised: Sized {
    /// Numbers that a register holds.
    fn lanes(isa: Isa) -> usize;
    /// Runs a slice through all steps.
    fn forward(isa: Isa, kernel: Forward<'_, Self>);
    /// Reads the heads of a slice.
    fn read(isa: Isa, kernel: Read<'_, '_, Self>);
    /// Back-propagates through a slice.
    fn backward(isa: Isa, kernel: Backward<'_, '_, Self>);
    /// [`Vectorised::forward`] of a gated cell.
    fn forward_gated(isa: Isa, kernel: Gated<Forward<'_, Self>>);
    /// [`Vectorised::backward`] of a gated cell.
    fn backward_gated(isa: Isa, kernel: Gated<Backward<'_, '_, Self>>);
}

/// Runs a slice through all steps.
pub(super) fn forward<R: Real>(isa: Isa, kernel: Forward<'_, R>) {
    if kernel.packed.cell.leaky().is_none() {
        R::forward_gated(isa, Gated(kernel));
    } else {
        R::forward(isa, kernel);
    }
}

/// Back-propagates through a slice.
pub(super) fn backward<R: Real>(isa: Isa, kernel: Backward<'_, '_, R>) {
    if kernel.packed.cell.leaky().is_none() {
        R::backward_gated(isa, Gated(kernel));
    } else {
        R::backward(isa, kernel);
    }
}

/// Largest panel width of all; rows of activity are padded to a multiple of it.
pub(super) const MAX_PANEL: usize = 32;
/// A multiple of the rows of every register tile; slices of a batch are padded to it.
pub(super) const ROW_BLOCK: usize = 8;

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

#[cfg(feature = "bench")]
pub(super) use run;

macro_rules! vectorised {
    ($type:ident, avx512: $w:literal, avx2: $y:literal, baseline: $b:literal) => {
        #[allow(unsafe_code)]
        impl Vectorised for $type {
            fn lanes(isa: Isa) -> usize {
                match isa.available_at_most() {
                    Isa::Avx512 => $w,
                    Isa::Avx2 => $y,
                    Isa::Baseline => $b,
                }
            }

            fn forward(isa: Isa, kernel: Forward<'_, Self>) {
                run!(isa, kernel, Forward<'_, $type>, $w, $y, $b);
            }

            fn read(isa: Isa, kernel: Read<'_, '_, Self>) {
                run!(isa, kernel, Read<'_, '_, $type>, $w, $y, $b);
            }

            fn backward(isa: Isa, kernel: Backward<'_, '_, Self>) {
                run!(isa, kernel, Backward<'_, '_, $type>, $w, $y, $b);
            }

            fn forward_gated(isa: Isa, kernel: Gated<Forward<'_, Self>>) {
                run!(isa, kernel, Gated<Forward<'_, $type>>, $w, $y, $b);
            }

            fn backward_gated(isa: Isa, kernel: Gated<Backward<'_, '_, Self>>) {
                run!(isa, kernel, Gated<Backward<'_, '_, $type>>, $w, $y, $b);
            }
        }
    };
}

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

vectorised!(f32, avx512: 16, avx2: 8, baseline: 4);
vectorised!(f64, avx512: 8, avx2: 4, baseline: 2);
