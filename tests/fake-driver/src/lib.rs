//! A `libcuda.so` without a GPU: the part of the driver's interface that `tau-rnn` uses, on top of
//! the emulator. So what talks to the driver is tested where there is none.
//!
//! It is as unkind as a driver may be: work is done only when someone waits for it, in the order of
//! its stream; copies read their source only then; new memory is full of garbage; what is not
//! allowed while a stream records is an error; an error that happened stays.
//!
//! Environment variables say what it pretends to be: `FAKE_GPUS` (how many), `FAKE_CUDA` (12080 for 12.8),
//! `FAKE_CAPABILITY` (90 for 9.0), `FAKE_MEMORY` (bytes), `FAKE_SHARED_MEMORY` (bytes a block may
//! have), `FAKE_LOST_AFTER` (launches until the GPU is lost).

// Names and signatures are the driver's.
#![allow(non_snake_case)]

mod gpu;
mod interface;
