//! The sigmoid and the hyperbolic tangent: half of the time of a network that has them, if they are
//! computed one by one.
//!
//! The functions of f32 are arithmetic that a compiler puts into vector registers: fused multiply-adds, one
//! division, shifts of bits. Each operation rounds once on every processor, so that the bits are the
//! same on all, alone or side by side. The functions of f64, which trains nothing large, are `libm`'s.
#![allow(clippy::excessive_precision, reason = "the published digits of the constants")]

/// ln 2 = LN2_HIGH + LN2_LOW, of which the first has so few bits that its multiples are exact.
const LN2_HIGH: f32 = 6.931_457_519_5e-1;
const LN2_LOW: f32 = 1.428_606_765_3e-6;
/// Added to a small number it leaves the nearest integer in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// x = k ln 2 + r with |r| ≤ (ln 2)/2: 2^k, and e^r − 1, for |x| ≤ 87.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = k.mul_add(-LN2_LOW, k.mul_add(-LN2_HIGH, x));
    // The polynomial of Cephes' expf (Moshier).
    let p = 1.987_569_15e-4_f32;
    let p = p.mul_add(r, 1.398_199_950_7e-3);
    let p = p.mul_add(r, 8.333_451_907_3e-3);
    let p = p.mul_add(r, 4.166_579_589_4e-2);
    let p = p.mul_add(r, 1.666_666_545_9e-1);
    let p = p.mul_add(r, 5.000_000_120_1e-1);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    (power, p.mul_add(r * r, r))
}

/// Within ± `bound`; a NaN stays one.
#[inline(always)]
fn within(x: f32, bound: f32) -> f32 {
    let x = if x > bound { bound } else { x };
    if x < -bound { -bound } else { x }
}

/// 1 / (1 + e^−u), to 3 units in the last place; below u = −87 it stays at that value, 10⁻³⁸.
#[inline(always)]
pub(crate) fn sigmoid32(u: f32) -> f32 {
    let (power, rest) = split(within(-u, 87.0));
    let value = 1.0 / (1.0 + power.mul_add(rest, power));
    // The shift of bits may have lost a NaN.
    if u.is_nan() { u } else { value }
}

/// tanh u, to 4 units in the last place.
#[inline(always)]
pub(crate) fn tanh32(u: f32) -> f32 {
    // Further out it rounds to ± 1.
    let (power, rest) = split(within(u + u, 30.0));
    // e^2u − 1, without cancellation near 0.
    let grown = power.mul_add(rest, power - 1.0);
    let value = grown / (grown + 2.0);
    if u.is_nan() { u } else { value }
}

#[inline(always)]
pub(crate) fn sigmoid64(u: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-u))
}

#[inline(always)]
pub(crate) fn tanh64(u: f64) -> f64 {
    libm::tanh(u)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 97th number of both signs, from 10⁻³⁸ to infinity, NaN among them.
    fn numbers() -> impl Iterator<Item = f32> {
        (0..=0x7f80_0000_u32).step_by(97).flat_map(|bits| {
            let x = f32::from_bits(bits);
            [x, -x]
        })
    }

    /// Error in units of the last place of the exact value.
    fn units(found: f32, exact: f64) -> f64 {
        let unit = (exact.abs() * f64::from(f32::EPSILON)).max(f64::from(f32::MIN_POSITIVE));
        (f64::from(found) - exact).abs() / unit
    }

    #[test]
    fn curves_are_exact_to_a_few_units_in_the_last_place() {
        let (mut worst_sigmoid, mut worst_tanh) = (0.0_f64, 0.0_f64);
        for u in numbers() {
            let exact = f64::from(u);
            if u > -87.0 {
                let sigmoid = units(sigmoid32(u), 1.0 / (1.0 + (-exact).exp()));
                worst_sigmoid = worst_sigmoid.max(sigmoid);
            }
            worst_tanh = worst_tanh.max(units(tanh32(u), exact.tanh()));
        }
        assert!(worst_sigmoid < 3.0 && worst_tanh < 4.0, "{worst_sigmoid}, {worst_tanh}");
    }

    #[test]
    fn the_ends_are_what_they_should_be() {
        let infinity = f32::INFINITY;
        assert_eq!([sigmoid32(infinity), sigmoid32(0.0), sigmoid32(40.0)], [1.0, 0.5, 1.0]);
        assert!(sigmoid32(-infinity) < 2e-38);
        assert_eq!([tanh32(infinity), tanh32(-infinity), tanh32(0.0)], [1.0, -1.0, 0.0]);
        for bits in [0x7fc0_0000, 0x7f80_0001, 0xffff_ffff] {
            let nan = f32::from_bits(bits);
            assert!(sigmoid32(nan).is_nan() && tanh32(nan).is_nan());
        }
    }
}
