//! The outline of a task: its channels, its heads, the lengths of its batches.

/// Input channels and heads of a task: what a network for it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of input channels, at least 1.
    pub channels: usize,
    /// The heads in their order, at least one. A task with values has exactly one head.
    pub heads: Vec<Head>,
}

/// One readout of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name in tables, for instance `N=5` or `state`.
    pub label: String,
    /// The memory N that the head answers for; `None` where the task has no N.
    pub memory: Option<usize>,
    /// Number of outputs: classes, or values at each step.
    pub size: usize,
    /// The kind of its answer.
    pub answer: Answer,
}

/// The kind of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One class at the last step.
    Class,
    /// A value for each output at every step.
    Value,
}

impl Shape {
    /// Whether the heads answer at every step.
    #[must_use]
    pub fn every_step(&self) -> bool {
        self.heads.iter().any(|head| head.answer == Answer::Value)
    }

    /// Outputs of all heads together.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.heads.iter().map(|head| head.size).sum()
    }
}

/// Lengths of a task's batches, in steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Shortest batch.
    pub least: usize,
    /// Mean over batches.
    pub mean: f64,
    /// Longest batch.
    pub most: usize,
}

impl Steps {
    /// Every batch has this length.
    #[must_use]
    pub fn always(steps: usize) -> Self {
        Self { least: steps, mean: steps as f64, most: steps }
    }

    /// Lengths are uniform over `least..=most`.
    #[must_use]
    pub fn uniform(least: usize, most: usize) -> Self {
        Self { least, mean: (least + most) as f64 / 2.0, most }
    }
}
