//! One call reproduces the paper's central figures: plan, train, measure, judge, draw.
//!
//! A [`Preset`] says which networks are trained and how they are measured; networks trained once
//! serve every figure and every later call. A figure is a table (here) and a drawing
//! (`tau-figures`); a [`claims::Claim`] is a conjunction of effects over networks with intervals.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use tau_reproduce::{Preset, Reproduction, Which};
//! use tau_rnn::Hardware;
//! use tau_runs::Provenance;
//!
//! let reproduction = Reproduction::new(
//!     Preset::named("laptop")?,
//!     Which::Central,
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

mod cache;
pub mod claims;
pub mod damage;
mod error;
pub mod evidence;
pub mod figures;
mod measure;
mod page;
mod preset;
mod report;
mod retrain;

use std::collections::BTreeSet;
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
pub use measure::{Measured, Measurement, ModeRow, NetworkRow, NeuronRow, Part, Told, measure};
pub use preset::{
    Compat, Condition, DamageSettings, ForgettingSettings, Preset, RetrainingSettings,
    TauNetSettings,
};
pub use report::{Judged, Report};
pub use retrain::{Retrained, RetrainedOn};

use evidence::{Need, Network, gather};
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

/// Which figures are drawn, and which claims are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// All.
    All,
    /// The central ones, which need the fewest networks.
    Central,
    /// The one of this id.
    Only(&'a str),
}

/// A reproduction at one scale, in one folder.
pub struct Reproduction {
    preset: Preset,
    figures: Vec<&'static Figure>,
    plan: Vec<Planned>,
    /// All runs of the preset, also those that no chosen figure shows: (series, folder).
    known: Vec<(String, String)>,
    folder: PathBuf,
    threads: usize,
    provenance: Provenance,
    /// Held as long as this value lives: nobody else works in the folder.
    _lock: Lock,
}

impl Reproduction {
    /// Plans it. Only networks that these figures show are trained.
    ///
    /// # Errors
    /// [`Error::UnknownFigure`]; [`tau_runs::Error::Locked`]; a folder that cannot be made or written.
    pub fn new(
        preset: Preset,
        which: Which<'_>,
        folder: &Path,
        hardware: Hardware,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        let wanted = |figure: &&Figure| match which {
            Which::All => true,
            Which::Central => figure.central,
            Which::Only(id) => id == figure.id,
        };
        let figures: Vec<&Figure> = FIGURES.iter().filter(wanted).collect();
        if let (true, Which::Only(id)) = (figures.is_empty(), which) {
            return Err(Error::UnknownFigure {
                name: id.to_owned(),
                known: FIGURES.iter().map(|figure| figure.id).collect::<Vec<_>>().join(", "),
            });
        }
        create_folder(folder)?;
        let _lock = Lock::take(folder)?;
        let root = folder.join("runs");
        let (mut plan, mut known) = (Vec::new(), Vec::new());
        for (series, spec) in preset.runs() {
            let run = Run::open(&root, spec, hardware)?;
            known.push((series.clone(), run.name()));
            if figures.iter().any(|figure| figure.shows(&series)) {
                plan.push(Planned { series, run });
            }
        }
        // Networks are the same with and without quirks (but where the quirk is in their training).
        let folder = match preset.compat {
            Compat::Clean => folder.to_owned(),
            Compat::Iclr2024 => folder.join(preset.compat.name()),
        };
        create_folder(&folder)?;
        let threads = provenance.threads.max(1);
        Ok(Self { preset, figures, plan, known, folder, threads, provenance, _lock })
    }

    /// Trains what is missing, measures, draws, judges. Files go to the folder: `{id}.csv`, `.svg`,
    /// `.png`, `.pdf` for each figure, `verdicts.json`, and `index.html` with all of it.
    ///
    /// # Errors
    /// [`tau_runs::Error::Interrupted`] once `stop` is set; whatever training, estimators, drawing and files
    /// meet. What was trained is kept.
    pub fn run(&self, stop: &AtomicBool, watcher: &mut dyn Watcher) -> Result<Report, Error> {
        let started = Instant::now();
        self.train(stop, watcher)?;
        watcher.measuring();
        let needs = |series: &str, need: Need| {
            self.figures.iter().any(|figure| figure.shows(series) && figure.needs.contains(&need))
        };
        let networks = {
            let watcher = Mutex::new(&mut *watcher);
            let done = |what: &str| {
                watcher.lock().unwrap_or_else(std::sync::PoisonError::into_inner).measured(what);
            };
            gather(&self.preset, &self.plan, &needs, self.threads, stop, &done)?
        };
        for figure in &self.figures {
            self.draw(figure, &networks, watcher)?;
        }
        let wall_s = started.elapsed().as_secs_f64();
        let mut report =
            Report::new(&self.preset, &self.provenance, wall_s, &self.figures, &networks);
        let path = self.folder.join("verdicts.json");
        report.keep_others(&path, &self.known)?;
        write_atomically(&path, &serde_json::to_vec_pretty(&report)?)?;
        watcher.written(&path);
        let drawn: Vec<&str> = self.figures.iter().map(|figure| figure.id).collect();
        watcher.written(&page::write(&self.folder, &self.preset, &report, &drawn)?);
        Ok(report)
    }

    fn train(&self, stop: &AtomicBool, watcher: &mut dyn Watcher) -> Result<(), Error> {
        // Two conditions may be the same run: with quirks, τ "fixed" at 1 and trained τ.
        let mut seen = BTreeSet::new();
        let mut plan = self.plan.clone();
        plan.retain(|planned| seen.insert(planned.run.name()));
        let runs: Vec<&Run> = plan.iter().map(|planned| &planned.run).collect();
        let forecast = Forecast::of(&runs, self.threads, 0.6)?;
        watcher.planned(&plan, &forecast);
        let progress: Mutex<&mut dyn Progress> = Mutex::new(watcher);
        let crew = Crew {
            threads: self.threads,
            jobs: forecast.jobs,
            provenance: &self.provenance,
            every: Every::default(),
            stop,
        };
        // A run that diverged is a result; a figure without the others would be another figure.
        let result = |error: &tau_runs::Error| matches!(error, tau_runs::Error::Diverged { .. });
        for ended in crew.train(&runs, &progress)? {
            if let Err(error) = ended
                && !result(&error)
            {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn draw(
        &self,
        figure: &Figure,
        networks: &[Network],
        watcher: &mut dyn Watcher,
    ) -> Result<(), Error> {
        let table = Table::new(figure.rows(networks, &self.preset, &self.provenance))?;
        let drawing = tau_figures::draw(&tau_figures::declaration(figure.id)?, &table)?;
        let path = |extension: &str| self.folder.join(format!("{}.{extension}", figure.id));
        write_table(&path("csv"), table.to_csv()?.as_bytes())?;
        write_atomically(&path("svg"), drawing.svg.as_bytes())?;
        write_atomically(&path("pdf"), &drawing.pdf)?;
        write_atomically(&path("png"), &drawing.png)?;
        watcher.written(&path("png"));
        Ok(())
    }
}
