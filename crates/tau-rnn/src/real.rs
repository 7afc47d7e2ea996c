//! The two floating-point types a network can be computed in.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::cpu::Vectorised;
use crate::smooth;

/// `f32` (training) or `f64` (gradient checks, parity): everything numerical is generic over it.
///
/// The elementary functions come from the `libm` crate or are our own, not from the system, so that a
/// seed gives the same bits on every machine.
pub trait Real:
    Copy
    + Debug
    + Display
    + LowerExp
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + Vectorised
    + bytemuck::Pod
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Back-propagated errors smaller than this are set to exactly 0 by the fast backends.
    ///
    /// Errors that vanish backwards in time would otherwise become subnormal numbers, on which
    /// x86 processors are many times slower. The bound lies far below the rounding of a gradient.
    const UNDERFLOW: Self;
    /// A longer step of an optimiser could leave the range of the type.
    const LARGEST_STEP: f64;
    /// Name of the type in files: `f32` or `f64`.
    const NAME: &'static str;

    /// Rounds to this type.
    fn from_f64(value: f64) -> Self;
    /// Converts from `f32` (exact).
    fn from_f32(value: f32) -> Self;
    /// Converts to `f64` (exact).
    fn to_f64(self) -> f64;
    /// `self * factor + term` with one rounding.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Natural exponential.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// 1 / (1 + exp(−self)), to a few units in the last place. For `f32` it is arithmetic that a
    /// processor does on many numbers side by side.
    fn sigmoid(self) -> Self;
    /// Hyperbolic tangent, made as [`Real::sigmoid`].
    fn tanh(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

macro_rules! real {
    ($type:ident, $underflow:literal, $step:literal, $exp:ident, $ln:ident, $sigmoid:ident,
     $tanh:ident) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const UNDERFLOW: Self = $underflow;
            const LARGEST_STEP: f64 = $step;
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn from_f32(value: f32) -> Self {
                $type::from(value)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                $type::mul_add(self, factor, term)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                libm::$exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                libm::$ln(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                smooth::$sigmoid(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                smooth::$tanh(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
        }
    };
}

real!(f32, 1e-30, 1e36, expf, logf, sigmoid32, tanh32);
real!(f64, 1e-290, 1e306, exp, log, sigmoid64, tanh64);
