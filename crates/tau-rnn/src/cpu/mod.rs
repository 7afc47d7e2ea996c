//! The CPU backend: rayon over slices of the batch, each of which runs the whole time loop.
//!
//! W is packed once per update in both orientations; a thread takes a slice of at most 32 trials
//! through all steps forward and back without waiting for any other; the slices' gradients are
//! added in the order of the slices. So threads change the time and never the bits.
//!
//! From the bottom to the top: a tile of registers (`tile.rs`), products made of it (`product.rs`), the
//! parameters packed for them (`packed.rs`), a slice and its memory (`slice.rs`), the passes of the
//! cells (`leaky`, `gated`) and of the heads (`readout.rs`), the choice of the compiled copy
//! (`isa.rs`, `dispatch.rs`), and the backend (`network.rs`, `reduce.rs`).

#[cfg(feature = "bench")]
pub(crate) mod bench;
mod buffer;
mod dispatch;
mod gated;
mod isa;
mod leaky;
mod network;
mod packed;
mod pass;
mod pool;
mod product;
mod readout;
mod reduce;
mod slice;
mod spread;
#[cfg(test)]
mod tests;
mod tile;
mod workspace;

pub(crate) use dispatch::Vectorised;
pub use isa::Isa;
pub use network::Cpu;
pub use pool::thread_pool;
