//! `tau reproduce-figures`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tau_analysis::Verdict;
use tau_reproduce::{Preset, Report, Reproduction};
use tau_rnn::thread_pool;

use crate::device::Device;
use crate::{stop, terminal, threads};

/// Train the networks, draw the figures, judge the claims.
///
/// Writes ID.csv, ID.svg, ID.png and ID.pdf for each figure, and verdicts.json. Networks are
/// trained once: a second call, also after Ctrl-C, goes on where the first one stopped.
///
/// Exit code: 0 if no claim is contradicted, 3 if one is, 1 on errors, 2 for a wrong command line,
/// 75 when stopped (Ctrl-C, SIGTERM, SIGUSR1): start it again.
#[derive(Args)]
pub(crate) struct ReproduceFigures {
    /// Scale: smoke (seconds, decides nothing), laptop (minutes) or paper (days).
    #[arg(long, default_value = "laptop")]
    preset: String,
    /// Only this figure: training-progress, tau-vs-n, tau-net-vs-n, forgetting, ablation or perturbation.
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

impl ReproduceFigures {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let report = self.reproduce()?;
        Ok(match terminal::print_report(&report) {
            // Nobody reads any more: the verdicts are in their file.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(exit_code(&report)),
        })
    }

    fn reproduce(&self) -> anyhow::Result<Report> {
        let mut preset = Preset::named(&self.preset)?;
        if let Some(seeds) = self.seeds {
            preset = preset.with_seeds(seeds)?;
        }
        let named = || PathBuf::from("reproduction").join(&preset.id);
        let out = self.out.clone().unwrap_or_else(named);
        let pool = thread_pool(threads(self.threads)?)?;
        let hardware = self.device.choose()?;
        let provenance = crate::provenance(hardware, pool.current_num_threads())?;
        let stop = stop::when_asked()?;
        let whole = std::path::absolute(&out).unwrap_or_else(|_| out.clone());
        let title = format!("preset {}, results in {}", preset.id, whole.display());
        let mut terminal = terminal::Terminal::new(&title, provenance.threads);
        let only = self.only.as_deref();
        let reproduction = Reproduction::new(preset, only, &out, hardware, provenance)?;
        Ok(reproduction.run(&stop, &mut terminal)?)
    }
}

fn exit_code(report: &Report) -> u8 {
    let contradicted = |claim: &tau_reproduce::Judged| claim.verdict == Verdict::Contradicted;
    if report.claims.iter().any(contradicted) { 3 } else { 0 }
}
