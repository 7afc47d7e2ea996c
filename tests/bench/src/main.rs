//! Times updates, simulations and timescales, side by side with PyTorch, numpy and scipy; compares a device
//! with the float64 model in double precision.
//!
//! Ours and the peer's take turns within one run, on the same numbers and threads; what is given
//! is the median over rounds and their spread. The peer must find the same loss, or the row is an
//! error. `cargo xtask bench` builds and starts this.

mod exact;
mod files;
mod machine;
mod peer;
mod row;
mod simulate;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use peer::Peer;
use row::{Report, Rounds, Row};
use tau_rnn::Hardware;

/// Time updates, simulations and timescales; with `--against`, beside another program.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Cli {
    /// What to time.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "update,simulate,tau-net")]
    what: Vec<What>,
    /// Neurons of an update (a simulation has 500).
    #[arg(long, value_delimiter = ',', default_value = "100,200,500,1000", value_parser = count)]
    hidden: Vec<usize>,
    /// N of an update: a sequence has about 2.5 N steps.
    #[arg(long, value_delimiter = ',', default_value = "5,10,30,100", value_parser = count)]
    n: Vec<usize>,
    /// Threads [default: 1 and one for each processor; on a GPU 1].
    #[arg(long, value_delimiter = ',', value_parser = count)]
    threads: Option<Vec<usize>>,
    /// Weights of an update: as they begin, or with errors that do not vanish backwards in time.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "fresh,trained")]
    weights: Vec<Weights>,
    /// Trials in the batch of an update (a simulation has 10).
    #[arg(long, default_value = "256", value_parser = count)]
    batch: usize,
    /// Steps of a simulation.
    #[arg(long, default_value = "100000", value_parser = count)]
    steps: usize,
    /// Where updates run: cpu, cuda or cuda:NUMBER.
    #[arg(long, default_value = "cpu", value_parser = device)]
    device: Hardware,
    /// The other program.
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Its ways [default: eager; on a GPU all].
    #[arg(long, value_enum, value_delimiter = ',')]
    modes: Option<Vec<Mode>>,
    /// The Python that has it.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// A library that is loaded into it first (see docs/performance.md on MKL).
    #[arg(long, value_name = "FILE")]
    preload: Option<PathBuf>,
    /// Folder of the peer's script.
    #[arg(long, hide = true)]
    peers: Option<PathBuf>,
    /// Where to write the rows as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds for each row of updates, seven rounds if they take no longer than half a minute, at least three.
    #[arg(long, default_value = "3", value_parser = seconds)]
    seconds: f64,
}

/// A number of things.
fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "allowed: 1 or more".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let good = |seconds: &f64| seconds.is_finite() && *seconds >= 0.0;
    text.parse().ok().filter(good).ok_or_else(|| "allowed: 0 or more".to_owned())
}

fn device(text: &str) -> Result<Hardware, String> {
    text.parse().map_err(|error: tau_rnn::Error| error.to_string())
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Update,
    Simulate,
    TauNet,
    /// Nothing is timed: gradients and updates in double precision beside the float64 model.
    Exact,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weights {
    Fresh,
    Trained,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    Pytorch,
}

/// How PyTorch does an update; the last three compute something else, with cuDNN's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Eager,
    Graph,
    Compile,
    Rnn,
    Lstm,
    Gru,
}

impl Mode {
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether it finds the same loss.
    pub(crate) fn is_ours(self) -> bool {
        !matches!(self, Self::Rnn | Self::Lstm | Self::Gru)
    }
}

fn main() -> ExitCode {
    match bench(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(cli: &Cli) -> Result<()> {
    if cli.what.contains(&What::Exact) {
        exact::check(cli.device)?;
        if cli.what.len() == 1 {
            return Ok(());
        }
    }
    let on_cpu = cli.device == Hardware::Cpu;
    let all = tau_rnn::thread_pool(None)?.current_num_threads();
    let mut threads =
        cli.threads.clone().unwrap_or_else(|| if on_cpu { vec![1, all] } else { vec![1] });
    threads.sort_unstable();
    threads.dedup();
    let peer = |threads: usize| match cli.against {
        None => Ok(None),
        Some(Against::Pytorch) => {
            let folder = cli.peers.as_deref().context("--against needs --peers DIR")?;
            let script = folder.join("peer.py");
            Peer::start(&cli.python, &script, cli.preload.as_deref(), threads).map(Some)
        }
    };
    if cli.against.is_some() {
        Peer::check(&cli.python)?;
    }
    let mut report = Report::new(cli.device, all, cli.json.clone())?;
    eprintln!(
        "{}, commit {}; close other programs: on a busy machine these numbers mean nothing",
        report.machine, report.commit
    );
    println!("{}", Row::HEADER);
    let rounds = Rounds { seconds: cli.seconds, wanted: 7 };
    let modes = match &cli.modes {
        Some(modes) => modes.as_slice(),
        None if on_cpu => &[Mode::Eager],
        None => Mode::value_variants(),
    };
    for &threads in &threads {
        let mut peer = peer(threads)?;
        if cli.what.contains(&What::Update) {
            for case in cases(cli, threads) {
                if peer.is_none() {
                    report.keep(update::time(&case, rounds, None)?)?;
                    continue;
                }
                for &mode in modes {
                    // On processors the switch means nothing.
                    for tf32 in [false, true].into_iter().take(if on_cpu { 1 } else { 2 }) {
                        let peer = peer.as_mut().map(|peer| (peer, mode, tf32));
                        report.keep(update::time(&case, rounds, peer)?)?;
                    }
                }
            }
            if let Hardware::Cuda { number } = cli.device {
                for case in cases(cli, threads) {
                    report.keep_parts(update::parts(&case, number, report.fma_peak_gflops)?)?;
                }
            }
        }
    }
    // After the updates: what it leaves in memory would count in their rows.
    let with_tau_net = cli.what.contains(&What::TauNet);
    for &threads in threads.iter().filter(|_| on_cpu) {
        if with_tau_net || cli.what.contains(&What::Simulate) {
            let case = simulate::Case { hidden: 500, trials: 10, steps: cli.steps, threads };
            for row in simulate::time(&case, with_tau_net, peer(threads)?.as_mut())? {
                report.keep(row)?;
            }
        }
    }
    Ok(())
}

/// Every combination of sizes and weights.
fn cases(cli: &Cli, threads: usize) -> Vec<update::Case> {
    let mut cases = Vec::new();
    for &hidden in &cli.hidden {
        for &weights in &cli.weights {
            for &n in &cli.n {
                let trained = weights == Weights::Trained;
                cases.push(update::Case {
                    hidden,
                    n,
                    batch: cli.batch,
                    device: cli.device,
                    threads,
                    trained,
                });
            }
        }
    }
    cases
}
