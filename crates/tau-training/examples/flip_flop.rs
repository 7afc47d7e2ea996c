//! Trains a tanh network on the flip-flop of Jarne & Laje (arXiv 1906.01094) as they did. The first
//! argument is the number of trials, 25050 unless it is given.

use tau_rnn::{Config, Init, Optimiser};
use tau_training::TrainingSpec;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trials = std::env::args().nth(1).map_or(Ok(25_050), |trials| trials.parse())?;
    let mut network = Config::elman(50, 2);
    network.arrays.w_rec.init = Init::Orthogonal { gain: 1.0 };
    network.arrays.w_in.init = Init::Glorot;
    network.arrays.readout_weight.init = Init::Glorot;
    (network.arrays.b_rec, network.arrays.b_in) = (None, None);
    let mut spec = TrainingSpec::plain("flip-flop".parse()?, 50, 1)?
        .with_fixed_data(trials, 50, 1)
        .until_loss_below(1e-3);
    (spec.network, spec.max_epochs) = (network, 20);
    spec.optimiser = Optimiser::keras_adam(1e-4, 1e-4);
    let outcome = spec.on_cpu(None)?.run(|step| {
        if let tau_training::Step::EpochEnded(epoch) = step {
            println!("epoch {}: loss {:?}", epoch.epoch, epoch.training_loss);
        }
    })?;
    println!("{outcome:?}");
    Ok(())
}
