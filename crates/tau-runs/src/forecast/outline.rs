//! What the stages of a training are like, taken together.

use tau_tasks::Task;
use tau_training::TrainingSpec;

use crate::Error;

/// Stages that are looked at one by one; of more, one in so many that as many again are looked at.
const ALL: usize = 200;

/// What the stages of a training are like, taken together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outline {
    /// Number of stages.
    pub(crate) stages: usize,
    /// Steps of a batch, mean over stages.
    pub(crate) mean_steps: f64,
    /// Steps of the longest batch.
    pub(crate) most_steps: usize,
    /// Heads, mean over stages.
    pub(crate) mean_heads: f64,
    /// Outputs of all heads of a stage, summed over stages.
    pub(crate) all_outputs: f64,
    /// Outputs of all heads, in the stage that has the most.
    pub(crate) outputs: usize,
    /// Whether the heads answer at every step.
    pub(crate) every_step: bool,
    /// Channels of the input.
    channels: usize,
}

impl Outline {
    /// Asks the schedule for its stages and each of their tasks for its outline.
    pub(crate) fn of(spec: &TrainingSpec) -> Result<Self, Error> {
        let stages = spec.schedule.stages(&spec.task).map_err(tau_training::Error::from)?;
        let mut outline = Self {
            stages: 0,
            mean_steps: 0.0,
            most_steps: 0,
            mean_heads: 0.0,
            all_outputs: 0.0,
            outputs: 0,
            every_step: false,
            channels: 0,
        };
        let mut weight = 0.0;
        for (index, stage) in stages.enumerate() {
            outline.stages += 1;
            weight += 1.0;
            // Tasks of long ladders are large; each stands for those before it.
            if index < ALL || index.is_multiple_of(index / ALL) {
                let task = stage.task.build().map_err(tau_training::Error::from)?;
                outline.add(&*task, weight);
                weight = 0.0;
            }
        }
        let count = outline.stages as f64 - weight;
        (outline.mean_steps, outline.mean_heads) =
            (outline.mean_steps / count, outline.mean_heads / count);
        Ok(outline)
    }

    /// Counts the task of a stage for so many.
    fn add(&mut self, task: &dyn Task, weight: f64) {
        let (steps, shape) = (task.steps(), task.shape());
        self.mean_steps += weight * steps.mean;
        self.mean_heads += weight * shape.heads.len() as f64;
        self.all_outputs += weight * shape.outputs() as f64;
        self.most_steps = self.most_steps.max(steps.most);
        self.outputs = self.outputs.max(shape.outputs());
        self.every_step |= shape.every_step();
        self.channels = shape.channels;
    }

    /// Bytes of a fixed data set.
    pub(crate) fn data_bytes(&self, spec: &TrainingSpec) -> usize {
        spec.task.build().map_or(0, |task| spec.data.bytes(&*task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_curricula::{MultiHead, Schedule};
    use tau_tasks::TaskSpec;
    use tau_training::Stop;

    fn ladder(n_end: usize) -> Outline {
        let spec = TrainingSpec {
            schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end }),
            stop: Some(Stop::AccuracyAbove(0.98)),
            ..TrainingSpec::plain(TaskSpec::parity(&[]), 10, 0).unwrap()
        };
        Outline::of(&spec).unwrap()
    }

    #[test]
    fn stages_are_those_of_the_schedule() {
        // N from 2 to 5: lengths 4 to 9, …, 7 to 21; 1 to 4 heads of two classes.
        let outline = ladder(5);
        assert_eq!((outline.stages, outline.most_steps, outline.outputs), (4, 21, 8));
        assert_eq!(outline.mean_steps, (6.5 + 9.0 + 11.5 + 14.0) / 4.0);
        assert_eq!((outline.mean_heads, outline.all_outputs), (2.5, 20.0));
        assert!(!outline.every_step);
    }

    #[test]
    fn a_long_ladder_is_sampled() {
        let outline = ladder(1001);
        assert_eq!(outline.stages, 1000);
        let mean = (2..=1001).map(|n| (5.0 * f64::from(n) + 3.0) / 2.0).sum::<f64>() / 1000.0;
        assert!((outline.mean_steps / mean - 1.0).abs() < 0.01, "{outline:?} {mean}");
    }

    #[test]
    fn a_task_without_n_is_one_stage() {
        let spec = TrainingSpec::plain("flip-flop".parse().unwrap(), 10, 0).unwrap();
        let outline = Outline::of(&spec).unwrap();
        assert_eq!((outline.stages, outline.most_steps, outline.outputs), (1, 1010, 1));
        assert!(outline.every_step);
    }
}
