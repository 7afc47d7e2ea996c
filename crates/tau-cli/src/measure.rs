//! `tau measure`: what the networks of one run are like, neuron by neuron.

mod progress;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::{Args, ValueEnum};
use tau_analysis::Subject;
use tau_analysis::portrait::{NetworkRow, Part, Portrait, PortraitConfig, Solved, Told};
use tau_rnn::thread_pool;
use tau_runs::{Lock, MetricsRow, Run, create_folder, solved};

use crate::output::say;
use crate::{Usage, eta, stop, terminal, threads};
use progress::Progress;
use tables::Tables;

/// Measure the networks of a run: timescales, importance and wiring of every neuron, dynamics of each N.
///
/// For each N that the run solved the network is driven by random input, and timescales, principal
/// components, eigenvalues, Lyapunov exponents and the accuracy without each neuron are measured. Writes
/// tables into measures/ in the run's folder: neurons.csv (a row for each N and neuron), networks.csv (a
/// row for each N) and spectrum.csv (a row for each N and eigenvalue); docs/files.md names their columns.
/// What was measured for other N, or of other parts, stays there; after Ctrl-C the N that were done are
/// there. With 500 neurons an N takes about a minute on two threads, most of it for ablation
/// (--only timescales,dynamics leaves that out); after two seconds of a long part it is said how long it
/// will take.
#[derive(Args)]
pub(crate) struct Measure {
    /// The run's folder.
    run: PathBuf,
    /// Only the networks of these N [default: all that were solved].
    #[arg(long, value_name = "N", value_delimiter = ',')]
    n: Vec<usize>,
    /// Only these parts [default: all].
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<OnlyPart>,
    /// Also simulate the fit of every τ_net 100 times and say how far off it comes out: by far the longest
    /// part, in proportion to neurons, steps and trials.
    #[arg(long)]
    bias_check: bool,
    /// Steps of a trial.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u32).range(100..))]
    steps: u32,
    /// Trials; the interval of τ_net needs 5.
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor].
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnlyPart {
    /// τ_net with its interval, and two other estimates.
    Timescales,
    /// Accuracy without each neuron.
    Ablation,
    /// Principal components, eigenvalues, Lyapunov exponents.
    Dynamics,
}

impl From<OnlyPart> for Part {
    fn from(part: OnlyPart) -> Self {
        match part {
            OnlyPart::Timescales => Self::Timescales,
            OnlyPart::Ablation => Self::Ablation,
            OnlyPart::Dynamics => Self::Dynamics,
        }
    }
}

impl Measure {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let stop = stop::when_asked()?;
        let run = Run::read(&std::path::absolute(&self.run)?)?;
        let metrics = run.metrics()?;
        let solved: Vec<usize> = solved(&metrics).collect();
        if let Some(n) = self.n.iter().find(|n| !solved.contains(n)) {
            return Err(Usage(format!("--n {n}: the run solved {solved:?}")).into());
        }
        let memory = if self.n.is_empty() { solved } else { self.n.clone() };
        if memory.is_empty() {
            return Err(Usage(format!("{} has solved no N yet", run.name())).into());
        }
        let how = self.config(&run)?;
        let folder = run.folder().join("measures");
        create_folder(&folder)?;
        let _lock = Lock::take(&folder)?;
        let mut tables = Tables::read(&folder, &metrics)?;
        let pool = thread_pool(threads(self.threads)?)?;
        let begun = Instant::now();
        for (done, &n) in memory.iter().enumerate() {
            let progress = Progress::new(n);
            let told = |what: &'static str, done, of| progress.told(what, done, of);
            let before = tables.of(n).cloned();
            let solved = Solved { n, accuracy: accuracy(&metrics, n) };
            let found = pool.install(|| measure(&run, solved, &how, before, &stop, &told))?;
            tables.insert(found);
            tables.write(&folder)?;
            let (done, all) = (done + 1, memory.len());
            let left = begun.elapsed().as_secs_f64() / done as f64 * (all - done) as f64;
            let left =
                if done < all { format!("; {} left", eta::about(left)) } else { String::new() };
            terminal::say_plainly(&format!("N = {n} is measured ({done} of {all}{left})"));
        }
        print(tables.networks().filter(|one| memory.contains(&one.n)));
        for path in Tables::paths(&folder).into_iter().filter(|path| path.exists()) {
            say!("{}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, run: &Run) -> anyhow::Result<PortraitConfig> {
        let all = OnlyPart::value_variants();
        let parts = if self.only.is_empty() { all } else { &self.only };
        if self.bias_check && !parts.contains(&OnlyPart::Timescales) {
            let text = "--bias-check checks timescales: add them to --only, or leave it out";
            return Err(Usage(text.to_owned()).into());
        }
        Ok(PortraitConfig {
            steps: self.steps as usize,
            burn_in: 500,
            trials: self.trials as usize,
            initial_state: run.spec().initial_state,
            seed: run.spec().seed,
            parts: parts.iter().copied().map(Part::from).collect(),
            bias_check: self.bias_check,
        })
    }
}

/// Accuracy of the newest head in the epoch that solved this N.
fn accuracy(metrics: &[MetricsRow], n: usize) -> Option<f64> {
    metrics.iter().find(|row| row.n == n && row.solves()).map(|row| row.accuracy)
}

/// Measures the network that the run kept for this N, on the run's device; on the processor each copy
/// on one thread.
fn measure(
    run: &Run,
    solved: Solved,
    how: &PortraitConfig,
    before: Option<Portrait>,
    stop: &AtomicBool,
    told: &Told<'_>,
) -> anyhow::Result<Portrait> {
    let checkpoint = run.checkpoint(solved.n)?;
    let spec = run.spec();
    let single = thread_pool(Some(1))?;
    let subject = Subject {
        config: &checkpoint.config,
        params: &checkpoint.params,
        task: &*spec.task.with_coding(&[solved.n], spec.coding)?,
        // The newest head is the one for the largest N.
        head: checkpoint.params.readouts.len().saturating_sub(1),
        make: &|config, params| run.hardware().network(config, params, single.clone()),
    };
    Ok(how.measure(&subject, solved, before, stop, told)?)
}

fn print<'a>(networks: impl Iterator<Item = &'a NetworkRow>) {
    let line = |cells: [String; 9]| {
        let [n, accuracy, tau, tau_sd, net, net_sd, trustworthy, dimensions, exponent] = cells;
        say!(
            "{n:>4} {accuracy:>9} {tau:>8} {tau_sd:>8} {net:>8} {net_sd:>8} {trustworthy:>12} \
             {dimensions:>5} {exponent:>8}"
        );
    };
    let titles = ["N", "accuracy", "τ", "sd", "τ_net", "sd", "trustworthy", "dims", "λ_1"];
    line(titles.map(str::to_owned));
    let none = || "-".to_owned();
    let text = |value: Option<f64>| value.map_or_else(none, |x| format!("{x:.3}"));
    for one in networks {
        let trustworthy = one.trustworthy.map(|count| format!("{count} of {}", one.neurons));
        line([
            one.n.to_string(),
            text(one.accuracy),
            text(one.tau_mean),
            text(one.tau_sd),
            text(one.tau_net_mean),
            text(one.tau_net_sd),
            trustworthy.unwrap_or_else(none),
            one.dimensionality.map_or_else(none, |count| count.to_string()),
            text(one.lyapunov_1),
        ]);
    }
}
