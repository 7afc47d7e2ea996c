//! Cells with gates: a slice's way forward and back. `lstm.rs` and `gru.rs` have what a row does,
//! `pass.rs` the steps.
//!
//! As for the leaky cell, rows of activity are h̃ = (h, x, 1), so that a step forward is one product
//! with W̃ = (W, w_in, b_rec + b_in), here of all gates side by side: number g·H + j of a row of gates
//! is gate g of neuron j. What the cell makes of a row of the product replaces it, and what it keeps
//! for the way back stands behind the gates. On the way back the errors of the gates' arguments
//! replace both: they are already in the order in which the next product, and that of dW̃ over a
//! chunk of steps, read them. So the history is the only memory that grows with the steps.
//!
//! The argument of a GRU's n is not one product: r multiplies W_n h + b_n and not w_n x + b′_n. The
//! columns of W̃ for the input are 0 there; the few terms of the input are added row by row, and
//! their gradient is a small product of its own.

mod gates;
mod gru;
pub(super) mod kind;
mod lstm;
pub(super) mod pass;
pub(super) mod state;
