//! Bounded least squares for one or two decaying exponentials.

use std::convert::Infallible;

use basin::{
    BoxBounds, ConstraintDescription, ConstraintSet, Constraints, DenseMatrix, Executor, Jacobian,
    Residual, TrustRegionReflective,
};

use super::{Component, Model};

/// Upper bound of a time constant, in steps (as in ICLR 2024).
pub const TAU_MAX: f64 = 100.0;

/// Lower bound of a time constant, in steps. It is 0 in the published code, where exp(−k/τ) is 0/0 at lag 0;
/// at this bound exp(−1/τ) is exactly 0 in `f64`, so the model is the limit τ → 0 itself: 1 at
/// lag 0 and 0 at every other.
pub const TAU_MIN: f64 = 1e-3;

/// Root mean square residual below which two fits are equally good, so that the AIC of exact data
/// is not −∞. A search that ends on a bound leaves 10⁻⁷; sampling leaves over 10⁻⁵ in 10⁶ steps.
const RESIDUAL_FLOOR: f64 = 1e-6;

/// Time constants that starting points combine: half a decade apart, over the range that lags
/// 0..=30 can tell from each other.
const START_TAUS: [f64; 6] = [0.3, 1.0, 3.0, 10.0, 30.0, 90.0];

/// Number of best starting points that are followed to their minimum.
const STARTS: usize = 4;

/// Distance of starting amplitudes and weights from 0 and 1: at a bound the search cannot turn.
const INSIDE: f64 = 0.02;

/// The search ends when a step lowers the cost by less than this part of it …
const COST_TOLERANCE: f64 = 1e-13;

/// … or when the gradient, times the distance to the bounds, is this small …
const GRADIENT_TOLERANCE: f64 = 1e-12;

/// … or after so many steps.
const MAX_ITERATIONS: u64 = 500;

/// A parameter this near to a bound, as a part of its range, is held by it.
const BOUND_MARGIN: f64 = 1e-5;

/// The best fit of one model.
pub(super) struct Fit {
    pub(super) model: Model,
    /// Parameters [a, τ] or [a, c, τ₁, τ₂].
    pub(super) params: Vec<f64>,
    /// Exponentials, slowest first.
    pub(super) components: Vec<Component>,
    pub(super) aic: f64,
}

/// Least squares of `curve` (lags 0, 1, 2, …) by `model`; `None` if no start gives finite numbers.
pub(super) fn fit(curve: &[f64], model: Model) -> Option<Fit> {
    let problem = Problem::new(curve, model);
    // Where and why a search stopped counts for nothing, only how low it got.
    let (rss, params) = problem
        .starts()
        .into_iter()
        .filter_map(|start| problem.descend(start))
        .map(|params| (problem.rss(&params), params))
        .filter(|(rss, _)| rss.is_finite())
        .min_by(|(left, _), (right, _)| left.total_cmp(right))?;
    let aic = aic(rss, curve.len(), params.len());
    Some(Fit { model, components: components(&params, model), params, aic })
}

/// Akaike's criterion of a fit to `lags` lags by so many parameters.
pub(super) fn aic(rss: f64, lags: usize, params: usize) -> f64 {
    let n = lags as f64;
    let mean_square = (rss / n).max(RESIDUAL_FLOOR.powi(2));
    2.0 * params as f64 + n * mean_square.ln()
}

impl Fit {
    pub(super) fn amplitude(&self) -> f64 {
        self.params[0]
    }

    pub(super) fn slowest(&self) -> Component {
        self.components[0]
    }

    /// Where the slowest time constant stands among the parameters.
    pub(super) fn slowest_index(&self) -> usize {
        match self.model {
            Model::One => 1,
            Model::Two if self.params[2] > self.params[3] => 2,
            Model::Two => 3,
        }
    }

    /// The autocorrelation that the fit describes: what the amplitude leaves out has no memory.
    pub(super) fn autocorrelation(&self, lag: usize) -> f64 {
        if lag == 0 { 1.0 } else { value(&self.params, self.model, lag as f64) }
    }
}

fn components(params: &[f64], model: Model) -> Vec<Component> {
    let mut found = match model {
        Model::One => vec![Component { tau: params[1], weight: 1.0 }],
        Model::Two => vec![
            Component { tau: params[2], weight: params[1] },
            Component { tau: params[3], weight: 1.0 - params[1] },
        ],
    };
    found.sort_by(|left, right| right.tau.total_cmp(&left.tau));
    found
}

/// The model at `lag`.
fn value(params: &[f64], model: Model, lag: f64) -> f64 {
    let decay = |tau: f64| (-lag / tau).exp();
    match model {
        Model::One => params[0] * decay(params[1]),
        Model::Two => {
            params[0] * (params[1] * decay(params[2]) + (1.0 - params[1]) * decay(params[3]))
        }
    }
}

