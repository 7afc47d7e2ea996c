//! Least squares of `decay` for the thousands of curves of a resampling.
//!
//! For given time constants the best amplitudes are the minimum of a quadratic over their bounds,
//! which is known; what is left is one or two dimensions, and a search without derivatives ends
//! within 10⁻⁴ of the time constants, a thousandth of their scatter, in a hundredth of the time.

use super::decay::aic;
use super::{Model, TAU_MAX, TAU_MIN};

/// Shortest time constant of the grid: exp(−1/0.05) is 2·10⁻⁹, and below nothing changes.
const SHORTEST: f64 = 0.05;

/// Number of points of the grid over one time constant, in equal steps of its logarithm.
const GRID: usize = 24;

/// Golden sections of two steps of the grid (0.66 in the logarithm): to 10⁻⁷.
const SECTIONS: usize = 32;

/// Steps of the search in two dimensions, and the change of the residual that ends it.
const STEPS: usize = 200;
const TOLERANCE: f64 = 1e-9;

/// τ_net, τ of one exponential, and the better model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refit {
    pub(super) tau: f64,
    pub(super) tau_one: f64,
    pub(super) model: Model,
}

/// Both models; `near`: two time constants from which to look for two. `None` if the curve is not
/// finite.
pub(super) fn refit(curve: &[f64], near: Option<(f64, f64)>) -> Option<Refit> {
    if curve.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let profile = Profile { curve, square: curve.iter().map(|y| y * y).sum() };
    let (rss_one, tau_one) = profile.best_one();
    let (rss_two, [fast, slow]) = profile.best_two(near);
    let lags = curve.len();
    Some(if aic(rss_two, lags, 4) < aic(rss_one, lags, 2) {
        Refit { tau: fast.max(slow), tau_one, model: Model::Two }
    } else {
        Refit { tau: tau_one, tau_one, model: Model::One }
    })
}

/// Residuals at the best amplitudes, as a function of logarithms of time constants.
struct Profile<'a> {
    curve: &'a [f64],
    square: f64,
}

fn tau(log: f64) -> f64 {
    log.exp().clamp(TAU_MIN, TAU_MAX)
}

/// Minimum over x in [0, 1] of square·x² − 2·product·x.
fn on_edge(square: f64, product: f64) -> f64 {
    let x = if square > 0.0 { (product / square).clamp(0.0, 1.0) } else { 0.0 };
    x * (square * x - 2.0 * product)
}

