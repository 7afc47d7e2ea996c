//! The networks that figures and claims speak of, by their facets.

use tau_reproduce::Selector;

/// τ-RNNs with trained τ on N-parity, with the nonlinearity around the whole update: the main results.
const MAIN: Selector = Selector::of(
    "main",
    &[("task", "parity"), ("cell", "leaky"), ("tau", "trained"), ("placement", "whole")],
);
/// Networks of any cell on N-parity.
const PARITY: Selector = Selector::of("parity", &[("task", "parity")]);

/// Networks with one head, which always has the largest N.
pub(crate) const SINGLE: Selector =
    Selector::like(&MAIN, "single-head", &[("curriculum", "single-head")]);
/// Networks with one head for each N so far.
pub(crate) const MULTI: Selector =
    Selector::like(&MAIN, "multi-head", &[("curriculum", "multi-head")]);
/// Networks with heads for a window of consecutive N.
pub(crate) const SLIDING: Selector = Selector::like(&MAIN, "sliding", &[("curriculum", "sliding")]);
/// The curricula whose networks most figures show.
pub(crate) const CURRICULA: &[Selector] = &[SINGLE, MULTI, SLIDING];

pub(crate) const SINGLE_TAU_1: Selector =
    Selector::like(&SINGLE, "single-head τ=1", &[("tau", "1")]);
pub(crate) const SINGLE_TAU_2: Selector =
    Selector::like(&SINGLE, "single-head τ=2", &[("tau", "2")]);
pub(crate) const SINGLE_TAU_3: Selector =
    Selector::like(&SINGLE, "single-head τ=3", &[("tau", "3")]);
pub(crate) const MULTI_TAU_1: Selector = Selector::like(&MULTI, "multi-head τ=1", &[("tau", "1")]);
pub(crate) const MULTI_TAU_2: Selector = Selector::like(&MULTI, "multi-head τ=2", &[("tau", "2")]);
pub(crate) const MULTI_TAU_3: Selector = Selector::like(&MULTI, "multi-head τ=3", &[("tau", "3")]);

pub(crate) const SINGLE_DMS: Selector =
    Selector::like(&SINGLE, "single-head n-dms", &[("task", "dms")]);
pub(crate) const MULTI_DMS: Selector =
    Selector::like(&MULTI, "multi-head n-dms", &[("task", "dms")]);

pub(crate) const SINGLE_LSTM: Selector =
    Selector::like(&PARITY, "single-head lstm", &[("curriculum", "single-head"), ("cell", "lstm")]);
pub(crate) const MULTI_LSTM: Selector =
    Selector::like(&PARITY, "multi-head lstm", &[("curriculum", "multi-head"), ("cell", "lstm")]);
pub(crate) const SINGLE_GRU: Selector =
    Selector::like(&PARITY, "single-head gru", &[("curriculum", "single-head"), ("cell", "gru")]);
pub(crate) const MULTI_GRU: Selector =
    Selector::like(&PARITY, "multi-head gru", &[("curriculum", "multi-head"), ("cell", "gru")]);

pub(crate) const SINGLE_DRIVE: Selector =
    Selector::like(&SINGLE, "single-head drive", &[("placement", "drive")]);
pub(crate) const MULTI_DRIVE: Selector =
    Selector::like(&MULTI, "multi-head drive", &[("placement", "drive")]);
pub(crate) const SINGLE_CONTINUOUS: Selector =
    Selector::like(&SINGLE, "single-head continuous", &[("placement", "continuous")]);
pub(crate) const MULTI_CONTINUOUS: Selector =
    Selector::like(&MULTI, "multi-head continuous", &[("placement", "continuous")]);
