//! The exact Gaussian likelihood of AR(1) trials, from sums.
//!
//! With y = x − μ, φ the decay and σ² the variance of an innovation, a trial of n steps has
//!
//!   −2 ln L = n ln 2πσ² − ln(1 − φ²) + S/σ²,
//!   S = Σ₁ⁿ yₜ² + φ² Σ₂ⁿ⁻¹ yₜ² − 2φ Σ₁ⁿ⁻¹ yₜ yₜ₊₁ = yᵀVy
//!
//! (Box & Jenkins 1976, appendix A7.4). S is a square in μ, so the best μ and then the best σ² are
//! known for each φ, and one dimension is left:
//!
//!   f(φ) = N ln S(φ) − J ln(1 − φ²)   for J trials of N steps together.

/// Largest atanh φ that is searched: φ = 1 − 3·10⁻⁸.
const Z_MAX: f64 = 9.0;

/// Points of the grid from which the search starts.
const GRID: usize = 145;

/// Number of halvings of the interval between two points of the grid, to the last bit.
const HALVINGS: usize = 64;

/// Sums over one trial: all that its likelihood depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) steps: f64,
    /// Sum of y.
    pub(super) sum: f64,
    /// Sum of y².
    pub(super) squares: f64,
    /// Sum of yₜ yₜ₊₁.
    pub(super) products: f64,
    pub(super) first: f64,
    pub(super) last: f64,
}

impl Sums {
    /// The sums of y + `by`.
    pub(super) fn moved(&self, by: f64) -> Self {
        let ends = self.first + self.last;
        Self {
            steps: self.steps,
            sum: self.sum + self.steps * by,
            squares: self.squares + 2.0 * by * self.sum + self.steps * by * by,
            products: self.products + by * (2.0 * self.sum - ends) + (self.steps - 1.0) * by * by,
            first: self.first + by,
            last: self.last + by,
        }
    }

    /// yᵀVy, 1ᵀVy and 1ᵀV1 at φ, and their slopes.
    fn forms(&self, phi: f64) -> [[f64; 2]; 3] {
        let ends = self.first + self.last;
        let inner = self.squares - self.first.powi(2) - self.last.powi(2);
        let inner_sum = self.sum - ends;
        let n = self.steps;
        [
            [
                self.squares + phi * (phi * inner - 2.0 * self.products),
                2.0 * (phi * inner - self.products),
            ],
            [
                self.sum + phi * (phi * inner_sum - (2.0 * self.sum - ends)),
                2.0 * phi * inner_sum - (2.0 * self.sum - ends),
            ],
            [(1.0 - phi) * (n * (1.0 - phi) + 2.0 * phi), 2.0 * phi * (n - 2.0) - 2.0 * (n - 1.0)],
        ]
    }
}

/// Trials of one unit.
pub(super) struct Likelihood<'a> {
    pub(super) trials: &'a [Sums],
    /// Whether all trials have one mean; otherwise each has its own.
    pub(super) common_mean: bool,
}

