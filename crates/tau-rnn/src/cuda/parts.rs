//! What the structures of `arguments.rs` are made of, with the layout and the names that `kernels/` has.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};
use tau_random::{BitRule, Bits as Law, Chance, Key};

use crate::{Activation, Cell, Config};

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

    /// The address that lies `count` numbers further.
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

/// The words of a [`Key`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct KeyWords([u32; 5]);

impl From<Key> for KeyWords {
    fn from(key: Key) -> Self {
        Self(key.words())
    }
}

/// The activation of a leaky cell, as the kernels number them.
pub(super) fn activation(config: &Config) -> i32 {
    match config.leaky_cell().copied().unwrap_or_default().activation {
        Activation::LeakyRelu => 0,
        Activation::Relu => 1,
        Activation::Tanh => 2,
        Activation::Sigmoid => 3,
    }
}

/// A cell with gates, as the kernels number them.
pub(super) fn gated(cell: Cell) -> i32 {
    match cell {
        // The leaky cell has kernels of its own.
        Cell::Lstm | Cell::Leaky(_) => 0,
        Cell::Gru => 1,
    }
}

/// The question that is asked of random bits, as the kernels number them.
pub(super) fn bit_rule(rule: BitRule) -> i32 {
    match rule {
        BitRule::Parity => 0,
        BitRule::Match => 1,
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

/// What the kernels that score classes and values take.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Score<R> {
    pub(super) shape: Shape,
    pub(super) y: Ptr<R>,
    pub(super) output_stride: i32,
    pub(super) labels: Ptr<u8>,
    pub(super) first: Ptr<i32>,
    pub(super) values: Ptr<f32>,
    pub(super) weights: Ptr<f32>,
    pub(super) outputs: i32,
    pub(super) share: f64,
    pub(super) losses: Ptr<f64>,
    pub(super) hits: Ptr<f64>,
}

/// The sums that `outer` leaves, to be added in order.
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

/// The losses since the host last read them, and how the training stands.
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

/// The numbers of an optimiser.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct Rule {
    pub(super) adam: i32,
    pub(super) keras: i32,
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
