//! Does a device compute what the naive float64 model computes? A program asks before it uses one.

use ndarray::{Array2, Array3};
use tau_random::{BitRule, Bits, Chance, Coding, DrawnBits, Key, Purpose};

use crate::{
    Activation, AdamForm, Backend, Batch, Cell, Config, Error, Hardware, Initial, Leaky, Optimiser,
    Params, Placement, Readout, Real, Rule, Target, reference, thread_pool,
};

/// A network with random weights and a random batch: thirty heads of two and three classes, or two
/// values at every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Neurons.
    pub hidden_size: usize,
    /// Steps.
    pub steps: usize,
    /// Trials.
    pub trials: usize,
    /// The equations of a neuron.
    pub cell: Cell,
    /// Whether every step is read.
    pub every_step: bool,
}

/// The result of a [`Case`] on a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Largest distance of an array of the gradient from the array of [`mod@reference`], as a share of
    /// its norm; the distance of the loss counts as a share of the loss.
    pub distance: f64,
    /// Whether a second call gave the same bits.
    pub repeatable: bool,
}

impl Case {
    /// One input channel, classes read from the last state.
    #[must_use]
    pub const fn new(cell: Cell, hidden_size: usize, steps: usize, trials: usize) -> Self {
        Self { hidden_size, steps, trials, cell, every_step: false }
    }

    /// [`Case::new`] of the default leaky cell.
    #[must_use]
    pub const fn leaky(hidden_size: usize, steps: usize, trials: usize) -> Self {
        Self::new(Cell::Leaky(Leaky::DEFAULT), hidden_size, steps, trials)
    }

