//! Optimisers: stochastic gradient descent with Nesterov momentum, Adam, clipping of the norm.

use serde::{Deserialize, Serialize};

use crate::{Error, Gradients, Momentum, Params, Real, Slot};

/// The rule by which parameters follow the gradient.
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
    /// Adam (Kingma & Ba 2015): m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², and at the t-th update
    /// (from 1) a step by m and v, corrected for their start at zero.
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
        /// Where the correction stands with respect to ε.
        form: AdamForm,
    },
}

/// Where the correction of Adam's means stands with respect to ε. With ε = 0 there is no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdamForm {
    /// θ ← θ − η m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ): `torch.optim.Adam`, and
    /// algorithm 1 of Kingma & Ba.
    #[default]
    Pytorch,
    /// θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε): `keras.optimizers.Adam`, and the order of
    /// computation in §2 of Kingma & Ba.
    Keras,
}

/// A rule and the clipping that precedes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimiser {
    /// The rule by which parameters follow the gradient.
    pub rule: Rule,
    /// Largest Euclidean norm of the gradient over all parameters together; a longer gradient is
    /// scaled down to it. `None`: no clipping.
    pub clip_norm: Option<f64>,
}

impl Optimiser {
    /// Nesterov momentum: η = 0.05, m = 0.1, norm at most 2.
    #[must_use]
    pub fn nesterov() -> Self {
        Self { rule: Rule::Sgd { learning_rate: 0.05, momentum: 0.1 }, clip_norm: Some(2.0) }
    }

    /// Adam with PyTorch's defaults (η = 10⁻³, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸), norm at most 2.
    #[must_use]
    pub fn adam() -> Self {
        let rule = Rule::Adam {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            form: AdamForm::Pytorch,
        };
        Self { rule, clip_norm: Some(2.0) }
    }