impl Likelihood<'_> {
    fn steps(&self) -> f64 {
        self.trials.iter().map(|trial| trial.steps).sum()
    }

    /// S at the best means, and its slope.
    fn square(&self, phi: f64) -> [f64; 2] {
        let without_mean = |[q, l, m]: [[f64; 2]; 3]| {
            let mean = l[0] / m[0];
            [q[0] - l[0] * mean, q[1] - 2.0 * l[1] * mean + m[1] * mean * mean]
        };
        let forms = self.trials.iter().map(|trial| trial.forms(phi));
        if self.common_mean {
            let mut all = [[0.0; 2]; 3];
            for trial in forms {
                for (all, one) in all.iter_mut().flatten().zip(trial.iter().flatten()) {
                    *all += one;
                }
            }
            without_mean(all)
        } else {
            forms.map(without_mean).fold([0.0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]])
        }
    }

    fn value(&self, phi: f64) -> f64 {
        let [s, _] = self.square(phi);
        self.steps() * s.ln() - self.trials.len() as f64 * (1.0 - phi * phi).ln()
    }

    /// (1 − φ²) f′(φ): the same sign, and finite at the ends.
    fn slope(&self, phi: f64) -> f64 {
        let [s, ds] = self.square(phi);
        let rest = 1.0 - phi * phi;
        self.steps() * ds / s * rest + 2.0 * phi * self.trials.len() as f64
    }

    /// The best φ, and whether it lies at an end of what is searched.
    pub(super) fn best(&self) -> Option<(f64, bool)> {
        let phi = |i: usize| (Z_MAX * (2.0 * i as f64 / (GRID - 1) as f64 - 1.0)).tanh();
        let best = (0..GRID)
            .filter(|&i| self.value(phi(i)).is_finite())
            .min_by(|&left, &right| self.value(phi(left)).total_cmp(&self.value(phi(right))))?;
        let (mut low, mut high) = (phi(best.saturating_sub(1)), phi((best + 1).min(GRID - 1)));
        let at_end = best == 0 || best == GRID - 1;
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.slope(middle) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some((f64::midpoint(low, high), at_end))
    }

    /// σ² at φ.
    pub(super) fn innovation(&self, phi: f64) -> f64 {
        self.square(phi)[0] / self.steps()
    }

    /// ln L at φ and the best means and σ².
    pub(super) fn log_likelihood(&self, phi: f64) -> f64 {
        let (n, trials) = (self.steps(), self.trials.len() as f64);
        let log_variance = (std::f64::consts::TAU * self.innovation(phi)).ln();
        -0.5 * (n * (log_variance + 1.0) - trials * (1.0 - phi * phi).ln())
    }

    /// Variance of φ by the Fisher information of (φ, σ²), exact for any length:
    ///
    ///   I(φ,φ)   = J (1 + φ²)/(1 − φ²)² + (N − 2J)/(1 − φ²)
    ///   I(φ,σ²)  = J φ/((1 − φ²) σ²),  I(σ²,σ²) = N/(2σ⁴);  μ is orthogonal to both.
    pub(super) fn variance(&self, phi: f64) -> f64 {
        let (n, trials) = (self.steps(), self.trials.len() as f64);
        let rest = 1.0 - phi * phi;
        let own = trials * (1.0 + phi * phi) / rest.powi(2) + (n - 2.0 * trials) / rest;
        let shared = 2.0 * (trials * phi / rest).powi(2) / n;
        1.0 / (own - shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};

    fn sums(x: &[f64]) -> Sums {
        Sums {
            steps: x.len() as f64,
            sum: x.iter().sum(),
            squares: x.iter().map(|x| x * x).sum(),
            products: x.windows(2).map(|pair| pair[0] * pair[1]).sum(),
            first: x[0],
            last: x[x.len() - 1],
        }
    }

    /// ln L of the normal law, from its covariance matrix σ² φ^|i−j| / (1 − φ²).
    fn dense(x: &[f64], mean: f64, phi: f64, innovation: f64) -> f64 {
        let n = x.len();
        let covariance = DMatrix::from_fn(n, n, |i, j| {
            innovation * phi.powi(i.abs_diff(j) as i32) / (1.0 - phi * phi)
        });
        let y = DVector::from_fn(n, |i, _| x[i] - mean);
        let factor = covariance.cholesky().unwrap();
        let log_determinant = 2.0 * factor.l().diagonal().iter().map(|d| d.ln()).sum::<f64>();
        let square = y.dot(&factor.solve(&y));
        -0.5 * (n as f64 * std::f64::consts::TAU.ln() + log_determinant + square)
    }

    const TRIALS: [&[f64]; 2] =
        [&[1.0, 1.5, 0.7, -0.2, 0.4, 1.1], &[2.0, 2.5, 1.0, 0.8, 1.6, 2.2, 1.9]];

    /// The best likelihood is that of the normal law at the estimates, and the normal law gives
    /// less at every point around them.
    #[test]
    fn the_likelihood_is_that_of_the_normal_law_and_largest() {
        for common_mean in [false, true] {
            let trials = TRIALS.map(sums);
            let likelihood = Likelihood { trials: &trials, common_mean };
            let (phi, at_end) = likelihood.best().unwrap();
            assert!(!at_end);
            let innovation = likelihood.innovation(phi);
            let own = |trial: &Sums| {
                let [_, l, m] = trial.forms(phi);
                (l[0], m[0])
            };
            let (l, m) = trials.iter().map(own).fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1));
            let mean = |j: usize| {
                let (one, weight) = own(&trials[j]);
                if common_mean { l / m } else { one / weight }
            };
            let at = |phi: f64, innovation: f64, shift: f64| -> f64 {
                let one = |j: usize| dense(TRIALS[j], mean(j) + shift, phi, innovation);
                one(0) + one(1)
            };
            let best = at(phi, innovation, 0.0);
            assert!((best - likelihood.log_likelihood(phi)).abs() < 1e-10);
            for step in [-1e-3, 1e-3] {
                assert!(at(phi + step, innovation, 0.0) < best);
                assert!(at(phi, innovation + step, 0.0) < best);
                assert!(at(phi, innovation, step) < best);
            }
        }
    }

    #[test]
    fn sums_move_with_the_origin() {
        let shifted: Vec<f64> = TRIALS[0].iter().map(|x| x + 0.3).collect();
        let (found, expected) = (sums(TRIALS[0]).moved(0.3), sums(&shifted));
        let pairs = [
            (found.sum, expected.sum),
            (found.squares, expected.squares),
            (found.products, expected.products),
            (found.first, expected.first),
            (found.last, expected.last),
        ];
        assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-12), "{pairs:?}");
    }

    #[test]
    fn the_slope_is_the_limit_of_differences() {
        let trials = TRIALS.map(sums);
        for common_mean in [false, true] {
            let likelihood = Likelihood { trials: &trials, common_mean };
            for phi in [-0.6, 0.1, 0.8] {
                let (up, down) = (likelihood.value(phi + 1e-6), likelihood.value(phi - 1e-6));
                let expected = (up - down) / 2e-6 * (1.0 - phi * phi);
                assert!((likelihood.slope(phi) - expected).abs() < 1e-6);
            }
        }
    }
}
