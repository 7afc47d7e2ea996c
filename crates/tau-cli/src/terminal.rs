//! What a person sees: bars on a terminal, lines in a log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tau_analysis::Verdict;
use tau_curricula::{EpochReport, Outcome, Position};
use tau_reproduce::{EXCHANGES, Judged, Part, Planned, Report, Watcher};
use tau_runs::{Error, Forecast, Progress, Run};

use crate::eta::{Pace, about, all_left_s, duration};

/// Shows a reproduction.
pub(crate) struct Terminal {
    title: String,
    threads: usize,
    started: Instant,
    names: Vec<String>,
    paces: Vec<Pace>,
    ended: usize,
    bars: MultiProgress,
    /// One bar for each run in flight, if someone watches.
    running: BTreeMap<usize, ProgressBar>,
    interactive: bool,
}

impl Terminal {
    pub(crate) fn new(title: &str, threads: usize) -> Self {
        Self {
            title: title.to_owned(),
            threads,
            started: Instant::now(),
            names: Vec::new(),
            paces: Vec::new(),
            ended: 0,
            bars: MultiProgress::new(),
            running: BTreeMap::new(),
            interactive: std::io::stderr().is_terminal(),
        }
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        if self.interactive {
            // A terminal that went away must not stop the training.
            let _ = self.bars.println(line);
        } else {
            say_plainly(line);
        }
    }

    fn clock(&self) -> String {
        let left = all_left_s(&self.paces, self.threads.min(self.paces.len()));
        let left = left.map_or_else(String::new, |left| format!(", {} left", about(left)));
        format!(
            "[{}, {} of {} runs{left}]",
            duration(self.started.elapsed().as_secs_f64()),
            self.ended,
            self.paces.len()
        )
    }

    fn bar(&mut self, index: usize) -> Option<&ProgressBar> {
        if !self.interactive {
            return None;
        }
        Some(self.running.entry(index).or_insert_with(|| {
            let template = "  {prefix:22} {bar:12} {wide_msg}";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = self.bars.add(ProgressBar::new(1000).with_style(style));
            bar.set_prefix(self.names[index].clone());
            bar
        }))
    }

    /// Says what will be trained, run by run with the names that it has here.
    pub(crate) fn begin(&mut self, runs: &[&Run], names: Vec<String>, forecast: &Forecast) {
        self.names = names;
        // A status that cannot be read is the training's to report.
        let pace = |run: &&Run| Pace::new(run.spec(), run.status().ok().flatten().as_ref());
        self.paces = runs.iter().map(pace).collect();
        self.ended = self.paces.iter().filter(|pace| pace.ended()).count();
        let begun = self.paces.iter().filter(|pace| pace.epochs() > 0 && !pace.ended()).count();
        let new = runs.len() - begun - self.ended;
        self.say(&self.title);
        let sizes: BTreeSet<usize> = runs.iter().map(|r| r.spec().network.hidden_size).collect();
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let networks = if runs.len() == 1 { "network" } else { "networks" };
        let mut what = format!("{} {networks} of {} neurons", runs.len(), sizes.join(", "));
        if begun + self.ended > 0 {
            what = format!("{what}: {} trained before, {begun} begun, {new} new", self.ended);
        }
        if begun + new > 0 {
            what = format!(
                "{what}; {} on {} {}; {} if all epochs are used, {} MB of memory; Ctrl-C keeps what is done",
                match forecast.jobs {
                    _ if runs.len() == 1 => "trained".to_owned(),
                    1 => "one after the other".to_owned(),
                    jobs => format!("{jobs} side by side"),
                },
                self.threads,
                if self.threads == 1 { "thread" } else { "threads" },
                about(forecast.about_s),
                forecast.memory_bytes.div_ceil(1_000_000)
            );
        }
        self.say(&what);
    }
}

impl Progress for Terminal {
    fn updated(&mut self, index: usize, position: &Position, fraction: f64) {
        let pace = &self.paces[index];
        let left = pace.left_s().map_or_else(String::new, |left| format!(", {} left", about(left)));
        let learning = position.stage.as_ref().map_or(0, tau_curricula::Stage::n_max);
        let message = format!("epoch {}, learning N = {learning}{left}", position.epochs + 1);
        if let Some(bar) = self.bar(index) {
            bar.set_position((fraction * 1000.0) as u64);
            bar.set_message(message);
        }
    }

    fn epoch_ended(&mut self, index: usize, report: &EpochReport, wall_s: f64) {
        self.paces[index].epoch_ended(report, wall_s);
        if report.solved {
            let left = self.paces[index].left_s().unwrap_or(0.0);
            self.say(&format!(
                "{} {}: solved N = {} in epoch {} (this run: {} left)",
                self.clock(),
                self.names[index],
                report.stage.n_max(),
                report.epoch,
                about(left)
            ));
        }
    }

