//! Once the work space is there, an update asks for no memory.
//!
//! One test in a file of its own: the counter sees every thread of the process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tau_rnn::{Backend, Cell, Cpu, Leaky, Optimiser, Placement, thread_pool};
use tests::{Answers, Case, Shape};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn updates_after_the_first_allocate_nothing() {
    let leaky = |placement| Cell::Leaky(Leaky { placement, ..Leaky::DEFAULT });
    for placement in [Placement::Whole, Placement::Drive] {
        for threads in [1, 3] {
            check(leaky(placement), Answers::Classes, threads, 50);
        }
    }
    check(leaky(Placement::Drive), Answers::WeightedValues, 3, 50);
    // Here packing and adding up are shared out, too.
    check(leaky(Placement::Whole), Answers::Classes, 3, 200);
    for cell in Cell::GATED {
        check(cell, Answers::Classes, 1, 30);
        check(cell, Answers::Classes, 3, 110);
    }

    fn check(cell: Cell, answers: Answers, threads: usize, hidden: usize) {
        let heads = vec![2, 2, 2];
        let shape = Shape { heads, answers, ..Shape::new(cell, hidden, 20, 100) };
        let case = Case::new(&shape, 1);
        let pool = thread_pool(Some(threads)).unwrap();
        let initial = case.initial().mapv(|x| x as f32);
        let batch = case.batch(&initial);
        // On a thread of the pool: to be let in from outside takes a place in its queue.
        let allocations = pool.clone().install(|| {
            let mut network =
                Cpu::<f32>::new(case.config.clone(), case.params.cast(), pool).unwrap();
            let optimiser = Optimiser::nesterov();
            // The first few: each slice gets its room.
            for _ in 0..10 {
                network.update(&batch, &optimiser).unwrap();
            }
            // Threads that start or end meanwhile ask for memory once; an update that did would do
            // so in every block.
            let block = |_| {
                let region = Region::new(ALLOCATOR);
                for _ in 0..50 {
                    network.update(&batch, &optimiser).unwrap();
                }
                region.change().allocations
            };
            (0..10).map(block).min()
        });
        assert_eq!(allocations, Some(0), "{cell:?}, {answers:?}, {threads} threads, 50 updates");
    }
}
