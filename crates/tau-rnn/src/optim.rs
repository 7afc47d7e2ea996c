//! Optimisers: stochastic gradient descent with Nesterov momentum, Adam, clipping of the norm.

use serde::{Deserialize, Serialize};

use crate::{Error, Gradients, Params, Real};

/// How parameters follow the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// v ← m v + g, then θ ← θ − η (g + m v): Nesterov momentum as PyTorch defines it.
    Sgd {
        /// η > 0.
        learning_rate: f64,
        /// m in [0, 1).
        momentum: f64,
    },
    /// Adam (Kingma & Ba 2015) with bias correction, as PyTorch defines it.
    Adam {
        /// η > 0.
        learning_rate: f64,
        /// Decay of the mean gradient, in [0, 1).
        beta1: f64,
        /// Decay of the mean squared gradient, in [0, 1).
        beta2: f64,
        /// Added to the root of the mean square, > 0.
        epsilon: f64,
        /// The rate at the k-th update (from 0) is η / (1 + decay · k); 0 for a constant rate.
        decay: f64,
    },
}

/// A rule and the clipping that precedes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimiser {
    /// How parameters follow the gradient.
    pub rule: Rule,
    /// Largest Euclidean norm of the gradient over all parameters together; a longer gradient is
    /// scaled down to it. `None`: no clipping.
    pub clip_norm: Option<f64>,
}

impl Optimiser {
    /// The paper's optimiser for τ-RNNs (section 4): SGD, η = 0.05, m = 0.1, norm at most 2.
    #[must_use]
    pub fn paper() -> Self {
        Self { rule: Rule::Sgd { learning_rate: 0.05, momentum: 0.1 }, clip_norm: Some(2.0) }
    }

