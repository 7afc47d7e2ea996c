//! `tau ablate` and `tau perturb`: what is left of a network under damage.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tau_analysis::{
    Ablated, Ablation, Error, Perturbation, Perturbed, Removal, Scoring, Subject, relative_accuracy,
};
use tau_rnn::{Checkpoint, thread_pool};

use crate::output::say;
use crate::stop;
use crate::trained::{Opened, Trained};

/// The network that is damaged, and how it is scored.
#[derive(Args)]
struct Target {
    #[command(flatten)]
    trained: Trained,
    /// The N that is asked for [default: the largest of the network].
    #[arg(long, value_name = "N")]
    n: Option<usize>,
    /// Steps that are scored.
    #[arg(long, value_name = "S", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
}

/// Silence single neurons, those with the shortest and those with the longest time constants.
///
/// Each of them alone is taken out of the network, which is then asked for its answer at every step of
/// a long random input. Relative accuracy is 1 for the whole network and 0 at chance. Claim 5 of the
/// paper: single-head networks need the neurons with long time constants, multi-head networks the
/// others.
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
/// The noise has epsilon times the norm of what it is added to. Claim 6 of the paper: multi-head
/// networks are the more robust ones.
#[derive(Args)]
pub(crate) struct Perturb {
    #[command(flatten)]
    target: Target,
    /// What is disturbed.
    #[arg(long, value_name = "WHAT")]
    of: What,
    /// Sizes of the noise [default: the paper's].
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
        let removal = if self.compat.is_some() { Removal::Published } else { Removal::Clean };
        let ablation = Ablation {
            neurons: self.neurons.unwrap_or(if hidden < 200 { hidden.div_ceil(10) } else { 20 }),
            removal,
            scoring: self.target.scoring(opened.n),
        };
        let stop = stop::when_asked()?;
        let found = self.target.with(&opened, |subject| ablation.run(subject, &stop))?;
        let baseline =
            if self.compat.is_some() { found.baseline.best } else { found.baseline.mean };
        let (short, long) = found.means();
        say!(
            "N = {}, whole network: accuracy {:.4} (sd over trials {:.4}, best trial {:.4})",
            opened.n,
            found.baseline.mean,
            found.baseline.standard_deviation,
            found.baseline.best
        );
        say!("{:>24} {:>10} {:>10} {:>10}", "without", "mean τ", "accuracy", "relative");
        for (name, ablated, accuracy) in [
            ("one with the shortest τ", &found.short, short),
            ("one with the longest τ", &found.long, long),
        ] {
            let tau = ablated.iter().map(|one| one.tau_raw).sum::<f64>() / ablated.len() as f64;
            let relative = relative(accuracy, baseline);
            say!("{name:>24} {tau:>10.4} {accuracy:>10.4} {relative:>10}");
        }
        say!("(means over {} neurons each, one at a time)", ablation.neurons);
        let row = |end: &'static str, one: &Ablated| AblationRow {
            n: opened.n,
            end,
            neuron: one.neuron,
            tau_raw: one.tau_raw,
            accuracy: one.accuracy,
            relative_accuracy: relative_accuracy(one.accuracy, baseline),
        };
        let short = found.short.iter().map(|one| row("short", one));
        self.target.trained.write(short.chain(found.long.iter().map(|one| row("long", one))))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Perturb {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let opened = self.target.open()?;
        let perturbed = match self.of {
            What::Weights => Perturbed::Weights,
            What::Tau => Perturbed::Tau,
        };
        let epsilons =
            if self.epsilon.is_empty() { perturbed.paper_epsilons() } else { self.epsilon.clone() };
        let perturbation = Perturbation {
            perturbed,
            epsilons,
            draws: self.draws as usize,
            scoring: Scoring { trials: 1, ..self.target.scoring(opened.n) },
        };
        let stop = stop::when_asked()?;
        let found = self.target.with(&opened, |subject| perturbation.run(subject, &stop))?;
        say!("N = {}, {} draws for each epsilon", opened.n, self.draws);
        say!("{:>12} {:>10} {:>10}", "epsilon", "accuracy", "sd");
        for one in &found {
            say!(
                "{:>12.6} {:>10.4} {:>10.4}",
                one.epsilon,
                one.score.mean,
                one.score.standard_deviation
            );
        }
        self.target.trained.write(found.iter().map(|one| PerturbationRow {
            n: opened.n,
            epsilon: one.epsilon,
            accuracy: one.score.mean,
            accuracy_sd: one.score.standard_deviation,
            draws: self.draws,
        }))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
struct AblationRow {
    n: usize,
    end: &'static str,
    neuron: usize,
    tau_raw: f64,
    accuracy: f64,
    relative_accuracy: Option<f64>,
}

#[derive(Serialize)]
struct PerturbationRow {
    n: usize,
    epsilon: f64,
    accuracy: f64,
    accuracy_sd: f64,
    draws: u32,
}

fn relative(accuracy: f64, baseline: f64) -> String {
    relative_accuracy(accuracy, baseline).map_or("-".to_owned(), |x| format!("{x:.4}"))
}

impl Target {
    fn open(&self) -> anyhow::Result<Opened> {
        self.trained.open(self.n, "--n")
    }

    fn scoring(&self, n: usize) -> Scoring {
        let paper = Scoring::paper(self.trained.seed);
        Scoring { steps: self.steps as usize, warm_up: paper.warm_up.max(n), ..paper }
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
        let task = opened.task.with_coding(&[opened.n], opened.coding)?;
        let Checkpoint { config, params, .. } = &opened.checkpoint;
        let subject = Subject { config, params, task: &*task, head: opened.head, make: &make };
        Ok(pool.install(|| protocol(&subject))?)
    }
}
