//! The backend on a GPU through the driver's interface, with a driver that is none.
//!
//! The driver's library is looked for by name, so each test runs itself again with the fake one in
//! the path of libraries.

#![cfg(target_os = "linux")]

mod common;

use common::{CELLS, FIRST, NO_SHARED_MEMORY, drawn, network, network_of, with_driver};
use ndarray::{Array2, Array3};
use tau_random::{DrawnBits, Key, Purpose};
use tau_rnn::check::Case;
use tau_rnn::cuda::{Cuda, Gpu};
use tau_rnn::{
    AdamForm, Backend, Batch, Cell, Config, Cpu, Error, Initial, Optimiser, Params, Readout, Real,
    Rule, thread_pool,
};

/// Updates with batches of changing length that the device draws; loss after each, and the network.
fn train<R: Real>(gpu: Gpu, lengths: &[usize]) -> Result<(Vec<f64>, Params<R>), Error> {
    let (losses, network) = trained(CELLS[0], gpu, lengths)?;
    Ok((losses, network.params()?))
}

fn trained<R: Real>(
    cell: Cell,
    gpu: Gpu,
    lengths: &[usize],
) -> Result<(Vec<f64>, Cuda<R, Gpu>), Error> {
    let (config, params) = network_of(cell, 12);
    let mut network = Cuda::<R, _>::new(config, params, gpu)?;
    let mut losses = Vec::new();
    for (k, &steps) in lengths.iter().enumerate() {
        let drawn = DrawnBits { steps, ..drawn(k as u64, &[1]) };
        network.update_drawn(&drawn, Initial::Zero, &Optimiser::nesterov())?;
        losses.extend(network.take_mean_loss()?);
    }
    Ok((losses, network))
}

/// Looks at every kernel that these networks take, in both precisions.
fn examine_kernels() {
    fn examine<R: Real>(case: &Case) {
        let finding = case.examine::<R>(FIRST).expect("a gradient");
        assert!(finding.repeatable && finding.distance <= case.tolerance::<R>(), "{case:?}");
        let finding = case.examine_updates::<R>(FIRST).expect("updates");
        assert!(finding.repeatable && finding.distance <= case.tolerance::<R>(), "{case:?}");
    }
    for case in Case::few() {
        // The emulator is slow, and its own tests look at larger ones.
        let (hidden_size, trials) = (case.hidden_size.min(20), case.trials.min(5));
        let case = Case { hidden_size, trials, steps: 18, ..case };
        examine::<f32>(&case);
        examine::<f64>(&case);
    }
}

#[test]
fn kernels_compute_what_the_model_does() {
    with_driver("kernels_compute_what_the_model_does", &[], examine_kernels);
}

#[test]
fn kernels_of_large_networks_compute_what_the_model_does() {
    let test = "kernels_of_large_networks_compute_what_the_model_does";
    with_driver(test, &[NO_SHARED_MEMORY], examine_kernels);
}

#[test]
fn graphs_change_no_bit() {
    with_driver("graphs_change_no_bit", &[NO_SHARED_MEMORY], || {
        // Lengths around multiples of what is one graph, longer and shorter than what was seen.
        let lengths = [40, 17, 16, 15, 33, 32, 1, 50, 40];
        for cell in CELLS {
            let gpu = Gpu::open(0).expect("a GPU");
            let (with, network) = trained::<f64>(cell, gpu, &lengths).expect("updates");
            // Steps 1 to 16, 17 to 32, 33 to 48, forward and back, whatever the length.
            assert_eq!(network.device().graphs(), 2 * 3, "{cell:?}");
            let singly = Gpu::open(0).expect("a GPU");
            singly.launch_singly();
            let (without, other) = trained::<f64>(cell, singly, &lengths).expect("updates");
            assert_eq!(with, without, "{cell:?}");
            assert!(network.params().expect("all") == other.params().expect("all"), "{cell:?}");
        }
    });
}

#[test]
fn streams_of_several_threads_are_their_own() {
    with_driver("streams_of_several_threads_are_their_own", &[NO_SHARED_MEMORY], || {
        let train = || train::<f32>(Gpu::open(0).expect("a GPU"), &[20, 9, 30]).expect("updates");
        let alone = train();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(train)).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("no panic"), alone);
            }
        });
    });
}

#[test]
fn nothing_is_given_back_before_it_was_copied() {
    with_driver("nothing_is_given_back_before_it_was_copied", &[NO_SHARED_MEMORY], || {
        for inputs in [1, 2] {
            let (config, params) = network::<f32>(12);
            // Nobody waits for what it puts on the device.
            drop(Cuda::<f32, _>::new(config, params, Gpu::open(0).expect("a GPU")));
            let gpu = Gpu::open(0).expect("a GPU");
            train::<f32>(gpu, &[20; 3][..inputs]).expect("nothing is lost");
        }
    });
}

