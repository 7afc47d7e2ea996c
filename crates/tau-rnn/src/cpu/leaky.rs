//! The leaky cell, element by element: what surrounds the recurrent product in both directions.
//!
//! With a = 1/τ_eff (τ_eff·k for the continuous placement), decay = 1 − a, u = W h(t−1) + bias +
//! w_in x(t), δ(t) = dL/dh(t) and g(t) = dL/du(t):
//!
//! | | `whole` | `drive`, `continuous` |
//! |---|---|---|
//! | forward | s = decay·h(t−1) + a·u, h(t) = φ(s) | f = φ(u), h(t) = decay·h(t−1) + a·f |
//! | kept | h(t): it gives φ'(s), and s back | h(t) and f |
//! | backward | e = δ φ'(s), g = a e | e = δ, g = a δ φ'(u) |
//! | δ(t−1) | decay·e + Wᵀ g | decay·e + Wᵀ g |
//! | dτ | Σ e (h(t−1) − s) / τ_eff | Σ e (h(t−1) − f) / (τ_eff² k) |

use ndarray::Array1;

use crate::params::effective_tau;
use crate::{Activation, Config, Params, Placement, Real};

use super::product::{SLICE_ROWS, row_stride};

/// What the cell needs of the parameters besides W, one value a neuron, padded with zeros.
#[derive(Clone, Debug)]
pub(super) struct Constants<R> {
    pub(super) whole: bool,
    pub(super) activation: Activation,
    alpha: Vec<R>,
    decay: Vec<R>,
    bias: Vec<R>,
    /// One vector for each channel.
    w_in: Vec<Vec<R>>,
}

impl<R: Real> Constants<R> {
    pub(super) fn new(config: &Config, params: &Params<R>) -> Self {
        let stride = row_stride(config.hidden_size);
        let padded = |values: &mut dyn Iterator<Item = R>| {
            let mut values: Vec<R> = values.collect();
            values.resize(stride, R::ZERO);
            values
        };
        let k = R::from_f64(f64::from(config.placement.steps_per_unit()));
        let alpha = |tau: &R| R::ONE / (effective_tau(*tau) * k);
        Self {
            whole: config.placement == Placement::Whole,
            activation: config.activation,
            alpha: padded(&mut params.tau.iter().map(alpha)),
            decay: padded(&mut params.tau.iter().map(|tau| R::ONE - alpha(tau))),
            bias: padded(&mut params.b_rec.iter().zip(&params.b_in).map(|(&a, &b)| a + b)),
            w_in: params
                .w_in
                .columns()
                .into_iter()
                .map(|w| padded(&mut w.iter().copied()))
                .collect(),
        }
    }

    pub(super) fn channels(&self) -> usize {
        self.w_in.len()
    }
}

/// dτ_raw from the sums that [`backward`] makes: the factors that do not depend on the step.
/// A neuron whose τ_raw is below 1 gets no gradient (paper, section 1).
pub(super) fn tau_gradient<R: Real>(config: &Config, params: &Params<R>, sums: &[R]) -> Array1<R> {
    let k = R::from_f64(f64::from(config.placement.steps_per_unit()));
    let gradient = |(&tau, &sum): (&R, &R)| {
        if tau < R::ONE {
            R::ZERO
        } else if config.placement == Placement::Whole {
            sum / tau
        } else {
            sum / (tau * tau * k)
        }
    };
    params.tau.iter().zip(sums).map(gradient).collect()
}

/// φ, its derivative and its inverse as functions of φ's value.
trait Phi<R> {
    fn phi(s: R) -> R;
    fn slope(value: R) -> R;
    fn inverse(value: R) -> R;
}

struct LeakyRelu;
struct Relu;
struct Tanh;
struct Sigmoid;

impl<R: Real> Phi<R> for LeakyRelu {
    #[inline(always)]
    fn phi(s: R) -> R {
        if s > R::ZERO { s } else { R::from_f64(Activation::NEGATIVE_SLOPE) * s }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::from_f64(Activation::NEGATIVE_SLOPE) }
    }
    #[inline(always)]
    fn inverse(value: R) -> R {
        if value > R::ZERO { value } else { R::from_f64(1.0 / Activation::NEGATIVE_SLOPE) * value }
    }
}