    /// A few cases that touch every kernel: networks that fit into the shared memory of a GPU's block and
    /// one that does not, outputs of the last and of every step, sums over several splits.
    #[must_use]
    pub fn few() -> Vec<Self> {
        let smooth = Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT };
        let drive = Cell::Leaky(Leaky { placement: Placement::Drive, ..smooth });
        let smooth = Self::new(Cell::Leaky(smooth), 70, 12, 40);
        // Enough steps for a CUDA graph.
        let large = Self { hidden_size: 260, trials: 100, steps: 18, ..smooth };
        vec![
            smooth,
            Self { cell: drive, ..smooth },
            large,
            Self { cell: drive, ..large },
            Self { every_step: true, ..smooth },
            Self { every_step: true, hidden_size: 260, cell: drive, ..smooth },
            Self::new(Cell::Lstm, 70, 18, 40),
            Self::new(Cell::Gru, 70, 18, 40),
            Self { every_step: true, ..Self::new(Cell::Lstm, 33, 7, 40) },
        ]
    }

    /// Every placement with every activation, every cell, and sizes around those of the kernels' tiles.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        let placements =
            [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 3 }];
        for placement in placements {
            for activation in Activation::ALL {
                for every_step in [false, true] {
                    let cell = Cell::Leaky(Leaky { placement, activation, ..Leaky::DEFAULT });
                    cases.push(Self { every_step, ..Self::new(cell, 40, 9, 37) });
                }
            }
        }
        for hidden_size in [1, 29, 30, 31, 62, 63, 64, 100, 129, 255, 500] {
            cases.push(Self::leaky(hidden_size, 17, 70));
        }
        for (steps, trials) in [(1, 1), (2, 31), (3, 32), (5, 33), (30, 256), (200, 64)] {
            cases.push(Self::leaky(50, steps, trials));
        }
        for cell in Cell::GATED {
            for (hidden_size, steps, trials) in
                [(1, 9, 1), (8, 17, 31), (31, 1, 33), (64, 30, 70), (129, 17, 64), (260, 5, 100)]
            {
                for every_step in [false, true] {
                    cases.push(Self { every_step, ..Self::new(cell, hidden_size, steps, trials) });
                }
            }
        }
        cases
    }

    /// The case that a seed names: up to 300 neurons, 20 steps, 100 trials, any equations.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Key::new(seed, Purpose::Statistics).stream();
        let mut below = |count: usize| (f64::from(random.unit_f32()) * count as f64) as usize;
        let placements =
            [Placement::Whole, Placement::Drive, Placement::Continuous { steps_per_unit: 2 }];
        let (hidden_size, steps, trials) = (1 + below(300), 1 + below(20), 1 + below(100));
        let (placement, activation) = (placements[below(3)], Activation::ALL[below(4)]);
        let every_step = below(2) == 1;
        let cell = match Cell::ALL[below(3)] {
            Cell::Leaky(leaky) => Cell::Leaky(Leaky { placement, activation, ..leaky }),
            gated => gated,
        };
        Self { every_step, ..Self::new(cell, hidden_size, steps, trials) }
    }

    /// How far from the float64 model a result in the precision `R` may be. Sums of f32 in a different
    /// order differ by rounding; a unit whose argument rounds across the kink of a (leaky) ReLU adds
    /// its share.
    #[must_use]
    pub fn tolerance<R: Real>(&self) -> f64 {
        match (R::NAME, self.cell.is_smooth()) {
            ("f64", _) => 1e-9,
            (_, true) => 1e-4,
            (_, false) => 0.05,
        }
    }

    /// Computes the gradient twice on a device, and once by [`mod@reference`].
    ///
    /// # Errors
    /// The errors of the device.
    pub fn examine<R: Real>(&self, hardware: Hardware) -> Result<Finding, Error> {
        self.examine_with::<R>(|config, params| {
            hardware.network(config, params, thread_pool(Some(1))?)
        })
    }

    /// [`Case::examine`] of a backend that is made by `make`.
    ///
    /// # Errors
    /// The errors of the backend.
    pub fn examine_with<R: Real>(
        &self,
        make: impl Fn(Config, Params<R>) -> Result<Box<dyn Backend<R>>, Error>,
    ) -> Result<Finding, Error> {
        let (config, params) = self.network::<R>()?;
        let data = Data::new(self);
        let (expected_scores, expected) =
            reference::gradients(&config, &params.cast(), &data.batch(self))?;
        let mut device = make(config, params)?;
        let batch = data.batch(self);
        let (scores, first) = device.gradients(&batch)?;
        let (_, second) = device.gradients(&batch)?;
        let evaluated = device.evaluate(&batch)?;
        let loss = |found: f64| (found - expected_scores.loss()).abs() / expected_scores.loss();
        Ok(Finding {
            distance: worst(&[
                distance(&first.values, &expected.values),
                loss(scores.loss()),
                loss(evaluated.loss()),
            ]),
            repeatable: first.values == second.values,
        })
    }

    /// Trains a few updates with each optimiser on a device and on the processor, and compares the
    /// parameters.
    ///
    /// # Errors
    /// The errors of the device.
    pub fn examine_updates<R: Real>(&self, hardware: Hardware) -> Result<Finding, Error> {
        self.examine_updates_with::<R>(|config, params| {
            hardware.network(config, params, thread_pool(Some(1))?)
        })
    }

    /// [`Case::examine_updates`] of a backend that is made by `make`.
    ///
    /// # Errors
    /// The errors of the backend.
    pub fn examine_updates_with<R: Real>(
        &self,
        make: impl Fn(Config, Params<R>) -> Result<Box<dyn Backend<R>>, Error>,
    ) -> Result<Finding, Error> {
        let data = Data::new(self);
        let batch = data.batch(self);
        let trained =
            |mut network: Box<dyn Backend<R>>, optimiser: &Optimiser| -> Result<Params<R>, Error> {
                for _ in 0..3 {
                    network.update(&batch, optimiser)?;
                }
                network.take_mean_loss()?;
                network.params()
            };
        let form = AdamForm::Pytorch;
        let (beta1, beta2, epsilon, decay) = (0.9, 0.99, 1e-6, 0.1);
        let adam = Rule::Adam { learning_rate: 1e-3, beta1, beta2, epsilon, decay, form };
        let mut finding = Finding { distance: 0.0, repeatable: true };
        for optimiser in [Optimiser::nesterov(), Optimiser { rule: adam, clip_norm: Some(0.1) }] {
            let (config, params) = self.network::<R>()?;
            let processor =
                Hardware::Cpu.network(config.clone(), params.clone(), thread_pool(Some(1))?)?;
            let expected: Params<f64> = trained(processor, &optimiser)?.cast();
            let found = trained(make(config.clone(), params.clone())?, &optimiser)?;
            finding.distance = worst(&[finding.distance, distance(&found, &expected)]);
            finding.repeatable &= found == trained(make(config, params)?, &optimiser)?;
        }
        Ok(finding)
    }

    /// Size and equations, and weights that let errors come all the way back.
    fn network<R: Real>(&self) -> Result<(Config, Params<R>), Error> {
        let config = Config::new(self.cell, self.hidden_size, 1);
        let mut random = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::<f64>::init(&config, &mut random)?;
        params.w_rec *= 1.5;
        params.tau.mapv_inplace(|tau| 0.5 + 2.0 * (tau - 1.0));
        for head in 0..HEADS {
            params.readouts.push(Readout::init(&config, 2 + head % 2, &mut random));
        }
        Ok((config, params.cast()))
    }
}

/// So many that their outputs fill more than one tile.
const HEADS: usize = 30;

/// The arrays of a batch.
struct Data {
    inputs: Array3<f32>,
    labels: Array2<u8>,
    values: Array3<f32>,
    heads: Vec<usize>,
}

