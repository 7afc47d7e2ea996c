//! One call: plan, train, measure, judge, draw, report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use tau_figures::Table;
use tau_rnn::Hardware;
use tau_runs::queue::lock;
use tau_runs::{
    Crew, Event, Every, Forecast, Lock, Provenance, Run, Sink, StopToken, create_folder,
    write_atomically, write_table,
};

use crate::figure::Ready;
use crate::gather::Gathering;
use crate::network::missed;
use crate::report::Known;
use crate::{Claim, Compat, Error, Facets, Loaded, Need, Network, Preset, Report, page};

/// The file of the verdicts in the folder for results.
const VERDICTS: &str = "verdicts.json";
/// Seconds that the forecast may take.
const FORECAST_S: f64 = 0.6;

/// A run of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Name of its condition.
    pub condition: String,
    /// What its network is.
    pub facets: Facets,
    /// Its place among the networks of its condition, from 0.
    pub place: usize,
    /// The run itself.
    pub run: Run,
}

/// Which figures are drawn, and with them which claims are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// All.
    All,
    /// The central ones, which need the fewest networks.
    Central,
    /// The one of this id.
    Only(&'a str),
}

/// A reproduction of one paper at one scale, in one folder.
pub struct Reproduction<'a> {
    loaded: &'a Loaded,
    preset: Preset,
    figures: Vec<&'a Ready>,
    claims: Vec<&'static Claim>,
    plan: Vec<Planned>,
    /// All runs of the preset, also those that no chosen figure or claim needs.
    known: Vec<Known>,
    folder: PathBuf,
    threads: usize,
    provenance: Provenance,
    /// Held as long as this value lives: nobody else works in the folder.
    _lock: Lock,
}

impl<'a> Reproduction<'a> {
    /// Plans it. Only networks that the chosen figures and claims need are trained.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a figure; a folder that another process works in, or that
    /// cannot be made or written.
    pub fn new(
        loaded: &'a Loaded,
        preset: Preset,
        which: Which<'_>,
        folder: &Path,
        hardware: Hardware,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        let figures = chosen(loaded, which)?;
        let drawn = |claim: &&Claim| figures.iter().any(|ready| ready.figure.id == claim.figure);
        let claims: Vec<&'static Claim> = loaded.paper().claims.iter().filter(drawn).collect();
        create_folder(folder)?;
        let _lock = Lock::take(folder)?;
        let root = folder.join("runs");
        let (mut plan, mut known) = (Vec::new(), Vec::new());
        for (condition, place, spec) in preset.runs() {
            let run = Run::open(&root, spec, hardware)?;
            let (condition, facets) = (condition.name.clone(), condition.facets.clone());
            let needed = figures.iter().any(|ready| ready.figure.shows(&facets))
                || claims.iter().any(|claim| claim.is_about(&facets));
            known.push(Known {
                condition: condition.clone(),
                facets: facets.clone(),
                folder: run.name(),
            });
            if needed {
                plan.push(Planned { condition, facets, place, run });
            }
        }
        // Networks are the same with and without quirks (but where the quirk is in their training).
        let folder = match preset.compat {
            Compat::CLEAN => folder.to_owned(),
            compat => folder.join(compat.name()),
        };
        create_folder(&folder)?;
        // What a newer program wrote is not replaced, which is said before anything is trained.
        Report::read(&folder.join(VERDICTS))?;
        let threads = provenance.threads.max(1);
        Ok(Self {
            loaded,
            preset,
            figures,
            claims,
            plan,
            known,
            folder,
            threads,
            provenance,
            _lock,
        })
    }