    /// The paper's optimiser for gated networks (section 4): Adam with PyTorch's defaults, η = 10⁻³,
    /// norm at most 2.
    #[must_use]
    pub fn paper_gated() -> Self {
        let rule =
            Rule::Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
        Self { rule, clip_norm: Some(2.0) }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Optimiser`] for the first number out of range.
    pub fn check(&self) -> Result<(), Error> {
        const POSITIVE: &str = "above 0, finite";
        const FRACTION: &str = "0 or more, below 1";
        fn require(
            name: &'static str,
            value: f64,
            allowed: &'static str,
            good: bool,
        ) -> Result<(), Error> {
            if good { Ok(()) } else { Err(Error::Optimiser { name, value, allowed }) }
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        match self.rule {
            Rule::Sgd { learning_rate, momentum } => {
                require("learning_rate", learning_rate, POSITIVE, positive(learning_rate))?;
                require("momentum", momentum, FRACTION, fraction(momentum))?;
            }
            Rule::Adam { learning_rate, beta1, beta2, epsilon, decay } => {
                require("learning_rate", learning_rate, POSITIVE, positive(learning_rate))?;
                require("beta1", beta1, FRACTION, fraction(beta1))?;
                require("beta2", beta2, FRACTION, fraction(beta2))?;
                require("epsilon", epsilon, POSITIVE, positive(epsilon))?;
                let good = decay.is_finite() && decay >= 0.0;
                require("decay", decay, "0 or more, finite", good)?;
            }
        }
        match self.clip_norm {
            Some(norm) => require("clip_norm", norm, POSITIVE, positive(norm)),
            None => Ok(()),
        }
    }

    /// A bound of the change of any parameter in one update, momentum included.
    pub(crate) fn reach(&self, norm: f64) -> f64 {
        let norm = self.clip_norm.map_or(norm, |limit| norm.min(limit));
        match self.rule {
            Rule::Sgd { learning_rate, momentum } => {
                learning_rate * norm * (1.0 + momentum / (1.0 - momentum))
            }
            // The mean gradient is at most 1/√(1 − β₂) times the root of the mean square.
            Rule::Adam { learning_rate, beta2, .. } => learning_rate / (1.0 - beta2).sqrt(),
        }
    }

    /// Applies one update. Arrays without a gradient, and their memory, stay as they are.
    pub(crate) fn step<R: Real>(
        &self,
        params: &mut Params<R>,
        gradients: &Gradients<R>,
        norm: f64,
        memory: &mut Momentum<R>,
    ) {
        // PyTorch's clip_grad_norm_: the 1e-6 is its guard against division by zero.
        let scale = self.clip_norm.map_or(1.0, |limit| (limit / (norm + 1e-6)).min(1.0));
        memory.fit(params, matches!(self.rule, Rule::Adam { .. }));
        let tensors = params.tensors_mut().zip(gradients.values.tensors());
        for (((tensor, theta), (_, gradient)), slot) in tensors.zip(&mut memory.slots) {
            if gradients.has(tensor) {
                self.step_tensor(theta, gradient, R::from_f64(scale), slot);
            }
        }
    }

    fn step_tensor<R: Real>(&self, theta: &mut [R], gradient: &[R], scale: R, slot: &mut Slot<R>) {
        match self.rule {
            Rule::Sgd { learning_rate, momentum } => {
                let (rate, momentum) = (R::from_f64(learning_rate), R::from_f64(momentum));
                for ((theta, &g), v) in theta.iter_mut().zip(gradient).zip(&mut slot.mean) {
                    let g = g * scale;
                    *v = momentum * *v + g;
                    *theta -= rate * (g + momentum * *v);
                }
            }
            Rule::Adam { learning_rate, beta1, beta2, epsilon, decay } => {
                let rate = learning_rate / (1.0 + decay * slot.steps as f64);
                let count = (slot.steps + 1) as f64;
                let rate = R::from_f64(rate / (1.0 - libm::pow(beta1, count)));
                let root = R::from_f64((1.0 - libm::pow(beta2, count)).sqrt());
                let (beta1, beta2) = (R::from_f64(beta1), R::from_f64(beta2));
                let epsilon = R::from_f64(epsilon);
                let moments = slot.mean.iter_mut().zip(&mut slot.square);
                for ((theta, &g), (mean, square)) in theta.iter_mut().zip(gradient).zip(moments) {
                    let g = g * scale;
                    *mean += (R::ONE - beta1) * (g - *mean);
                    *square = beta2 * *square + (R::ONE - beta2) * g * g;
                    *theta -= rate * *mean / (square.sqrt() / root + epsilon);
                }
            }
        }
        slot.steps += 1;
    }
}

/// What an optimiser remembers between updates: one slot for each array of [`Params::tensors`], in
/// that order. Arrays at the end that were never trained may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Momentum<R> {
    /// One for each array.
    pub slots: Vec<Slot<R>>,
}

/// What an optimiser remembers of one array.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<R> {
    /// Momentum, or Adam's mean gradient; as long as the array.
    pub mean: Vec<R>,
    /// Adam's mean squared gradient; empty for SGD.
    pub square: Vec<R>,
    /// Updates that this array took part in: a head that is added later starts at 0.
    pub steps: u64,
}

impl<R> Default for Momentum<R> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<R: Real> Momentum<R> {
    /// Checks that the slots fit the arrays of `params`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check(&self, params: &Params<R>) -> Result<(), Error> {
        let arrays = 5 + 2 * params.readouts.len();
        // Those of the cell, then two for each head.
        let whole = self.slots.is_empty() || self.slots.len() >= 5 && self.slots.len() % 2 == 1;
        if self.slots.len() > arrays || !whole {
            return Err(Error::shape("momentum", &[self.slots.len()], &[arrays]));
        }
        for (slot, (tensor, values)) in self.slots.iter().zip(params.tensors()) {
            let expected = values.len();
            let square = if slot.square.is_empty() { expected } else { slot.square.len() };
            if slot.mean.len() != expected || square != expected {
                let found = [slot.mean.len(), slot.square.len()];
                return Err(Error::shape(format!("momentum of {tensor}"), &found, &[expected]));
            }
        }
        Ok(())
    }

    /// Makes room for arrays (new heads) that have none yet. What another rule remembered means
    /// nothing to this one: it begins anew.
    fn fit(&mut self, params: &Params<R>, needs_square: bool) {
        // An array without numbers (τ of a gated cell) tells nothing about the rule.
        let other_rule =
            |slot: &Slot<R>| !slot.mean.is_empty() && slot.square.is_empty() == needs_square;
        if self.slots.iter().any(other_rule) {
            self.slots.clear();
        }
        for (_, values) in params.tensors().skip(self.slots.len()) {
            let square = if needs_square { values.len() } else { 0 };
            let mean = vec![R::ZERO; values.len()];
            self.slots.push(Slot { mean, square: vec![R::ZERO; square], steps: 0 });
        }
    }

    /// Forgets the arrays of one head.
    pub(crate) fn drop_head(&mut self, head: usize) {
        // The five arrays of the cell come first, then two for each head: see `Params::tensors`.
        let first = 5 + 2 * head;
        if first < self.slots.len() {
            self.slots.drain(first..first + 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Readout};
    use approx::assert_relative_eq;
    use tau_random::{Key, Purpose};

    /// A network whose gradient is 0 except for τ = [3, 4]: norm 5.
    fn network() -> (Params<f64>, Gradients<f64>) {
        let mut rng = Key::new(0, Purpose::Parameters).stream();
        let mut params = Params::init(&Config::paper(2), &mut rng).unwrap();
        params.readouts.push(Readout::init(2, 2, &mut rng));
        params.tau = ndarray::array![2.0, 2.0];
        let mut gradients = Gradients::zeros(&params);
        gradients.restart(true, true, std::iter::empty());
        gradients.values.tau = ndarray::array![3.0, 4.0];
        (params, gradients)
    }

    #[test]
    fn nesterov_steps_follow_pytorchs_definition() {
        let rule = Rule::Sgd { learning_rate: 0.1, momentum: 0.5 };
        let optimiser = Optimiser { rule, clip_norm: None };
        let (mut params, gradients) = network();
        let mut memory = Momentum::default();
        // v = 3, step 0.1 (3 + 0.5·3) = 0.45; then v = 4.5, step 0.1 (3 + 0.5·4.5) = 0.525.
        optimiser.step(&mut params, &gradients, gradients.norm(), &mut memory);
        assert_relative_eq!(params.tau[0], 1.55, max_relative = 1e-15);
        optimiser.step(&mut params, &gradients, gradients.norm(), &mut memory);
        assert_relative_eq!(params.tau[0], 1.025, max_relative = 1e-15);
    }

    #[test]
    fn a_long_gradient_is_scaled_to_the_clipping_norm() {
        let rule = Rule::Sgd { learning_rate: 1.0, momentum: 0.0 };
        let optimiser = Optimiser { rule, clip_norm: Some(0.5) };
        let (mut params, gradients) = network();
        assert_relative_eq!(gradients.norm(), 5.0);
        optimiser.step(&mut params, &gradients, gradients.norm(), &mut Momentum::default());
        assert_relative_eq!(params.tau[0], 2.0 - 0.3, max_relative = 1e-6);
        assert_relative_eq!(params.tau[1], 2.0 - 0.4, max_relative = 1e-6);
    }

    #[test]
    fn the_first_adam_step_has_the_length_of_the_rate() {
        let rule =
            Rule::Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
        let (mut params, gradients) = network();
        let optimiser = Optimiser { rule, clip_norm: None };
        optimiser.step(&mut params, &gradients, gradients.norm(), &mut Momentum::default());
        assert_relative_eq!(params.tau[0], 1.99, max_relative = 1e-8);
        assert_relative_eq!(params.tau[1], 1.99, max_relative = 1e-8);
    }

    /// The empty τ of a gated cell must not look like the memory of another rule.
    #[test]
    fn adam_remembers_a_cell_without_tau() {
        let config = Config { cell: crate::Cell::Gru, ..Config::paper(2) };
        let mut rng = Key::new(0, Purpose::Parameters).stream();
        let mut params = Params::<f64>::init(&config, &mut rng).unwrap();
        let mut gradients = Gradients::zeros(&params);
        gradients.restart(true, false, std::iter::empty());
        gradients.values.b_in.fill(1.0);
        let rule =
            Rule::Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
        let (optimiser, mut memory) = (Optimiser { rule, clip_norm: None }, Momentum::default());
        for steps in 1..=3 {
            optimiser.step(&mut params, &gradients, 1.0, &mut memory);
            assert_eq!(
                memory.slots.iter().map(|s| s.steps).collect::<Vec<_>>(),
                [0, steps, steps, steps, steps]
            );
        }
        memory.check(&params).unwrap();
    }

    #[test]
    fn arrays_without_a_gradient_stay_and_do_not_count() {
        let (mut params, mut gradients) = network();
        gradients.values.readouts[0].weight.fill(100.0);
        assert_relative_eq!(gradients.norm(), 5.0);
        let before = params.readouts.clone();
        Optimiser::paper().step(&mut params, &gradients, 5.0, &mut Momentum::default());
        assert_eq!(params.readouts, before);
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let sgd = |learning_rate, momentum| Rule::Sgd { learning_rate, momentum };
        check(sgd(0.0, 0.1), None, "learning_rate: 0 (allowed: above 0, finite)");
        check(sgd(0.1, 1.0), None, "momentum: 1 (allowed: 0 or more, below 1)");
        check(sgd(0.1, 0.0), Some(-2.0), "clip_norm: -2 (allowed: above 0, finite)");
        fn check(rule: Rule, clip_norm: Option<f64>, message: &str) {
            let error = Optimiser { rule, clip_norm }.check().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
