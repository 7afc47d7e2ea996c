//! The structures that kernels take, with the layout and the names of those in `kernels/`.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};
use tau_random::{BitRule, Bits as Law, Chance, Key};

use crate::{Activation, Cell, Config};

use super::device::{Arguments, THREADS};

/// Threads of a block in `kernels/small.cu`.
pub(super) const SMALL_THREADS: usize = 512;

/// An address on the device, or null.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Ptr<T>(u64, PhantomData<fn() -> T>);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> PartialEq for Ptr<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Ptr<T> {
    pub(super) const NULL: Self = Self(0, PhantomData);

    pub(super) fn new(address: u64) -> Self {
        Self(address, PhantomData)
    }

    /// The address `count` numbers on.
    pub(super) fn at(self, count: usize) -> Self {
        Self::new(self.0 + (count * size_of::<T>()) as u64)
    }
}

/// Sizes of a network and a batch; `rows` are the trials with their padding.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Shape {
    pub(super) hidden: i32,
    pub(super) channels: i32,
    pub(super) stride: i32,
    pub(super) trials: i32,
    pub(super) rows: i32,
    pub(super) steps: i32,
}

/// A [`Key`], word by word.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct KeyWords([u32; 5]);

impl From<Key> for KeyWords {
    fn from(key: Key) -> Self {
        Self(key.words())
    }
}

/// The activation of a leaky cell, as kernels number them.
pub(super) fn activation(config: &Config) -> i32 {
    match config.leaky_cell().copied().unwrap_or_default().activation {
        Activation::LeakyRelu => 0,
        Activation::Relu => 1,
        Activation::Tanh => 2,
        Activation::Sigmoid => 3,
    }
}

/// A cell with gates.
pub(super) fn gated(cell: Cell) -> i32 {
    match cell {
        // The leaky cell has kernels of its own.
        Cell::Lstm | Cell::Leaky(_) => 0,
        Cell::Gru => 1,
    }
}

pub(super) fn bit_rule(rule: BitRule) -> i32 {
    match rule {
        BitRule::Parity => 0,
        BitRule::Match => 1,
    }
}

