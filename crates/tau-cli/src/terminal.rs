//! What a person sees: bars on a terminal, lines in a log.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tau_analysis::Verdict;
use tau_curricula::{EpochReport, Outcome, Position};
use tau_reproduce::{Forecast, Planned, Progress, Report, Watcher};

use crate::eta::{Pace, all_left_s, duration};

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
        let left = left.map_or_else(String::new, |left| format!(", about {} left", duration(left)));
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
}

impl Progress for Terminal {
    fn updated(&mut self, index: usize, position: &Position, fraction: f64) {
        let pace = &self.paces[index];
        let left =
            pace.left_s().map_or_else(String::new, |s| format!(", about {} left", duration(s)));
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
                "{} {}: solved N = {} in epoch {} (this run: about {} left)",
                self.clock(),
                self.names[index],
                report.stage.n_max(),
                report.epoch,
                duration(left)
            ));
        }
    }

    fn run_ended(&mut self, index: usize, outcome: Result<Outcome, String>) {
        let ended_before = self.paces[index].ended();
        if matches!(outcome, Ok(Outcome::Finished | Outcome::OutOfEpochs)) {
            self.paces[index].end();
            self.ended += 1;
        }
        if let Some(bar) = self.running.remove(&index) {
            bar.finish_and_clear();
        }
        let epochs = self.paces[index].epochs();
        let how = match outcome {
            Ok(Outcome::Stopped) => {
                self.say(&format!("{}: stopped after epoch {epochs}", self.names[index]));
                return;
            }
            Ok(_) if ended_before || epochs == 0 => "was trained before".to_owned(),
            Ok(Outcome::Finished) => format!("solved everything in {epochs} epochs"),
            Ok(Outcome::OutOfEpochs) => format!("used its {epochs} epochs"),
            Err(error) => format!("FAILED: {error}"),
        };
        self.say(&format!("{} {}: {how}", self.clock(), self.names[index]));
    }
}

impl Watcher for Terminal {
    fn planned(&mut self, plan: &[Planned], forecast: &Forecast) {
        self.names = plan
            .iter()
            .map(|planned| format!("{} seed {}", planned.series, planned.run.spec().seed))
            .collect();
        // A status that cannot be read is the training's to report.
        let pace = |planned: &Planned| {
            Pace::new(planned.run.spec(), planned.run.status().ok().flatten().as_ref())
        };
        self.paces = plan.iter().map(pace).collect();
        let neurons = plan.first().map_or(0, |planned| planned.run.spec().network.hidden_size);
        self.say(&self.title);
        self.say(&format!(
            "{} networks of {neurons} neurons on {} threads; about {} of training and {} MB of \
             memory; Ctrl-C keeps what is done",
            plan.len(),
            self.threads,
            duration(forecast.about_s.max(1.0)),
            forecast.memory_bytes.div_ceil(1_000_000)
        ));
        let begun = self.paces.iter().filter(|pace| pace.epochs() > 0 && !pace.ended()).count();
        let ended = self.paces.iter().filter(|pace| pace.ended()).count();
        if begun + ended > 0 {
            let new = plan.len() - begun - ended;
            self.say(&format!("goes on: {ended} trained before, {begun} begun, {new} new"));
        }
    }

    fn measuring(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
        self.say("measuring timescales and forgetting");
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
    for claim in &report.claims {
        let verdict = match claim.verdict {
            Verdict::Supported => "SUPPORTED",
            Verdict::Contradicted => "CONTRADICTED",
            Verdict::Undecidable => "not decidable at this scale",
        };
        writeln!(out, "claim {}: {}", claim.id, claim.title)?;
        writeln!(out, "  {verdict} (figure {})", claim.figure)?;
        for part in &claim.parts {
            writeln!(out, "  {:>24}  {}", estimate(part), part.title)?;
            if part.left_out > 0 {
                let (left_out, all) = (part.left_out, part.networks + part.left_out);
                writeln!(out, "{:>28}{left_out} of {all} networks solved too few N for it", "")?;
            }
        }
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

/// `+0.031 [+0.012, +0.050]`, or what is known of it.
fn estimate(part: &tau_reproduce::claims::Part) -> String {
    match (part.effect, part.interval) {
        (Some(effect), Some([low, high])) => format!("{effect:+.3} [{low:+.3}, {high:+.3}]"),
        (Some(effect), None) => format!("{effect:+.3} [one network]"),
        (None, _) => "not measured".to_owned(),
    }
}
