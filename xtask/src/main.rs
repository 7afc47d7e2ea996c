//! Automation: one command for people and for continuous integration.

mod ci;
mod crash;
mod dist;
mod kernels;
mod kit;
mod packages;
mod python;
mod report;
mod slurm;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// Automation of the tau-rnn workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Train the networks of a paper, draw its figures, judge its claims (builds and runs `tau`).
    ///
    /// Arguments, the paper among them, are those of `tau reproduce-figures`; see
    /// `cargo xtask reproduce-figures --help`.
    #[command(disable_help_flag = true)]
    ReproduceFigures {
        /// Options that are passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Time updates, simulations and timescales, beside PyTorch on request (builds and runs `tau-bench`).
    ///
    /// The options are those of `tau-bench`; see `cargo xtask bench --help`.
    #[command(disable_help_flag = true)]
    Bench {
        /// Options that are passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Compile the CUDA kernels to the PTX that the library carries, and assemble it for every GPU
    /// (needs Python and the network, no GPU).
    Kernels {
        /// Only check that the committed PTX is what the sources give.
        #[arg(long)]
        check: bool,
    },
    /// Pack programs and scripts for a GPU machine that has nothing but a driver (and Python with
    /// PyTorch, to compare with).
    GpuKit,
    /// Pack `tau` for Linux systems as old as glibc 2.28, with manual pages and completions (needs
    /// Python and PyPI, once).
    Dist,
    /// Kill trainings and sweeps at random moments (SIGKILL), start them again, and compare every file with
    /// that of an undisturbed training.
    CrashTest {
        /// Number of kills.
        #[arg(long, default_value = "200")]
        kills: usize,
        /// Seed of the random moments [default: a new one every time].
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Run a sweep through Slurm, stop one task and kill a second one, and compare every file with those of
    /// a sweep without Slurm.
    TestSlurm {
        /// Install Debian's Slurm on this machine and start it (needs root; for containers).
        #[arg(long)]
        install: bool,
    },
    /// Open the report page in a headless Chromium, in the size of a phone and of a desk, light and dark, and
    /// check that it fits, loads nothing and shows its pictures. Keeps pictures in target/report.
    TestReport {
        /// Page to open [default: the page of a smoke reproduction].
        page: Option<PathBuf>,
        /// Install Debian's Chromium on this machine (needs root; for containers).
        #[arg(long)]
        install: bool,
    },
    /// Check everything that must hold before a change lands, except the tests.
    Ci,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::ReproduceFigures { options } => reproduce_figures(&options),
        Task::Bench { options } => bench(&options),
        Task::Kernels { check } => kernels::kernels(check).map(|()| ExitCode::SUCCESS),
        Task::GpuKit => kit::kit().map(|()| ExitCode::SUCCESS),
        Task::Dist => dist::dist().map(|()| ExitCode::SUCCESS),
        Task::CrashTest { kills, seed } => crash::test(kills, seed).map(|()| ExitCode::SUCCESS),
        Task::TestSlurm { install } => slurm::test(install).map(|()| ExitCode::SUCCESS),
        Task::TestReport { page, install } => {
            report::test(page.as_deref(), install).map(|()| ExitCode::SUCCESS)
        }
        Task::Ci => ci::all().map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn reproduce_figures(options: &[String]) -> Result<ExitCode> {
    let mut command = Command::new(built("tau-cli", "tau")?);
    become_it(command.arg("reproduce-figures").args(options))
}

fn bench(options: &[String]) -> Result<ExitCode> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut command = Command::new(built("bench", "tau-bench")?);
    become_it(command.arg("--peers").arg(peers).args(options))
}

/// Builds a binary with optimisation and returns its path.
fn built(package: &str, binary: &str) -> Result<PathBuf> {
    let mut build = Command::new(cargo());
    build.args(["build", "--release", "--locked", "--package", package]);
    if !std::io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    let program = target_folder()?.join("release").join(binary);
    if !program.exists() {
        eprintln!("building {binary} (3 to 10 minutes the first time)");
    }
    run(&mut build)?;
    Ok(program)
}

/// The packages of the workspace and where cargo builds them, as `cargo metadata` says it.
fn metadata() -> Result<serde_json::Value> {
    let metadata = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .context("cannot ask cargo for the workspace")?;
    Ok(serde_json::from_slice(&metadata.stdout)?)
}

/// Where cargo builds.
fn target_folder() -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo names no target folder")?;
    Ok(PathBuf::from(target))
}

/// Puts the command in the place of this process, so that Ctrl-C and the exit code are its own.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).with_context(|| format!("cannot run {command:?}"))
}

/// Runs the command and takes over its exit code.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs a command to its end; anything but success is an error that names it.
fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("failed ({status}): {command:?}");
    }
    Ok(())
}