impl<R: Real> Phi<R> for Relu {
    #[inline(always)]
    fn phi(s: R) -> R {
        if s > R::ZERO { s } else { R::ZERO }
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        if value > R::ZERO { R::ONE } else { R::ZERO }
    }
    /// Where φ is flat the inverse is not needed: the slope there is 0.
    #[inline(always)]
    fn inverse(value: R) -> R {
        value
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
    /// 0 where the value rounded to ±1: the slope there is 0 as well.
    #[inline(always)]
    fn inverse(value: R) -> R {
        if value.abs() < R::ONE { value.atanh() } else { R::ZERO }
    }
}

impl<R: Real> Phi<R> for Sigmoid {
    #[inline(always)]
    fn phi(s: R) -> R {
        R::ONE / (R::ONE + (-s).exp())
    }
    #[inline(always)]
    fn slope(value: R) -> R {
        value * (R::ONE - value)
    }
    /// 0 where the value rounded to 0 or 1: the slope there is 0 as well.
    #[inline(always)]
    fn inverse(value: R) -> R {
        if value > R::ZERO && value < R::ONE { (value / (R::ONE - value)).ln() } else { R::ZERO }
    }
}

/// A panel of columns `first..first + NR` of some rows of activity.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub(super) rows: usize,
    pub(super) stride: usize,
    pub(super) first: usize,
}

impl Panel {
    #[inline(always)]
    fn of<'a, R, const NR: usize>(&self, row: usize, from: &'a [R]) -> &'a [R; NR] {
        let start = row * self.stride + self.first;
        from[start..].first_chunk().expect("rows have room for whole panels")
    }

    #[inline(always)]
    fn of_mut<'a, R, const NR: usize>(&self, row: usize, from: &'a mut [R]) -> &'a mut [R; NR] {
        let start = row * self.stride + self.first;
        from[start..].first_chunk_mut().expect("rows have room for whole panels")
    }
}

/// One step forward on a panel. `product` is W h(t−1), `x` the input (row, channel), `f` is
/// written for the placements that keep it.
#[inline(always)]
pub(super) fn forward<R: Real, const NR: usize>(
    cell: &Constants<R>,
    panel: Panel,
    product: &[[R; NR]; SLICE_ROWS],
    x: &[R],
    before: &[R],
    after: &mut [R],
    f: &mut [R],
) {
    match cell.activation {
        Activation::LeakyRelu => {
            forward_phi::<R, LeakyRelu, NR>(cell, panel, product, x, before, after, f);
        }
        Activation::Relu => forward_phi::<R, Relu, NR>(cell, panel, product, x, before, after, f),
        Activation::Tanh => forward_phi::<R, Tanh, NR>(cell, panel, product, x, before, after, f),
        Activation::Sigmoid => {
            forward_phi::<R, Sigmoid, NR>(cell, panel, product, x, before, after, f);
        }
    }
}

#[inline(always)]
fn forward_phi<R: Real, P: Phi<R>, const NR: usize>(
    cell: &Constants<R>,
    panel: Panel,
    product: &[[R; NR]; SLICE_ROWS],
    x: &[R],
    before: &[R],
    after: &mut [R],
    f: &mut [R],
) {
    let alpha: [R; NR] = *panel.of(0, &cell.alpha);
    let decay: [R; NR] = *panel.of(0, &cell.decay);
    let bias: [R; NR] = *panel.of(0, &cell.bias);
    let channels = cell.channels();
    for row in 0..panel.rows {
        let mut u = product[row];
        for j in 0..NR {
            u[j] += bias[j];
        }
        for (w, &x) in cell.w_in.iter().zip(&x[row * channels..]) {
            let w: &[R; NR] = panel.of(0, w);
            for j in 0..NR {
                u[j] = w[j].mul_add(x, u[j]);
            }
        }
        let before: &[R; NR] = panel.of(row, before);
        let after: &mut [R; NR] = panel.of_mut(row, after);
        if cell.whole {
            for j in 0..NR {
                after[j] = P::phi(alpha[j].mul_add(u[j], decay[j] * before[j]));
            }
        } else {
            let f: &mut [R; NR] = panel.of_mut(row, f);
            for j in 0..NR {
                f[j] = P::phi(u[j]);
                after[j] = decay[j].mul_add(before[j], alpha[j] * f[j]);
            }
        }
    }
}

/// The state of one step that the way back needs.
pub(super) struct StepBack<'a, R> {
    /// Input (row, channel).
    pub(super) x: &'a [R],
    /// h(t−1).
    pub(super) before: &'a [R],
    /// φ's value at t: h(t) or f(t).
    pub(super) value: &'a [R],
    /// dL/dh(t) that comes directly from readouts; `None` for nothing.
    pub(super) direct: Option<&'a [R]>,
}

