//! `tau measure`: the networks of one run, neuron by neuron.

mod progress;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use tau_analysis::Subject;
use tau_analysis::portrait::{NetworkRow, Part, Portrait, PortraitConfig, State, Told};
use tau_rnn::{Checkpoint, thread_pool};
use tau_runs::{Lock, MetricsRow, Reached, Run, create_folder};
use tau_tasks::TaskSpec;
use tau_training::Milestone;

use crate::output::say;
use crate::{Usage, eta, stop, terminal, threads};
use progress::Progress;
use tables::Tables;

/// Measure the networks of a run: timescales, importance and wiring of every neuron, dynamics.
///
/// Each network that the run kept is driven by random input of its task, and timescales, principal
/// components, eigenvalues, Lyapunov exponents and what is lost without each neuron are measured. Writes
/// tables into measures/ in the run's folder: neurons.csv (a row for each network and neuron),
/// networks.csv (a row for each network) and spectrum.csv (a row for each network and eigenvalue);
/// docs/files.md names their columns. Earlier measurements of different networks or parts stay there;
/// after Ctrl-C the networks that were done are there. With 500 neurons a network takes about a minute on
/// two threads, most of it for ablation (--only timescales,dynamics leaves that out); a long part says
/// after two seconds how long it will take.
#[derive(Args)]
pub(crate) struct Measure {
    /// The run's folder.
    run: PathBuf,
    /// Only these networks, by their milestones (N005, epoch-020, final) [default: one for each solved N,
    /// or all of a run without N].
    #[arg(long, value_name = "MILESTONE", value_delimiter = ',')]
    at: Vec<String>,
    /// Only the networks that had solved these N.
    #[arg(long, value_name = "N", value_delimiter = ',', conflicts_with = "at")]
    n: Vec<usize>,
    /// Only these parts [default: all].
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<OnlyPart>,
    /// Also simulate the fit of every τ_net 100 times and say how far off it comes out: by far the longest
    /// part, in proportion to neurons, steps and trials.
    #[arg(long)]
    bias_check: bool,
    /// Steps of a trial.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u32).range(100..))]
    steps: u32,
    /// Trials; the interval of τ_net needs 5.
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Threads [default: RAYON_NUM_THREADS, or one for each processor].
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnlyPart {
    /// τ_net with its interval, and two other estimates.
    Timescales,
    /// Accuracy without each neuron.
    Ablation,
    /// Principal components, eigenvalues, Lyapunov exponents.
    Dynamics,
}

impl From<OnlyPart> for Part {
    fn from(part: OnlyPart) -> Self {
        match part {
            OnlyPart::Timescales => Self::Timescales,
            OnlyPart::Ablation => Self::Ablation,
            OnlyPart::Dynamics => Self::Dynamics,
        }
    }
}

impl Measure {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let stop = stop::when_asked()?;
        let run = Run::read(&std::path::absolute(&self.run)?)?;
        let metrics = run.metrics()?;
        let reached = run.milestones()?;
        let known: Vec<&str> = reached.iter().map(|one| one.milestone.as_str()).collect();
        let chosen = self.chosen(&run, &reached)?;
        let how = self.config(&run)?;
        let folder = run.folder().join("measures");
        create_folder(&folder)?;
        let _lock = Lock::take(&folder)?;
        let mut tables = Tables::read(&folder, &known)?;
        let pool = thread_pool(threads(self.threads)?)?;
        let begun = Instant::now();
        for (done, one) in chosen.iter().enumerate() {
            let milestone = one.milestone.as_str();
            let progress = Progress::new(milestone);
            let told = |what: &'static str, done, of| progress.told(what, done, of);
            let before = tables.of(milestone).cloned();
            let state = state(&metrics, one);
            let found = pool.install(|| measure(&run, &state, &how, before, stop.flag(), &told))?;
            tables.insert(found, &known);
            tables.write(&folder)?;
            let (done, all) = (done + 1, chosen.len());
            let left = begun.elapsed().as_secs_f64() / done as f64 * (all - done) as f64;
            let left =
                if done < all { format!("; {} left", eta::about(left)) } else { String::new() };
            terminal::say_plainly(&format!("{milestone} is measured ({done} of {all}{left})"));
        }
        let measured =
            |row: &&NetworkRow| chosen.iter().any(|one| one.milestone.as_str() == row.milestone);
        print(tables.networks().filter(measured));
        for path in Tables::paths(&folder).into_iter().filter(|path| path.exists()) {
            say!("{}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The networks that are measured, in the order of the run.
    fn chosen<'a>(&self, run: &Run, reached: &'a [Reached]) -> anyhow::Result<Vec<&'a Reached>> {
        let names: Vec<&str> = reached.iter().map(|one| one.milestone.as_str()).collect();
        let solved = self.n.iter().map(|&n| Milestone::n(n).to_string());
        let asked: Vec<String> = self.at.iter().cloned().chain(solved).collect();
        if let Some(missing) = asked.iter().find(|asked| !names.contains(&asked.as_str())) {
            let known = names.join(", ");
            return Err(Usage(format!("{missing}: the run has the networks {known}")).into());
        }
        if names.is_empty() {
            return Err(Usage(format!("{} has kept no network yet", run.name())).into());
        }
        let ladder = run.spec().task.memory().is_some();
        let all = reached.iter().any(|one| one.milestone.memory().is_some());
        let chosen = reached.iter().filter(|one| match asked.is_empty() {
            false => asked.iter().any(|asked| asked == one.milestone.as_str()),
            // What a ladder kept besides its solved N is asked for by name.
            true => !(ladder && all) || one.milestone.memory().is_some(),
        });
        Ok(chosen.collect())
    }

