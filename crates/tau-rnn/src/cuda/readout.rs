//! Heads on the device: their weights side by side, outputs, scores, gradients.

use ndarray::{ArrayView2, ArrayView3, Axis};

use crate::{Error, Real, Tensor};

use super::Cuda;
use super::arguments::{
    Bits, Heads, LabelDrawn, Outputs, PackReadouts, Ptr, ReadoutGradient, Score, ScoreClasses,
    ScoreValues, Shape, bit_rule,
};
use super::device::{Device, THREADS};
use super::pass::TILE;
use super::shown::{Answers, DrawnLabels, Shown};

impl<R: Real, D: Device> Cuda<R, D> {
    /// Packs the readouts of the active heads, as the parameters are now.
    pub(super) fn pack_readouts(&mut self, shape: Shape, heads: &[usize]) -> Result<(), Error> {
        if self.work.heads.as_deref() != Some(heads) {
            self.find_heads(heads)?;
        }
        let (stride, device) = (self.stride(), &self.device);
        let work = &mut self.work;
        let output_stride = work.output_stride();
        let arguments = PackReadouts {
            shape,
            params: self.params.ptr(device),
            weights: work.weight_places.ptr(device),
            biases: work.bias_places.ptr(device),
            outputs: work.outputs() as i32,
            output_stride: output_stride as i32,
            forward: work.readout_forward.room(device, stride * output_stride)?,
            backward: work.readout_backward.room(device, stride * output_stride)?,
        };
        self.launch([stride.div_ceil(THREADS), output_stride, 1], arguments)
    }

    /// Makes the tables that say where the outputs of these heads stand in the parameters.
    fn find_heads(&mut self, heads: &[usize]) -> Result<(), Error> {
        let hidden = self.config.hidden_size;
        // The place where each array begins.
        let mut begins = vec![0];
        for (_, values) in self.host.tensors() {
            begins.push(begins[begins.len() - 1] + values.len());
        }
        let (mut weights, mut biases, mut first) = (Vec::new(), Vec::new(), vec![0]);
        self.work.ranges.clear();
        for &head in heads {
            let outputs = self.host.readouts[head].outputs();
            let start = weights.len();
            let begin = |tensor: Tensor| begins[tensor.position()];
            let (weight, bias) =
                (begin(Tensor::ReadoutWeight(head)), begin(Tensor::ReadoutBias(head)));
            weights.extend((0..outputs).map(|o| (weight + o * hidden) as u64));
            biases.extend((0..outputs).map(|o| (bias + o) as u64));
            first.push(weights.len() as i32);
            self.work.ranges.push(start..weights.len());
        }
        self.work.weight_places.put(&self.device, &weights)?;
        self.work.bias_places.put(&self.device, &biases)?;
        self.work.first.put(&self.device, &first)?;
        self.work.heads = Some(heads.to_vec());
        Ok(())
    }

    /// Reads the heads, the last state being in slot `last`, and leaves dL/dy in place of y.
    pub(super) fn read_outputs(
        &mut self,
        shape: Shape,
        shown: &Shown<'_, R>,
        last: usize,
    ) -> Result<(), Error> {
        let read = shown.read_steps();
        let rows = read * shape.rows as usize;
        let (outputs, output_stride) = (self.work.outputs(), self.work.output_stride());
        let y = self.work.y.room(&self.device, rows * output_stride)?;
        let product = Outputs {
            shape,
            h: self.h_at(shape, last + 1 - read),
            matrix: self.work.readout_forward.ptr(&self.device),
            output_stride: output_stride as i32,
            y,
        };
        self.launch([rows / TILE, output_stride / TILE, 1], product)?;
        let score = Score {
            shape,
            y,
            output_stride: output_stride as i32,
            labels: Ptr::NULL,
            first: self.work.first.ptr(&self.device),
            values: Ptr::NULL,
            weights: Ptr::NULL,
            outputs: outputs as i32,
            share: shown.share(outputs),
            losses: Ptr::NULL,
            hits: Ptr::NULL,
        };
        let heads = shown.heads.len();
        match &shown.answers {
            Answers::Classes(labels) => {
                let labels = labels.as_standard_layout();
                let labels = labels.as_slice().expect("standard layout");
                let labels = self.work.labels.put(&self.device, labels)?;
                self.score_classes(Score { labels, ..score }, heads)
            }
            Answers::Drawn(asked) => {
                let labels = self.draw_labels(shape, asked)?;
                self.score_classes(Score { labels, ..score }, heads)
            }
            Answers::Values { values, weights } => self.score_values(score, *values, *weights),
        }
    }