    fn run_ended(&mut self, index: usize, outcome: Result<Outcome, &Error>) {
        let ended_before = self.paces[index].ended();
        if matches!(outcome, Ok(Outcome::Finished | Outcome::OutOfEpochs)) && !ended_before {
            self.paces[index].end();
            self.ended += 1;
        }
        if let Some(bar) = self.running.remove(&index) {
            bar.finish_and_clear();
        }
        let epochs = self.paces[index].epochs();
        let how = match outcome {
            Ok(Outcome::Stopped) => {
                self.say(&format!("{}: kept in epoch {}", self.names[index], epochs + 1));
                return;
            }
            Ok(_) if ended_before || epochs == 0 => return,
            Ok(Outcome::Finished) => format!("solved everything in {epochs} epochs"),
            Ok(Outcome::OutOfEpochs) => format!("used its {epochs} epochs"),
            // Not a fault: another process has it.
            Err(error @ Error::Locked { .. }) => error.to_string(),
            Err(error) => format!("FAILED: {error}"),
        };
        self.say(&format!("{} {}: {how}", self.clock(), self.names[index]));
    }
}

impl Watcher for Terminal {
    fn planned(&mut self, plan: &[Planned], forecast: &Forecast) {
        let name =
            |planned: &Planned| format!("{} seed {}", planned.condition, planned.run.spec().seed);
        let names = plan.iter().map(name).collect();
        let runs: Vec<&Run> = plan.iter().map(|planned| &planned.run).collect();
        self.begin(&runs, names, forecast);
    }

    fn measuring(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
        self.say("measuring the networks");
        if self.interactive {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.enable_steady_tick(Duration::from_millis(200));
            self.running.insert(0, bar);
        }
    }

    fn measured(&mut self, what: &str) {
        if let Some(bar) = self.running.get(&0) {
            bar.set_message(what.to_owned());
        }
    }

    fn written(&mut self, path: &Path) {
        if let Some(bar) = self.running.remove(&0) {
            bar.finish_and_clear();
        }
        self.say(&format!("wrote {}", path.display()));
    }
}

/// A line on standard error; if nobody reads there, the work goes on all the same.
pub(crate) fn say_plainly(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The verdicts as a table on standard output.
pub(crate) fn print_report(report: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out)?;
    for claim in report.claims.iter().filter(|claim| !claim.kept) {
        let verdict = words(claim.verdict);
        writeln!(out, "claim {}: {}", claim.id, claim.title)?;
        writeln!(out, "  {verdict} (figure {})", claim.figure)?;
        if let Some(share) = claim.placebo.filter(|_| claim.verdict == Verdict::Supported) {
            let percent = 100.0 * share;
            writeln!(
                out,
                "  (with conditions exchanged at random: in {percent:.1} % of {EXCHANGES})"
            )?;
        }
        for part in &claim.parts {
            writeln!(out, "  {:>24}  {}", estimate(part), part.title)?;
            if part.left_out > 0 {
                let (left_out, all) = (part.left_out, part.networks + part.left_out);
                writeln!(out, "{:>28}{left_out} of {all} networks have no value for it", "")?;
            }
        }
    }
    let kept = report.claims.iter().filter(|claim| claim.kept).count();
    if kept > 0 {
        writeln!(out, "{kept} verdicts of earlier calls are kept in verdicts.json and index.html")?;
    }
    for run in &report.diverged {
        writeln!(out, "warning: {run} diverged and counts in no claim")?;
    }
    writeln!(
        out,
        "preset {}, commit {}, {}, {}",
        report.preset,
        report.commit,
        report.device,
        duration(report.wall_s)
    )?;
    out.flush()
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "SUPPORTED",
        Verdict::Contradicted => "CONTRADICTED",
        Verdict::Undecidable => "not decidable at this scale",
    }
}

/// The verdicts that change with the quirks of a publication, of those that both reports have.
pub(crate) fn print_changes(clean: &Report, compat: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let name = &compat.compat;
    let changed: Vec<(&Judged, &Judged)> = compat.changed_from(clean).collect();
    let has = |claim: &&Judged| clean.claims.iter().any(|other| other.id == claim.id);
    let both = compat.claims.iter().filter(has).count();
    let changes = if changed.len() == 1 { "changes" } else { "change" };
    let changed_count = changed.len();
    writeln!(out, "{changed_count} of {both} verdicts {changes} with the {name} quirks")?;
    for (clean, compat) in changed {
        let (before, after) = (words(clean.verdict), words(compat.verdict));
        writeln!(out, "  claim {:>2}: {before} -> {after}", clean.id)?;
    }
    out.flush()
}

/// `+0.031 [+0.012, +0.050]`, or what is known of it.
fn estimate(part: &Part) -> String {
    match (part.effect, part.interval) {
        (Some(effect), Some([low, high])) => format!("{effect:+.3} [{low:+.3}, {high:+.3}]"),
        (Some(effect), None) => format!("{effect:+.3} [too few networks]"),
        (None, _) => "not measured".to_owned(),
    }
}
