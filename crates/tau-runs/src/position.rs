//! Where a training stands, as it is written into a state.

use serde::{Deserialize, Serialize};
use tau_curricula::Stage;
use tau_rnn::Losses;
use tau_training::{Position, TrainingSpec};

/// [`Position`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPosition {
    pub(crate) epochs: usize,
    /// Updates of the next epoch that are over.
    update: usize,
    /// The bits of the sum of their losses: as text a number may come back as its neighbour.
    loss_bits: u64,
    stage: Option<Stage>,
    reached: Option<String>,
}

impl From<Position> for SavedPosition {
    fn from(Position { epochs, update, losses, stage, reached }: Position) -> Self {
        Self { epochs, update, loss_bits: losses.sum.to_bits(), stage, reached }
    }
}

impl SavedPosition {
    /// The position in a run of this spec, which knows how many losses an update has.
    pub(crate) fn of(self, spec: &TrainingSpec) -> Position {
        let Self { epochs, update, loss_bits, stage, reached } = self;
        let count = (update * spec.batches_per_update()) as u64;
        let losses = Losses { sum: f64::from_bits(loss_bits), count };
        Position { epochs, update, losses, stage, reached }
    }
}