impl Profile<'_> {
    fn one(&self, log: f64) -> f64 {
        let factor = (-1.0 / tau(log)).exp();
        let (mut decay, mut square, mut product) = (1.0, 0.0, 0.0);
        for y in self.curve {
            square += decay * decay;
            product += decay * y;
            decay *= factor;
        }
        (self.square + on_edge(square, product)).max(0.0)
    }

    /// Amplitudes A, B ≥ 0 with A + B ≤ 1: the bounds of a and c.
    fn two(&self, logs: [f64; 2]) -> f64 {
        let [f, g] = logs.map(|log| (-1.0 / tau(log)).exp());
        let (mut x, mut y) = (1.0, 1.0);
        let (mut xx, mut xy, mut yy, mut xc, mut yc) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for c in self.curve {
            xx += x * x;
            xy += x * y;
            yy += y * y;
            xc += x * c;
            yc += y * c;
            x *= f;
            y *= g;
        }
        let determinant = xx * yy - xy * xy;
        let (a, b) = ((xc * yy - yc * xy) / determinant, (yc * xx - xc * xy) / determinant);
        let reduced = if a >= 0.0 && b >= 0.0 && a + b <= 1.0 {
            -(a * xc + b * yc)
        } else {
            // The minimum lies on an edge: one amplitude alone, or A + B = 1.
            let both = yy - 2.0 * yc + on_edge(xx - 2.0 * xy + yy, xc - yc + yy - xy);
            on_edge(xx, xc).min(on_edge(yy, yc)).min(both)
        };
        (self.square + reduced).max(0.0)
    }

    fn best_one(&self) -> (f64, f64) {
        let (low, high) = (SHORTEST.ln(), TAU_MAX.ln());
        let step = (high - low) / (GRID - 1) as f64;
        let at = |i: usize| low + step * i as f64;
        let best = (0..GRID)
            .min_by(|&left, &right| self.one(at(left)).total_cmp(&self.one(at(right))))
            .unwrap_or(0);
        let (mut left, mut right) = (at(best) - step, (at(best) + step).min(high));
        let golden = 0.5 * (5f64.sqrt() - 1.0);
        for _ in 0..SECTIONS {
            let (a, b) = (right - golden * (right - left), left + golden * (right - left));
            if self.one(a) < self.one(b) {
                right = b;
            } else {
                left = a;
            }
        }
        let log = f64::midpoint(left, right);
        // A minimum at the bound is the bound.
        let log = if self.one(high) <= self.one(log) { high } else { log };
        (self.one(log), tau(log))
    }

    fn best_two(&self, near: Option<(f64, f64)>) -> (f64, [f64; 2]) {
        let grid = [0.3, 1.0, 3.0, 10.0, 30.0, 90.0].map(f64::ln);
        let pairs = (1..grid.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let (_, start) = pairs
            .map(|(i, j)| [grid[i], grid[j]])
            .map(|logs| (self.two(logs), logs))
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .unwrap_or((0.0, [grid[4], grid[1]]));
        let starts = near.map(|(a, b)| [a.ln(), b.ln()]).into_iter().chain([start]);
        let (rss, logs) = starts
            .map(|start| self.simplex(start))
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .unwrap_or((f64::NAN, start));
        (rss, logs.map(tau))
    }

    /// Nelder & Mead (1965) from a triangle at `start`; `tau` keeps every point in its bounds.
    fn simplex(&self, start: [f64; 2]) -> (f64, [f64; 2]) {
        let point = |logs: [f64; 2]| (self.two(logs), logs);
        // Towards the middle of the range: at a bound an outward step would change nothing.
        let inward = |log: f64| if log > 1.0 { log - 0.4 } else { log + 0.4 };
        let mut simplex = [
            point(start),
            point([inward(start[0]), start[1]]),
            point([start[0], inward(start[1])]),
        ];
        for _ in 0..STEPS {
            simplex.sort_by(|(left, _), (right, _)| left.total_cmp(right));
            let [best, middle, worst] = simplex;
            if worst.0 - best.0 <= TOLERANCE * best.0 {
                break;
            }
            let along = |by: f64| {
                point([0, 1].map(|i| {
                    let centre = f64::midpoint(best.1[i], middle.1[i]);
                    centre + by * (worst.1[i] - centre)
                }))
            };
            let mirrored = along(-1.0);
            if mirrored.0 < best.0 {
                let further = along(-2.0);
                simplex[2] = if further.0 < mirrored.0 { further } else { mirrored };
            } else if mirrored.0 < middle.0 {
                simplex[2] = mirrored;
            } else {
                let closer = along(if mirrored.0 < worst.0 { -0.5 } else { 0.5 });
                if closer.0 < worst.0.min(mirrored.0) {
                    simplex[2] = closer;
                } else {
                    for i in 1..3 {
                        let to = simplex[i].1;
                        simplex[i] = point([0, 1].map(|k| f64::midpoint(best.1[k], to[k])));
                    }
                }
            }
        }
        simplex
            .into_iter()
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .unwrap_or((f64::NAN, start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timescale::decay;

    /// On curves with one and two timescales and noise, the other search's answers: the same
    /// criterion to 10⁻³, so the same choice but for ties, and the same time constants where there
    /// is a choice to be made.
    #[test]
    fn the_minima_are_those_of_the_other_search() {
        let key = tau_random::Key::new(6, tau_random::Purpose::Statistics);
        let mut compared = 0;
        for case in 0..200 {
            let (weight, size) = ([0.0, 0.3, 0.6][case % 3], [1e-4, 1e-3, 1e-2][case / 3 % 3]);
            let slow = 4.0 + case as f64 / 4.0;
            let noise = |lag: usize| f64::from(key.step(case as u32).unit_f32(lag as u64)) - 0.5;
            let curve: Vec<f64> = (0..31)
                .map(|lag| {
                    let k = lag as f64;
                    let exact = (1.0 - weight) * (-k / 3.0).exp() + weight * (-k / slow).exp();
                    if lag == 0 { 1.0 } else { exact + size * noise(lag) }
                })
                .collect();
            let one = decay::fit(&curve, Model::One).unwrap();
            let two = decay::fit(&curve, Model::Two).unwrap();
            let found = refit(&curve, Some((two.params[2], two.params[3]))).unwrap();
            let relative = found.tau_one / one.slowest().tau - 1.0;
            assert!(relative.abs() < 1e-4, "case {case}, one: {relative:e}");
            let profile = Profile { curve: &curve, square: curve.iter().map(|y| y * y).sum() };
            for near in [None, Some((two.params[2], two.params[3]))] {
                let criterion = aic(profile.best_two(near).0, 31, 4);
                // The other search starts from four points, this one from one or two.
                let worse = criterion - two.aic;
                assert!(near.is_none() || worse < 1e-3, "case {case}: {worse}");
            }
            let model = if two.aic < one.aic { Model::Two } else { Model::One };
            if (two.aic - one.aic).abs() > 0.1 {
                assert_eq!(found.model, model, "case {case}");
            }
            if weight > 0.0 && size < 1e-3 && slow > 9.0 {
                let relative = found.tau / two.slowest().tau - 1.0;
                assert!(relative.abs() < 1e-2, "case {case}, two: {relative:e}");
                compared += 1;
            }
        }
        assert!(compared > 20, "{compared}");
    }

    #[test]
    fn a_curve_that_is_not_finite_has_no_fit() {
        assert!(refit(&[1.0, f64::NAN, 0.0], None).is_none());
    }
}
