//! What a person sees: bars on a terminal, lines in a log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tau_runs::{Error, Event, Forecast, Run};
use tau_training::{EpochReport, Outcome, Position};

use crate::eta::{Pace, about, all_left_s, duration};
use crate::output::size;

/// From one line about a run's epochs to the next.
const EPOCH_LINES: Duration = Duration::from_secs(10);

/// Shows what happens.
pub(crate) struct Terminal {
    title: String,
    threads: usize,
    started: Instant,
    names: Vec<String>,
    paces: Vec<Pace>,
    /// What the last epoch of each run came to, in a few words.
    losses: Vec<String>,
    /// When something was last said of the epochs of each run.
    told: Vec<Option<Instant>>,
    ended: usize,
    bars: MultiProgress,
    /// One bar for each run in flight, if someone watches.
    running: BTreeMap<usize, ProgressBar>,
    interactive: bool,
}

impl Terminal {
    pub(crate) fn new(title: &str, threads: usize) -> Self {
        // A dumb terminal, as in an editor, has no bars.
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            title: title.to_owned(),
            threads,
            started: Instant::now(),
            names: Vec::new(),
            paces: Vec::new(),
            losses: Vec::new(),
            told: Vec::new(),
            ended: 0,
            bars: MultiProgress::new(),
            running: BTreeMap::new(),
            interactive: std::io::stderr().is_terminal() && !dumb,
        }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        match *event {
            Event::Planned { runs, names, forecast } => self.begin(runs, names.to_vec(), forecast),
            Event::Updated { run, position, updates } => self.updated(run, position, updates),
            Event::EpochEnded { run, report, wall_s } => self.epoch_ended(run, report, wall_s),
            Event::RunEnded { run, outcome } => self.run_ended(run, outcome),
            Event::Measuring => self.measuring(),
            Event::Measured { what } => {
                if let Some(bar) = self.running.get(&0) {
                    bar.set_message(what.to_owned());
                }
            }
            Event::Written { path } => {
                if let Some(bar) = self.running.remove(&0) {
                    bar.finish_and_clear();
                }
                self.say(&format!("wrote {}", path.display()));
            }
            _ => {}
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
        let left = left.filter(|_| self.ended < self.paces.len());
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
        self.losses = vec![String::new(); runs.len()];
        self.told = vec![None; runs.len()];
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
            what = format!("{what}; {}; Ctrl-C keeps what is done", self.needs(runs, forecast));
        }
        self.say(&what);
    }

    /// How it will be trained, and what that takes.
    fn needs(&self, runs: &[&Run], forecast: &Forecast) -> String {
        let how = match forecast.jobs {
            _ if runs.len() == 1 => "trained".to_owned(),
            1 => "one after the other".to_owned(),
            jobs => format!("{jobs} side by side"),
        };
        format!(
            "{how} on {} {}; {} if all epochs are used, {} of memory",
            self.threads,
            if self.threads == 1 { "thread" } else { "threads" },
            about(forecast.about_s),
            size(forecast.memory_bytes as u64)
        )
    }

    fn updated(&mut self, index: usize, position: &Position, updates: usize) {
        let left = self.paces[index].left_s();
        let left = left.map_or_else(String::new, |left| format!(", {} left", about(left)));
        let n = position.stage.as_ref().and_then(tau_curricula::Stage::n_max);
        let learning =
            n.map_or_else(|| self.losses[index].clone(), |n| format!(", learning N = {n}"));
        let message = format!("epoch {}{learning}{left}", position.epochs + 1);
        let fraction = position.update as f64 / updates.max(1) as f64;
        if let Some(bar) = self.bar(index) {
            bar.set_position((fraction * 1000.0) as u64);
            bar.set_message(message);
        }
    }

    fn epoch_ended(&mut self, index: usize, report: &EpochReport, wall_s: f64) {
        self.paces[index].epoch_ended(report, wall_s);
        let loss = loss(report);
        self.losses[index] = format!(", {loss}");
        let epoch = report.epoch;
        let what = match report.stage.n_max() {
            Some(n) if report.solved => format!("solved N = {n} in epoch {epoch}"),
            // Only what is solved is worth a line: ladders are long.
            Some(_) => return,
            None if report.solved => format!("solved in epoch {epoch}: {loss}"),
            None if self.is_due(index, report) => format!("epoch {epoch}: {loss}"),
            None => return,
        };
        self.told[index] = Some(Instant::now());
        let mut line = format!("{} {}: {what}", self.clock(), self.names[index]);
        if self.paces.len() > 1 {
            let left = self.paces[index].left_s().unwrap_or(0.0);
            line = format!("{line} (this run: {} left)", about(left));
        }
        self.say(&line);
    }

    /// Whether an epoch of a task without N gets a line: the first, those that are kept, and one every
    /// few seconds.
    fn is_due(&self, index: usize, report: &EpochReport) -> bool {
        let told = self.told[index];
        !report.milestones.is_empty() || told.is_none_or(|told| told.elapsed() >= EPOCH_LINES)
    }

    fn run_ended(&mut self, index: usize, outcome: Result<Outcome, &Error>) {
        let ended_before = self.paces[index].ended();
        if outcome.is_ok() && !ended_before {
            self.paces[index].end();
            self.ended += 1;
        }
        if let Some(bar) = self.running.remove(&index) {
            bar.finish_and_clear();
        }
        let epochs = self.paces[index].epochs();
        let how = match outcome {
            Ok(_) if ended_before || epochs == 0 => return,
            Ok(Outcome::Finished) => format!("solved everything in {epochs} epochs"),
            Ok(Outcome::OutOfEpochs) => format!("used its {epochs} epochs"),
            Err(error) if error.is_interrupted() => {
                self.say(&format!("{}: kept in epoch {}", self.names[index], epochs + 1));
                return;
            }
            // Not a fault: another process has it.
            Err(error) if error.is_locked() => error.to_string(),
            Err(error) => format!("FAILED: {error}"),
        };
        self.say(&format!("{} {}: {how}", self.clock(), self.names[index]));
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
}

/// `loss 0.0041 (held out 0.0043)`, as far as it was measured.
pub(crate) fn loss(report: &EpochReport) -> String {
    let held_out = report.heads.iter().map(|head| head.loss).sum::<f64>();
    let held_out = Some(held_out).filter(|_| !report.heads.is_empty());
    loss_words(report.training_loss, held_out)
}

/// The words for a training loss and a held-out loss.
pub(crate) fn loss_words(training: Option<f64>, held_out: Option<f64>) -> String {
    let number =
        |loss: f64| if loss < 0.001 { format!("{loss:.2e}") } else { format!("{loss:.4}") };
    let training = training.map_or("not measured".to_owned(), number);
    match held_out {
        Some(held_out) => format!("loss {training} (held out {})", number(held_out)),
        None => format!("loss {training}"),
    }
}

/// A line on standard error; if nobody reads there, the work goes on all the same.
pub(crate) fn say_plainly(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_short() {
        assert_eq!(loss_words(Some(0.00412), Some(0.00434)), "loss 0.0041 (held out 0.0043)");
        assert_eq!(loss_words(Some(0.000_041), None), "loss 4.10e-5");
        assert_eq!(loss_words(None, None), "loss not measured");
    }
}
