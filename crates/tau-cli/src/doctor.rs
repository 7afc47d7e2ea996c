//! `tau doctor`: what this machine has, and whether it computes the right thing.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Instant, SystemTime};

use clap::Args;
use tau_curricula::{Curriculum, EpochReport, Observer, Outcome, Trainer, TrainingSpec};
use tau_rnn::check::{Case, Finding, Workspace};
use tau_rnn::{Activation, Hardware, Isa, Real, thread_pool};
use tau_tasks::TaskKind;

use crate::device::Device;

/// A line on standard output; nobody has to read it.
macro_rules! say {
    ($($line:tt)*) => { let _ = writeln!(std::io::stdout(), $($line)*); };
}

/// Say what this machine has and whether it computes the right thing.
///
/// Without --device: processor, threads, GPU, and a short self-test of both. Exit code: 0 if all is
/// well, 1 if not.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Only this device: cpu, cuda or cuda:NUMBER.
    #[arg(long)]
    device: Option<Device>,
    /// Every kernel on many shapes in both precisions, memory, and a training.
    #[arg(long, conflicts_with = "training")]
    full: bool,
    /// Only the training.
    #[arg(long)]
    training: bool,
    /// Neurons of that training.
    #[arg(long, value_name = "H", default_value_t = 64)]
    neurons: usize,
    /// The N up to which it goes.
    #[arg(long, value_name = "N", default_value_t = 5)]
    n: usize,
}

impl Doctor {
    pub(crate) fn examine(&self) -> anyhow::Result<()> {
        let pool = thread_pool(None)?;
        say!("threads  {} (RAYON_NUM_THREADS or --threads change it)", pool.current_num_threads());
        let available: Vec<String> =
            Isa::available().iter().map(|isa| format!("{isa:?}")).collect();
        say!("kernels  {} (best first; all give the same bits)", available.join(", "));
        let mut well = true;
        match self.device {
            Some(Device::Chosen(hardware)) => {
                say!("device   {}", hardware.name()?);
                well &= self.test(hardware)?;
            }
            Some(Device::Auto) | None => {
                say!("cpu      {}", Hardware::Cpu.name()?);
                well &= self.test(Hardware::Cpu)?;
                let gpu = Hardware::Cuda { number: 0 };
                match gpu.name() {
                    Ok(name) => {
                        say!("gpu      {name}");
                        well &= self.test(gpu)?;
                    }
                    Err(error) => {
                        say!("gpu      {error}");
                    }
                }
            }
        }
        anyhow::ensure!(well, "a device computes something else than it should: do not use it");
        say!("all is well");
        Ok(())
    }

    fn test(&self, hardware: Hardware) -> anyhow::Result<bool> {
        if self.training {
            return self.train(hardware);
        }
        let few = Case::few();
        let mut cases = few.clone();
        if self.full {
            cases = Case::all();
            // Others every day; the number names them.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let first = now.map_or(0, |now| now.as_secs());
            say!("         30 of the networks are random (numbers from {first} on)");
            cases.extend((first..first + 30).map(Case::random));
        }
        let mut well = gradients::<f32>(hardware, &cases)?;
        well &= updates::<f32>(hardware, &few)?;
        if self.full {
            well &= gradients::<f64>(hardware, &cases)?;
            well &= updates::<f64>(hardware, &few)?;
            well &= memory(hardware)?;
        }
        well &= beside_the_processor(hardware)?;
        if self.full {
            well &= self.train(hardware)?;
        }
        Ok(well)
    }

    /// Trains multi-head from N = 2 on.
    fn train(&self, hardware: Hardware) -> anyhow::Result<bool> {
        let spec = TrainingSpec {
            n_end: self.n,
            max_epochs: 4 * self.n,
            ..TrainingSpec::paper(TaskKind::Parity, Curriculum::MultiHead, self.neurons, 400)
        };
        let backend = hardware.network::<f32>(
            spec.network.clone(),
            spec.initial_params()?,
            thread_pool(None)?,
        )?;
        let start = Instant::now();
        let mut trainer = Trainer::new(spec, backend)?;
        let outcome = trainer.run(&mut ())?;
        let position = trainer.position();
        say!(
            "         training of {} neurons, multi-head: N = {} in {} epochs, {:.1} s",
            self.neurons,
            position.solved_n,
            position.epochs,
            start.elapsed().as_secs_f64()
        );
        if outcome != Outcome::Finished {
            say!("         (it did not come to N = {}: not wrong by itself)", self.n);
        }
        Ok(true)
    }
}

