//! `tau`: parse, call, print, exit code. Everything else is in the libraries.

mod bases;
mod damage;
mod device;
mod doctor;
mod eta;
mod exchange;
mod machine;
mod measure;
mod output;
mod papers;
mod reproduce;
mod retrain;
mod show;
mod status;
mod stop;
mod submit;
mod sweep;
mod terminal;
mod train;
mod trained;
mod unlike;
mod verdicts;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tau_rnn::Hardware;
use tau_runs::Provenance;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit of the sources: see build.rs.
const COMMIT: &str = env!("TAU_COMMIT");
const VERSION_AND_COMMIT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("TAU_COMMIT"), ")");

/// This program on a device.
fn provenance(hardware: Hardware, threads: usize) -> Result<Provenance, tau_rnn::Error> {
    Provenance::here(VERSION, COMMIT, hardware, threads)
}

/// Train recurrent networks with trainable time constants, measure the timescales that they develop,
/// and reproduce what is published.
///
/// Exit codes: 0 done; 1 an error; 2 a wrong command line or spec; 75 stopped by Ctrl-C, SIGTERM,
/// SIGUSR1 or the like with everything kept: the same command goes on from there.
#[derive(Parser)]
#[command(name = "tau", version = VERSION_AND_COMMIT, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(train::Train),
    Plan(sweep::Plan),
    Run(sweep::RunSweep),
    Submit(submit::Submit),
    Status(status::StatusOf),
    Show(show::Show),
    Measure(measure::Measure),
    Ablate(damage::Ablate),
    Perturb(damage::Perturb),
    Retrain(retrain::Retrain),
    Import(exchange::Import),
    Export(exchange::Export),
    ReproduceFigures(reproduce::ReproduceFigures),
    Papers(papers::Papers),
    Doctor(doctor::Doctor),
    /// Print the completions of a shell, to be put where it looks for them.
    Completions {
        /// Whose completions: bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one for each command.
    Man {
        /// Folder for them.
        folder: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Train(args) => args.run(),
        Command::Plan(args) => args.run(),
        Command::Run(args) => args.run(),
        Command::Submit(args) => args.run(),
        Command::Status(args) => args.run(),
        Command::Show(args) => args.run(),
        Command::Measure(args) => args.run(),
        Command::Ablate(args) => args.run(),
        Command::Perturb(args) => args.run(),
        Command::Retrain(args) => args.run(),
        Command::Import(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::ReproduceFigures(args) => args.run(),
        Command::Papers(args) => args.run(),
        Command::Doctor(args) => args.examine().map(|()| ExitCode::SUCCESS),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tau", &mut script);
            output::say!("{}", String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { folder } => man(&folder),
    };
    let done = done.and_then(|code| {
        anyhow::ensure!(!output::is_lost(), "standard output cannot be written: is its disk full?");
        Ok(code)
    });
    done.unwrap_or_else(|error| {
        terminal::say_plainly(&format!("error: {error}"));
        ExitCode::from(match () {
            () if is_interruption(&error) => stop::AGAIN,
            () if is_usage(&error) => 2,
            () => 1,
        })
    })
}

fn man(folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    tau_runs::create_folder(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with a command line, where clap cannot see it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

fn is_interruption(error: &anyhow::Error) -> bool {
    let reproduction = error.downcast_ref::<tau_reproduce::Error>();
    reproduction.is_some_and(tau_reproduce::Error::is_interrupted)
        || error.downcast_ref().is_some_and(tau_runs::Error::is_interrupted)
        || matches!(error.downcast_ref(), Some(tau_analysis::Error::Stopped))
}

/// A value on the command line or in a spec that is none of those allowed.
fn is_usage(error: &anyhow::Error) -> bool {
    let reproduction = error.downcast_ref::<tau_reproduce::Error>();
    let value = reproduction.is_some_and(tau_reproduce::Error::is_usage);
    let threads = matches!(error.downcast_ref(), Some(tau_rnn::Error::Threads { .. }));
    let spec = error.downcast_ref().is_some_and(tau_runs::Error::is_spec);
    value || threads || spec || error.is::<BadVariable>() || error.is::<Usage>()
}

/// `RAYON_NUM_THREADS` is not a number, which rayon would pass over in silence.
#[derive(Debug, thiserror::Error)]
#[error("RAYON_NUM_THREADS: {value} (allowed: 1 to 1024; or unset it)")]
struct BadVariable {
    value: String,
}

/// The threads that were asked for on the command line, or by the environment.
fn threads(asked: Option<usize>) -> Result<Option<usize>, BadVariable> {
    match (asked, std::env::var("RAYON_NUM_THREADS")) {
        (None, Ok(value)) if !value.is_empty() => {
            let count = value.parse().map_err(|_| BadVariable { value: value.clone() })?;
            // rayon's own meaning of 0.
            Ok(Some(count).filter(|&count| count > 0))
        }
        _ => Ok(asked),
    }
}
