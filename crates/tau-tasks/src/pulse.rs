//! Pulse memorisation (Jarne & Laje, arXiv 1906.01094): answer a pulse with a pulse after a delay,
//! and stay silent where there was none.
//!
//! | | `root` | `paper` |
//! |---|---|---|
//! | first step of the stimulus, its length | 30, 20 | 50, 20 |
//! | steps of a trial | 100 | 300 |
//! | shape of the input pulse | box ∗ 0.04 · Gaussian(20 points, sd 12) | box ∗ Hann(10) of sum 1 |
//! | target window, `gap` steps after the stimulus | 20 steps | 20 steps |
//! | shape of the target pulse | box ∗ 0.04 · Gaussian(20, 12) | box ∗ 0.055 · Gaussian(20, 12) |
//! | target outside of the window | 0.01 | 0.045 |
//! | target in the window without a stimulus | 0 | 0 |
//! | noise on input and on target | 0.1 | 0.03 |

use ndarray::Array3;
use serde::{Deserialize, Serialize};
use tau_random::Key;

use crate::events::{Events, ParameterSet, gaussian, hann, smoothed_box};
use crate::spec::Definition;
use crate::{Answer, Batch, Error, Head, Shape, Steps, Targets, Task};

/// Steps of the stimulus and of the reply.
const WIDTH: usize = 20;

/// Settings of pulse memorisation. A step is a millisecond of the paper.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pulse {
    /// The published set of parameters.
    pub parameters: ParameterSet,
    /// Steps between the end of the stimulus and the reply: 0 to 30 (`root`) or 210 (`paper`).
    pub gap: usize,
    /// Whether input and target carry the published noise.
    pub noise: bool,
}

impl Default for Pulse {
    /// The set `paper`, a reply after 20 steps, noise.
    fn default() -> Self {
        Self { parameters: ParameterSet::Paper, gap: 20, noise: true }
    }
}

impl Definition for Pulse {
    const NAME: &'static str = "pulse";

    fn build(&self) -> Result<Box<dyn Task>, Error> {
        Ok(Box::new(PulseTask::new(self)?))
    }
}

/// Everything that the settings decide.
#[derive(Debug)]
struct PulseTask {
    shape: Shape,
    /// First step of the stimulus.
    first: usize,
    /// First step of the reply.
    reply: usize,
    /// Steps of a trial.
    total: usize,
    input: Vec<f32>,
    target: Vec<f32>,
    baseline: f32,
    noise: f32,
}

impl PulseTask {
    fn new(settings: &Pulse) -> Result<Self, Error> {
        let (first, total) = match settings.parameters {
            ParameterSet::Root => (30, 100),
            ParameterSet::Paper => (50, 300),
        };
        let longest = total - first - 2 * WIDTH;
        if settings.gap > longest {
            let (task, value) = (Pulse::NAME, settings.gap);
            let allowed = format!("0 to {longest}: the reply must fit into {total} steps");
            return Err(Error::Setting { task, name: "gap", value, allowed });
        }
        let (kernel, height, baseline, noise) = match settings.parameters {
            ParameterSet::Root => (gaussian(WIDTH, 12.0, 0.04), 0.04, 0.01, 0.1),
            ParameterSet::Paper => (hann(10), 0.055, 0.045, 0.03),
        };
        let head = Head { label: "reply".to_owned(), memory: None, size: 1, answer: Answer::Value };
        Ok(Self {
            shape: Shape { channels: 1, heads: vec![head] },
            first,
            reply: first + WIDTH + settings.gap,
            total,
            input: smoothed_box(WIDTH, &kernel),
            target: smoothed_box(WIDTH, &gaussian(WIDTH, 12.0, height)),
            baseline,
            noise: if settings.noise { noise } else { 0.0 },
        })
    }

    /// The stimulus at a step of a trial, without noise.
    fn stimulus(&self, step: usize) -> f32 {
        step.checked_sub(self.first).and_then(|i| self.input.get(i)).copied().unwrap_or(0.0)
    }

    /// The answer at a step of a trial, without noise.
    fn answer(&self, step: usize, shown: bool) -> f32 {
        match step.checked_sub(self.reply).and_then(|i| self.target.get(i)) {
            Some(&height) => height * f32::from(shown),
            None => self.baseline,
        }
    }
}

