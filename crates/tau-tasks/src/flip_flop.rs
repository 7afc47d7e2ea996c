//! Flip-flop, a set-reset latch (Jarne & Laje, arXiv 1906.01094): the output holds which of two
//! channels had the last pulse.
//!
//! Eight events, the first at step 50, one every 120 steps. At an event one of the two channels
//! (with probability ½ each) has a pulse of height 1 for 20 steps: channel 0 resets, channel 1 sets.
//! From `gap` steps after the end of an event on the target is the channel's number, 0 or 1; before
//! the first reply it is 0.01. A trial has 50 + 7 · 120 + 20 + 100 = 1010 steps. The noise on the
//! input has a standard deviation of 0.1; the target has none. The published code has one set of
//! parameters for this task.

use ndarray::Array3;
use serde::{Deserialize, Serialize};
use tau_random::Key;

use crate::events::Events;
use crate::spec::Definition;
use crate::{Answer, Batch, Error, Head, Shape, Steps, Targets, Task};

/// Step of the first event.
const FIRST: usize = 50;
/// Steps of a pulse.
const WIDTH: usize = 20;
/// Steps from one event to the next.
const PERIOD: usize = 120;
/// Events of a trial.
const EVENTS: usize = 8;
/// Steps of a trial.
const TOTAL: usize = FIRST + EVENTS * PERIOD;
/// Target before the first reply.
const BASELINE: f32 = 0.01;
/// Standard deviation of the input's noise.
const NOISE: f32 = 0.1;

/// Settings of the flip-flop. A step is a millisecond of the paper.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlipFlop {
    /// Steps between the end of a pulse and the reply, 0 to 99.
    pub gap: usize,
    /// Whether the input carries the published noise.
    pub noise: bool,
}

impl Default for FlipFlop {
    /// A reply after 20 steps, noise.
    fn default() -> Self {
        Self { gap: 20, noise: true }
    }
}

impl Definition for FlipFlop {
    const NAME: &'static str = "flip-flop";

    fn build(&self) -> Result<Box<dyn Task>, Error> {
        let longest = PERIOD - WIDTH - 1;
        if self.gap > longest {
            let (task, value) = (Self::NAME, self.gap);
            let allowed = format!("0 to {longest}: the reply must come before the next event");
            return Err(Error::Setting { task, name: "gap", value, allowed });
        }
        let head = Head { label: "state".to_owned(), memory: None, size: 1, answer: Answer::Value };
        let noise = if self.noise { NOISE } else { 0.0 };
        let shape = Shape { channels: 2, heads: vec![head] };
        Ok(Box::new(FlipFlopTask { shape, gap: self.gap, noise }))
    }
}

#[derive(Debug)]
struct FlipFlopTask {
    shape: Shape,
    gap: usize,
    noise: f32,
}

/// The step of the last event that began at `step` or before it.
fn last_event(step: usize) -> Option<usize> {
    step.checked_sub(FIRST).map(|since| step - since % PERIOD)
}

impl Task for FlipFlopTask {
    fn name(&self) -> &'static str {
        FlipFlop::NAME
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn steps(&self) -> Steps {
        Steps::always(TOTAL)
    }

    fn batch(&self, trials: usize, key: Key) -> Result<Batch, Error> {
        let inputs = self.drive(TOTAL, trials, key)?;
        let events = Events::new(key, TOTAL, trials)?;
        let values = Array3::from_shape_fn((TOTAL, trials, 1), |(t, trial, _)| {
            let replied = t.checked_sub(WIDTH + self.gap).and_then(last_event);
            replied.map_or(BASELINE, |event| f32::from(events.coin(trial, event)))
        });
        Ok(Batch { inputs, targets: Targets::Values { values, weights: None } })
    }

    /// Events follow one another for as long as the drive lasts.
    fn drive(&self, length: usize, trials: usize, key: Key) -> Result<Array3<f32>, Error> {
        let events = Events::new(key, length, trials)?;
        Ok(Array3::from_shape_fn((length, trials, 2), |(t, trial, channel)| {
            let pulsed = last_event(t).filter(|event| t - event < WIDTH);
            let on = pulsed.is_some_and(|event| usize::from(events.coin(trial, event)) == channel);
            f32::from(on) + self.noise * events.noise(trial, t)[channel]
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::s;
    use tau_random::Purpose;

    fn batch(settings: &FlipFlop, trials: usize) -> (Array3<f32>, Array3<f32>) {
        let batch = settings.build().unwrap().batch(trials, Key::new(3, Purpose::Data)).unwrap();
        let Targets::Values { values, weights: None } = batch.targets else { panic!("no values") };
        (batch.inputs, values)
    }

    #[test]
    fn the_target_is_the_channel_of_the_last_pulse() {
        for gap in [0, 20, 99] {
            let (inputs, values) = batch(&FlipFlop { gap, noise: false }, 40);
            assert_eq!((inputs.dim(), values.dim()), ((1010, 40, 2), (1010, 40, 1)));
            let mut sets = 0;
            for trial in 0..40 {
                let mut expected = BASELINE;
                let mut reply = None;
                for t in 0..1010 {
                    let [reset, set] = [0, 1].map(|channel| inputs[[t, trial, channel]]);
                    assert!(reset + set <= 1.0, "both channels at step {t}");
                    let end = t >= 20 && inputs.slice(s![t - 20, trial, ..]).sum() == 1.0;
                    if end && reset + set == 0.0 && t >= 1 {
                        let before = inputs.slice(s![t - 1, trial, ..]);
                        if before.sum() == 1.0 {
                            reply = Some((t + gap, before[1]));
                        }
                    }
                    if let Some((at, answer)) = reply
                        && t >= at
                    {
                        expected = answer;
                    }
                    assert_eq!(values[[t, trial, 0]], expected, "step {t}");
                }
                sets += values.slice(s![900.., trial, 0]).sum() as usize / 50;
            }
            assert!(sets > 0);
        }
    }

    #[test]
    fn eight_pulses_of_twenty_steps_come_every_120_steps() {
        let (inputs, _) = batch(&FlipFlop { noise: false, ..FlipFlop::default() }, 200);
        let pulses = inputs.sum_axis(ndarray::Axis(2));
        for t in 0..1010 {
            let on = t >= 50 && (t - 50) % 120 < 20 && t < 50 + 8 * 120;
            assert!(pulses.row(t).iter().all(|&x| x == f32::from(on)), "step {t}");
        }
        let sets = inputs.slice(s![50..;120, .., 1]).sum() / (8.0 * 200.0);
        assert!((sets - 0.5).abs() < 0.0625, "{sets} of the pulses set");
    }

    #[test]
    fn input_noise_has_its_size_and_differs_between_channels() {
        let noise = batch(&FlipFlop::default(), 40).0
            - batch(&FlipFlop { noise: false, ..FlipFlop::default() }, 40).0;
        assert!((noise.std(0.0) - NOISE).abs() < 0.002, "noise {}", noise.std(0.0));
        let (a, b) = (noise.slice(s![.., .., 0]), noise.slice(s![.., .., 1]));
        let correlation = (&a * &b).mean().unwrap() / NOISE.powi(2);
        assert!(correlation.abs() < 0.03, "correlation {correlation}");
    }

    #[test]
    fn a_reply_after_the_next_event_is_refused() {
        assert_eq!(
            FlipFlop { gap: 100, noise: true }.build().unwrap_err().to_string(),
            "gap of flip-flop: 100 (allowed: 0 to 99: the reply must come before the next event)"
        );
    }
}
