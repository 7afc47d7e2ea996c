//! The figures of the project. A new figure is one TOML file and one line here.

use crate::{Declaration, Error};

/// Every declared figure as `(id, TOML text)`.
pub const DECLARATIONS: &[(&str, &str)] = &[
    ("training-progress", include_str!("../figures/training-progress.toml")),
    ("tau-vs-n", include_str!("../figures/tau-vs-n.toml")),
    ("tau-net-vs-n", include_str!("../figures/tau-net-vs-n.toml")),
    ("forgetting", include_str!("../figures/forgetting.toml")),
    ("ablation", include_str!("../figures/ablation.toml")),
    ("perturbation", include_str!("../figures/perturbation.toml")),
    ("retraining", include_str!("../figures/retraining.toml")),
    ("fixed-tau", include_str!("../figures/fixed-tau.toml")),
    ("n-dms", include_str!("../figures/n-dms.toml")),
    ("gated-cells", include_str!("../figures/gated-cells.toml")),
    ("variants", include_str!("../figures/variants.toml")),
];

/// The declared figure of that id.
///
/// # Errors
/// [`Error::UnknownFigure`] when no figure has that id.
pub fn declaration(id: &str) -> Result<Declaration, Error> {
    let toml = DECLARATIONS.iter().find(|(name, _)| *name == id).map(|(_, toml)| *toml);
    Declaration::parse(toml.ok_or_else(|| Error::UnknownFigure { id: id.to_owned() })?)
}