impl Task for PulseTask {
    fn name(&self) -> &'static str {
        Pulse::NAME
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn steps(&self) -> Steps {
        Steps::always(self.total)
    }

    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        let inputs = self.drive(self.total, trials, key)?;
        let events = Events::new(key, self.total, trials)?;
        let values = Array3::from_shape_fn((self.total, trials, 1), |(t, trial, _)| {
            self.answer(t, events.coin(trial, 0)) + self.noise * events.noise(trial, t)[1]
        });
        Ok(Batch { inputs, targets: Targets::Values { values, weights: None } })
    }

    /// One trial after the other, each with or without a stimulus.
    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        let events = Events::new(key, length, trials)?;
        Ok(Array3::from_shape_fn((length, trials, 1), |(t, trial, _)| {
            let step = t % self.total;
            let shown = f32::from(events.coin(trial, t - step));
            shown * self.stimulus(step) + self.noise * events.noise(trial, t)[0]
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::s;
    use tau_random::Purpose;

    fn batch(settings: &Pulse, trials: usize) -> (Array3<f32>, Array3<f32>) {
        let batch = settings.build().unwrap().batch(trials, Key::new(1, Purpose::Data)).unwrap();
        let Targets::Values { values, weights: None } = batch.targets else { panic!("no values") };
        (batch.inputs, values)
    }

    /// Peaks, edges and lengths (L2) of the published pulses.
    #[test]
    fn pulses_have_the_published_shapes() {
        let norm = |pulse: &[f32]| pulse.iter().map(|x| x * x).sum::<f32>().sqrt();
        let settings = |parameters| Pulse { parameters, ..Pulse::default() };
        let root = PulseTask::new(&settings(ParameterSet::Root)).unwrap();
        let peak = |pulse: &[f32]| pulse.iter().copied().fold(0.0, f32::max);
        assert!((peak(&root.target) - 0.716).abs() < 1e-3 && (root.target[0] - 0.36).abs() < 5e-3);
        assert!((norm(&root.target) - 2.49).abs() < 5e-3, "{}", norm(&root.target));
        assert_eq!(root.input, root.target);
        let paper = PulseTask::new(&settings(ParameterSet::Paper)).unwrap();
        assert!((peak(&paper.target) - 0.985).abs() < 1e-3, "{}", peak(&paper.target));
        assert!((paper.target[0] - 0.49).abs() < 5e-3, "{}", paper.target[0]);
        assert!((norm(&paper.target) - 3.43).abs() < 5e-3, "{}", norm(&paper.target));
        assert!((paper.input[0] - 0.5).abs() < 1e-6 && (paper.input[9] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_stimulus_is_answered_after_the_gap_and_silence_is_not() {
        for (parameters, gap, first, total, baseline) in
            [(ParameterSet::Root, 20, 30, 100, 0.01), (ParameterSet::Paper, 150, 50, 300, 0.045)]
        {
            let settings = Pulse { parameters, gap, noise: false };
            let (inputs, values) = batch(&settings, 100);
            assert_eq!((inputs.dim(), values.dim()), ((total, 100, 1), (total, 100, 1)));
            let reply = first + 20 + gap;
            let mut shown = 0;
            for trial in 0..100 {
                let input = inputs.slice(s![.., trial, 0]);
                let answer = values.slice(s![.., trial, 0]);
                let stimulus = input.slice(s![first..first + 20]).sum() > 1.0;
                shown += usize::from(stimulus);
                assert_eq!(answer.slice(s![reply..reply + 20]).sum() > 1.0, stimulus);
                if !stimulus {
                    assert!(input.iter().all(|&x| x == 0.0));
                    assert!(answer.slice(s![reply..reply + 20]).iter().all(|&y| y == 0.0));
                }
                let outside = |t: usize| t < reply || t >= reply + 20;
                assert!((0..total).filter(|&t| outside(t)).all(|t| answer[t] == baseline));
            }
            assert!((30..70).contains(&shown), "{shown} of 100 trials have a stimulus");
        }
    }

    #[test]
    fn noise_of_input_and_target_has_its_size_and_is_independent() {
        for (parameters, noise) in [(ParameterSet::Root, 0.1), (ParameterSet::Paper, 0.03)] {
            let noisy = batch(&Pulse { parameters, ..Pulse::default() }, 100);
            let clean = batch(&Pulse { parameters, noise: false, ..Pulse::default() }, 100);
            let (input, target) = (noisy.0 - clean.0, noisy.1 - clean.1);
            for noises in [&input, &target] {
                let found = noises.std(0.0);
                assert!((found / noise - 1.0).abs() < 0.05, "noise {found}, expected {noise}");
            }
            let correlation = (&input * &target).mean().unwrap() / noise.powi(2);
            assert!(correlation.abs() < 0.05, "correlation {correlation}");
        }
    }

    #[test]
    fn a_reply_that_does_not_fit_is_refused() {
        let settings = Pulse { gap: 211, ..Pulse::default() };
        assert_eq!(
            settings.build().unwrap_err().to_string(),
            "gap of pulse: 211 (allowed: 0 to 210: the reply must fit into 300 steps)"
        );
        Pulse { gap: 210, ..settings }.build().unwrap();
    }
}
