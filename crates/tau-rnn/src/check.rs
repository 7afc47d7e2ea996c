//! Does a device compute what the naive float64 model computes? For programs about to use one.

use ndarray::{Array2, Array3};
use tau_random::{Key, Purpose};

use crate::{
    Activation, Backend, Batch, Config, Error, Gradients, Hardware, Initial, Params, Placement,
    Readout, Real, Target, reference, thread_pool,
};

/// A network with random weights and a random batch: two heads of two and three classes, or a
/// series of two values at every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Neurons.
    pub hidden_size: usize,
    /// Steps.
    pub steps: usize,
    /// Trials.
    pub trials: usize,
    /// Where the nonlinearity stands.
    pub placement: Placement,
    /// The nonlinearity.
    pub activation: Activation,
    /// Whether every step is read.
    pub every_step: bool,
}

/// What a device found for a [`Case`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Largest distance of an array of the gradient from [`mod@reference`]'s, as a share of its norm; of
    /// the loss as a share of itself.
    pub distance: f64,
    /// Whether a second call gave the same bits.
    pub repeatable: bool,
}

impl Case {
    /// The published cell.
    #[must_use]
    pub const fn published(hidden_size: usize, steps: usize, trials: usize) -> Self {
        Self {
            hidden_size,
            steps,
            trials,
            placement: Placement::Whole,
            activation: Activation::LeakyRelu,
            every_step: false,
        }
    }

    /// Every placement with every activation, and sizes around those of the kernels' tiles.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        let placements =
            [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 3 }];
        for placement in placements {
            for activation in Activation::ALL {
                for every_step in [false, true] {
                    let published = Self::published(40, 9, 37);
                    cases.push(Self { placement, activation, every_step, ..published });
                }
            }
        }
        for hidden_size in [1, 29, 30, 31, 62, 63, 64, 100, 129, 255, 500] {
            cases.push(Self::published(hidden_size, 17, 70));
        }
        for (steps, trials) in [(1, 1), (2, 31), (3, 32), (5, 33), (30, 256), (200, 64)] {
            cases.push(Self::published(50, steps, trials));
        }
        cases
    }

    /// How far from the float64 model a result in the precision `R` may be. Sums of f32 in
    /// another order differ by rounding; a unit whose argument rounds to the other side of the kink
    /// of a (leaky) ReLU adds its share.
    #[must_use]
    pub fn tolerance<R: Real>(&self) -> f64 {
        let smooth = matches!(self.activation, Activation::Tanh | Activation::Sigmoid);
        match (R::NAME, smooth) {
            ("f64", _) => 1e-9,
            (_, true) => 1e-4,
            (_, false) => 0.05,
        }
    }

    /// Computes the gradient twice on a device, and once by [`mod@reference`].
    ///
    /// # Errors
    /// Whatever the device meets.
    pub fn examine<R: Real>(&self, hardware: Hardware) -> Result<Finding, Error> {
        self.examine_with::<R>(|config, params| {
            hardware.network(config, params, thread_pool(Some(1))?)
        })
    }

    /// [`Case::examine`] of a backend that is made by `make`.
    ///
    /// # Errors
    /// Whatever the backend meets.
    pub fn examine_with<R: Real>(
        &self,
        make: impl Fn(Config, Params<R>) -> Result<Box<dyn Backend<R>>, Error>,
    ) -> Result<Finding, Error> {
        let Self { hidden_size, steps, trials, placement, activation, every_step } = *self;
        let config = Config { placement, activation, ..Config::paper(hidden_size) };
        let mut random = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::<f64>::init(&config, &mut random)?;
        // Errors that do not vanish on their way back, τ that differ.
        params.w_rec *= 1.5;
        params.tau.mapv_inplace(|tau| 0.5 + 2.0 * (tau - 1.0));
        for outputs in [2, 3] {
            params.readouts.push(Readout::init(outputs, hidden_size, &mut random));
        }
        let number = |k: usize| Key::new(2, Purpose::Inputs).unit_f32(k as u64);
        let inputs =
            Array3::from_shape_fn((steps, trials, 1), |(t, b, _)| number(t * trials + b).round());
        let labels = Array2::from_shape_fn((trials, 2), |(b, k)| ((b + k) % 2) as u8);
        let targets = Array3::from_shape_fn((steps, trials, 2), |(t, b, k)| {
            number(7 + 2 * (t * trials + b) + k)
        });
        let target = if every_step {
            Target::Series { targets: targets.view(), head: 0 }
        } else {
            Target::Labels { labels: labels.view(), heads: &[1, 0] }
        };
        let (scale, key) = (0.1, Key::new(3, Purpose::InitialState));
        let batch =
            Batch { inputs: inputs.view(), initial: Initial::Uniform { scale, key }, target };
        let double =
            Batch { inputs: inputs.view(), initial: Initial::Uniform { scale, key }, target };
        // From the same rounded numbers.
        let rounded: Params<R> = params.cast();
        let (expected_scores, expected) = reference::gradients(&config, &rounded.cast(), &double)?;
        let mut device = make(config, rounded)?;
        let (scores, first) = device.gradients(&batch)?;
        let (_, second) = device.gradients(&batch)?;
        let loss = (scores.loss() - expected_scores.loss()).abs() / expected_scores.loss();
        Ok(Finding {
            distance: distance(&first, &expected).max(loss),
            repeatable: first.values == second.values,
        })
    }
}

/// Largest |a − b| / |b| of an array; NaN if there is one.
fn distance<R: Real>(found: &Gradients<R>, expected: &Gradients<f64>) -> f64 {
    let mut largest = 0.0_f64;
    for ((_, found), (_, expected)) in found.values.tensors().zip(expected.values.tensors()) {
        let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
        let apart =
            found.iter().zip(expected).map(|(a, b)| (a.to_f64() - b).powi(2)).sum::<f64>().sqrt();
        let share = if norm > 0.0 { apart / norm } else { apart };
        if share.is_nan() || share > largest {
            largest = share;
        }
        if share.is_nan() {
            break;
        }
    }
    largest
}

/// Whether a device computes what the float64 model computes: a moment's look at a few cases, for
/// those who would otherwise use it unseen.
///
/// # Errors
/// [`Error::NoDevice`], also for a device that computes something else.
pub fn self_test(hardware: Hardware) -> Result<(), Error> {
    let smooth = Case { activation: Activation::Tanh, ..Case::published(70, 12, 40) };
    let drive = Case { placement: Placement::Drive, ..smooth };
    for case in [smooth, drive, Case { every_step: true, ..smooth }] {
        let Finding { distance, repeatable } = case.examine::<f32>(hardware)?;
        if !repeatable || distance.is_nan() || distance > case.tolerance::<f32>() {
            let reason = format!(
                "it computes something else than the float64 model (a gradient is off by {distance:e}, \
                 repeatable: {repeatable}; please report it)"
            );
            return Err(Error::NoDevice { reason });
        }
    }
    Ok(())
}
