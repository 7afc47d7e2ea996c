//! Once the work space is there, an update asks for no memory.
//!
//! One test in a file of its own: the counter sees every thread of the process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tau_rnn::{Backend, Cell, Cpu, Optimiser, Placement, thread_pool};
use tests::{Case, Shape};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn updates_after_the_first_allocate_nothing() {
    for placement in [Placement::Whole, Placement::Drive] {
        for threads in [1, 3] {
            check(Cell::Leaky, placement, threads, 50);
        }
    }
    // Here packing and adding up are shared out, too.
    check(Cell::Leaky, Placement::Whole, 3, 200);
    for cell in Cell::GATED {
        check(cell, Placement::Whole, 1, 30);
        check(cell, Placement::Whole, 3, 110);
    }

    fn check(cell: Cell, placement: Placement, threads: usize, hidden: usize) {
        let published = Shape::published(hidden, 20, 100);
        let shape = Shape { heads: vec![2, 2, 2], cell, placement, ..published };
        let case = Case::new(&shape, 1);
        let pool = thread_pool(Some(threads)).unwrap();
        let initial = case.initial().mapv(|x| x as f32);
        let batch = case.batch(&initial);
        // On a thread of the pool: to be let in from outside takes a place in its queue.
        let allocations = pool.clone().install(|| {
            let mut network =
                Cpu::<f32>::new(case.config.clone(), case.params.cast(), pool).unwrap();
            let optimiser = Optimiser::paper();
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
        assert_eq!(allocations, Some(0), "{cell}, {placement:?}, {threads} threads, 50 updates");
    }
}
