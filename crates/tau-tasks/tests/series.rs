//! The trait also fits a task of another kind: two noisy input channels, a noise-free target at
//! every step, and a reply delay as memory (after Jarne & Laje, arXiv 1906.01094).

use std::f32::consts::TAU;

use ndarray::{Array3, s};
use tau_random::{Key, Purpose};
use tau_tasks::{Batch, Draws, Error, Outputs, Target, Task};

const PULSE: std::ops::Range<usize> = 4..8;
const NOISE: f32 = 0.1;

/// Two simultaneous pulses of height 0 or 1; `gap` steps after their end the network answers with
/// their exclusive or, and holds it.
#[derive(Debug)]
struct Xor {
    gap: [usize; 1],
}

impl Xor {
    fn reply(&self) -> usize {
        PULSE.end + self.gap[0]
    }

    fn heights(draws: &Draws, trial: usize) -> [bool; 2] {
        let words = draws.of_trial(trial);
        [words[0], words[1]].map(|word| word >= 1 << 31)
    }
}

impl Task for Xor {
    fn name(&self) -> &'static str {
        "xor"
    }

    fn channels(&self) -> usize {
        2
    }

    fn outputs(&self) -> Outputs {
        Outputs::Series { outputs: 1 }
    }

    fn memory(&self) -> &[usize] {
        &self.gap
    }

    fn length(&self, _: Key) -> usize {
        self.reply() + 10
    }

    fn sample(&self, length: usize, trials: usize, key: Key) -> Result<Batch, Error> {
        if length <= self.reply() {
            return Err(Error::TooShort { length, smallest: self.reply() + 1 });
        }
        let inputs = self.drive(length, trials, key)?;
        let draws = Draws::new(key, length, trials, 2)?;
        let target = Array3::from_shape_fn((length, trials, 1), |(t, trial, _)| {
            let [a, b] = Self::heights(&draws, trial);
            f32::from(t >= self.reply() && a != b)
        });
        Ok(Batch { inputs, target: Target::Series(target) })
    }

    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        let draws = Draws::new(key, length, trials, 2)?;
        Ok(Array3::from_shape_fn((length, trials, 2), |(t, trial, channel)| {
            // Two words per step make two normal numbers (Box and Muller).
            let radius = (-2.0 * (1.0 - draws.unit_f32(trial, 2 * t)).ln()).sqrt();
            let angle = TAU * draws.unit_f32(trial, 2 * t + 1);
            let noise = NOISE * radius * [angle.cos(), angle.sin()][channel];
            f32::from(PULSE.contains(&t) && Self::heights(&draws, trial)[channel]) + noise
        }))
    }
}

fn task() -> Box<dyn Task> {
    Box::new(Xor { gap: [6] })
}

fn key() -> Key {
    Key::new(1, Purpose::Inputs)
}

#[test]
fn a_target_series_answers_the_noisy_input_it_was_drawn_with() {
    let batch = task().batch(200, key()).unwrap();
    assert_eq!(batch.inputs.dim(), (24, 200, 2));
    let Target::Series(target) = &batch.target else { panic!("no series") };
    assert_eq!(target.dim(), (24, 200, 1));
    let mut ones = 0;
    for trial in 0..200 {
        let pulse = |channel| batch.inputs.slice(s![PULSE, trial, channel]).mean().unwrap() > 0.5;
        let answer = f32::from(pulse(0) != pulse(1));
        ones += answer as usize;
        assert!(target.slice(s![..14, trial, 0]).iter().all(|&y| y == 0.0));
        assert!(target.slice(s![14.., trial, 0]).iter().all(|&y| y == answer));
    }
    assert!((50..150).contains(&ones), "{ones} of 200 answers are one");
}

#[test]
fn input_noise_has_its_size_and_differs_between_channels() {
    let inputs = task().drive(5000, 4, key()).unwrap();
    let quiet = inputs.slice(s![PULSE.end.., .., ..]);
    assert!((quiet.std(0.0) - NOISE).abs() < 0.002, "noise {}", quiet.std(0.0));
    let (a, b) = (quiet.slice(s![.., .., 0]), quiet.slice(s![.., .., 1]));
    let correlation = (&a * &b).mean().unwrap() / NOISE.powi(2);
    assert!(correlation.abs() < 0.04, "correlation {correlation}");
}

#[test]
fn the_first_trials_and_steps_are_the_same_however_many_follow() {
    let (small, large) =
        (task().sample(15, 3, key()).unwrap(), task().sample(40, 9, key()).unwrap());
    assert_eq!(large.inputs.slice(s![..15, ..3, ..]), small.inputs);
    let (Target::Series(large), Target::Series(small)) = (large.target, small.target) else {
        panic!("no series")
    };
    assert_eq!(large.slice(s![..15, ..3, ..]), small);
}

#[test]
fn what_a_series_cannot_do_is_an_error() {
    assert_eq!(task().sample(14, 1, key()), Err(Error::TooShort { length: 14, smallest: 15 }));
    let inputs = task().drive(30, 1, key()).unwrap();
    assert_eq!(
        task().running_labels(inputs.view()).unwrap_err().to_string(),
        "running labels: xor has none (use the target series of a sample)"
    );
}
