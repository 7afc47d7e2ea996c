//! `tau ablate` and `tau perturb`: what is left of a network under damage.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tau_analysis::{
    Ablated, Ablation, Error, Measure, Perturbation, Perturbed, Protocol, Removal, Score, Scoring,
    Subject,
};
use tau_rnn::{Checkpoint, thread_pool};

use crate::exchange::Moment;
use crate::output::say;
use crate::trained::{Opened, Trained};
use crate::{Usage, stop};

/// The network that is damaged, and how it is scored.
#[derive(Args)]
struct Target {
    #[command(flatten)]
    trained: Trained,
    #[command(flatten)]
    moment: Moment,
    /// Steps that are scored, of a task with N [default: 1000].
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Trials of a batch, of a task without N [default: 256].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=16_383))]
    trials: Option<u32>,
}

/// Silence single neurons, those with the shortest and those with the longest time constants.
///
/// Each of them alone is taken out of the network. A network for a task with N is then asked for its
/// answer at every step of a long random input; relative accuracy is 1 for the whole network and 0 at
/// chance. A network for a task without N is scored on new trials of its task; relative loss is 1 for the
/// whole network. Claim 5 of ICLR 2024: single-head networks need the neurons with long time constants,
/// multi-head networks the others.
#[derive(Args)]
pub(crate) struct Ablate {
    #[command(flatten)]
    target: Target,
    /// Neurons at each end [default: 20, or a tenth of a network of less than 200].
    #[arg(long, value_name = "K")]
    neurons: Option<usize>,
    /// As the published code does it: the biases of a neuron stay, and its columns in later heads; the
    /// whole network counts with its best trial.
    #[arg(long, value_name = "PUBLICATION")]
    compat: Option<Publication>,
}

/// Add noise to the recurrent weights or to the time constants.
///
/// The noise has epsilon times the norm of what it is added to. Claim 6 of ICLR 2024: multi-head networks
/// are the more robust ones.
#[derive(Args)]
pub(crate) struct Perturb {
    #[command(flatten)]
    target: Target,
    /// What is disturbed.
    #[arg(long, value_name = "WHAT")]
    of: What,
    /// Sizes of the noise [default: those of ICLR 2024].
    #[arg(long, value_name = "E", value_delimiter = ',')]
    epsilon: Vec<f64>,
    /// Draws of the noise, each with an input of its own.
    #[arg(long, value_name = "K", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    draws: u32,
}

/// Whose way of taking a neuron out.
#[derive(Clone, Copy, ValueEnum)]
enum Publication {
    Iclr2024,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Weights,
    Tau,
}

