//! Where c of an LSTM is handed over.

use ndarray::{Array2, Axis};

use crate::Real;
use crate::cpu::slice::Slice;

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
