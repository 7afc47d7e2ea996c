//! The nonlinearities of the leaky cell as types, so that a kernel is compiled for each.

use crate::{Activation, Real};

/// φ, and its derivative as a function of φ's value.
pub(in crate::cpu) trait Phi<R> {
    fn phi(s: R) -> R;
    fn slope(value: R) -> R;
}

pub(in crate::cpu) struct LeakyRelu;
pub(in crate::cpu) struct Relu;
pub(in crate::cpu) struct Tanh;
pub(in crate::cpu) struct Sigmoid;

impl<R: Real> Phi<R> for LeakyRelu {
    #[inline(always)]
    fn phi(s: R) -> R {
        if s > R::ZERO { s } else { R::from_f64(Activation::NEGATIVE_SLOPE) * s }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::from_f64(Activation::NEGATIVE_SLOPE) }
    }
}

impl<R: Real> Phi<R> for Relu {
    #[inline(always)]
    fn phi(s: R) -> R {
        // Not `s > 0`: a NaN must stay one.
        if s <= R::ZERO { R::ZERO } else { s }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::ZERO }
    }
}

impl<R: Real> Phi<R> for Tanh {
    #[inline(always)]
    fn phi(s: R) -> R {
        s.tanh()
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        R::ONE - value * value
    }
}

impl<R: Real> Phi<R> for Sigmoid {
    #[inline(always)]
    fn phi(s: R) -> R {
        s.sigmoid()
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        value * (R::ONE - value)
    }
}

/// Evaluates `$body` with `$phi` as the type that stands for the activation `$activation`.
macro_rules! with_phi {
    ($activation:expr, $phi:ident => $body:expr) => {
        match $activation {
            $crate::Activation::LeakyRelu => {
                type $phi = $crate::cpu::leaky::phi::LeakyRelu;
                $body
            }
            $crate::Activation::Relu => {
                type $phi = $crate::cpu::leaky::phi::Relu;
                $body
            }
            $crate::Activation::Tanh => {
                type $phi = $crate::cpu::leaky::phi::Tanh;
                $body
            }
            $crate::Activation::Sigmoid => {
                type $phi = $crate::cpu::leaky::phi::Sigmoid;
                $body
            }
        }
    };
}
pub(in crate::cpu) use with_phi;