    fn config(&self, run: &Run) -> anyhow::Result<PortraitConfig> {
        let all = OnlyPart::value_variants();
        let parts = if self.only.is_empty() { all } else { &self.only };
        if self.bias_check && !parts.contains(&OnlyPart::Timescales) {
            let text = "--bias-check checks timescales: add them to --only, or leave it out";
            return Err(Usage(text.to_owned()).into());
        }
        Ok(PortraitConfig {
            steps: self.steps as usize,
            burn_in: 500,
            trials: self.trials as usize,
            initial_state: run.spec().initial_state,
            seed: run.spec().seed,
            parts: parts.iter().copied().map(Part::from).collect(),
            bias_check: self.bias_check,
        })
    }
}

/// The state of a milestone: the newest head in the epoch that reached it.
fn state(metrics: &[MetricsRow], reached: &Reached) -> State {
    let newest = metrics.iter().rfind(|row| row.epoch == reached.epoch);
    State {
        milestone: reached.milestone.to_string(),
        n: reached.milestone.memory(),
        accuracy: newest.and_then(|row| row.accuracy),
        loss: newest.and_then(|row| row.test_loss),
    }
}

/// Measures the network that the run kept at a milestone, on the run's device; on the processor each
/// copy on one thread.
fn measure(
    run: &Run,
    state: &State,
    how: &PortraitConfig,
    before: Option<Portrait>,
    stop: &AtomicBool,
    told: &Told<'_>,
) -> anyhow::Result<Portrait> {
    let checkpoint = run.checkpoint(&Milestone(state.milestone.clone()))?;
    let single = thread_pool(Some(1))?;
    let heads = checkpoint.params.readouts.len();
    let spec = &run.spec().task;
    // Of a ladder the newest head is asked, which is the one for the largest N.
    let (task, heads) = match newest_n(&checkpoint) {
        Some(n) => (spec.with_memory(&[n]).unwrap_or_else(|| spec.clone()), vec![heads - 1]),
        None => (spec.clone(), (0..heads).collect()),
    };
    let hardware = run.hardware().context("the run's folder does not say its device")?;
    let subject = Subject {
        config: &checkpoint.config,
        params: &checkpoint.params,
        task: &*task.build()?,
        heads: &heads,
        make: &|config, params| hardware.network(config, params, single.clone()),
    };
    Ok(how.measure(&subject, state, before, stop, told)?)
}

/// The N of a ladder's newest head, as the checkpoint names its task; `None` without N.
fn newest_n(checkpoint: &Checkpoint<f32>) -> Option<usize> {
    let task: TaskSpec = serde_json::from_str(checkpoint.metadata.get("task")?).ok()?;
    task.memory()?.last().copied()
}

fn print<'a>(networks: impl Iterator<Item = &'a NetworkRow>) {
    let line = |cells: [String; 10]| {
        let [name, accuracy, loss, tau, tau_sd, net, net_sd, trustworthy, dimensions, exponent] =
            cells;
        say!(
            "{name:>10} {accuracy:>9} {loss:>9} {tau:>8} {tau_sd:>8} {net:>8} {net_sd:>8} \
             {trustworthy:>12} {dimensions:>5} {exponent:>8}"
        );
    };
    let titles =
        ["network", "accuracy", "loss", "τ", "sd", "τ_net", "sd", "trustworthy", "dims", "λ_1"];
    line(titles.map(str::to_owned));
    let none = || "-".to_owned();
    let text = |value: Option<f64>| value.map_or_else(none, |x| format!("{x:.3}"));
    for one in networks {
        let trustworthy = one.trustworthy.map(|count| format!("{count} of {}", one.neurons));
        line([
            one.milestone.clone(),
            text(one.accuracy),
            one.loss.map_or_else(none, |x| format!("{x:.2e}")),
            text(one.tau_mean),
            text(one.tau_sd),
            text(one.tau_net_mean),
            text(one.tau_net_sd),
            trustworthy.unwrap_or_else(none),
            one.dimensionality.map_or_else(none, |count| count.to_string()),
            text(one.lyapunov_1),
        ]);
    }
}
