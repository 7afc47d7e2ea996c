//! Heads on the device: their weights side by side, outputs, scores, gradients.

use crate::{Error, Real, Tensor};

use super::Cuda;
use super::arguments::{
    Bits, Heads, LabelDrawn, Outputs, PackReadouts, Ptr, ReadoutGradient, Score, ScoreLabels,
    ScoreSeries, Shape, bit_rule,
};
use super::device::{Device, THREADS};
use super::pass::TILE;
use super::shown::{Answers, Shown};

impl<R: Real, D: Device> Cuda<R, D> {
    /// The active heads' readouts as the parameters are now.
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
            weights: work.weights.ptr(device),
            biases: work.biases.ptr(device),
            outputs: work.outputs() as i32,
            output_stride: output_stride as i32,
            forward: work.readout_forward.room(device, stride * output_stride)?,
            backward: work.readout_backward.room(device, stride * output_stride)?,
        };
        self.launch([stride.div_ceil(THREADS), output_stride, 1], arguments)
    }

    /// Makes the tables of where the outputs of these heads stand.
    fn find_heads(&mut self, heads: &[usize]) -> Result<(), Error> {
        let hidden = self.config.hidden_size;
        // Where each array begins.
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
        self.work.weights.put(&self.device, &weights)?;
        self.work.biases.put(&self.device, &biases)?;
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
        let read = if shown.every_step() { shown.steps } else { 1 };
        let all_rows = read * shape.rows as usize;
        let output_stride = self.work.output_stride();
        let h = self.h_at(shape, last + 1 - read);
        let device = &self.device;
        let work = &mut self.work;
        let y = work.y.room(device, all_rows * output_stride)?;
        let mut score = Score {
            shape,
            y,
            output_stride: output_stride as i32,
            labels: Ptr::NULL,
            first: work.first.ptr(device),
            targets: Ptr::NULL,
            outputs: work.outputs() as i32,
            losses: Ptr::NULL,
            hits: Ptr::NULL,
        };
        let matrix = work.readout_forward.ptr(device);
        let output_stride = output_stride as i32;
        let outputs = Outputs { shape, h, matrix, output_stride, y };
        let grid = [all_rows / TILE, output_stride as usize / TILE, 1];
        let heads = shown.heads.len();
        match &shown.answers {
            Answers::Labels(labels) => {
                let labels = labels.as_standard_layout();
                let labels = labels.as_slice().expect("standard layout");
                score.labels = work.labels.put(device, labels)?;
                score.losses = work.losses.room(device, heads)?;
                score.hits = work.hits.room(device, heads)?;
                self.launch(grid, outputs)?;
                self.launch([heads, 1, 1], ScoreLabels { score })
            }
            Answers::Drawn { key, bits, rule, memory } => {
                let bits = Bits::new(*key, *bits);
                let memory: Vec<i32> = memory.iter().map(|&n| n as i32).collect();
                let count = shown.trials * heads;
                let drawn = LabelDrawn {
                    shape,
                    bits,
                    memory: work.memory.put(device, &memory)?,
                    heads: heads as i32,
                    rule: bit_rule(*rule),
                    labels: work.labels.room(device, count)?,
                };
                score.labels = drawn.labels;
                score.losses = work.losses.room(device, heads)?;
                score.hits = work.hits.room(device, heads)?;
                self.launch(grid, outputs)?;
                self.launch([count.div_ceil(THREADS), 1, 1], drawn)?;
                self.launch([heads, 1, 1], ScoreLabels { score })
            }
            Answers::Series(targets) => {
                let targets = targets.as_standard_layout();
                let targets = targets.as_slice().expect("standard layout");
                score.targets = work.targets.put(device, targets)?;
                score.losses = work.losses.room(device, read)?;
                self.launch(grid, outputs)?;
                self.launch([read, 1, 1], ScoreSeries { score })
            }
        }
    }

    /// What they send back to step `t`, those from step `first_read` on being read.
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
            weights: self.work.weights.ptr(&self.device),
            biases: self.work.biases.ptr(&self.device),
            gradient: self.gradient.ptr(&self.device),
        };
        self.launch([self.columns().div_ceil(THREADS), self.work.outputs(), 1], arguments)
    }
}