/// Residuals of [a, τ] or [a, c, τ₁, τ₂] within their bounds.
pub(super) struct Problem<'a> {
    curve: &'a [f64],
    model: Model,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl<'a> Problem<'a> {
    pub(super) fn new(curve: &'a [f64], model: Model) -> Self {
        let (lower, upper) = match model {
            Model::One => (vec![0.0, TAU_MIN], vec![1.0, TAU_MAX]),
            Model::Two => (vec![0.0, 0.0, TAU_MIN, TAU_MIN], vec![1.0, 1.0, TAU_MAX, TAU_MAX]),
        };
        Self { curve, model, lower, upper }
    }

    fn residuals(&self, params: &[f64]) -> Vec<f64> {
        let residual = |(lag, y): (usize, &f64)| value(params, self.model, lag as f64) - y;
        self.curve.iter().enumerate().map(residual).collect()
    }

    fn rss(&self, params: &[f64]) -> f64 {
        self.residuals(params).iter().map(|residual| residual * residual).sum()
    }

    /// The parameters that no bound holds.
    pub(super) fn free(&self, params: &[f64]) -> Vec<usize> {
        let inside = |&i: &usize| {
            let margin = BOUND_MARGIN * (self.upper[i] - self.lower[i]);
            (self.lower[i] + margin..=self.upper[i] - margin).contains(&params[i])
        };
        (0..params.len()).filter(inside).collect()
    }

    /// Derivatives of the residuals, one row per lag.
    pub(super) fn derivatives(&self, params: &[f64]) -> Vec<Vec<f64>> {
        let row = |lag: f64| {
            let decay = |tau: f64| (-lag / tau).exp();
            let slope = |tau: f64| decay(tau) * lag / (tau * tau);
            match self.model {
                Model::One => vec![decay(params[1]), params[0] * slope(params[1])],
                Model::Two => {
                    let [a, c, tau_1, tau_2] = [params[0], params[1], params[2], params[3]];
                    vec![
                        c * decay(tau_1) + (1.0 - c) * decay(tau_2),
                        a * (decay(tau_1) - decay(tau_2)),
                        a * c * slope(tau_1),
                        a * (1.0 - c) * slope(tau_2),
                    ]
                }
            }
        };
        (0..self.curve.len()).map(|lag| row(lag as f64)).collect()
    }

    /// The most promising points of a grid over the time constants.
    fn starts(&self) -> Vec<Vec<f64>> {
        let starts: Vec<Vec<f64>> = match self.model {
            Model::One => START_TAUS.iter().map(|&tau| self.start_one(tau)).collect(),
            Model::Two => (0..START_TAUS.len())
                .flat_map(|slow| (0..slow).map(move |fast| (fast, slow)))
                .map(|(fast, slow)| self.start_two(START_TAUS[fast], START_TAUS[slow]))
                .collect(),
        };
        let mut rated: Vec<_> = starts.into_iter().map(|start| (self.rss(&start), start)).collect();
        // A curve of absurd size overflows: it has no start, and so no fit.
        rated.retain(|(rss, _)| rss.is_finite());
        rated.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        rated.into_iter().take(STARTS).map(|(_, start)| start).collect()
    }

    /// The best amplitude for a given time constant.
    fn start_one(&self, tau: f64) -> Vec<f64> {
        let decay = |lag: usize| (-(lag as f64) / tau).exp();
        let lags = 0..self.curve.len();
        let product: f64 = lags.clone().map(|lag| decay(lag) * self.curve[lag]).sum();
        let square: f64 = lags.map(|lag| decay(lag).powi(2)).sum();
        vec![(product / square).clamp(INSIDE, 1.0 - INSIDE), tau]
    }

    /// The best amplitude and weight for given time constants: two linear normal equations.
    fn start_two(&self, fast: f64, slow: f64) -> Vec<f64> {
        let (mut ff, mut fs, mut ss, mut fy, mut sy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (lag, y) in self.curve.iter().enumerate() {
            let (f, s) = ((-(lag as f64) / fast).exp(), (-(lag as f64) / slow).exp());
            ff += f * f;
            fs += f * s;
            ss += s * s;
            fy += f * y;
            sy += s * y;
        }
        let determinant = ff * ss - fs * fs;
        let part = |share: f64| (share / determinant).max(0.0);
        let (fast_part, slow_part) = (part(fy * ss - sy * fs), part(sy * ff - fy * fs));
        let inside = |value: f64| value.clamp(INSIDE, 1.0 - INSIDE);
        let amplitude = fast_part + slow_part;
        let weight = if amplitude > 0.0 { fast_part / amplitude } else { 0.5 };
        vec![inside(amplitude), inside(weight), fast, slow]
    }

    /// The minimum below `start`, strictly inside the bounds.
    ///
    /// By the method SciPy's `curve_fit` uses under bounds (Branch, Coleman & Li 1999). Bounded
    /// Levenberg–Marquardt will not do: the amplitude of an autocorrelation, which is 1 at lag 0,
    /// nearly always lies on its bound 1, and there it stops far from the minimum.
    fn descend(&self, start: Vec<f64>) -> Option<Vec<f64>> {
        let solver = TrustRegionReflective::new()
            .with_absolute_scaled_gradient_tolerance(GRADIENT_TOLERANCE)
            .with_relative_cost_change_tolerance(COST_TOLERANCE);
        let result = Executor::from_start(self, solver, start).max_iter(MAX_ITERATIONS).run();
        Some(result.ok()?.best_param().clone())
    }
}

impl Constraints for &Problem<'_> {
    type Set = ConstraintSet<BoxBounds<Vec<f64>>>;

    fn constraints(&self) -> <Self::Set as ConstraintDescription>::Borrowed<'_> {
        ConstraintSet::new().with_bounds(BoxBounds::new(Some(&self.lower), Some(&self.upper)))
    }
}

impl Residual for &Problem<'_> {
    type Param = Vec<f64>;
    type Output = Vec<f64>;
    type Error = Infallible;

    fn residual(&self, params: &Vec<f64>) -> Result<Vec<f64>, Infallible> {
        Ok(self.residuals(params))
    }
}

impl Jacobian for &Problem<'_> {
    type Jacobian = DenseMatrix<f64>;

    fn jacobian(&self, params: &Vec<f64>) -> Result<DenseMatrix<f64>, Infallible> {
        let rows = self.derivatives(params);
        Ok(DenseMatrix::from_fn(rows.len(), params.len(), |lag, i| rows[lag][i]))
    }
}

#[cfg(test)]
mod tests;