impl Data {
    fn new(case: &Case) -> Self {
        let Case { steps, trials, .. } = *case;
        let number = |k: usize| Key::new(2, Purpose::Inputs).unit_f32(k as u64);
        Self {
            inputs: Array3::from_shape_fn((steps, trials, 1), |(t, b, _)| {
                number(t * trials + b).round()
            }),
            labels: Array2::from_shape_fn((trials, HEADS), |(b, k)| ((b + k) % 2) as u8),
            values: Array3::from_shape_fn((steps, trials, 2), |(t, b, k)| {
                number(7 + 2 * (t * trials + b) + k)
            }),
            heads: (0..HEADS).rev().collect(),
        }
    }

    fn batch<R: Real>(&self, case: &Case) -> Batch<'_, R> {
        let key = Key::new(3, Purpose::InitialState);
        let initial = match case.cell {
            Cell::Leaky(_) => Initial::Uniform { scale: 0.1, key },
            Cell::Lstm | Cell::Gru => Initial::Zero,
        };
        let target = if case.every_step {
            Target::Values { values: self.values.view(), weights: None, head: 0 }
        } else {
            Target::Classes { labels: self.labels.view(), heads: &self.heads }
        };
        Batch { inputs: self.inputs.view(), initial, target }
    }
}

/// Memory of an update, on top of the memory of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Trials of the batch.
    pub trials: usize,
    /// Bytes that [`Hardware::workspace_bytes`] predicts.
    pub reckoned: usize,
    /// Bytes by which a GPU's free memory shrank, network included; `None` for a processor, whose memory
    /// is shared with all else.
    pub measured: Option<usize>,
}

impl Workspace {
    /// The memory of one update of a network with so many heads of two classes, on one input channel;
    /// a GPU does the update.
    ///
    /// # Errors
    /// The errors of the device.
    pub fn of_update(
        hardware: Hardware,
        config: &Config,
        heads: usize,
        steps: usize,
        trials: usize,
    ) -> Result<Self, Error> {
        let reckoned = hardware.workspace_bytes(config, steps, trials, 2 * heads, false);
        let Ok((before, _)) = hardware.memory() else {
            return Ok(Self { trials, reckoned, measured: None });
        };
        let mut random = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::<f32>::init(config, &mut random)?;
        params.readouts = (0..heads).map(|_| Readout::init(config, 2, &mut random)).collect();
        let mut network = hardware.network(config.clone(), params, thread_pool(Some(1))?)?;
        let drawn = DrawnBits {
            key: Key::new(1, Purpose::Inputs),
            steps,
            trials,
            bits: Bits { chance: Chance::Half, coding: Coding::Bits },
            rule: BitRule::Parity,
            memory: &vec![1; heads],
        };
        network.update_drawn(&drawn, Initial::Zero, &Optimiser::nesterov())?;
        // Waits.
        network.take_mean_loss()?;
        let (after, _) = hardware.memory()?;
        Ok(Self { trials, reckoned, measured: Some(before.saturating_sub(after)) })
    }
}

/// The largest; NaN if there is one.
fn worst(distances: &[f64]) -> f64 {
    distances.iter().fold(0.0, |a: f64, &b| if a.is_nan() || b <= a { a } else { b })
}

/// Largest |a − b| / |b| of an array; NaN if there is one.
fn distance<R: Real>(found: &Params<R>, expected: &Params<f64>) -> f64 {
    let pairs = found.tensors().zip(expected.tensors());
    let shares: Vec<f64> = pairs
        .map(|((_, found), (_, expected))| {
            let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
            let apart = found.iter().zip(expected).map(|(a, b)| (a.to_f64() - b).powi(2));
            let apart = apart.sum::<f64>().sqrt();
            if norm > 0.0 { apart / norm } else { apart }
        })
        .collect();
    worst(&shares)
}

/// Checks on a few cases, in a moment, that a device computes what the float64 model computes.
///
/// # Errors
/// [`Error::NoDevice`]; [`Error::UnusableDevice`], also for one that computes something else.
pub fn self_test(hardware: Hardware) -> Result<(), Error> {
    for case in Case::few() {
        let finding = case.examine::<f32>(hardware)?;
        let updated = case.examine_updates::<f32>(hardware)?;
        let distance = worst(&[finding.distance, updated.distance]);
        let repeatable = finding.repeatable && updated.repeatable;
        if distance.is_nan() || distance > case.tolerance::<f32>() || !repeatable {
            let reason = format!(
                "it computes something else than the float64 model (a gradient is off by {distance:e}, \
                 repeatable: {repeatable}; please report it)"
            );
            return Err(Error::UnusableDevice { reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_distance_is_nan_if_there_is_one() {
        assert_eq!(worst(&[]).to_bits(), 0);
        assert!((worst(&[0.5, 2.0, 1.0]) - 2.0).abs() < 1e-15);
        assert!(worst(&[f64::NAN, 1.0]).is_nan());
        assert!(worst(&[1.0, f64::NAN, 2.0]).is_nan());
    }

    #[test]
    fn the_processor_passes_its_own_test() {
        self_test(Hardware::Cpu).unwrap();
    }
}
