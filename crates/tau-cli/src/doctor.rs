//! `tau doctor`: what this machine has, and whether it computes the right thing.

use std::time::{Instant, SystemTime};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use tau_curricula::{MultiHead, Schedule};
use tau_rnn::check::{Case, Finding, Workspace};
use tau_rnn::{
    Activation, Cell, Config, Error, Hardware, Isa, Leaky, Optimiser, Real, thread_pool,
};
use tau_tasks::TaskSpec;
use tau_training::{Data, Outcome, Step, Stop, Trainer, TrainingSpec};

use crate::machine;
use crate::output::say;

/// Say what this machine has and whether it computes the right thing.
///
/// Without --device: threads, memory, disk (of this folder), Slurm, processor, every GPU, and a short
/// self-test of each. Exit code: 0 if
/// all is well (a machine without a GPU is), 1 if not: also if a GPU or its driver cannot be used.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Only this device: cpu, cuda (the first GPU) or cuda:NUMBER.
    #[arg(long)]
    device: Option<Hardware>,
    /// Every kernel on many shapes, memory, and a training; the processor in double precision, too.
    #[arg(long, group = "trains")]
    full: bool,
    /// Only the training.
    #[arg(long, group = "trains")]
    training: bool,
    /// Neurons of that training.
    #[arg(
        long,
        value_name = "H",
        default_value_t = 64,
        requires = "trains",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=65536)
    )]
    neurons: usize,
    /// The N that it must solve, within 4 N epochs.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        requires = "trains",
        value_parser = RangedU64ValueParser::<usize>::new().range(2..=1000)
    )]
    n: usize,
    /// The first of the 30 random networks of --full [default: others every time].
    #[arg(long, value_name = "NUMBER", requires = "full")]
    random_from: Option<u64>,
}

impl Doctor {
    pub(crate) fn examine(&self) -> anyhow::Result<()> {
        let pool = thread_pool(crate::threads(None)?)?;
        say!("threads  {} (RAYON_NUM_THREADS changes it)", pool.current_num_threads());
        say!("memory   {}", machine::memory());
        say!("disk     {}", machine::disk(".".as_ref()));
        say!("slurm    {}", machine::slurm());
        let available: Vec<String> =
            Isa::available().iter().map(|isa| format!("{isa:?}")).collect();
        say!("kernels  {} (best first; all give the same bits)", available.join(", "));
        let mut well = true;
        let mut examine = |hardware: Hardware| -> anyhow::Result<()> {
            say!("{:8} {}", hardware.to_string(), hardware.name()?);
            well &= self.test(hardware)?;
            Ok(())
        };
        let mut tested = String::new();
        if let Some(hardware) = self.device {
            examine(hardware)?;
        } else {
            examine(Hardware::Cpu)?;
            for number in 0.. {
                let gpu = Hardware::Cuda { number };
                match gpu.name() {
                    Ok(_) => examine(gpu)?,
                    Err(Error::NoDevice { reason }) if number == 0 => {
                        say!("gpu      none: {reason}");
                        " (on the processor: no GPU was tested)".clone_into(&mut tested);
                        break;
                    }
                    Err(Error::NoDevice { .. }) => break,
                    Err(error) => {
                        say!("{gpu:8} {error}");
                        well = false;
                        break;
                    }
                }
            }
        }
        anyhow::ensure!(well, "a device is not what it should be: do not use it");
        say!("all is well{tested}");
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
            // Others every time; the number names them.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let first = self.random_from.unwrap_or(now.map_or(0, |now| now.as_secs()));
            say!("         30 of the networks are random (numbers from {first} on)");
            cases.extend((first..first.saturating_add(30)).map(Case::random));
        }
        let mut well = gradients::<f32>(hardware, &cases)?;
        // The processor beside itself would prove nothing.
        let is_gpu = hardware != Hardware::Cpu;
        if is_gpu {
            well &= updates::<f32>(hardware, &few)?;
        }
        if self.full {
            // This program carries the kernels of a GPU in single precision only.
            if !is_gpu {
                well &= gradients::<f64>(hardware, &cases)?;
            }
            well &= memory(hardware)?;
        }
        if is_gpu {
            well &= beside_the_processor(hardware)?;
        }
        if self.full {
            well &= self.train(hardware)?;
        }
        Ok(well)
    }

    /// Trains multi-head on N-parity from N = 2 on.
    fn train(&self, hardware: Hardware) -> anyhow::Result<bool> {
        let spec = TrainingSpec {
            max_epochs: 4 * self.n,
            batch_size: 256,
            initial_state: 0.1,
            schedule: Schedule::MultiHead(MultiHead { n_start: 2, n_end: self.n }),
            stop: Some(Stop::AccuracyAbove(0.98)),
            data: Data::Fresh { updates_per_epoch: 600, test_batches: 50 },
            optimiser: Optimiser::nesterov(),
            ..TrainingSpec::plain(TaskSpec::parity(&[]), self.neurons, 400)?
        };
        let start = Instant::now();
        say!("         training of {} neurons, multi-head, to N = {}:", self.neurons, self.n);
        let mut trainer = on(hardware, spec, None)?;
        let outcome = trainer.run(|step| {
            if let Step::EpochEnded(report) = step
                && let (true, Some(n)) = (report.solved, report.stage.n_max())
            {
                let seconds = start.elapsed().as_secs_f64();
                say!("           N = {n} in epoch {}, {seconds:.1} s", report.epoch);
            }
        })?;
        let good = outcome == Outcome::Finished;
        if !good {
            let epochs = trainer.position().epochs;
            say!(
                "         WRONG: it is not there after {epochs} epochs (or too few neurons for it)"
            );
        }
        Ok(good)
    }
}