/// Compares gradients; one line in all, and one for each case that is wrong.
fn gradients<R: Real>(hardware: Hardware, cases: &[Case]) -> anyhow::Result<bool> {
    let (mut well, mut largest, start) = (true, 0.0_f64, Instant::now());
    for case in cases {
        let Finding { distance, repeatable } = case.examine::<R>(hardware)?;
        // Not `distance > …`: a NaN is no better.
        let good = repeatable && distance <= case.tolerance::<R>();
        if !good {
            say!(
                "         WRONG {}: off by {distance:e}, repeatable: {repeatable}; {case:?}",
                R::NAME
            );
        }
        well &= good;
        largest = largest.max(distance);
    }
    say!(
        "         {}: gradients of {} networks beside the naive float64 model, {:.1} s: at most \
         {largest:.0e} off, {}",
        R::NAME,
        cases.len(),
        start.elapsed().as_secs_f64(),
        if well { "same bits in a second call" } else { "WRONG" }
    );
    Ok(well)
}

/// Compares parameters after a few updates with each optimiser.
fn updates<R: Real>(hardware: Hardware, cases: &[Case]) -> anyhow::Result<bool> {
    let (mut well, mut largest) = (true, 0.0_f64);
    for case in cases {
        let Finding { distance, repeatable } = case.examine_updates::<R>(hardware)?;
        let good = repeatable && distance <= case.tolerance::<R>();
        if !good {
            say!("         WRONG {} updates: off by {distance:e}; {case:?}", R::NAME);
        }
        well &= good;
        largest = largest.max(distance);
    }
    say!("         {}: SGD and Adam beside the processor's: at most {largest:.0e} off", R::NAME);
    Ok(well)
}

/// A short training whose batches the device draws, beside that of the processor: the same bits are
/// shown, so the losses differ by rounding.
fn beside_the_processor(hardware: Hardware) -> anyhow::Result<bool> {
    let mut losses = Vec::new();
    for hardware in [hardware, Hardware::Cpu] {
        for task in [TaskKind::Parity, TaskKind::Dms] {
            let mut spec = TrainingSpec {
                n_start: 20,
                max_epochs: 2,
                updates_per_epoch: 3,
                batch_size: 40,
                test_batches: 1,
                ..TrainingSpec::paper(task, Curriculum::MultiHead, 40, 1)
            };
            spec.network.activation = Activation::Tanh;
            let (network, params) = (spec.network.clone(), spec.initial_params::<f32>()?);
            let backend = hardware.network(network, params, thread_pool(Some(1))?)?;
            let mut trainer = Trainer::new(spec, backend)?;
            trainer.run(&mut Losses(&mut losses))?;
        }
    }
    let (found, expected) = losses.split_at(losses.len() / 2);
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b);
    let largest = apart.fold(0.0, |a: f64, b| if b <= a { a } else { b });
    let good = largest <= 1e-4;
    say!(
        "         trainings with bits drawn on the device: losses at most {largest:.0e} off{}",
        if good { "" } else { ": WRONG" }
    );
    Ok(good)
}

/// Keeps the losses of every epoch, in training and in tests.
struct Losses<'a>(&'a mut Vec<f64>);

impl Observer<f32> for Losses<'_> {
    fn epoch_ended(&mut self, report: &EpochReport, _: &Trainer<f32>) -> ControlFlow<()> {
        self.0.push(report.training_loss);
        self.0.extend(report.heads.iter().map(|head| head.loss));
        ControlFlow::Continue(())
    }
}

/// What an update of a large network takes, reckoned and, on a GPU, measured.
fn memory(hardware: Hardware) -> anyhow::Result<bool> {
    let mut well = true;
    for n in [30, 100] {
        let Workspace { trials, reckoned, measured } = Workspace::of_paper(hardware, n)?;
        let mut line = format!("500 neurons, {trials} trials, N = {n}: {} MB", mega(reckoned));
        // On a processor only the benchmark can tell: memory is shared with all else.
        if let Some(measured) = measured {
            // Parameters, gradient and their like, and what the driver hands out at once.
            let good = measured <= reckoned + reckoned / 10 + (128 << 20);
            let verdict = if good { "" } else { ": WRONG, unless something else uses the GPU" };
            line = format!("{line}, measured {} MB{verdict}", mega(measured));
            well &= good;
        }
        say!("         {line}");
    }
    if let Ok((free, all)) = hardware.memory() {
        say!("         memory: {} of {} MB free", mega(free), mega(all));
    }
    Ok(well)
}

fn mega(bytes: usize) -> usize {
    bytes / 1_000_000
}