#[test]
fn kernels_are_timed_one_by_one() {
    with_driver("kernels_are_timed_one_by_one", &[NO_SHARED_MEMORY], || {
        let (config, params) = network::<f32>(12);
        let gpu = Gpu::open(0).expect("a GPU");
        gpu.start_timing();
        let mut network = Cuda::new(config, params, gpu).expect("a network");
        let mut state = ndarray::Array2::zeros((2, 12));
        let mut activity = ndarray::Array3::zeros((20, 2, 12));
        network
            .advance(&mut state, ndarray::Array3::zeros((20, 2, 1)).view(), &mut activity)
            .expect("a simulation");
        let times = network.device().stop_timing();
        let forward = times.iter().find(|(kernel, _)| *kernel == "forward").expect("was run");
        assert_eq!(forward.1.launches, 20);
        assert!(forward.1.milliseconds > 0.0);
    });
}

/// The kernel has a module of its own, which only benchmarks load.
#[test]
fn the_peak_is_measured() {
    with_driver("the_peak_is_measured", &[], || {
        let peak = tau_rnn::bench::fma_peak(&Gpu::open(0).expect("a GPU"), 1).expect("a number");
        assert!(peak.is_finite() && peak > 0.0, "{peak}");
    });
}

/// Weighted values of five outputs on five channels, with every optimiser: what batches of drawn bits never
/// ask of a GPU.
#[test]
fn updates_are_those_of_the_processor() {
    with_driver("updates_are_those_of_the_processor", &[], || {
        let unit = |seed, k: usize| Key::new(seed, Purpose::Inputs).unit_f32(k as u64);
        let inputs = Array3::from_shape_fn((18, 35, 5), |(t, b, c)| unit(1, (t * 35 + b) * 5 + c));
        let values = Array3::from_shape_fn((18, 35, 5), |(t, b, o)| unit(2, (t * 35 + b) * 5 + o));
        let weights = Array2::from_shape_fn((18, 35), |(t, b)| (t * b % 3) as f32);
        let batch = Batch::values(&inputs, &values).weighted(&weights);
        let (beta1, beta2, epsilon, decay) = (0.9, 0.99, 1e-3, 0.1);
        let adam = |form| Rule::Adam { learning_rate: 0.01, beta1, beta2, epsilon, decay, form };
        let rules = [adam(AdamForm::Pytorch), adam(AdamForm::Keras), Optimiser::nesterov().rule];
        for cell in CELLS {
            let config = Config::new(cell, 30, 5);
            let mut random = Key::new(5, Purpose::Parameters).stream();
            let mut params = Params::<f64>::init(&config, &mut random).expect("a network");
            params.readouts.push(Readout::init(&config, 5, &mut random));
            let pool = thread_pool(Some(1)).expect("a thread");
            let mut cpu = Cpu::new(config.clone(), params.clone(), pool).expect("a network");
            let gpu = Gpu::open(0).expect("a GPU");
            let mut gpu = Cuda::new(config, params, gpu).expect("a network");
            for rule in rules {
                let optimiser = Optimiser { rule, clip_norm: Some(0.5) };
                for network in [&mut cpu as &mut dyn Backend<f64>, &mut gpu] {
                    network.update(&batch, &optimiser).expect("an update");
                }
            }
            let (expected, found) = (cpu.params().expect("all"), gpu.params().expect("all"));
            for ((tensor, expected), (_, found)) in expected.tensors().zip(found.tensors()) {
                let apart = expected.iter().zip(found).map(|(a, b)| (a - b).abs());
                let apart = apart.fold(0.0, f64::max);
                assert!(apart < 1e-12, "{cell:?}, {tensor}: {apart:e}");
            }
        }
    });
}

/// The message of opening the GPU.
fn refusal() -> String {
    Gpu::open(0).expect_err("unusable").to_string()
}

#[test]
fn an_old_driver_is_named() {
    with_driver("an_old_driver_is_named", &[("FAKE_CUDA", "11080")], || {
        let text = refusal();
        assert!(text.contains("CUDA 11.8") && text.contains("12.0 or later"), "{text}");
    });
}

#[test]
fn an_old_gpu_is_named() {
    with_driver("an_old_gpu_is_named", &[("FAKE_CAPABILITY", "61")], || {
        let text = refusal();
        assert!(text.contains("Fake GPU") && text.contains("6.1"), "{text}");
    });
}

