//! Everything that can go wrong in this crate.

use crate::Cell;

/// An error of the core. Messages name the value, the allowed range and, where there is one, the
/// remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Number of neurons out of range.
    #[error("hidden_size: {value} (allowed: 1 to 65536)")]
    HiddenSize {
        /// The value that was asked for.
        value: usize,
    },
    /// No input channel.
    #[error("input_size: {value} (allowed: 1 or more)")]
    InputSize {
        /// The value that was asked for.
        value: usize,
    },
    /// A continuous network without steps.
    #[error("steps_per_unit: 0 (allowed: 1 or more)")]
    StepsPerUnit,
    /// Small steps of a network that has none.
    #[error(
        "steps_per_unit: {value} (allowed: 1, since the network is not in continuous time; give it \
         the placement `continuous`)"
    )]
    NotContinuous {
        /// The value that was asked for.
        value: u32,
    },
    /// A fixed τ below one step.
    #[error(
        "fixed tau: {value} steps (allowed: 1 or more; a time constant below one step has no \
         meaning in this discretisation)"
    )]
    FixedTau {
        /// The time constant that was asked for, in steps.
        value: f64,
    },
    /// Initial interval of τ below one step.
    #[error("start of tau: {value} steps (allowed: 1 or more)")]
    StartTau {
        /// The time constant that was asked for, in steps.
        value: f64,
    },
    /// A name that is no activation.
    #[error("unknown activation: {name} (known: leaky-relu, relu, tanh, sigmoid)")]
    UnknownActivation {
        /// The name that was given.
        name: String,
    },
    /// A name that is no cell.
    #[error("unknown cell: {name} (known: leaky, lstm, gru)")]
    UnknownCell {
        /// The name that was given.
        name: String,
    },
    /// A law of initial values that its array cannot have, or a number of one out of range.
    #[error("{number} of {name}: {value} (allowed: {allowed})")]
    Init {
        /// Which array.
        name: &'static str,
        /// `init` for the law itself, or which of its numbers.
        number: &'static str,
        /// The value that was asked for.
        value: String,
        /// The range.
        allowed: &'static str,
    },
    /// Random initial states for a cell that begins with zeros.
    #[error(
        "initial state: uniform up to {scale} (allowed for {cell}: zero, or given states; as \
         published, its state begins with zeros)"
    )]
    GatedInitial {
        /// The cell.
        cell: Cell,
        /// Upper end of the interval.
        scale: f64,
    },
    /// A number of the optimiser out of range.
    #[error("{name}: {value} (allowed: {allowed})")]
    Optimiser {
        /// Which number.
        name: &'static str,
        /// The value that was asked for.
        value: f64,
        /// The range.
        allowed: &'static str,
    },
    /// Arrays that do not fit together.
    #[error("shape of {what}: {found:?} (expected: {expected:?})")]
    Shape {
        /// Which array.
        what: String,
        /// The shape of the array.
        found: Vec<usize>,
        /// The shape that fits the network or the batch.
        expected: Vec<usize>,
    },
    /// A parameter that is infinite or NaN.
    #[error("{what} holds a value that is not finite: {value} at {index}")]
    NotFinite {
        /// Which array.
        what: String,
        /// The value.
        value: f64,
        /// The position of the value, in row-major order.
        index: usize,
    },
    /// A bias that the configuration does not have and that is not zero.
    #[error(
        "{what} holds {value} at {index} (allowed: 0, since the network has no such bias; give it one \
         in its arrays)"
    )]
    AbsentBias {
        /// Which array.
        what: String,
        /// The value.
        value: f64,
        /// The position of the value.
        index: usize,
    },
    /// A head that the network does not have.
    #[error("head: {head} (the network has {heads}, numbered from 0)")]
    Head {
        /// The value that was asked for.
        head: usize,
        /// How many heads there are.
        heads: usize,
    },
    /// A label that is no class of its head.
    #[error("label: {label} for head {head} (its readout has {classes} classes, numbered from 0)")]
    Label {
        /// The label.
        label: usize,
        /// Which head.
        head: usize,
        /// Rows of the head's weight matrix.
        classes: usize,
    },
    /// A batch without trials, steps or heads.
    #[error("empty batch: {what} is 0 (allowed: 1 or more)")]
    EmptyBatch {
        /// Which of its sizes.
        what: &'static str,
    },
    /// A weight of a value that is negative, infinite or NaN.
    #[error("weights hold {value} at step {step}, trial {trial} (allowed: 0 or more, finite)")]
    Weight {
        /// The weight.
        value: f32,
        /// The step of the weight, from 0.
        step: usize,
        /// The trial of the weight.
        trial: usize,
    },
    /// Weights of which all are zero.
    #[error("weights: all 0 (allowed: at least one above 0; without it nothing is asked)")]
    NoWeight,
    /// Random bits that one stream does not have.
    #[error(transparent)]
    Bits(#[from] tau_random::Error),
    /// Loss or gradient stopped being finite. The parameters are still those before the update.
    #[error(
        "diverged at update {update}: {what} is {value} (the parameters from before this update \
         are kept; lower the learning rate or the clipping norm)"
    )]
    Diverged {
        /// Updates that were applied before this one, since the backend was made.
        update: u64,
        /// `loss`, `gradient norm` or `step`.
        what: &'static str,
        /// The value that is not finite.
        value: f64,
    },
    /// Number of threads out of range.
    #[error("threads: {value} (allowed: 1 to 1024)")]
    Threads {
        /// The value that was asked for.
        value: usize,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    StartThreads {
        /// How many threads were asked for.
        threads: usize,
        /// The answer of the system.
        reason: String,
    },
    /// A name that is no device.
    #[error("unknown device: {name} (known: cpu, cuda, cuda:NUMBER)")]
    UnknownDevice {
        /// The name that was given.
        name: String,
    },
    /// No device of that kind.
    #[error("no GPU: {reason}")]
    NoDevice {
        /// The reason.
        reason: String,
    },
    /// A device that is there and of no use.
    #[error("the GPU cannot be used: {reason}")]
    UnusableDevice {
        /// The reason.
        reason: String,
    },
    /// A device that cannot go on.
    #[error("GPU: {reason}; what was written before is good, and a new start goes on from there")]
    Device {
        /// The message of the device.
        reason: String,
    },
    /// Too little memory on the device.
    #[error(
        "GPU memory: {bytes} more bytes wanted, {free} free ({}use fewer trials a batch, fewer \
         neurons, a shorter N or fewer networks at a time: --threads)",
        .fits.map_or_else(String::new, |trials| format!("about {trials} trials would fit; "))
    )]
    DeviceMemory {
        /// The value that was asked for.
        bytes: usize,
        /// Bytes that are free.
        free: usize,
        /// Trials of a batch of that length for which there is memory, where it is a batch that
        /// wants it.
        fits: Option<usize>,
    },
    /// Bytes that are no checkpoint of ours.
    #[error("not a readable checkpoint: {reason}")]
    Checkpoint {
        /// What is wrong with the bytes.
        reason: String,
    },
}

impl Error {
    /// Whether loss, gradient or step stopped being finite: a fact about the training, while every
    /// other error is about what was asked for or about the machine.
    #[must_use]
    pub fn is_diverged(&self) -> bool {
        matches!(self, Self::Diverged { .. })
    }

    pub(crate) fn shape(what: impl Into<String>, found: &[usize], expected: &[usize]) -> Self {
        Self::Shape { what: what.into(), found: found.to_vec(), expected: expected.to_vec() }
    }
}
