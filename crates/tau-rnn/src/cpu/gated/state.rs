//! c of an LSTM: where it begins and where it is handed over.

use ndarray::{Array2, Axis};

use crate::cpu::product::row_stride;
use crate::cpu::slice::{Keep, Packed, Slice};
use crate::{Initial, Real};

use super::sizes;

impl<R: Real> Slice<R> {
    /// Makes room for the history of gates, sets c(0).
    pub(in crate::cpu) fn start_gates(
        &mut self,
        packed: &Packed<R>,
        keep: Keep,
        initial: &Initial<'_, R>,
    ) {
        let (kept, memory, _) = sizes::<R>(packed.cell);
        let (size, stride, history) = (self.size(), self.stride, keep == Keep::History);
        let work = &mut self.gated;
        work.stride = row_stride(kept * packed.hidden);
        work.gates.room(if history { self.steps } else { 1 } * self.rows * work.stride);
        if !memory {
            return;
        }
        let c = work.memory.room(if history { self.steps + 1 } else { 2 } * size);
        c[..size].fill(R::ZERO);
        if let Initial::Given(states) = initial {
            for (row, trial) in self.trials.clone().enumerate() {
                let given = states.row(trial);
                let given = given.iter().skip(packed.hidden);
                c[row * stride..].iter_mut().zip(given).for_each(|(c, &given)| *c = given);
            }
        }
    }

    /// c after `t` steps of a slice that keeps the history: rows [`Slice::stride`] apart; `None`
    /// for a cell without.
    fn memory(&self, t: usize) -> Option<&[R]> {
        self.gated.memory.get(t * self.size()..(t + 1) * self.size())
    }
}

/// Writes c after `steps` steps behind h, which has `hidden` columns; each slice has `rows` trials of
/// the state. Nothing happens to a state without c.
pub(in crate::cpu) fn hand_over<R: Real>(
    slices: &[Slice<R>],
    state: &mut Array2<R>,
    hidden: usize,
    rows: usize,
    steps: usize,
) {
    for (slice, mut state) in slices.iter().zip(state.axis_chunks_iter_mut(Axis(0), rows)) {
        let Some(c) = slice.memory(steps).filter(|_| state.ncols() > hidden) else { return };
        for (mut state, c) in state.rows_mut().into_iter().zip(c.chunks(slice.stride)) {
            state.iter_mut().skip(hidden).zip(c).for_each(|(state, &c)| *state = c);
        }
    }
}
