//! `tau reproduce-figures`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tau_analysis::Verdict;
use tau_reproduce::{Compat, Preset, Report, Reproduction, Which};
use tau_rnn::thread_pool;

use crate::device::Device;
use crate::{stop, terminal, threads};

/// Train the networks, draw the figures, judge the claims.
///
/// Writes ID.csv, ID.svg, ID.png and ID.pdf for each figure, verdicts.json, and index.html, a page with
/// all of it. Networks are trained once: a second call, also after Ctrl-C, goes on where the first one stopped.
///
/// Exit code: 0 if no claim is contradicted, 3 if one is, 1 on errors, 2 for a wrong command line,
/// 75 when stopped (Ctrl-C, SIGTERM, SIGUSR1): start it again.
#[derive(Args)]
pub(crate) struct ReproduceFigures {
    /// Scale: smoke (seconds, decides nothing), laptop (minutes) or paper (days).
    #[arg(long, default_value = "laptop")]
    preset: String,
    /// Only the central figures and claims, those of the τ-RNN on N-parity: less than half the time.
    #[arg(long, conflicts_with = "only")]
    central: bool,
    /// Only this figure, with the networks that it shows: training-progress, tau-vs-n, tau-net-vs-n,
    /// forgetting, ablation, perturbation, retraining, fixed-tau, n-dms, gated-cells or variants.
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// With the quirks of the published code (docs/figures.md lists them). Results go to a folder of
    /// this name in the folder for results; networks are the same, but those with fixed τ.
    #[arg(long, value_name = "PUBLICATION")]
    compat: Option<Publication>,
    /// Networks of each condition, instead of the preset's number.
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

/// Whose quirks can be switched on.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Publication {
    Iclr2024,
}

impl ReproduceFigures {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (report, clean) = self.reproduce()?;
        let printed = terminal::print_report(&report).and_then(|()| match &clean {
            Some(clean) => terminal::print_changes(clean, &report),
            None => Ok(()),
        });
        Ok(match printed {
            // Nobody reads any more: the verdicts are in their file.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(exit_code(&report)),
        })
    }

    /// The report, and with quirks that without them, if it is there.
    fn reproduce(&self) -> anyhow::Result<(Report, Option<Report>)> {
        let mut preset = Preset::named(&self.preset)?;
        if let Some(seeds) = self.seeds {
            preset = preset.with_seeds(seeds)?;
        }
        if let Some(Publication::Iclr2024) = self.compat {
            preset.compat = Compat::Iclr2024;
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
        let which = match &self.only {
            Some(id) => Which::Only(id),
            None if self.central => Which::Central,
            None => Which::All,
        };
        let reproduction = Reproduction::new(preset, which, &out, hardware, provenance)?;
        let report = reproduction.run(&stop, &mut terminal)?;
        let clean = match self.compat {
            Some(_) => Report::read(&out.join("verdicts.json"))?,
            None => None,
        };
        // Verdicts of another program or preset are not comparable.
        let like =
            |clean: &Report| (&clean.preset, &clean.commit) == (&report.preset, &report.commit);
        let clean = clean.filter(like);
        Ok((report, clean))
    }
}

fn exit_code(report: &Report) -> u8 {
    let contradicted =
        |claim: &tau_reproduce::Judged| !claim.kept && claim.verdict == Verdict::Contradicted;
    if report.claims.iter().any(contradicted) { 3 } else { 0 }
}
