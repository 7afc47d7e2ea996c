//! The kernels on one thread, alone and together: `cargo bench -p tau-rnn --features bench [-- FILTER]`.
//! An item is a floating-point operation: Gitem/s are Gflop/s. Times beside other programs are
//! `cargo xtask bench`.

use divan::Bencher;
use divan::counter::ItemsCount;
use ndarray::{Array2, Array3};
use tau_random::{Key, Purpose};
use tau_rnn::bench::Products;
use tau_rnn::{
    Activation, Backend, Batch, Cell, Config, Cpu, Isa, Leaky, Optimiser, Params, Readout,
    thread_pool,
};

fn main() {
    divan::main();
}

const TRIALS: usize = 256;
const STEPS: usize = 14;

/// A network, and a batch of random bits.
struct Bench {
    network: Cpu<f32>,
    inputs: Array3<f32>,
    labels: Array2<u8>,
}

impl Bench {
    fn new(cell: Cell, hidden: usize, isa: Isa) -> Result<Self, tau_rnn::Error> {
        let config = Config::new(cell, hidden, 1);
        let mut random = Key::new(1, Purpose::Parameters).stream();
        let mut params = Params::<f32>::init(&config, &mut random)?;
        params.readouts.push(Readout::init(&config, 2, &mut random));
        // Errors that do not vanish on their way back.
        params.w_rec *= 2.0;
        let bits = Key::new(1, Purpose::Inputs);
        let inputs = Array3::from_shape_fn((STEPS, TRIALS, 1), |(t, trial, _)| {
            bits.unit_f32((t * TRIALS + trial) as u64).round()
        });
        let labels = Array2::from_shape_fn((TRIALS, 1), |(trial, _)| (trial % 2) as u8);
        Ok(Self {
            network: Cpu::with_isa(config, params, thread_pool(Some(1))?, isa)?,
            inputs,
            labels,
        })
    }

    /// Times `work`; an item is a floating-point operation, of which it does `flops` for each
    /// step, trial and pair of neurons.
    fn run(
        bencher: Bencher<'_, '_>,
        hidden: usize,
        isa: Isa,
        flops: usize,
        work: impl Fn(&mut Cpu<f32>, &Batch<'_, f32>) -> Result<(), tau_rnn::Error>,
    ) {
        Self::run_cell(bencher, Cell::Leaky(Leaky::DEFAULT), hidden, isa, flops, work);
    }

    /// [`Bench::run`] of any cell; the operations are those of one gate.
    fn run_cell(
        bencher: Bencher<'_, '_>,
        cell: Cell,
        hidden: usize,
        isa: Isa,
        flops: usize,
        work: impl Fn(&mut Cpu<f32>, &Batch<'_, f32>) -> Result<(), tau_rnn::Error>,
    ) {
        let flops = flops * cell.gates();
        let mut bench = match Self::new(cell, hidden, isa) {
            Ok(bench) => bench,
            Err(error) => return eprintln!("error: {error}"),
        };
        let batch = Batch::classes(&bench.inputs, &bench.labels);
        let count = ItemsCount::new(flops * STEPS * TRIALS * hidden * hidden);
        let network = &mut bench.network;
        bencher.counter(count).bench_local(|| work(network, &batch));
    }
}

/// The product of a step alone: 32 rows, as of a slice. 100 and 200 end with a panel of one register.
#[divan::bench(args = [64, 96, 100, 128, 200, 500])]
fn product_of_a_step(bencher: Bencher<'_, '_>, hidden: usize) {
    products(bencher, hidden, 32, Products::step);
}

/// That of a gradient: eight steps of a slice.
#[divan::bench(args = [64, 96, 100, 128, 200, 500])]
fn product_of_a_gradient(bencher: Bencher<'_, '_>, hidden: usize) {
    products(bencher, hidden, 256, Products::gradient);
}

fn products(bencher: Bencher<'_, '_>, hidden: usize, rows: usize, work: fn(&mut Products)) {
    match Products::new(Isa::detect(), rows, hidden) {
        Ok(mut products) => {
            let count = ItemsCount::new(2 * rows * hidden * hidden);
            bencher.counter(count).bench_local(|| work(&mut products));
        }
        Err(error) => eprintln!("error: {error}"),
    }
}

const SIZES: [usize; 5] = [24, 64, 100, 200, 500];

#[divan::bench(args = SIZES)]
fn forward(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run(bencher, hidden, Isa::detect(), 2, |network, batch| {
        network.evaluate(batch).map(drop)
    });
}

#[divan::bench(args = SIZES)]
fn forward_and_back(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run(bencher, hidden, Isa::detect(), 6, |network, batch| {
        network.gradients(batch).map(drop)
    });
}

#[divan::bench(args = SIZES)]
fn update(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run(bencher, hidden, Isa::detect(), 6, |network, batch| {
        network.update(batch, &Optimiser::nesterov())
    });
}

#[divan::bench(args = [64, 500])]
fn update_with_tanh(bencher: Bencher<'_, '_>, hidden: usize) {
    let cell = Cell::Leaky(Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT });
    Bench::run_cell(bencher, cell, hidden, Isa::detect(), 6, |network, batch| {
        network.update(batch, &Optimiser::nesterov())
    });
}

#[divan::bench(args = [64, 500])]
fn forward_of_an_lstm(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run_cell(bencher, Cell::Lstm, hidden, Isa::detect(), 2, |network, batch| {
        network.evaluate(batch).map(drop)
    });
}

#[divan::bench(args = [64, 500])]
fn update_of_an_lstm(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run_cell(bencher, Cell::Lstm, hidden, Isa::detect(), 6, |network, batch| {
        network.update(batch, &Optimiser::adam())
    });
}

#[divan::bench(args = [64, 500])]
fn update_of_a_gru(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run_cell(bencher, Cell::Gru, hidden, Isa::detect(), 6, |network, batch| {
        network.update(batch, &Optimiser::adam())
    });
}

#[divan::bench(args = [64, 500])]
fn update_without_avx512(bencher: Bencher<'_, '_>, hidden: usize) {
    Bench::run(bencher, hidden, Isa::Avx2, 6, |network, batch| {
        network.update(batch, &Optimiser::nesterov())
    });
}
