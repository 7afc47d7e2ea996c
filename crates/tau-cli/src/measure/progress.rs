//! How far the long parts of a measurement are.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{eta, terminal};

/// Until the first line of a part, when it is known how long it will take; shorter parts have none.
const FIRST: Duration = Duration::from_secs(2);
/// From one line to the next.
const NEXT: Duration = Duration::from_secs(15);

/// The progress of one network.
pub(super) struct Progress {
    milestone: String,
    part: Mutex<Part>,
}

struct Part {
    begun: Instant,
    next: Instant,
}

impl Progress {
    pub(super) fn new(milestone: &str) -> Self {
        let now = Instant::now();
        Self { milestone: milestone.to_owned(), part: Mutex::new(Part { begun: now, next: now }) }
    }

    /// `done` of `of` neurons are `what`.
    pub(super) fn told(&self, what: &str, done: usize, of: usize) {
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if done == 0 {
            *part = Part { begun: now, next: now + FIRST };
        } else if done < of && now >= part.next {
            part.next = now + NEXT;
            let left = (now - part.begun).as_secs_f64() / done as f64 * (of - done) as f64;
            let (milestone, left) = (&self.milestone, eta::about(left));
            terminal::say_plainly(&format!(
                "{milestone}: {done} of {of} neurons {what}, {left} left"
            ));
        }
    }
}
