//! `tau measure`: the timescales of one run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tau_analysis::Quality;
use tau_reproduce::{NeuronRow, TauNetSettings, measure};
use tau_rnn::thread_pool;
use tau_runs::{Run, create_folder, write_table};

use crate::{Usage, stop, terminal, threads};

/// Measure the timescales of a run: τ and τ_net of every neuron.
///
/// For each N that the run solved the network is driven by random input, and τ_net is fitted to the
/// autocorrelation of every neuron's activity. Prints means over neurons; writes
/// measures/neurons.csv in the run's folder: n, neuron, tau_raw, tau_eff, tau_net, its standard
/// error (all in steps), and whether τ_net measures a timescale.
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

impl Measure {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let run = Run::read(&self.run)?;
        let rows = run.metrics()?;
        let solved = rows.iter().filter(|row| row.solved && row.n == row.solved_n);
        let solved: Vec<usize> = solved.map(|row| row.n).collect();
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
        let stop = stop::when_asked()?;
        let pool = thread_pool(threads(self.threads)?)?;
        let done = |n| terminal::say_plainly(&format!("N = {n} is measured"));
        let rows = pool.install(|| measure(&run, &memory, &settings, &stop, done))?;
        let folder = run.folder().join("measures");
        create_folder(&folder)?;
        let path = folder.join("neurons.csv");
        let mut table = csv::Writer::from_writer(Vec::new());
        for row in &rows {
            table.serialize(row)?;
        }
        write_table(&path, &table.into_inner()?)?;
        println!(
            "{:>4} {:>8} {:>8} {:>8} {:>8} {:>12}",
            "N", "τ", "sd", "τ_net", "sd", "trustworthy"
        );
        for n in memory {
            println!("{}", summary(n, &Vec::from_iter(rows.iter().filter(|row| row.n == n))));
        }
        println!("{}", path.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// One line: means and standard deviations over neurons, τ_net over the trustworthy ones.
fn summary(n: usize, rows: &[&NeuronRow]) -> String {
    let moments = |values: Vec<f64>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        if values.is_empty() {
            ["-".to_owned(), "-".to_owned()]
        } else {
            [mean, square.sqrt()].map(|x| format!("{x:.3}"))
        }
    };
    let good: Vec<&&NeuronRow> = rows.iter().filter(|row| row.quality == Quality::Good).collect();
    let [tau, tau_sd] = moments(rows.iter().filter_map(|row| row.tau_eff).collect());
    let [net, net_sd] = moments(good.iter().filter_map(|row| row.tau_net).collect());
    let share = format!("{} of {}", good.len(), rows.len());
    format!("{n:>4} {tau:>8} {tau_sd:>8} {net:>8} {net_sd:>8} {share:>12}")
}
