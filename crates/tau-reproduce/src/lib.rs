//! One call reproduces the paper's central figures: plan, train, measure, judge, draw.
//!
//! A [`Preset`] says which networks are trained and how they are measured; networks trained once
//! serve every figure and every later call. A figure is a table (here) and a drawing
//! (`tau-figures`); a [`claims::Claim`] is a conjunction of effects over networks with intervals.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use tau_reproduce::{Preset, Reproduction};
//! use tau_rnn::Hardware;
//! use tau_runs::Provenance;
//!
//! let reproduction = Reproduction::new(
//!     Preset::named("laptop")?,
//!     None,
//!     "reproduction/laptop".as_ref(),
//!     Hardware::Cpu,
//!     Provenance { threads: 2, ..Provenance::default() },
//! )?;
//! let report = reproduction.run(&AtomicBool::new(false), &mut ())?;
//! for claim in report.claims {
//!     println!("claim {}: {:?}", claim.id, claim.verdict);
//! }
//! # Ok::<(), tau_reproduce::Error>(())
//! ```
//!
//! What it does not know: the terminal (a [`Watcher`] shows what happens), the command line.

pub mod claims;
pub mod damage;
mod error;
pub mod evidence;
pub mod figures;
mod measure;
mod page;
mod preset;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tau_figures::Table;
use tau_rnn::Hardware;
use tau_runs::{
    Crew, Every, Forecast, Lock, Progress, Provenance, Run, create_folder, write_atomically,
    write_table,
};

pub use error::Error;
pub use measure::{NeuronRow, measure};
pub use preset::{Condition, DamageSettings, ForgettingSettings, Preset, TauNetSettings};
pub use report::{Judged, Report};

use evidence::{Need, gather};
use figures::{FIGURES, Figure};

/// Who shows what happens.
pub trait Watcher: Progress {
    /// Before training begins.
    fn planned(&mut self, plan: &[Planned], forecast: &Forecast);
    /// Training is over, measuring begins.
    fn measuring(&mut self);
    /// One more measurement is there.
    fn measured(&mut self, what: &str);
    /// A file of a figure is written.
    fn written(&mut self, path: &Path);
}

/// A run of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The condition's name in tables and figures.
    pub series: String,
    /// The run itself.
    pub run: Run,
}

/// Nobody watches.
impl Watcher for () {
    fn planned(&mut self, _: &[Planned], _: &Forecast) {}
    fn measuring(&mut self) {}
    fn measured(&mut self, _: &str) {}
    fn written(&mut self, _: &Path) {}
}

/// A reproduction at one scale, in one folder.
pub struct Reproduction {
    preset: Preset,
    figures: Vec<&'static Figure>,
    plan: Vec<Planned>,
    folder: PathBuf,
    threads: usize,
    provenance: Provenance,
    /// Held as long as this value lives: nobody else works in the folder.
    _lock: Lock,
}

impl Reproduction {
    /// Plans it: all figures, or only the one named.
    ///
    /// # Errors
    /// [`Error::UnknownFigure`]; [`tau_runs::Error::Locked`]; a folder that cannot be made or written.
    pub fn new(
        preset: Preset,
        only: Option<&str>,
        folder: &Path,
        hardware: Hardware,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        let wanted = |figure: &&Figure| only.is_none_or(|id| id == figure.id);
        let figures: Vec<&Figure> = FIGURES.iter().filter(wanted).collect();
        if figures.is_empty() {
            return Err(Error::UnknownFigure {
                name: only.unwrap_or_default().to_owned(),
                known: FIGURES.iter().map(|figure| figure.id).collect::<Vec<_>>().join(", "),
            });
        }
        create_folder(folder)?;
        let _lock = Lock::take(folder)?;
        let root = folder.join("runs");
        let mut plan = Vec::new();
        for (series, spec) in preset.runs() {
            plan.push(Planned { series, run: Run::open(&root, spec, hardware)? });
        }
        let threads = provenance.threads.max(1);
        Ok(Self { preset, figures, plan, folder: folder.to_owned(), threads, provenance, _lock })
    }

    /// Trains what is missing, measures, draws, judges. Files go to the folder: `{id}.csv`, `.svg`,
    /// `.png`, `.pdf` for each figure, `verdicts.json`, and `index.html` with all of it.
    ///
    /// # Errors
    /// [`tau_runs::Error::Interrupted`] once `stop` is set; whatever training, estimators, drawing and files
    /// meet. What was trained is kept.
    pub fn run(&self, stop: &AtomicBool, watcher: &mut dyn Watcher) -> Result<Report, Error> {
        let started = Instant::now();
        let runs: Vec<&Run> = self.plan.iter().map(|planned| &planned.run).collect();
        let forecast = Forecast::of(&runs, self.threads, 0.6)?;
        watcher.planned(&self.plan, &forecast);
        {
            let progress: Mutex<&mut dyn Progress> = Mutex::new(&mut *watcher);
            let crew = Crew {
                threads: self.threads,
                jobs: forecast.jobs,
                provenance: &self.provenance,
                every: Every::default(),
                stop,
            };
            // A run that diverged is a result; a figure without the others would be another figure.
            let result =
                |error: &tau_runs::Error| matches!(error, tau_runs::Error::Diverged { .. });
            for ended in crew.train(&runs, &progress)? {
                if let Err(error) = ended
                    && !result(&error)
                {
                    return Err(error.into());
                }
            }
        }
        watcher.measuring();
        let mut needs: Vec<Need> = self.figures.iter().flat_map(|f| f.needs).copied().collect();
        needs.dedup();
        let networks = {
            let watcher = Mutex::new(&mut *watcher);
            let done = |what: &str| {
                watcher.lock().unwrap_or_else(std::sync::PoisonError::into_inner).measured(what);
            };
            gather(&self.preset, &self.plan, &needs, self.threads, stop, &done)?
        };
        for figure in &self.figures {
            let table = Table::new(figure.rows(&networks, &self.preset, &self.provenance))?;
            let drawing = tau_figures::draw(&tau_figures::declaration(figure.id)?, &table)?;
            let files = [
                ("csv", table.to_csv()?.into_bytes()),
                ("svg", drawing.svg.into_bytes()),
                ("pdf", drawing.pdf),
                ("png", drawing.png),
            ];
            for (extension, bytes) in files {
                let path = self.folder.join(format!("{}.{extension}", figure.id));
                if extension == "csv" {
                    write_table(&path, &bytes)?;
                } else {
                    write_atomically(&path, &bytes)?;
                }
                if extension == "png" {
                    watcher.written(&path);
                }
            }
        }
        let ids: Vec<&str> = self.figures.iter().map(|figure| figure.id).collect();
        let wall_s = started.elapsed().as_secs_f64();
        let mut report = Report::new(&self.preset, &self.provenance, wall_s, &ids, &networks);
        let path = self.folder.join("verdicts.json");
        report.keep_others(&path)?;
        write_atomically(&path, &serde_json::to_vec_pretty(&report)?)?;
        watcher.written(&path);
        watcher.written(&page::write(&self.folder, &self.preset, &report, &ids)?);
        Ok(report)
    }
}
