//! Asking runs to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, which many places may look at: what runs is kept, and goes on from there.
///
/// Clones are the same token. A handler of signals sets its [`flag`](Self::flag).
#[derive(Clone, Debug, Default)]
pub struct StopToken {
    own: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

impl StopToken {
    /// A token that nobody has set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn stop(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let is_set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        is_set(&self.own) || self.parent.as_ref().is_some_and(is_set)
    }

    /// The flag that [`stop`](Self::stop) sets: for handlers of signals, and for estimators.
    #[must_use]
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.own
    }

    /// A token that is stopped with this one, and may be stopped alone.
    pub(crate) fn child(&self) -> Self {
        Self { own: Arc::default(), parent: Some(Arc::clone(&self.own)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_and_a_child_stops_with_its_parent_only() {
        let parent = StopToken::new();
        let (child, other) = (parent.child(), parent.child());
        child.clone().stop();
        assert!(child.is_stopped() && !parent.is_stopped() && !other.is_stopped());
        parent.flag().store(true, Ordering::Relaxed);
        assert!(parent.clone().is_stopped() && other.is_stopped());
    }
}
