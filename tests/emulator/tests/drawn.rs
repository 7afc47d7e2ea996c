//! Batches that the device draws are those of the law in tau-random, bit by bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use emulator::Emulator;
use ndarray::{Array2, Array3};
use tau_random::{BitRule, Bits, Chance, Coding, DrawnBits, Key, Purpose};
use tau_rnn::cuda::Cuda;
use tau_rnn::{Backend, Batch, Cell, Config, Initial, Optimiser, Params, Readout, Real};

const KEY: Key = Key::new(1 << 33 | 7, Purpose::Inputs);

/// Inputs and labels, drawn on the host.
fn on_host(drawn: &DrawnBits<'_>) -> (Array3<f32>, Array2<u8>) {
    let DrawnBits { steps, trials, bits, rule, memory, .. } = *drawn;
    let draws = drawn.draws().unwrap();
    let bit = |t: usize, b: usize| draws.block(b, t / 4)[t % 4] < bits.limit(&draws, b);
    let inputs = Array3::from_shape_fn((steps, trials, 1), |(t, b, _)| {
        bits.coding.values()[usize::from(bit(t, b))]
    });
    let labels = Array2::from_shape_fn((trials, memory.len()), |(b, head)| {
        let n = memory[head];
        u8::from(match rule {
            BitRule::Parity => (steps - n..steps).filter(|&t| bit(t, b)).count() % 2 == 1,
            BitRule::Match => bit(steps - n, b) == bit(steps - 1, b),
        })
    });
    (inputs, labels)
}

/// A network with heads of two classes, and one of more.
fn network<R: Real>(cell: Cell) -> Cuda<R, Emulator> {
    let config = Config::new(cell, 11, 1);
    let mut random = Key::new(5, Purpose::Parameters).stream();
    let mut params = Params::init(&config, &mut random).unwrap();
    for outputs in [2, 5, 2] {
        params.readouts.push(Readout::init(&config, outputs, &mut random));
    }
    Cuda::new(config, params, Emulator::new(3)).unwrap()
}

/// Draws a batch, and hands over the same batch: no bit of the scores and of the parameters differs.
fn compare<R: Real>(cell: Cell, drawn: &DrawnBits<'_>) {
    let (inputs, labels) = on_host(drawn);
    let batch = Batch::classes(&inputs, &labels);
    let (mut draws, mut takes) = (network::<R>(cell), network::<R>(cell));
    let optimiser = Optimiser::nesterov();
    for _ in 0..2 {
        let found = draws.evaluate_drawn(drawn, Initial::Zero).unwrap().unwrap();
        assert_eq!(found, takes.evaluate(&batch).unwrap(), "{drawn:?}");
        draws.update_drawn(drawn, Initial::Zero, &optimiser).unwrap().unwrap();
        takes.update(&batch, &optimiser).unwrap();
        assert_eq!(draws.params().unwrap(), takes.params().unwrap(), "{drawn:?}");
    }
    assert_eq!(draws.losses().unwrap(), takes.losses().unwrap(), "{drawn:?}");
}

#[test]
fn every_law_draws_the_same_bits_as_the_host() {
    for chance in [Chance::Half, Chance::Uniform] {
        for coding in [Coding::Bits, Coding::Signs] {
            for rule in [BitRule::Parity, BitRule::Match] {
                // Steps before, at and after the end of a block of four words.
                for (steps, memory) in [(3, [1, 2, 3]), (4, [4, 1, 4]), (9, [2, 5, 9])] {
                    let (key, bits) = (KEY.stage(2).step(steps as u32), Bits { chance, coding });
                    let drawn = DrawnBits { key, steps, trials: 35, bits, rule, memory: &memory };
                    compare::<f32>(Cell::ALL[0], &drawn);
                    compare::<f64>(Cell::ALL[0], &drawn);
                }
            }
        }
    }
}

/// So long that an evaluation goes on in pieces of 64 steps.
#[test]
fn long_batches_go_on_where_they_were() {
    let bits = Bits { chance: Chance::Uniform, coding: Coding::Signs };
    for (cell, steps) in Cell::ALL.into_iter().zip([64, 131, 150]) {
        let (rule, memory) = (BitRule::Parity, [steps, 40]);
        let drawn = DrawnBits { key: KEY, steps, trials: 33, bits, rule, memory: &memory };
        compare::<f32>(cell, &drawn);
        compare::<f64>(cell, &drawn);
    }
}
