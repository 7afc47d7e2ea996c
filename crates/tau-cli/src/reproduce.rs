//! `tau reproduce-figures`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tau_analysis::Verdict;
use tau_reproduce::{Compat, Paper, Report, Reproduction, Which};
use tau_rnn::thread_pool;

use crate::device::Device;
use crate::papers::{each, paper};
use crate::{stop, terminal, threads, verdicts};

/// Train the networks of a paper, draw its figures, judge its claims.
///
/// Writes ID.csv, ID.svg, ID.png and ID.pdf for each figure, verdicts.json, and index.html, a page with
/// all of it. Networks are trained once: a second call, also after Ctrl-C, goes on where the first one
/// stopped. `tau papers` lists the papers with their presets, figures and claims.
///
/// Exit code: 0 if no claim is contradicted, 3 if one is, 1 on errors, 2 for a wrong command line,
/// 75 when stopped (Ctrl-C, SIGTERM, SIGUSR1): start it again.
#[derive(Args)]
pub(crate) struct ReproduceFigures {
    /// The paper [default: the first of `tau papers`].
    #[arg(value_name = "PAPER")]
    paper: Option<String>,
    #[arg(long, value_name = "PRESET", help = each(presets))]
    preset: Option<String>,
    /// Only the central figures and their claims, which need the fewest networks.
    #[arg(long, conflicts_with = "only")]
    central: bool,
    #[arg(long, value_name = "ID", help = each(figures))]
    only: Option<String>,
    #[arg(long, value_name = "QUIRKS", help = each(compat))]
    compat: Option<String>,
    /// Networks of each condition, instead of the preset's number.
    #[arg(long, value_name = "K")]
    seeds: Option<u64>,
    /// Folder for results and networks [default: reproduction/PAPER/PRESET].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor]. Their number changes the
    /// time, never the results.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Where networks are trained: cpu, cuda (the first GPU), cuda:NUMBER, or auto (a GPU if there
    /// is one that computes what the processor computes). GPU runs go to separate folders: their
    /// results differ in the last bits.
    #[arg(long, default_value = "auto")]
    device: Device,
}

/// `Scale: smoke (seconds; too small for any verdict), laptop (…) [default: laptop]`.
fn presets(paper: &'static Paper) -> String {
    let all: Vec<String> =
        paper.summaries().map(|(name, summary)| format!("{name} ({summary})")).collect();
    format!("Scale: {} [default: {}]", all.join(", "), paper.default_preset)
}

fn figures(paper: &'static Paper) -> String {
    let ids: Vec<&str> = paper.figures.iter().map(|figure| figure.id).collect();
    format!("Only this figure and its claims, with the networks that they need: {}", ids.join(", "))
}

fn compat(paper: &'static Paper) -> String {
    let ids: Vec<&str> = quirks(paper).map(Compat::name).collect();
    format!(
        "With the quirks of published code: {}. Results go to a folder of this name in the folder for \
         results; networks are the same, unless the quirk is in their training",
        ids.join(", ")
    )
}

/// The quirks of a paper that can be switched on.
pub(crate) fn quirks(paper: &'static Paper) -> impl Iterator<Item = Compat> {
    paper.quirks.iter().map(Compat::with)
}

impl ReproduceFigures {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let (report, clean) = self.reproduce()?;
        let printed = verdicts::print_report(&report).and_then(|()| match &clean {
            Some(clean) => verdicts::print_changes(clean, &report),
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
        let paper = paper(self.paper.as_deref())?;
        let loaded = paper.load()?;
        let compat = match &self.compat {
            Some(id) => paper.quirk(id)?,
            None => Compat::CLEAN,
        };
        let name = self.preset.as_deref().unwrap_or(paper.default_preset);
        let mut preset = loaded.preset(name, compat)?;
        if let Some(seeds) = self.seeds {
            preset = preset.with_seeds(seeds)?;
        }
        let named = || PathBuf::from("reproduction").join(paper.id).join(&preset.id);
        let out = self.out.clone().unwrap_or_else(named);
        let pool = thread_pool(threads(self.threads)?)?;
        let hardware = self.device.choose()?;
        let provenance = crate::provenance(hardware, pool.current_num_threads())?;
        let stop = stop::when_asked()?;
        let whole = std::path::absolute(&out).unwrap_or_else(|_| out.clone());
        let title = format!("{}, preset {}, results in {}", paper.id, preset.id, whole.display());
        let mut terminal = terminal::Terminal::new(&title, provenance.threads);
        let which = match &self.only {
            Some(id) => Which::Only(id),
            None if self.central => Which::Central,
            None => Which::All,
        };
        let reproduction = Reproduction::new(&loaded, preset, which, &out, hardware, provenance)?;
        let report = reproduction.run(&stop, &mut |event| terminal.show(event))?;
        let clean = match self.compat {
            Some(_) => Report::read(&out.join("verdicts.json"))?,
            None => None,
        };
        let clean = clean.filter(|clean| clean.is_like(&report));
        Ok((report, clean))
    }
}

fn exit_code(report: &Report) -> u8 {
    let contradicted =
        |claim: &tau_reproduce::Judged| !claim.kept && claim.verdict == Verdict::Contradicted;
    if report.claims.iter().any(contradicted) { 3 } else { 0 }
}
