//! The way from the gradient to the next parameters.

use crate::optim::{AdamForm, Rule as Law};
use crate::{Error, Optimiser, Real};

use super::Cuda;
use super::arguments::{Judge, Rule, Squares, Step};
use super::device::{Device, THREADS};
use super::launch::launch;
use super::shown::Shown;

/// Largest number of blocks that add up squares; each leaves one sum.
const SQUARE_BLOCKS: usize = 512;

impl<R: Real, D: Device> Cuda<R, D> {
    /// Makes the optimiser's memory fit the rule, and marks the arrays that are trained.
    pub(super) fn prepare_optimiser(
        &mut self,
        optimiser: &Optimiser,
        heads: &[usize],
    ) -> Result<(), Error> {
        let adam = matches!(optimiser.rule, Law::Adam { .. });
        if self.adam != Some(adam) {
            // The memory of another rule means nothing to this one.
            let total = self.params.len();
            self.mean.zeros(&self.device, total)?;
            if adam {
                self.square.zeros(&self.device, total)?;
            }
            self.adam = Some(adam);
            self.put_segments(&[])?;
        } else if self.active.is_none() {
            self.put_segments(&[])?;
        }
        let trained = self.trained(heads);
        let tensors = self.host.tensors();
        let active: Vec<bool> =
            tensors.map(|(tensor, _)| trained.has(tensor, &self.host)).collect();
        if self.active.as_ref() != Some(&active) {
            let mut segments = self.segments.to_vec(&self.device)?;
            for (segment, &active) in segments.iter_mut().zip(&active) {
                segment.active = i32::from(active);
            }
            self.segments.put(&self.device, &segments)?;
            self.active = Some(active);
        }
        Ok(())
    }

    /// Judges loss and gradient and, if they are finite, applies the update.
    pub(super) fn apply(
        &mut self,
        shown: &Shown<'_, R>,
        optimiser: &Optimiser,
    ) -> Result<(), Error> {
        let total = self.params.len();
        let device = &self.device;
        let blocks = total.div_ceil(4 * THREADS).min(SQUARE_BLOCKS);
        let squares = self.work.squares.room(device, blocks)?;
        let segments = self.segments.ptr(device);
        let n_segments = self.segments.len() as i32;
        let gradient = self.gradient.ptr(device);
        let count = total as u64;
        let sums = Squares { gradient, count, segments, n_segments, sums: squares };
        launch::<R, D, _>(device, [blocks, 1, 1], 0, sums)?;
        let rule = rule::<R>(optimiser);
        let state = self.state.ptr(device);
        let judge = Judge {
            rule,
            squares,
            n_squares: blocks as i32,
            n_losses: self.work.losses.len() as i32,
            losses: self.work.losses.ptr(device),
            loss_scale: shown.share(self.work.outputs()),
            segments,
            state,
            n_segments,
            unused: 0,
        };
        launch::<R, D, _>(device, [1; 3], 0, judge)?;
        let step = Step {
            rule,
            params: self.params.ptr(device),
            gradient,
            mean: self.mean.ptr(device),
            square: self.square.ptr(device),
            segments,
            state,
            count,
            n_segments,
            hidden: self.config.hidden_size as i32,
            self_connections: i32::from(!self.config.clears_diagonal()),
            unused: 0,
        };
        launch::<R, D, _>(device, [total.div_ceil(THREADS), 1, 1], 0, step)
    }
}

/// An optimiser as the kernels take it.
fn rule<R: Real>(optimiser: &Optimiser) -> Rule {
    let mut rule = Rule {
        clip_norm: optimiser.clip_norm.unwrap_or(0.0),
        // The reach for a gradient of norm 1, which no clipping makes shorter.
        reach: Optimiser { clip_norm: None, ..*optimiser }.reach(1.0),
        largest_step: R::LARGEST_STEP,
        ..Rule::default()
    };
    match optimiser.rule {
        Law::Sgd { learning_rate, momentum } => {
            rule.rate = learning_rate;
            rule.momentum = momentum;
        }
        Law::Adam { learning_rate, beta1, beta2, epsilon, decay, form } => {
            let keras = i32::from(form == AdamForm::Keras);
            let rate = learning_rate;
            rule = Rule { adam: 1, keras, rate, beta1, beta2, epsilon, decay, ..rule };
        }
    }
    rule
}
