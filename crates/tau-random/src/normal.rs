//! Standard normal numbers, with the same bits on every machine.

use rand_core::RngCore;

/// Two independent standard normal numbers, made of two words of 64 bits.
///
/// Box and Muller (Annals of Mathematical Statistics 29, 1958): √(−2 ln u) times cosine and sine of
/// 2π v, for u in (0, 1] and v in [0, 1) with 53 bits each. The functions are those of `libm`, so
/// that the bits do not depend on the machine.
pub fn standard_normals(random: &mut impl RngCore) -> [f64; 2] {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    let [u, v] = [random.next_u64() >> 11, random.next_u64() >> 11];
    box_muller((u + 1) as f64 * UNIT, v as f64 * UNIT)
}

/// [`standard_normals`] of two words of 32 bits. The largest possible number is 6.7.
pub(crate) fn normals_of_words([u, v]: [u32; 2]) -> [f32; 2] {
    const UNIT: f64 = 1.0 / (1_u64 << 32) as f64;
    box_muller((f64::from(u) + 1.0) * UNIT, f64::from(v) * UNIT).map(|x| x as f32)
}

fn box_muller(u: f64, v: f64) -> [f64; 2] {
    let radius = libm::sqrt(-2.0 * libm::log(u));
    let angle = std::f64::consts::TAU * v;
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Purpose};

    #[test]
    fn the_ends_of_the_words_give_finite_numbers() {
        for words in [[0, 0], [0, u32::MAX], [u32::MAX, 0], [u32::MAX; 2]] {
            let normals = normals_of_words(words);
            assert!(normals.iter().all(|x| x.abs() < 6.7), "{words:?}: {normals:?}");
        }
        assert_eq!(normals_of_words([u32::MAX, 0]), [0.0, 0.0]);
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_law() {
        let mut stream = Key::new(0, Purpose::Statistics).stream();
        let pairs: Vec<[f64; 2]> = (0..50_000).map(|_| standard_normals(&mut stream)).collect();
        let count = 2.0 * pairs.len() as f64;
        let moment = |power: i32| pairs.as_flattened().iter().map(|x| x.powi(power)).sum::<f64>();
        // Five standard errors of each moment.
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let mean = moment(power) / count;
            let error: f64 = 5.0 * f64::sqrt(variance / count);
            assert!((mean - expected).abs() < error, "moment {power}: {mean}");
        }
        let product = pairs.iter().map(|[a, b]| a * b).sum::<f64>() / pairs.len() as f64;
        assert!(product.abs() < 5.0 / (pairs.len() as f64).sqrt(), "covariance: {product}");
    }
}