/// A trainer at the beginning, on a device.
fn on(
    hardware: Hardware,
    spec: TrainingSpec,
    threads: Option<usize>,
) -> anyhow::Result<Trainer<f32>> {
    let (network, params) = (spec.network.clone(), spec.initial_params()?);
    let backend = hardware.network(network, params, thread_pool(threads)?)?;
    Ok(Trainer::new(spec, backend)?)
}

/// What was found in some cases; one line in all, and one for each that is wrong.
#[derive(Default)]
struct Tally {
    cases: usize,
    largest: f64,
    wrong: usize,
    other_bits: usize,
}

impl Tally {
    fn count<R: Real>(&mut self, case: &Case, finding: Finding) {
        let Finding { distance, repeatable } = finding;
        self.cases += 1;
        // A NaN is as far away as can be.
        self.largest = if distance <= self.largest { self.largest } else { distance };
        self.largest = if self.largest.is_nan() { f64::INFINITY } else { self.largest };
        let far = distance.is_nan() || distance > case.tolerance::<R>();
        self.wrong += usize::from(far);
        self.other_bits += usize::from(!repeatable);
        if far || !repeatable {
            say!(
                "         WRONG {}: off by {distance:e}, repeatable: {repeatable}; {case:?}",
                R::NAME
            );
        }
    }

    /// The line, and whether all was well.
    fn told<R: Real>(&self, what: &str, seconds: f64) -> bool {
        let Self { cases, largest, wrong, other_bits } = self;
        let bits = if *other_bits == 0 {
            "same bits in a second call"
        } else {
            "OTHER BITS in a second call"
        };
        let verdict = if *wrong == 0 { String::new() } else { format!(", {wrong} of them WRONG") };
        say!(
            "         {}: {what} of {cases} networks, {seconds:.1} s: at most {largest:.0e} off{verdict}, {bits}",
            R::NAME
        );
        wrong + other_bits == 0
    }
}

/// Compares gradients with those of the float64 model.
fn gradients<R: Real>(hardware: Hardware, cases: &[Case]) -> anyhow::Result<bool> {
    let (mut tally, start) = (Tally::default(), Instant::now());
    for case in cases {
        tally.count::<R>(case, case.examine::<R>(hardware)?);
    }
    let what = "gradients beside the naive float64 model";
    Ok(tally.told::<R>(what, start.elapsed().as_secs_f64()))
}

