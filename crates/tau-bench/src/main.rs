//! Times updates, simulations and timescales, side by side with PyTorch, numpy and scipy.
//!
//! Ours and the peer's take turns within one run, on the same numbers and threads; what is given
//! is the median over rounds and their spread. The peer must find the same loss, or the row is an
//! error. `cargo xtask bench` builds and starts this.

mod machine;
mod peer;
mod row;
mod simulate;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use peer::Peer;
use row::{Report, Rounds, Row};

/// Time updates, simulations and timescales; with `--against`, beside another program.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Cli {
    /// What to time.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "update,simulate,tau-net")]
    what: Vec<What>,
    /// Neurons.
    #[arg(long, value_delimiter = ',', default_value = "100,200,500,1000")]
    hidden: Vec<usize>,
    /// N: a sequence has about 2.5 N steps.
    #[arg(long, value_delimiter = ',', default_value = "5,10,30,100")]
    n: Vec<usize>,
    /// Threads [default: 1 and one for each processor].
    #[arg(long, value_delimiter = ',')]
    threads: Option<Vec<usize>>,
    /// Weights: as they begin, or with errors that do not vanish backwards in time.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "fresh,trained")]
    weights: Vec<Weights>,
    /// Trials in a batch.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Steps of a simulation.
    #[arg(long, default_value_t = 100_000)]
    steps: usize,
    /// The other program.
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// The Python that has it.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Folder of the peer's script.
    #[arg(long, hide = true)]
    peers: Option<PathBuf>,
    /// Where to write the rows as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds for each row, at least three rounds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Update,
    Simulate,
    TauNet,
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
    let all = tau_rnn::thread_pool(None)?.current_num_threads();
    let mut threads = cli.threads.clone().unwrap_or_else(|| vec![1, all]);
    threads.dedup();
    for (name, values) in [("hidden", &cli.hidden), ("n", &cli.n), ("threads", &threads)] {
        if let Some(zero) = values.iter().find(|&&value| value == 0) {
            bail!("--{name}: {zero} (allowed: 1 or more)");
        }
    }
    let peer = |threads: usize| match cli.against {
        None => Ok(None),
        Some(Against::Pytorch) => {
            let folder = cli.peers.as_deref().context("--against needs --peers DIR")?;
            Peer::start(&cli.python, &folder.join("peer.py"), threads).map(Some)
        }
    };
    let mut report = Report::new(all)?;
    eprintln!(
        "{}, commit {}; idle otherwise? the numbers are only then worth something",
        report.machine, report.commit
    );
    println!("{}", Row::HEADER);
    let mut keep = |row: Row| -> Result<()> {
        println!("{row}");
        report.rows.push(row);
        match &cli.json {
            Some(path) => report.write(path),
            None => Ok(()),
        }
    };
    let rounds = Rounds { seconds: cli.seconds, least: 3 };
    for &threads in &threads {
        let mut peer = peer(threads)?;
        if cli.what.contains(&What::Update) {
            for case in cases(cli, threads) {
                keep(update::time(&case, rounds, peer.as_mut())?)?;
            }
        }
    }
    // After the updates: what it leaves in memory would count in their rows.
    let with_tau_net = cli.what.contains(&What::TauNet);
    for &threads in &threads {
        if with_tau_net || cli.what.contains(&What::Simulate) {
            let case = simulate::Case { hidden: 500, trials: 10, steps: cli.steps, threads };
            for row in simulate::time(&case, with_tau_net, peer(threads)?.as_mut())? {
                keep(row)?;
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
                cases.push(update::Case { hidden, n, batch: cli.batch, threads, trained });
            }
        }
    }
    cases
}
