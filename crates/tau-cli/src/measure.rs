//! `tau measure`: the timescales of one run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tau_analysis::Quality;
use tau_analysis::tau_statistics::moments;
use tau_reproduce::{NeuronRow, TauNetSettings, measure};
use tau_rnn::thread_pool;
use tau_runs::{Lock, MetricsRow, Run, create_folder, read_if_there, solved, write_atomically};

use crate::output::say;
use crate::{Usage, stop, terminal, threads};

/// Measure the timescales of a run: τ and τ_net of every neuron, accuracy for each N.
///
/// For each N that the run solved the network is driven by random input, and τ_net is fitted to the
/// autocorrelation of every neuron's activity. Writes two tables into measures/ in the run's folder:
/// neurons.csv (a row for each N and neuron) and networks.csv (a row for each N: what is printed). What
/// was measured for other N stays there; after Ctrl-C the N that were done are there.
#[derive(Args)]
pub(crate) struct Measure {
    /// The run's folder.
    run: PathBuf,
    /// Only the networks of these N [default: all that were solved].
    #[arg(long, value_name = "N", value_delimiter = ',')]
    n: Vec<usize>,
    /// Steps of a trial.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u32).range(100..))]
    steps: u32,
    /// Trials.
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor].
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

/// One network. Means and standard deviations over neurons, in steps; those of τ_net over the
/// trustworthy ones.
#[derive(Serialize)]
struct NetworkRow {
    n: usize,
    accuracy: Option<f64>,
    /// None of a gated cell, which has no τ.
    tau_mean: Option<f64>,
    tau_sd: Option<f64>,
    tau_net_mean: Option<f64>,
    tau_net_sd: Option<f64>,
    trustworthy: usize,
    neurons: usize,
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
        let settings = TauNetSettings {
            steps: self.steps as usize,
            burn_in: 500,
            trials: self.trials as usize,
            fit_lags: 30,
            every: 1,
        };
        let folder = run.folder().join("measures");
        create_folder(&folder)?;
        let _lock = Lock::take(&folder)?;
        let (neurons, networks) = (folder.join("neurons.csv"), folder.join("networks.csv"));
        let mut rows = earlier(&neurons)?;
        let pool = thread_pool(threads(self.threads)?)?;
        for (done, &n) in memory.iter().enumerate() {
            let found = pool.install(|| measure(&run, n, &settings, &stop))?;
            rows.retain(|row| row.n != n);
            rows.extend(found);
            rows.sort_by_key(|row| (row.n, row.neuron));
            write(&neurons, &rows)?;
            write(&networks, &summaries(&rows, &metrics))?;
            let (done, all) = (done + 1, memory.len());
            terminal::say_plainly(&format!("N = {n} is measured ({done} of {all})"));
        }
        print(&summaries(&rows, &metrics), &memory);
        say!("{}", neurons.display());
        say!("{}", networks.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// What was measured before.
fn earlier(path: &Path) -> anyhow::Result<Vec<NeuronRow>> {
    let bytes = read_if_there(path)?.unwrap_or_default();
    let rows: Result<_, _> = csv::Reader::from_reader(&bytes[..]).into_deserialize().collect();
    rows.map_err(|error| {
        anyhow::anyhow!("cannot use {}: {error} (move it away to measure anew)", path.display())
    })
}

fn write(path: &Path, rows: &[impl Serialize]) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row)?;
    }
    Ok(write_atomically(path, &table.into_inner()?)?)
}

/// A row for each N in the table of neurons.
fn summaries(rows: &[NeuronRow], metrics: &[MetricsRow]) -> Vec<NetworkRow> {
    let over = |values: &[f64]| (!values.is_empty()).then(|| moments(values));
    rows.chunk_by(|a, b| a.n == b.n)
        .map(|rows| {
            let n = rows[0].n;
            let good = rows.iter().filter(|row| row.quality == Quality::Good);
            let tau_net: Vec<f64> = good.clone().filter_map(|row| row.tau_net).collect();
            let tau: Vec<f64> = rows.iter().filter_map(|row| row.tau_eff).collect();
            let (tau_mean, tau_sd) = over(&tau).unzip();
            let (tau_net_mean, tau_net_sd) = over(&tau_net).unzip();
            // Of the newest head, in the epoch that solved it.
            let accuracy = metrics.iter().find(|row| row.n == n && row.solves());
            NetworkRow {
                n,
                accuracy: accuracy.map(|row| row.accuracy),
                tau_mean,
                tau_sd,
                tau_net_mean,
                tau_net_sd,
                trustworthy: tau_net.len(),
                neurons: rows.len(),
            }
        })
        .collect()
}

fn print(networks: &[NetworkRow], memory: &[usize]) {
    say!(
        "{:>4} {:>9} {:>8} {:>8} {:>8} {:>8} {:>12}",
        "N",
        "accuracy",
        "τ",
        "sd",
        "τ_net",
        "sd",
        "trustworthy"
    );
    let text = |value: Option<f64>| value.map_or("-".to_owned(), |x| format!("{x:.3}"));
    for one in networks.iter().filter(|one| memory.contains(&one.n)) {
        say!(
            "{:>4} {:>9} {:>8} {:>8} {:>8} {:>8} {:>12}",
            one.n,
            text(one.accuracy),
            text(one.tau_mean),
            text(one.tau_sd),
            text(one.tau_net_mean),
            text(one.tau_net_sd),
            format!("{} of {}", one.trustworthy, one.neurons)
        );
    }
}