/// Compares parameters after a few updates with each optimiser.
fn updates<R: Real>(hardware: Hardware, cases: &[Case]) -> anyhow::Result<bool> {
    let (mut tally, start) = (Tally::default(), Instant::now());
    for case in cases {
        tally.count::<R>(case, case.examine_updates::<R>(hardware)?);
    }
    let what = "SGD and Adam beside the processor";
    Ok(tally.told::<R>(what, start.elapsed().as_secs_f64()))
}

/// Short trainings beside those of the processor: bits that the device draws, and values at every step.
/// The same trials are shown, so the losses differ by rounding.
fn beside_the_processor(hardware: Hardware) -> anyhow::Result<bool> {
    let mut losses = Vec::new();
    for hardware in [hardware, Hardware::Cpu] {
        for spec in short_trainings()? {
            on(hardware, spec, Some(1))?.run(|step| {
                if let Step::EpochEnded(report) = step {
                    losses.extend(report.training_loss);
                    losses.extend(report.heads.iter().map(|head| head.loss));
                }
            })?;
        }
    }
    let (found, expected) = losses.split_at(losses.len() / 2);
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b);
    let largest = apart.fold(0.0, |a: f64, b| if b <= a { a } else { b });
    let good = largest <= 1e-4;
    say!(
        "         trainings beside the processor, on bits drawn on the device and on values: losses at \
         most {largest:.0e} off{}",
        if good { "" } else { ": WRONG" }
    );
    Ok(good)
}

/// Two epochs of a few updates, of every kind of cell and target.
fn short_trainings() -> anyhow::Result<Vec<TrainingSpec>> {
    let tanh = Cell::Leaky(Leaky { activation: Activation::Tanh, ..Leaky::DEFAULT });
    let short = |cell: Cell, task: TaskSpec, schedule: Schedule| -> anyhow::Result<TrainingSpec> {
        let spec = TrainingSpec::plain(task, 40, 1)?;
        let ladder = schedule != Schedule::None;
        Ok(TrainingSpec {
            max_epochs: 2,
            batch_size: 40,
            network: Config::new(cell, 40, spec.network.input_size),
            schedule,
            stop: ladder.then_some(Stop::AccuracyAbove(0.98)),
            data: Data::Fresh { updates_per_epoch: 3, test_batches: 1 },
            ..spec
        })
    };
    let ladder = || Schedule::MultiHead(MultiHead { n_start: 20, n_end: 101 });
    Ok(vec![
        short(tanh, TaskSpec::parity(&[]), ladder())?,
        short(tanh, TaskSpec::dms(&[]), ladder())?,
        short(Cell::Lstm, TaskSpec::parity(&[]), ladder())?,
        short(Cell::Gru, TaskSpec::dms(&[]), ladder())?,
        short(tanh, "flip-flop".parse()?, Schedule::None)?,
    ])
}

/// What an update of a large network takes, estimated and, on a GPU, measured.
fn memory(hardware: Hardware) -> anyhow::Result<bool> {
    let mut well = true;
    let leaky = Cell::Leaky(Leaky::DEFAULT);
    for (cell, n) in [(leaky, 30), (leaky, 100), (Cell::Lstm, 100), (Cell::Gru, 100)] {
        let what = format!("500 neurons ({cell}), N = {n}");
        // The longest batch of a ladder with a head for each N.
        let config = Config::new(cell, 500, 1);
        let workspace = match Workspace::of_update(hardware, &config, n, 4 * n + 1, 256) {
            Ok(workspace) => workspace,
            Err(error @ Error::DeviceMemory { .. }) => {
                say!("         {what}: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let Workspace { trials, reckoned, measured } = workspace;
        let mut line = format!("{what}, {trials} trials: {} MB", mega(reckoned));
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