#[test]
fn a_gpu_that_is_not_there_is_named() {
    with_driver("a_gpu_that_is_not_there_is_named", &[("FAKE_GPUS", "0")], || {
        assert!(refusal().contains("sees 0 GPUs"), "{}", refusal());
    });
}

/// The fake GPU's memory must be full at any of the places where memory is asked for.
#[test]
fn too_little_memory_says_what_would_fit() {
    let settings = [NO_SHARED_MEMORY, ("FAKE_MEMORY", "1000000")];
    with_driver("too_little_memory_says_what_would_fit", &settings, || {
        let gpu = || Gpu::open(0).expect("a GPU");
        let mut told = 0;
        for hidden in [12, 60, 120, 160, 170, 180, 190, 200] {
            let (config, params) = network::<f32>(hidden);
            let Ok(mut network) = Cuda::<f32, _>::new(config, params, gpu()) else { continue };
            let mut trials = 1000;
            while trials > 0 {
                let drawn = DrawnBits { steps: 20, trials, ..drawn(1, &[1]) };
                match network.update_drawn(&drawn, Initial::Zero, &Optimiser::nesterov()) {
                    Ok(_) => break,
                    Err(Error::DeviceMemory { fits: Some(fits), .. }) if fits < trials => {
                        told += 1;
                        trials = fits;
                    }
                    other => panic!("{hidden} neurons, {trials} trials: {other:?}"),
                }
            }
        }
        assert!(told >= 8, "{told}");
    });
}

/// What was given back counts as free, though nobody waited.
#[test]
fn a_batch_may_grow_to_all_the_memory() {
    let settings = [NO_SHARED_MEMORY, ("FAKE_MEMORY", "5300000")];
    with_driver("a_batch_may_grow_to_all_the_memory", &settings, || {
        let (config, params) = network::<f32>(12);
        let mut network =
            Cuda::<f32, _>::new(config, params, Gpu::open(0).expect("a GPU")).expect("a network");
        for steps in [20, 30, 40] {
            let drawn = DrawnBits { steps, trials: 80, ..drawn(1, &[1]) };
            network.update_drawn(&drawn, Initial::Zero, &Optimiser::nesterov()).expect("room");
        }
    });
}

#[test]
fn the_memory_of_an_update_is_what_was_reckoned() {
    with_driver("the_memory_of_an_update_is_what_was_reckoned", &[], || {
        let gpu = Gpu::open(0).expect("a GPU");
        // As `Workspace::of_update`, but few trials: the emulator is slow.
        for (cell, hidden, steps, trials, heads) in [
            (Cell::ALL[0], 12, 100, 2, 3),
            (Cell::ALL[0], 200, 3, 40, 60),
            (Cell::Lstm, 12, 100, 2, 3),
            (Cell::Gru, 200, 3, 40, 60),
        ] {
            let config = Config::new(cell, hidden, 1);
            let mut random = Key::new(5, Purpose::Parameters).stream();
            let mut params = Params::<f32>::init(&config, &mut random).expect("a network");
            params.readouts = (0..heads).map(|_| Readout::init(&config, 2, &mut random)).collect();
            let reckoned = FIRST.workspace_bytes(&config, steps, trials, 2 * heads, false);
            let (before, _) = gpu.memory().expect("a number");
            let device = Gpu::open(0).expect("a GPU");
            let mut network = Cuda::new(config, params.clone(), device).expect("a network");
            let ones = vec![1; heads];
            let drawn = DrawnBits { steps, trials, ..drawn(1, &ones) };
            network.update_drawn(&drawn, Initial::Zero, &Optimiser::nesterov()).expect("an update");
            network.take_mean_loss().expect("a loss");
            let (after, _) = gpu.memory().expect("a number");
            let numbers: usize = params.tensors().map(|(_, values)| values.len()).sum();
            // Parameters, gradient, momentum; tables and sums are small.
            let expected = reckoned + 3 * 4 * numbers;
            let measured = before - after;
            assert!(
                measured <= expected + expected / 10 + 20_000 && 10 * measured >= 9 * reckoned,
                "{cell:?}: {measured} of {expected}"
            );
        }
    });
}

#[test]
fn a_lost_gpu_is_an_error_and_stays_one() {
    let settings = [NO_SHARED_MEMORY, ("FAKE_LOST_AFTER", "300")];
    with_driver("a_lost_gpu_is_an_error_and_stays_one", &settings, || {
        for _ in 0..2 {
            let gpu = Gpu::open(0);
            let trained = gpu.and_then(|gpu| train::<f32>(gpu, &[20; 20]));
            let text = trained.expect_err("lost").to_string();
            assert!(text.contains("launch failure"), "{text}");
        }
    });
}
