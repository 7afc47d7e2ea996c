//! A task without N, with a value at every step, on a fixed data set.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod common;

use common::{resumed, state, trainer};
use tau_rnn::{Activation, Cell, Init, Leaky, Rule, TimeConstants};
use tau_tasks::{FlipFlop, ParameterSet, Pulse, TaskSpec};
use tau_training::{Data, EpochReport, Milestone, Outcome, Step, Trainer, TrainingSpec};

fn spec(task: TaskSpec) -> TrainingSpec {
    let mut spec = TrainingSpec {
        max_epochs: 3,
        batch_size: 16,
        keep_every: Some(2),
        data: Data::Fixed { trials: 41, held_out: 5, data_seed: 2 },
        ..TrainingSpec::plain(task, 12, 1).unwrap()
    };
    spec.network.cell = Cell::Leaky(Leaky {
        activation: Activation::Tanh,
        tau: TimeConstants::Fixed { value: 1.0 },
        self_connections: true,
        ..Leaky::default()
    });
    spec
}

fn pulse() -> TrainingSpec {
    spec(TaskSpec::Pulse(Pulse { parameters: ParameterSet::Root, gap: 10, noise: true }))
}

fn reports(trainer: &mut Trainer<f32>) -> (Vec<EpochReport>, Outcome) {
    let mut reports = Vec::new();
    let outcome = trainer.run(|step| {
        if let Step::EpochEnded(report) = step {
            reports.push(report.clone());
        }
    });
    (reports, outcome.unwrap())
}

#[test]
fn a_network_learns_to_answer_a_pulse() {
    // A silent network has a loss of about 0.03.
    let task = TaskSpec::Pulse(Pulse { parameters: ParameterSet::Root, gap: 10, noise: false });
    let mut spec = spec(task).with_fixed_data(300, 20, 2).until_loss_below(0.01);
    (spec.max_epochs, spec.network.hidden_size) = (150, 24);
    spec.network.arrays.w_rec.init = Init::Orthogonal { gain: 1.0 };
    if let Rule::Adam { learning_rate, .. } = &mut spec.optimiser.rule {
        *learning_rate = 2e-3;
    }
    let mut trainer = trainer(&spec);
    let (reports, outcome) = reports(&mut trainer);
    assert_eq!(outcome, Outcome::Finished, "{:?}", reports.last());
    let last = reports.last().unwrap();
    assert!(last.solved && last.training_loss.unwrap() < 0.01);
    assert!(reports[0].training_loss.unwrap() > 0.02);
    // Values have no accuracy; held-out trials are about as well answered.
    assert_eq!((last.heads.len(), last.heads[0].accuracy), (1, None));
    assert!(last.heads[0].loss < 0.02, "{:?}", last.heads);
    let names: Vec<&str> = last.milestones.iter().map(Milestone::as_str).collect();
    assert!(names.contains(&"solved") && names.ends_with(&["final"]), "{names:?}");
}

#[test]
fn epochs_are_kept_and_the_last_one_always_is() {
    let (reports, outcome) = reports(&mut trainer(&pulse()));
    assert_eq!(outcome, Outcome::OutOfEpochs);
    let kept: Vec<Vec<&str>> = reports
        .iter()
        .map(|report| report.milestones.iter().map(Milestone::as_str).collect())
        .collect();
    assert_eq!(kept, [vec![], vec!["epoch-002"], vec!["final"]]);
}

#[test]
fn a_training_on_fixed_data_goes_on_with_the_same_bits() {
    for spec in [pulse(), spec(TaskSpec::FlipFlop(FlipFlop::default()))] {
        let mut whole = trainer(&spec);
        let report = reports(&mut whole).0.pop();
        // Three updates and a test batch make four steps an epoch.
        for steps in [1, 3, 4, 6] {
            let mut first = trainer(&spec);
            for _ in 0..steps {
                first.step().unwrap();
            }
            let mut second = resumed(&mut first);
            assert_eq!(reports(&mut second).0.pop(), report, "stopped after {steps}");
            assert_eq!(state(&second), state(&whole), "stopped after {steps}");
        }
    }
}

#[test]
fn networks_with_one_data_seed_see_the_same_trials() {
    let trained = |seed, data_seed| {
        let data = Data::Fixed { trials: 41, held_out: 5, data_seed };
        let mut trainer = trainer(&TrainingSpec { seed, data, ..pulse() });
        let report = reports(&mut trainer).0.remove(0);
        (report.heads[0].loss, state(&trainer).0)
    };
    assert_eq!(trained(1, 2), trained(1, 2));
    assert_ne!(trained(1, 2), trained(1, 3));
    assert_ne!(trained(1, 2), trained(2, 2));
}