/// Declares the structures; `R` stands for `real`.
macro_rules! arguments {
    ($($(#[$when:meta])? $name:ident $(<$r:ident>)? for $kernel:literal, $threads:ident threads {
        $($field:ident: $type:ty),* $(,)?
    })*) => {
        $(
            $(#[$when])?
            #[derive(Clone, Copy, Debug, PartialEq)]
            #[repr(C)]
            pub(super) struct $name $(<$r>)? {
                $(pub(super) $field: $type,)*
            }

            $(#[$when])?
            impl $(<$r: crate::Real>)? Arguments for $name $(<$r>)? {
                const KERNEL: &'static str = $kernel;
                const THREADS: usize = $threads;
            }
        )*
    };
}

arguments! {
    PackCell<R> for "pack_cell", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        forward: Ptr<R>,
        backward: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        whole: i32,
        k: i32,
    }
    PackGates<R> for "pack_gates", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        forward: Ptr<R>,
        backward: Ptr<R>,
        gate_stride: i32,
        cell: i32,
    }
    PackReadouts<R> for "pack_readouts", THREADS threads {
        shape: Shape,
        params: Ptr<R>,
        weights: Ptr<u64>,
        biases: Ptr<u64>,
        outputs: i32,
        output_stride: i32,
        forward: Ptr<R>,
        backward: Ptr<R>,
    }
    ShowGiven<R> for "show_given", THREADS threads {
        shape: Shape,
        inputs: Ptr<f32>,
        h: Ptr<R>,
    }
    Start<R> for "start", THREADS threads {
        shape: Shape,
        given: Ptr<R>,
        given_stride: i32,
        scale: R,
        key: KeyWords,
        h: Ptr<R>,
    }
    Forward<R> for "forward", THREADS threads {
        shape: Shape,
        before: Ptr<R>,
        after: Ptr<R>,
        f: Ptr<R>,
        matrix: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
    }
    Outputs<R> for "outputs", THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        matrix: Ptr<R>,
        output_stride: i32,
        y: Ptr<R>,
    }
    ScoreLabels<R> for "score_labels", THREADS threads {
        score: Score<R>,
    }
    ScoreSeries<R> for "score_series", THREADS threads {
        score: Score<R>,
    }
    Backward<R> for "backward", THREADS threads {
        shape: Shape,
        later: Ptr<R>,
        matrix: Ptr<R>,
        heads: Heads<R>,
        value: Ptr<R>,
        error: Ptr<R>,
        before: Ptr<R>,
        carry: Ptr<R>,
        tau_sums: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
        underflow: R,
    }
    ForwardGates<R> for "forward_gates", THREADS threads {
        shape: Shape,
        before: Ptr<R>,
        after: Ptr<R>,
        memory: Ptr<R>,
        memory_after: Ptr<R>,
        gates: Ptr<R>,
        matrix: Ptr<R>,
        gate_stride: i32,
        cell: i32,
    }
    BackwardGates<R> for "backward_gates", THREADS threads {
        shape: Shape,
        later: Ptr<R>,
        matrix: Ptr<R>,
        heads: Heads<R>,
        gates: Ptr<R>,
        before: Ptr<R>,
        memory: Ptr<R>,
        memory_after: Ptr<R>,
        carry: Ptr<R>,
        gate_stride: i32,
        cell: i32,
        underflow: R,
    }
    Outer<R> for "outer", THREADS threads {
        left: Ptr<R>,
        right: Ptr<R>,
        out: Ptr<R>,
        a_stride: i32,
        b_stride: i32,
        rows: i32,
        rows_per_split: i32,
    }
    #[cfg(feature = "bench")]
    Peak<R> for "peak", THREADS threads {
        out: Ptr<R>,
        rounds: i32,
        unused: i32,
    }
    ShowDrawn<R> for "show_drawn", THREADS threads {
        shape: Shape,
        bits: Bits,
        values: [f32; 2],
        first: i32,
        h: Ptr<R>,
    }
    LabelDrawn for "label_drawn", THREADS threads {
        shape: Shape,
        bits: Bits,
        memory: Ptr<i32>,
        heads: i32,
        rule: i32,
        labels: Ptr<u8>,
    }
    Collect<R> for "collect", THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        to: Ptr<R>,
    }
    ForwardSmall<R> for "forward_small", SMALL_THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        f: Ptr<R>,
        matrix: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
    }
    BackwardSmall<R> for "backward_small", SMALL_THREADS threads {
        shape: Shape,
        h: Ptr<R>,
        f: Ptr<R>,
        errors: Ptr<R>,
        matrix: Ptr<R>,
        carry: Ptr<R>,
        tau_sums: Ptr<R>,
        alpha: Ptr<R>,
        decay: Ptr<R>,
        activation: i32,
        underflow: R,
    }
    CellGradient<R> for "cell_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        params: Ptr<R>,
        gradient: Ptr<R>,
        alpha: Ptr<R>,
        tau_sums: Ptr<R>,
        k: i32,
        trains_tau: i32,
    }
    GateGradient<R> for "gate_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        gradient: Ptr<R>,
        cell: i32,
        unused: i32,
    }
    ReadoutGradient<R> for "readout_gradient", THREADS threads {
        shape: Shape,
        matrix: Splits<R>,
        weights: Ptr<u64>,
        biases: Ptr<u64>,
        gradient: Ptr<R>,
    }
    Squares<R> for "squares", THREADS threads {
        gradient: Ptr<R>,
        count: u64,
        segments: Ptr<Segment>,
        n_segments: i32,
        sums: Ptr<f64>,
    }
    Judge for "judge", THREADS threads {
        rule: Rule,
        squares: Ptr<f64>,
        n_squares: i32,
        n_losses: i32,
        losses: Ptr<f64>,
        loss_scale: f64,
        segments: Ptr<Segment>,
        state: Ptr<State>,
        n_segments: i32,
        unused: i32,
    }
    Step<R> for "step", THREADS threads {
        rule: Rule,
        params: Ptr<R>,
        gradient: Ptr<R>,
        mean: Ptr<R>,
        square: Ptr<R>,
        segments: Ptr<Segment>,
        state: Ptr<State>,
        count: u64,
        n_segments: i32,
        hidden: i32,
        self_connections: i32,
        unused: i32,
    }
}

/// The law of random bits, and their stream.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Bits {
    pub(super) key: KeyWords,
    pub(super) fair: i32,
}

impl Bits {
    pub(super) fn new(key: Key, law: Law) -> Self {
        Self { key: key.into(), fair: i32::from(law.chance == Chance::Half) }
    }
}

/// What the heads send back to a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Heads<R> {
    pub(super) errors: Ptr<R>,
    pub(super) readout: Ptr<R>,
    pub(super) output_stride: i32,
    pub(super) output_terms: i32,
}

/// What both kinds of scoring take.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Score<R> {
    pub(super) shape: Shape,
    pub(super) y: Ptr<R>,
    pub(super) output_stride: i32,
    pub(super) labels: Ptr<u8>,
    pub(super) first: Ptr<i32>,
    pub(super) targets: Ptr<f32>,
    pub(super) outputs: i32,
    pub(super) losses: Ptr<f64>,
    pub(super) hits: Ptr<f64>,
}

/// Sums of `outer`, to be added in order.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Splits<R> {
    pub(super) parts: Ptr<R>,
    pub(super) splits: i32,
    pub(super) size: u64,
}

/// One array of the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Segment {
    pub(super) end: u64,
    pub(super) active: i32,
    pub(super) steps: i32,
    pub(super) rate: f64,
    pub(super) root: f64,
}

/// What the host reads now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct State {
    pub(super) loss: f64,
    pub(super) losses: u64,
    pub(super) updates: u64,
    pub(super) diverged: i32,
    pub(super) unused: i32,
    pub(super) value: f64,
    pub(super) scale: f64,
}

/// An optimiser's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct Rule {
    pub(super) adam: i32,
    pub(super) unused: i32,
    pub(super) rate: f64,
    pub(super) momentum: f64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) epsilon: f64,
    pub(super) decay: f64,
    pub(super) clip_norm: f64,
    pub(super) reach: f64,
    pub(super) largest_step: f64,
}
