//! Which compiled kernel runs: by number type, cell and instruction set.

use crate::Real;

use super::gated::pass::{GatedBackward, GatedForward};
use super::isa::{Isa, run};
use super::leaky::pass::{LeakyBackward, LeakyForward};
use super::packed::PackedCell;
use super::pass::{Backward, Forward};
use super::readout::Read;

/// A number type with its kernels, each compiled for every instruction set. They are compiled here,
/// once, and not in every crate that uses [`crate::Cpu`].
pub trait Vectorised: Sized {
    /// Numbers that a register holds.
    fn lanes(isa: Isa) -> usize;
    /// Reads the heads of a slice.
    fn read(isa: Isa, kernel: Read<'_, '_, Self>);
    /// Runs a slice of a leaky network through all steps.
    fn forward_leaky(isa: Isa, kernel: LeakyForward<'_, Self>);
    /// Back-propagates through a slice of a leaky network.
    fn backward_leaky(isa: Isa, kernel: LeakyBackward<'_, '_, Self>);
    /// Runs a slice of a gated network through all steps.
    fn forward_gated(isa: Isa, kernel: GatedForward<'_, Self>);
    /// Back-propagates through a slice of a gated network.
    fn backward_gated(isa: Isa, kernel: GatedBackward<'_, '_, Self>);
}

/// Runs a slice through all steps.
pub(super) fn forward<R: Real>(isa: Isa, pass: Forward<'_, R>) {
    match &pass.packed.cell {
        PackedCell::Leaky(leak) => R::forward_leaky(isa, LeakyForward { leak, pass }),
        &PackedCell::Gated(kind) => R::forward_gated(isa, GatedForward { kind, pass }),
    }
}

/// Back-propagates through a slice.
pub(super) fn backward<R: Real>(isa: Isa, pass: Backward<'_, '_, R>) {
    match &pass.packed.cell {
        PackedCell::Leaky(leak) => R::backward_leaky(isa, LeakyBackward { leak, pass }),
        &PackedCell::Gated(kind) => R::backward_gated(isa, GatedBackward { kind, pass }),
    }
}

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

            fn read(isa: Isa, kernel: Read<'_, '_, Self>) {
                run!(isa, kernel, Read<'_, '_, $type>, $w, $y, $b);
            }

            fn forward_leaky(isa: Isa, kernel: LeakyForward<'_, Self>) {
                run!(isa, kernel, LeakyForward<'_, $type>, $w, $y, $b);
            }

            fn backward_leaky(isa: Isa, kernel: LeakyBackward<'_, '_, Self>) {
                run!(isa, kernel, LeakyBackward<'_, '_, $type>, $w, $y, $b);
            }

            fn forward_gated(isa: Isa, kernel: GatedForward<'_, Self>) {
                run!(isa, kernel, GatedForward<'_, $type>, $w, $y, $b);
            }

            fn backward_gated(isa: Isa, kernel: GatedBackward<'_, '_, Self>) {
                run!(isa, kernel, GatedBackward<'_, '_, $type>, $w, $y, $b);
            }
        }
    };
}

vectorised!(f32, avx512: 16, avx2: 8, baseline: 4);
vectorised!(f64, avx512: 8, avx2: 4, baseline: 2);
