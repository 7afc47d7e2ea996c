//! Lists of launches that come again and again: each list is kept as one graph.

use std::any::Any;

use super::device::Arguments;

/// Largest number of lists that are remembered. A training has a few dozen of them; a list that was
/// forgotten is recorded again.
const MOST: usize = 256;

/// Graphs by what they launch. Only the very same grid and arguments, addresses included, find a graph:
/// a graph can become useless but never wrong.
#[derive(Debug)]
pub(super) struct Graphs<G> {
    known: Vec<Known<G>>,
    /// Number of times that a graph was asked for so far.
    clock: u64,
}

#[derive(Debug)]
struct Known<G> {
    grid: [usize; 3],
    shared: usize,
    /// A `Vec<A>`: the type tells kernels and precisions apart.
    arguments: Box<dyn Any + Send>,
    graph: G,
    /// The clock when the graph was last asked for.
    used: u64,
}

impl<G> Default for Graphs<G> {
    fn default() -> Self {
        Self { known: Vec::new(), clock: 0 }
    }
}

impl<G> Graphs<G> {
    #[cfg(all(feature = "bench", feature = "cuda"))]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The graph of these launches; `make` makes it if the list is new.
    pub(super) fn get<A: Arguments, E>(
        &mut self,
        grid: [usize; 3],
        shared: usize,
        arguments: &[A],
        make: impl FnOnce() -> Result<G, E>,
    ) -> Result<&G, E> {
        let is_it = |known: &Known<G>| {
            let list = known.arguments.downcast_ref::<Vec<A>>();
            known.grid == grid && known.shared == shared && list.is_some_and(|l| l == arguments)
        };
        self.clock += 1;
        let place = match self.known.iter().position(is_it) {
            Some(place) => place,
            None => {
                let graph = make()?;
                if self.known.len() == MOST {
                    let oldest = (0..MOST).min_by_key(|&k| self.known[k].used).unwrap_or(0);
                    self.known.swap_remove(oldest);
                }
                let arguments = Box::new(arguments.to_vec());
                self.known.push(Known { grid, shared, arguments, graph, used: 0 });
                self.known.len() - 1
            }
        };
        let known = &mut self.known[place];
        known.used = self.clock;
        Ok(&known.graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct One(f64);
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Other(f64);

    impl Arguments for One {
        const KERNEL: &'static str = "one";
        const THREADS: usize = 1;
    }

    impl Arguments for Other {
        const KERNEL: &'static str = "other";
        const THREADS: usize = 1;
    }

    /// Counts what is made.
    #[derive(Default)]
    struct Counted(Graphs<u32>, u32);

    impl Counted {
        fn get<A: Arguments>(&mut self, x: usize, shared: usize, arguments: &[A]) -> u32 {
            let make = || {
                self.1 += 1;
                Ok::<_, ()>(self.1)
            };
            *self.0.get([x, 1, 1], shared, arguments, make).expect("made")
        }
    }

    #[test]
    fn only_the_very_same_launches_share_a_graph() {
        let mut graphs = Counted::default();
        let list = [One(1.0), One(2.0)];
        assert_eq!(graphs.get(1, 0, &list), 1);
        assert_eq!(graphs.get(1, 0, &list[..1]), 2);
        assert_eq!(graphs.get(2, 0, &list), 3);
        assert_eq!(graphs.get(1, 8, &list), 4);
        assert_eq!(graphs.get(1, 0, &[Other(1.0), Other(2.0)]), 5);
        assert_eq!(graphs.get(1, 0, &[One(1.0), One(3.0)]), 6);
        assert_eq!(graphs.get(1, 0, &list), 1);
        assert_eq!(graphs.get(1, 0, &[Other(1.0), Other(2.0)]), 5);
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_is_forgotten() {
        let mut graphs = Counted::default();
        for k in 0..MOST {
            graphs.get(1, 0, &[One(k as f64)]);
        }
        assert_eq!(graphs.get(1, 0, &[One(0.0)]), 1);
        assert_eq!(graphs.get(1, 0, &[One(-1.0)]), MOST as u32 + 1);
        assert_eq!(graphs.get(1, 0, &[One(0.0)]), 1);
        assert_eq!(graphs.get(1, 0, &[One(2.0)]), 3);
        assert_eq!(graphs.get(1, 0, &[One(1.0)]), MOST as u32 + 2);
        assert_eq!(graphs.0.known.len(), MOST);
    }

    #[test]
    fn what_could_not_be_made_is_not_remembered() {
        let mut graphs = Graphs::<u32>::default();
        assert_eq!(graphs.get([1; 3], 0, &[One(1.0)], || Err("no")), Err("no"));
        assert_eq!(graphs.get([1; 3], 0, &[One(1.0)], || Ok::<_, &str>(7)), Ok(&7));
    }
}