impl Ablate {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let opened = self.target.open()?;
        let hidden = opened.checkpoint.params.hidden_size();
        if hidden < 2 {
            let text = "ablation: the network has one neuron, and none would be left (allowed: 2 or \
                        more neurons)";
            return Err(Usage(text.to_owned()).into());
        }
        let removal = match self.compat {
            Some(Publication::Iclr2024) => Removal::WeightsAndFirstHead,
            None => Removal::Clean,
        };
        let ablation = Ablation {
            neurons: self.neurons.unwrap_or(if hidden < 200 { hidden.div_ceil(10) } else { 20 }),
            removal,
            scoring: self.target.scoring(&opened)?,
        };
        let stop = stop::when_asked()?;
        let found = self.target.with(&opened, |subject| ablation.run(subject, stop.flag()))?;
        let whole = found.baseline;
        let baseline = if self.compat.is_some() { whole.best } else { whole.mean };
        let (short, long) = found.means();
        let what = word(whole.measure);
        say!(
            "{}, whole network: {what} {:.4} (sd over trials {:.4}, best trial {:.4})",
            asked(&opened),
            whole.mean,
            whole.standard_deviation,
            whole.best
        );
        say!("{:>24} {:>10} {what:>10} {:>10}", "without", "mean τ", "relative");
        for (name, ablated, value) in [
            ("one with the shortest τ", &found.short, short),
            ("one with the longest τ", &found.long, long),
        ] {
            let tau = ablated.iter().map(|one| one.tau_raw).sum::<f64>() / ablated.len() as f64;
            let relative = shown(whole.measure.relative(value, baseline));
            say!("{name:>24} {tau:>10.4} {value:>10.4} {relative:>10}");
        }
        say!("(means over {} neurons each, one at a time)", ablation.neurons);
        let row = |end: &'static str, one: &Ablated| AblationRow {
            n: opened.n,
            end,
            neuron: one.neuron,
            tau_raw: one.tau_raw,
            measure: what,
            value: one.value,
            relative: whole.measure.relative(one.value, baseline),
        };
        let short = found.short.iter().map(|one| row("short", one));
        self.target.trained.write(short.chain(found.long.iter().map(|one| row("long", one))))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Perturb {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let opened = self.target.open()?;
        // ICLR 2024, appendix: from 10^-2 or 10^-3 to 10.
        let (perturbed, least, points) = match self.of {
            What::Weights => (Perturbed::Weights, -2.0, 10),
            What::Tau => (Perturbed::Tau, -3.0, 13),
        };
        let published = || Perturbation::logarithmic_sizes(least, 1.0, points);
        let epsilons = if self.epsilon.is_empty() { published() } else { self.epsilon.clone() };
        let perturbation = Perturbation {
            perturbed,
            epsilons,
            draws: self.draws as usize,
            scoring: Scoring { repeats: 1, ..self.target.scoring(&opened)? },
        };
        let stop = stop::when_asked()?;
        let found = self.target.with(&opened, |subject| perturbation.run(subject, stop.flag()))?;
        let what = found.first().map_or("accuracy", |one| word(one.score.measure));
        say!("{}, {} draws for each epsilon", asked(&opened), self.draws);
        say!("{:>12} {what:>10} {:>10}", "epsilon", "sd");
        for one in &found {
            let Score { mean, standard_deviation, .. } = one.score;
            say!("{:>12.6} {mean:>10.4} {standard_deviation:>10.4}", one.epsilon);
        }
        self.target.trained.write(found.iter().map(|one| PerturbationRow {
            n: opened.n,
            epsilon: one.epsilon,
            measure: what,
            value: one.score.mean,
            value_sd: one.score.standard_deviation,
            draws: self.draws,
        }))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
struct AblationRow {
    n: Option<usize>,
    end: &'static str,
    neuron: usize,
    tau_raw: f64,
    measure: &'static str,
    value: f64,
    relative: Option<f64>,
}

#[derive(Serialize)]
struct PerturbationRow {
    n: Option<usize>,
    epsilon: f64,
    measure: &'static str,
    value: f64,
    value_sd: f64,
    draws: u32,
}

/// `N = 5`, or the task.
fn asked(opened: &Opened) -> String {
    opened.n.map_or_else(|| opened.task.to_string(), |n| format!("N = {n}"))
}

fn word(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy { .. } => "accuracy",
        Measure::Loss => "loss",
    }
}

fn shown(relative: Option<f64>) -> String {
    relative.map_or("-".to_owned(), |x| format!("{x:.4}"))
}

impl Target {
    fn open(&self) -> anyhow::Result<Opened> {
        self.trained.open(&self.moment, "--n")
    }

    /// What suits the task: every step of a long input for a ladder, new trials for any other.
    fn scoring(&self, opened: &Opened) -> anyhow::Result<Scoring> {
        let usual = Scoring::of(&*opened.built()?, self.trained.seed);
        let protocol = match usual.protocol {
            Protocol::EveryStep { warm_up, steps } => {
                if self.trials.is_some() {
                    let text = "--trials is for a task without N (use --steps)";
                    return Err(Usage(text.to_owned()).into());
                }
                let steps = self.steps.map_or(steps, |steps| steps as usize);
                Protocol::EveryStep { warm_up, steps }
            }
            Protocol::Batches { trials } => {
                if self.steps.is_some() {
                    let text = "--steps is for a task with N (use --trials)";
                    return Err(Usage(text.to_owned()).into());
                }
                Protocol::Batches { trials: self.trials.map_or(trials, |trials| trials as usize) }
            }
        };
        Ok(Scoring { protocol, initial_state: opened.spec.initial_state, ..usual })
    }

    /// The damaged copies are spread over the threads; each lives on one.
    fn with<T: Send>(
        &self,
        opened: &Opened,
        protocol: impl FnOnce(&Subject) -> Result<T, Error> + Send,
    ) -> anyhow::Result<T> {
        let single = thread_pool(Some(1))?;
        let make = |config, params| self.trained.device.network(config, params, single.clone());
        let pool = thread_pool(self.trained.threads()?)?;
        let task = opened.built()?;
        let Checkpoint { config, params, .. } = &opened.checkpoint;
        let subject = Subject { config, params, task: &*task, heads: &opened.heads, make: &make };
        Ok(pool.install(|| protocol(&subject))?)
    }
}
