//! Batches of a task, answered where the task asks.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use tau_random::Purpose;
use tau_tasks::{Batch, Targets};

use super::read::{SquaredError, credit};
use super::{Asked, Scored};
use crate::Error;
use crate::chance::LabelCounts;
use crate::simulation::{first_state, simulate};

impl Asked<'_> {
    pub(super) fn by_batches(mut self, trials: usize) -> Result<Scored, Error> {
        let scoring = *self.scoring;
        scoring.check("scored trials and repeats", trials)?;
        let mut asked = LabelCounts::new(self.task);
        let mut values = Array2::zeros((scoring.repeats, self.readouts.len()));
        for (repeat, mut row) in values.outer_iter_mut().enumerate() {
            // Step 0 is the input that is answered at every step.
            let key = |purpose| scoring.key(purpose).step(1 + repeat as u32);
            let Batch { inputs, targets } = self.task.batch(trials, key(Purpose::ScoringInputs))?;
            let start = key(Purpose::ScoringInitialState);
            let config = self.network.config();
            let state = first_state(config, trials, scoring.initial_state, start)?;
            row.assign(&match targets {
                Targets::Classes(labels) => {
                    asked.add(labels.view());
                    self.accuracy(state, &inputs, &labels)?
                }
                Targets::Values { values, weights } => {
                    let weights = weights.as_ref().map(|weights| weights.view());
                    self.loss(state, &inputs, &values, weights)?
                }
            });
        }
        Ok(Scored { values, measures: asked.measures(scoring.chance) })
    }

    /// Share of the trials whose class each head knows after the last step.
    fn accuracy(
        &mut self,
        state: Array2<f32>,
        inputs: &Array3<f32>,
        labels: &Array2<u8>,
    ) -> Result<Array1<f64>, Error> {
        let mut right = Array2::<f64>::zeros(labels.dim());
        let before = inputs.len_of(Axis(0)).saturating_sub(1);
        let readouts = &self.readouts;
        simulate(self.network, state, inputs.view(), before, self.stop, |_, activity| {
            for states in activity.outer_iter() {
                for (head, readout) in readouts.iter().enumerate() {
                    credit(states, readout, labels.column(head), right.column_mut(head));
                }
            }
            Ok(())
        })?;
        Ok(right.sum_axis(Axis(0)) / labels.nrows() as f64)
    }

    /// Mean squared error over steps, trials and outputs.
    fn loss(
        &mut self,
        state: Array2<f32>,
        inputs: &Array3<f32>,
        values: &Array3<f32>,
        weights: Option<ArrayView2<'_, f32>>,
    ) -> Result<Array1<f64>, Error> {
        let mut errors = vec![SquaredError::default(); self.readouts.len()];
        let readouts = &self.readouts;
        simulate(self.network, state, inputs.view(), 0, self.stop, |first, activity| {
            for (step, states) in activity.outer_iter().enumerate() {
                let wanted = values.index_axis(Axis(0), first + step);
                let weights = weights.map(|weights| weights.index_axis_move(Axis(0), first + step));
                for (error, readout) in errors.iter_mut().zip(readouts) {
                    error.add(states, readout, wanted, weights);
                }
            }
            Ok(())
        })?;
        errors.iter().map(SquaredError::mean).collect()
    }
}