    /// Trains what is missing, measures, draws, judges. Files go to the folder: `{id}.csv`, `.svg`,
    /// `.png`, `.pdf` for each figure, `verdicts.json`, and `index.html` with all of it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once `stop` is set; whatever training, estimators, drawing and files meet.
    /// What was trained is kept.
    pub fn run(&self, stop: &StopToken, sink: &mut Sink<'_>) -> Result<Report, Error> {
        let started = Instant::now();
        self.train(stop, sink)?;
        sink(&Event::Measuring);
        let networks = self.measure(stop, sink)?;
        for figure in &self.figures {
            let path = self.draw(figure, &networks)?;
            sink(&Event::Written { path: &path });
        }
        let wall_s = started.elapsed().as_secs_f64();
        let (paper, preset) = (self.loaded.paper(), &self.preset);
        let mut report =
            Report::new(paper, preset, &self.provenance, wall_s, &self.claims, &networks)?;
        let asked = missed(&networks);
        if !asked.is_empty() {
            let reason = "a figure or a claim asks for what it does not say that it needs";
            return Err(Error::Paper(format!("paper {}: {reason}: {asked:?}", paper.id)));
        }
        let path = self.folder.join(VERDICTS);
        report.keep_others(&path, paper, &self.known)?;
        write_atomically(&path, &serde_json::to_vec_pretty(&report)?)?;
        sink(&Event::Written { path: &path });
        let drawn: Vec<&str> = self.figures.iter().map(|ready| ready.figure.id).collect();
        let path = page::write(&self.folder, self.loaded, preset, &report, &drawn)?;
        sink(&Event::Written { path: &path });
        Ok(report)
    }

    fn train(&self, stop: &StopToken, sink: &mut Sink<'_>) -> Result<(), Error> {
        // Two conditions may be the same run: what a quirk makes equal.
        let mut seen = BTreeSet::new();
        let mut plan = self.plan.clone();
        plan.retain(|planned| seen.insert(planned.run.name()));
        let runs: Vec<&Run> = plan.iter().map(|planned| &planned.run).collect();
        let forecast = Forecast::of(&runs, self.threads, FORECAST_S)?;
        let name =
            |planned: &Planned| format!("{} seed {}", planned.condition, planned.run.spec().seed);
        let names: Vec<String> = plan.iter().map(name).collect();
        sink(&Event::Planned { runs: &runs, names: &names, forecast: &forecast });
        let crew = Crew {
            threads: self.threads,
            jobs: forecast.jobs,
            provenance: &self.provenance,
            every: Every::default(),
            stop,
        };
        // A run that diverged is a result; a figure without the others would be another figure.
        for ended in crew.train(&runs, sink)? {
            if let Err(error) = ended
                && !error.is_diverged()
            {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn measure(&self, stop: &StopToken, sink: &mut Sink<'_>) -> Result<Vec<Network>, Error> {
        let sink = Mutex::new(sink);
        let gathering = Gathering {
            preset: &self.preset,
            measurements: self.loaded.paper().measurements,
            needed: &|network, need| self.needs(network, need),
            threads: self.threads,
            stop: stop.flag(),
            done: &|what| lock(&sink)(&Event::Measured { what }),
        };
        gathering.networks(&self.plan)
    }

    /// Whether some chosen figure or claim needs this of this network.
    fn needs(&self, network: &Network, need: &Need) -> bool {
        let facets = &network.facets;
        let figures = self.figures.iter().map(|ready| ready.figure);
        figures.clone().any(|figure| figure.needs.contains(need) && figure.shows(facets))
            || self.claims.iter().any(|claim| claim.needs.contains(need) && claim.is_about(facets))
    }

    /// Draws a figure; the file to look at.
    fn draw(&self, ready: &Ready, networks: &[Network]) -> Result<PathBuf, Error> {
        let table = Table::new(ready.rows(networks, &self.preset, &self.provenance))?;
        let drawing = tau_figures::draw(&ready.declaration, &table)?;
        let path = |extension: &str| self.folder.join(format!("{}.{extension}", ready.figure.id));
        write_table(&path("csv"), table.to_csv()?.as_bytes())?;
        write_atomically(&path("svg"), drawing.svg.as_bytes())?;
        write_atomically(&path("pdf"), &drawing.pdf)?;
        write_atomically(&path("png"), &drawing.png)?;
        Ok(path("png"))
    }
}

/// The figures that were asked for.
fn chosen<'a>(loaded: &'a Loaded, which: Which<'_>) -> Result<Vec<&'a Ready>, Error> {
    let wanted = |ready: &&Ready| match which {
        Which::All => true,
        Which::Central => ready.figure.central,
        Which::Only(id) => id == ready.figure.id,
    };
    let figures: Vec<&Ready> = loaded.figures().iter().filter(wanted).collect();
    match which {
        Which::Only(id) if figures.is_empty() => {
            let known = loaded.figures().iter().map(|ready| ready.figure.id);
            Err(Error::unknown("figure", id, known))
        }
        _ => Ok(figures),
    }
}