    /// Adam in Keras's form without clipping: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, with a rate of
    /// `learning_rate` / (1 + `decay` · k) at the k-th update.
    #[must_use]
    pub fn keras_adam(learning_rate: f64, decay: f64) -> Self {
        let (beta1, beta2, epsilon, form) = (0.9, 0.999, 1e-8, AdamForm::Keras);
        let rule = Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, form };
        Self { rule, clip_norm: None }
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
            Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, form: _ } => {
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
            // The mean gradient is at most 1/√(1 − β₂) times the root of the mean square; without ε
            // both forms are the same.
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
            Rule::Adam { learning_rate, beta1, beta2, epsilon, decay, form } => {
                let rate = learning_rate / (1.0 + decay * slot.steps as f64);
                let count = (slot.steps + 1) as f64;
                let rate = rate / (1.0 - libm::pow(beta1, count));
                let root = (1.0 - libm::pow(beta2, count)).sqrt();
                // What the root of the mean square is divided by, before ε is added.
                let (rate, root) = match form {
                    AdamForm::Pytorch => (rate, root),
                    AdamForm::Keras => (rate * root, 1.0),
                };
                let (rate, root) = (R::from_f64(rate), R::from_f64(root));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::Trained;
    use crate::{Config, Readout};
    use approx::assert_relative_eq;
    use tau_random::{Key, Purpose};

    /// A network whose gradient is 0 except for τ = [3, 4]: norm 5.
    fn network() -> (Params<f64>, Gradients<f64>) {
        let config = Config::leaky(2, 1);
        let mut rng = Key::new(0, Purpose::Parameters).stream();
        let mut params = Params::init(&config, &mut rng).unwrap();
        params.readouts.push(Readout::init(&config, 2, &mut rng));
        params.tau = ndarray::array![2.0, 2.0];
        let mut gradients = Gradients::zeros(&params);
        gradients.restart(Trained { config: &config, cell: true, heads: &[] }, &params);
        gradients.values.tau = ndarray::array![3.0, 4.0];
        (params, gradients)
    }

    fn adam(learning_rate: f64, epsilon: f64, decay: f64, form: AdamForm) -> Optimiser {
        let rule = Rule::Adam { learning_rate, beta1: 0.9, beta2: 0.999, epsilon, decay, form };
        Optimiser { rule, clip_norm: None }
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
        for form in [AdamForm::Pytorch, AdamForm::Keras] {
            let (mut params, gradients) = network();
            let optimiser = adam(0.01, 1e-9, 0.0, form);
            optimiser.step(&mut params, &gradients, gradients.norm(), &mut Momentum::default());
            assert_relative_eq!(params.tau[0], 1.99, max_relative = 1e-8);
            assert_relative_eq!(params.tau[1], 1.99, max_relative = 1e-8);
        }
    }

    /// With an ε as large as the root of the mean square. Update 1: m = 0.3, v = 0.009,
    /// √v = 0.094868…, √(1 − β₂) / (1 − β₁) = 0.316228, so the step is
    /// 0.1 · 0.316228 · 0.3 / (0.094868 + 0.1) = 0.0486833. Update 2, rate 0.1 / 1.5: m = 0.57,
    /// v = 0.017991, √v = 0.134130, √(1 − β₂²) / (1 − β₁²) = 0.0447102 / 0.19 = 0.235317, so the step is
    /// 0.0666667 · 0.235317 · 0.57 / (0.134130 + 0.1) = 0.0381926.
    #[test]
    fn adam_in_kerass_form_is_hand_worked() {
        let (mut params, gradients) = network();
        let (optimiser, mut memory) = (adam(0.1, 0.1, 0.5, AdamForm::Keras), Momentum::default());
        let norm = gradients.norm();
        optimiser.step(&mut params, &gradients, norm, &mut memory);
        assert_relative_eq!(params.tau[0], 2.0 - 0.048_683_3, epsilon = 1e-7);
        optimiser.step(&mut params, &gradients, norm, &mut memory);
        assert_relative_eq!(params.tau[0], 2.0 - 0.048_683_3 - 0.038_192_6, epsilon = 2e-7);
        // PyTorch divides the mean square first: 3 / (3 + 0.1) of the rate.
        let (mut params, gradients) = network();
        let pytorch = adam(0.1, 0.1, 0.5, AdamForm::Pytorch);
        pytorch.step(&mut params, &gradients, norm, &mut Momentum::default());
        assert_relative_eq!(params.tau[0], 2.0 - 0.1 * 3.0 / 3.1, max_relative = 1e-12);
    }

    /// `tests/parity/adam_keras.py` computed these numbers from Keras's definition.
    #[test]
    fn adam_in_kerass_form_follows_its_definition() {
        let config = Config::leaky(4, 1);
        let mut params =
            Params::<f64>::init(&config, &mut Key::new(0, Purpose::Parameters).stream()).unwrap();
        params.b_rec.fill(0.0);
        let mut gradients = Gradients::zeros(&params);
        gradients.restart(Trained { config: &config, cell: true, heads: &[] }, &params);
        let (beta1, beta2, epsilon, decay) = (0.9, 0.99, 1e-3, 0.02);
        let form = AdamForm::Keras;
        let rule = Rule::Adam { learning_rate: 0.05, beta1, beta2, epsilon, decay, form };
        let (optimiser, mut memory) = (Optimiser { rule, clip_norm: None }, Momentum::default());
        let expected = [
            (1, [0.049603174603175, -0.049019607843137, 0.049019607843137, -0.049603174603175]),
            (2, [0.093396646140300, -0.094669132146551, 0.061862445102047, -0.058936085902056]),
            (40, [0.175342051108053, -0.155548105924732, 0.024006944569162, -0.071986870316296]),
        ];
        for update in 0..40 {
            let number = |i: usize| ((7 * i + 3 * update) % 11) as f64;
            gradients.values.b_rec = (0..4).map(|i| (number(i) - 5.0) / 4.0).collect();
            optimiser.step(&mut params, &gradients, 0.0, &mut memory);
            for (_, expected) in expected.iter().filter(|(count, _)| *count == update + 1) {
                for (found, expected) in params.b_rec.iter().zip(expected) {
                    assert_relative_eq!(found, expected, epsilon = 1e-14);
                }
            }
        }
    }

    /// The empty τ of a gated cell must not look like the memory of another rule.
    #[test]
    fn adam_remembers_a_cell_without_tau() {
        let config = Config::gru(2, 1);
        let mut rng = Key::new(0, Purpose::Parameters).stream();
        let mut params = Params::<f64>::init(&config, &mut rng).unwrap();
        let mut gradients = Gradients::zeros(&params);
        gradients.restart(Trained { config: &config, cell: true, heads: &[] }, &params);
        gradients.values.b_in.fill(1.0);
        let (optimiser, mut memory) = (Optimiser::adam(), Momentum::default());
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
        Optimiser::nesterov().step(&mut params, &gradients, 5.0, &mut Momentum::default());
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
