//! The leaky cell: which matrices it multiplies by, and what follows each product.
//!
//! Rows of activity carry more than the state: h̃ = (h, x, 1), the input of the next step and a
//! one behind the neurons. So input weights and bias are columns of one matrix W̃ = (W, w_in, b),
//! forward, backward and in the gradient. With a = 1/τ_eff (τ_eff·k for the continuous placement)
//! and δ(t) = dL/dh(t):
//!
//! | | `whole` | `drive`, `continuous` |
//! |---|---|---|
//! | M | diag(a) W̃ + diag(1 − a) | W̃ |
//! | forward | h(t) = φ(M h̃(t−1)) | f = φ(M h̃(t−1)), h(t) = (1 − a) h(t−1) + a f |
//! | kept | h(t): it gives φ' | h(t) and f |
//! | error e | δ φ' | a δ φ' |
//! | δ(t−1) | Mᵀ e | Mᵀ e + (1 − a) δ |
//! | dM | Σ e h̃(t−1)ᵀ | Σ e h̃(t−1)ᵀ |
//! | dW̃ | diag(a) dM | dM |
//! | dτ | (dW_ii − Σ_j W̃_ij dW̃_ij) / τ | Σ δ (h(t−1) − f) / (τ² k) |
//!
//! The leak of `whole` is part of the matrix, so nothing but products and φ is left in its loops,
//! and dτ follows from dW̃: L depends on a_i through M_ij = a_i W̃_ij + (1 − a_i) [i = j], so
//! dL/da_i = Σ_j W̃_ij dM_ij − dM_ii.

pub(super) mod leak;
pub(super) mod pass;
mod phi;
mod step;
