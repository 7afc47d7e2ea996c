//! `tau`: parse, call, print, exit code. Everything else is in the libraries.

mod device;
mod doctor;
mod eta;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand};
use tau_analysis::Verdict;
use tau_reproduce::{Preset, Report, Reproduction};
use tau_rnn::thread_pool;
use tau_runs::Provenance;

use device::Device;
use doctor::Doctor;

/// Train recurrent networks with trainable time constants, and reproduce what is published.
#[derive(Parser)]
#[command(name = "tau", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    ReproduceFigures(ReproduceFigures),
    Doctor(Doctor),
}

/// Train the networks, draw the figures, judge the claims.
///
/// Writes ID.csv, ID.svg, ID.png and ID.pdf for each figure, and verdicts.json. Networks are
/// trained once: a second call, also after Ctrl-C, goes on where the first one stopped.
///
/// Exit code: 0 if no claim is contradicted, 3 if one is, 1 on errors, 2 for a wrong command line,
/// 130 after Ctrl-C.
#[derive(Args)]
struct ReproduceFigures {
    /// Scale: smoke (seconds, decides nothing), laptop (minutes) or paper (days).
    #[arg(long, default_value = "laptop")]
    preset: String,
    /// Only this figure: training-progress, tau-vs-n, tau-net-vs-n or forgetting.
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Networks for each curriculum, instead of the preset's number.
    #[arg(long, value_name = "K")]
    seeds: Option<u64>,
    /// Folder for results and networks [default: reproduction/PRESET].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor]. Their number changes the
    /// time, never the results.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Where networks are trained: cpu, cuda (the first GPU), cuda:NUMBER, or auto (a GPU if there
    /// is one that computes what the processor computes).
    #[arg(long, default_value = "auto")]
    device: Device,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::ReproduceFigures(args) => reproduce(&args).map(Some),
        Command::Doctor(args) => args.examine().map(|()| None),
    };
    match done {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => {
            match terminal::print_report(&report) {
                // Nobody reads any more: the verdicts are in their file.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
                _ => ExitCode::from(exit_code(&report)),
            }
        }
        Err(error) => {
            terminal::say_plainly(&format!("error: {error}"));
            let interrupted = matches!(
                error.downcast_ref::<tau_reproduce::Error>(),
                Some(tau_reproduce::Error::Interrupted)
            );
            ExitCode::from(match () {
                () if interrupted => 130,
                () if is_usage(&error) => 2,
                () => 1,
            })
        }
    }
}

/// A value on the command line that is none of those allowed.
fn is_usage(error: &anyhow::Error) -> bool {
    use tau_reproduce::Error::{Seeds, UnknownFigure, UnknownPreset};
    let value = matches!(
        error.downcast_ref(),
        Some(Seeds { .. } | UnknownFigure { .. } | UnknownPreset { .. })
    );
    let threads = matches!(error.downcast_ref(), Some(tau_rnn::Error::Threads { .. }));
    value || threads || error.is::<BadVariable>()
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

fn exit_code(report: &Report) -> u8 {
    let contradicted = |claim: &tau_reproduce::Judged| claim.verdict == Verdict::Contradicted;
    if report.claims.iter().any(contradicted) { 3 } else { 0 }
}

fn reproduce(args: &ReproduceFigures) -> anyhow::Result<Report> {
    let mut preset = Preset::named(&args.preset)?;
    if let Some(seeds) = args.seeds {
        preset = preset.with_seeds(seeds)?;
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("reproduction").join(&preset.id));
    let pool = thread_pool(threads(args.threads)?)?;
    let hardware = args.device.choose()?;
    let provenance =
        Provenance::here(env!("CARGO_PKG_VERSION"), hardware, pool.current_num_threads())?;
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::Relaxed) {
            // Asked twice: every file on the disk is whole, only the open epoch is lost.
            std::process::exit(130);
        }
    })?;
    let whole = std::path::absolute(&out).unwrap_or_else(|_| out.clone());
    let title = format!("preset {}, results in {}", preset.id, whole.display());
    let mut terminal = terminal::Terminal::new(&title, provenance.threads);
    let reproduction = Reproduction::new(preset, args.only.as_deref(), &out, hardware, provenance)?;
    Ok(reproduction.run(&stop, &mut terminal)?)
}