/// Sums over trials and steps, one value a neuron (and channel).
#[derive(Clone, Debug, Default)]
pub(super) struct Sums<R> {
    pub(super) tau: Vec<R>,
    pub(super) bias: Vec<R>,
    pub(super) w_in: Vec<Vec<R>>,
}

impl<R: Real> Sums<R> {
    pub(super) fn restart(&mut self, stride: usize, channels: usize) {
        self.w_in.resize(channels, Vec::new());
        for sums in [&mut self.tau, &mut self.bias].into_iter().chain(&mut self.w_in) {
            sums.clear();
            sums.resize(stride, R::ZERO);
        }
    }
}

/// One step backward on a panel. `product` is Wᵀ g(t+1); `carry` holds decay·e(t+1) and gets
/// decay·e(t); `g` gets g(t). Says whether any error is left.
#[inline(always)]
pub(super) fn backward<R: Real, const NR: usize>(
    cell: &Constants<R>,
    panel: Panel,
    product: &[[R; NR]; SLICE_ROWS],
    step: &StepBack<'_, R>,
    carry: &mut [R],
    g: &mut [R],
    sums: &mut Sums<R>,
) -> bool {
    match cell.activation {
        Activation::LeakyRelu => {
            backward_phi::<R, LeakyRelu, NR>(cell, panel, product, step, carry, g, sums)
        }
        Activation::Relu => backward_phi::<R, Relu, NR>(cell, panel, product, step, carry, g, sums),
        Activation::Tanh => backward_phi::<R, Tanh, NR>(cell, panel, product, step, carry, g, sums),
        Activation::Sigmoid => {
            backward_phi::<R, Sigmoid, NR>(cell, panel, product, step, carry, g, sums)
        }
    }
}

#[inline(always)]
fn backward_phi<R: Real, P: Phi<R>, const NR: usize>(
    cell: &Constants<R>,
    panel: Panel,
    product: &[[R; NR]; SLICE_ROWS],
    step: &StepBack<'_, R>,
    carry: &mut [R],
    g: &mut [R],
    sums: &mut Sums<R>,
) -> bool {
    let alpha: [R; NR] = *panel.of(0, &cell.alpha);
    let decay: [R; NR] = *panel.of(0, &cell.decay);
    let mut tau_sum: [R; NR] = *panel.of(0, &sums.tau);
    let mut bias_sum: [R; NR] = *panel.of(0, &sums.bias);
    let mut left = [R::ZERO; NR];
    let channels = cell.channels();
    for row in 0..panel.rows {
        let before: &[R; NR] = panel.of(row, step.before);
        let value: &[R; NR] = panel.of(row, step.value);
        let carry: &mut [R; NR] = panel.of_mut(row, carry);
        let g: &mut [R; NR] = panel.of_mut(row, g);
        let mut error = product[row];
        for j in 0..NR {
            error[j] += carry[j];
        }
        if let Some(direct) = step.direct {
            let direct: &[R; NR] = panel.of(row, direct);
            for j in 0..NR {
                error[j] += direct[j];
            }
        }
        for j in 0..NR {
            let slope = P::slope(value[j]);
            let e = if cell.whole { error[j] * slope } else { error[j] };
            let e = if e.abs() < R::UNDERFLOW { R::ZERO } else { e };
            left[j] += e.abs();
            carry[j] = decay[j] * e;
            g[j] = if cell.whole { alpha[j] * e } else { alpha[j] * e * slope };
            let inner = if cell.whole { P::inverse(value[j]) } else { value[j] };
            tau_sum[j] = e.mul_add(before[j] - inner, tau_sum[j]);
            bias_sum[j] += g[j];
        }
        for (sums, &x) in sums.w_in.iter_mut().zip(&step.x[row * channels..]) {
            let sums: &mut [R; NR] = panel.of_mut(0, sums);
            for j in 0..NR {
                sums[j] = g[j].mul_add(x, sums[j]);
            }
        }
    }
    *panel.of_mut(0, &mut sums.tau) = tau_sum;
    *panel.of_mut(0, &mut sums.bias) = bias_sum;
    // Not `> 0`: a NaN must not end the way back in silence.
    left.iter().any(|&left| left != R::ZERO)
}
