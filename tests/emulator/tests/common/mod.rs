//! What the tests of the emulator share.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "no test uses all of it")]

use emulator::Emulator;
use proptest::prelude::*;
use tau_rnn::cuda::Cuda;
use tau_rnn::{Backend, Cpu, Gradients, Params, Real, Scores, thread_pool};
use tests::{Case, Shape, partial_shapes, relative_distance, worst};

/// The network of a case on the emulator, whose threads and blocks take turns in an order that `order`
/// names. With an odd number every step is a launch, as if nothing fitted into shared memory.
pub(crate) fn device<R: Real>(case: &Case, order: u64) -> Cuda<R, Emulator> {
    let emulator = Emulator::new(order);
    let emulator = if order.is_multiple_of(2) { emulator } else { emulator.with_shared_limit(0) };
    Cuda::new(case.config.clone(), case.params.cast(), emulator).unwrap()
}

/// The network of a case on the processor.
pub(crate) fn processor<R: Real>(case: &Case) -> Cpu<R> {
    let pool = thread_pool(Some(1)).unwrap();
    Cpu::new(case.config.clone(), case.params.cast(), pool).unwrap()
}

/// Scores and gradient in either precision.
pub(crate) fn gradients<R: Real>(case: &Case, order: u64) -> (Scores, Gradients<R>) {
    let initial = case.initial().mapv(R::from_f64);
    device(case, order).gradients(&case.batch(&initial)).unwrap()
}

/// The largest relative distance of an array; NaN if there is one.
pub(crate) fn distance<R: Real>(found: &Params<R>, expected: &Params<f64>) -> f64 {
    let found: Params<f64> = found.cast();
    let pairs = found.tensors().zip(expected.tensors());
    worst(pairs.map(|((_, found), (_, expected))| relative_distance(found, expected)))
}

/// Any shape of any cell: some arrays are not trained, some biases absent, some values weighted, and there
/// may be more channels, and more outputs of a head, than the four numbers that a thread moves at once.
pub(crate) fn wide_shapes(
    neurons: usize,
    steps: usize,
    trials: usize,
) -> impl Strategy<Value = Shape> {
    let sizes = (1_usize..=9, prop::collection::vec(1_usize..=9, 1..=4));
    (partial_shapes(neurons, steps, trials), sizes).prop_map(|(shape, (channels, heads))| Shape {
        channels,
        heads,
        ..shape
    })
}
