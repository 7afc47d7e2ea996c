//! A queue of independent pieces of work for a few threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Does `work(resource, index, item)` for every item, on one thread for each resource, in the order
/// of the items as threads become free. Results are in the order of the items; an item that
/// `work` declined (by `None`), and all that were not begun after it, have none.
///
/// Threads of their own, not tasks of a pool: a pool's thread that waits inside one piece of work
/// would begin another one on top of it.
pub fn share_out<R: Send, I: Send, T: Send>(
    resources: Vec<R>,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(&R, usize, I) -> Option<T> + Sync,
) -> Vec<Option<T>> {
    let mut results = Vec::new();
    let items: Vec<(usize, I)> = items.into_iter().enumerate().collect();
    results.resize_with(items.len(), || None);
    let (waiting, results) = (Mutex::new(items.into_iter()), Mutex::new(results));
    let one_thread = |resource: R| {
        loop {
            let next = lock(&waiting).next();
            let Some((index, item)) = next else { break };
            let Some(result) = work(&resource, index, item) else { break };
            lock(&results)[index] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for resource in resources {
            scope.spawn(|| one_thread(resource));
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The lock, also after a panic elsewhere: what it guards is never left half changed.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let squares = share_out(vec![(); 3], 0..50u64, |(), _, item| Some(item * item));
        let expected: Vec<Option<u64>> = (0..50).map(|item| Some(item * item)).collect();
        assert_eq!(squares, expected);
    }

    #[test]
    fn nothing_is_begun_after_a_refusal() {
        let results = share_out(vec![()], 0..5, |(), index, item| (index < 2).then_some(item));
        assert_eq!(results, [Some(0), Some(1), None, None, None]);
    }
}