    /// Scores the heads by their labels.
    fn score_classes(&mut self, score: Score<R>, heads: usize) -> Result<(), Error> {
        let losses = self.work.losses.room(&self.device, heads)?;
        let hits = self.work.hits.room(&self.device, heads)?;
        self.launch([heads, 1, 1], ScoreClasses { score: Score { losses, hits, ..score } })
    }

    /// Scores the one head by the values that it should give at every step.
    fn score_values(
        &mut self,
        score: Score<R>,
        values: ArrayView3<'_, f32>,
        weights: Option<ArrayView2<'_, f32>>,
    ) -> Result<(), Error> {
        let (steps, device) = (values.len_of(Axis(0)), &self.device);
        let values = values.as_standard_layout();
        let values = self.work.values.put(device, values.as_slice().expect("standard layout"))?;
        let weights = match weights {
            Some(weights) => {
                let weights = weights.as_standard_layout();
                self.work.weights.put(device, weights.as_slice().expect("standard layout"))?
            }
            None => Ptr::NULL,
        };
        let losses = self.work.losses.room(device, steps)?;
        let score = Score { values, weights, losses, ..score };
        self.launch([steps, 1, 1], ScoreValues { score })
    }

    /// Finds the labels of the bits that the device draws, (trial, head).
    fn draw_labels(&mut self, shape: Shape, asked: &DrawnLabels) -> Result<Ptr<u8>, Error> {
        let count = shape.trials as usize * asked.memory.len();
        let labels = self.work.labels.room(&self.device, count)?;
        let drawn = LabelDrawn {
            shape,
            bits: Bits::new(asked.key, asked.bits),
            memory: self.work.memory.put(&self.device, &asked.memory)?,
            heads: asked.memory.len() as i32,
            rule: bit_rule(asked.rule),
            labels,
        };
        self.launch([count.div_ceil(THREADS), 1, 1], drawn)?;
        Ok(labels)
    }

    /// What the heads, which read the steps from `first_read` on, send back to step `t`.
    pub(super) fn heads_at(&self, shape: Shape, t: usize, first_read: usize) -> Heads<R> {
        let output_stride = self.work.output_stride();
        let y = self.work.y.ptr(&self.device);
        let y_at = |slot: usize| y.at(slot * shape.rows as usize * output_stride);
        Heads {
            errors: t.checked_sub(first_read).map_or(Ptr::NULL, y_at),
            readout: self.work.readout_backward.ptr(&self.device),
            output_stride: output_stride as i32,
            output_terms: self.work.outputs().next_multiple_of(TILE) as i32,
        }
    }

    /// Computes the gradient of the heads, which read the steps from `first_read` on.
    pub(super) fn readout_gradient(
        &mut self,
        shape: Shape,
        first_read: usize,
    ) -> Result<(), Error> {
        let read = shape.steps as usize + 1 - first_read;
        let (y, output_stride) = (self.work.y.ptr(&self.device), self.work.output_stride());
        let h = self.h_at(shape, first_read);
        let rows = read * shape.rows as usize;
        let matrix = self.outer(y, output_stride, h, self.stride(), rows)?;
        let arguments = ReadoutGradient {
            shape,
            matrix,
            weights: self.work.weight_places.ptr(&self.device),
            biases: self.work.bias_places.ptr(&self.device),
            gradient: self.gradient.ptr(&self.device),
        };
        self.launch([self.columns().div_ceil(THREADS), self.work.outputs(), 1], arguments)
    }
}
