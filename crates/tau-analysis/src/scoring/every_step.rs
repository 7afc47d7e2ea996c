//! One long input, answered at every step.

use ndarray::{Array2, Array3, Axis, s};
use tau_random::{Bits, Chance, Purpose};
use tau_tasks::{MemoryTask, NO_LABEL, draw_bits};

use super::read::credit;
use super::{Asked, Scored};
use crate::Error;
use crate::chance::LabelCounts;
use crate::error::refuse;
use crate::simulation::{first_state, simulate};

impl Asked<'_> {
    pub(super) fn every_step(self, warm_up: usize, steps: usize) -> Result<Scored, Error> {
        let Self { scoring, network, task, readouts, stop } = self;
        let ladder = task.ladder().ok_or(Error::NoLadder { task: task.name() })?;
        scoring.check("scored steps and repeats", steps)?;
        check_warm_up(ladder, warm_up)?;
        let trials = scoring.repeats;
        let inputs = fair_bits(ladder, warm_up + steps, trials, scoring)?;
        let labels = ladder.running_labels(inputs.view())?;
        let mut asked = LabelCounts::new(task);
        labels.slice(s![warm_up.., .., ..]).outer_iter().for_each(|labels| asked.add(labels));

        let start = scoring.key(Purpose::ScoringInitialState);
        let state = first_state(network.config(), trials, scoring.initial_state, start)?;
        let mut right = Array2::<f64>::zeros((trials, readouts.len()));
        simulate(network, state, inputs.view(), warm_up, stop, |first, activity| {
            for (step, states) in activity.outer_iter().enumerate() {
                let labels = labels.index_axis(Axis(0), first + step);
                for (head, readout) in readouts.iter().enumerate() {
                    let labels = labels.column(head);
                    debug_assert!(!labels.iter().any(|&label| label == NO_LABEL), "too short");
                    credit(states, readout, labels, right.column_mut(head));
                }
            }
            Ok(())
        })?;
        let measures = asked.measures(scoring.chance);
        Ok(Scored { values: right / steps as f64, measures })
    }
}

fn check_warm_up(ladder: &dyn MemoryTask, warm_up: usize) -> Result<(), Error> {
    let needed = ladder.memory().iter().max().map_or(0, |n| n - 1);
    if warm_up >= needed {
        return Ok(());
    }
    let allowed = format!("{needed} or more: the first scored step needs N bits");
    refuse("warm_up", format!("{warm_up} steps"), allowed)
}

/// Fair bits, whatever the task is trained on.
fn fair_bits(
    ladder: &dyn MemoryTask,
    length: usize,
    trials: usize,
    scoring: &super::Scoring,
) -> Result<Array3<f32>, Error> {
    let (bits, _) = ladder.bits();
    let fair = Bits { chance: Chance::Half, ..bits };
    Ok(draw_bits(fair, length, trials, scoring.key(Purpose::ScoringInputs))?)
}
