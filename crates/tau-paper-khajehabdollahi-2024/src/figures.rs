//! The figures. Each is three files of one name: `.rs` computes its table, `.toml` declares how it is
//! drawn, `.csv` has published values, if there are any. A new figure is these and one entry of [`ALL`].

mod ablation;
mod fixed_tau;
mod forgetting;
mod gated_cells;
mod n_dms;
mod perturbation;
mod retraining;
mod tau_net_vs_n;
mod tau_vs_n;
mod training_progress;
mod variants;

use tau_reproduce::Figure;

/// All of them, in the order of the report.
pub(crate) const ALL: &[Figure] = &[
    training_progress::FIGURE,
    tau_vs_n::FIGURE,
    tau_net_vs_n::FIGURE,
    forgetting::FIGURE,
    ablation::FIGURE,
    perturbation::FIGURE,
    retraining::FIGURE,
    fixed_tau::FIGURE,
    n_dms::FIGURE,
    gated_cells::FIGURE,
    variants::FIGURE,
];
