//! *Emergent mechanisms for long timescales depend on training curriculum and affect performance in
//! memory tasks* (Khajehabdollahi et al., ICLR 2024) as data for [`tau_reproduce`].
//!
//! The paper asks how recurrent networks remember longer: because single neurons become slow (their
//! trained time constants τ grow), or because the network does (the timescales τ_net of its activity
//! grow). It trains networks with one head that always has the largest N, or with one head for each N
//! so far, and compares them. docs/papers/khajehabdollahi-2024.md is its dictionary.
//!
//! | module | what it has |
//! |---|---|
//! | `published` | the published training, and the bases that specs may start from |
//! | `conditions` | settings of a preset to facets and trainings |
//! | `selectors` | the networks that figures and claims speak of |
//! | `progress`, `slopes` | what several figures and claims compute |
//! | `measurements` | τ, τ_net, new heads, damage, training on larger N |
//! | `figures` | one `.rs` and one `.toml` each, with published values in a `.csv` |
//! | `claims` | the twelve claims |
//!
//! What it does not know: how to train, schedule, cache, judge, draw and report; other papers.

mod claims;
mod conditions;
mod figures;
mod measurements;
mod progress;
pub mod published;
mod selectors;
mod slopes;

#[cfg(test)]
mod tests;

use tau_reproduce::{Citation, Paper, Quirk};

/// The paper.
pub static PAPER: Paper = Paper {
    id: "khajehabdollahi-2024",
    citation: Citation {
        title: "Emergent mechanisms for long timescales depend on training curriculum and affect \
                performance in memory tasks",
        authors: "Khajehabdollahi, Zeraati, Giannakakis, Schäfer, Martius, Levina",
        short: "Khajehabdollahi et al.",
        venue: "ICLR",
        year: 2024,
        link: ("arXiv 2309.12927", "https://arxiv.org/abs/2309.12927"),
    },
    document: "docs/papers/khajehabdollahi-2024.md",
    presets: &[
        ("smoke", include_str!("../presets/smoke.toml")),
        ("laptop", include_str!("../presets/laptop.toml")),
        ("paper", include_str!("../presets/paper.toml")),
    ],
    default_preset: "laptop",
    condition: conditions::condition,
    quirks: &[ICLR_2024],
    measurements: measurements::ALL,
    figures: figures::ALL,
    claims: claims::ALL,
    divergences: include_str!("../divergences.md"),
};

/// What the published code does and the text of the paper does not say.
const ICLR_2024: Quirk = Quirk {
    id: "iclr2024",
    what: "ablation leaves biases and later heads and is relative to the best trial; τ counts raw; mean \
           τ_net is that over all neurons with τ_net > 1; every network is driven by the input of \
           parity; networks with fixed τ start there and are trained all the same",
};
