//! Measuring the networks of a plan, each for what is needed of it.

use std::sync::atomic::AtomicBool;

use tau_rnn::thread_pool;
use tau_runs::queue::share_out;

use crate::measurement::{Found, Trained, Work};
use crate::{Error, Need, Network, Planned, Preset};

/// Trained networks are measured: on which preset, for what, by how many threads, until when.
pub(crate) struct Gathering<'a> {
    pub(crate) preset: &'a Preset,
    /// All measurements of the paper, in their order.
    pub(crate) measurements: &'a [Need],
    /// Whether some figure or claim needs it of this network.
    pub(crate) needed: &'a (dyn Fn(&Network, &Need) -> bool + Sync),
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
    /// Receives the name of each measurement that is done; called by any thread.
    pub(crate) done: &'a (dyn Fn(&str) + Sync),
}

impl Gathering<'_> {
    /// The networks of a plan with their measurements. What was measured before is read back from the
    /// runs' folders.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once `stop` is set; files that cannot be read or written.
    pub(crate) fn networks(&self, plan: &[Planned]) -> Result<Vec<Network>, Error> {
        let mut networks =
            plan.iter().map(Network::trained).collect::<Result<Vec<Network>, Error>>()?;
        // Estimators spread their work over the pool in which they are called: here over one thread.
        let mut pools = Vec::new();
        for _ in 0..self.threads.min(plan.len()) {
            pools.push(thread_pool(Some(1))?);
        }
        let pairs = networks.iter().zip(plan);
        let found = share_out(pools, pairs, |pool, _, (network, planned)| {
            Some(pool.install(|| self.measure(network, planned, &networks)))
        });
        let found = found.into_iter().flatten().collect::<Result<Vec<_>, Error>>()?;
        for (network, found) in networks.iter_mut().zip(found) {
            found.into_iter().for_each(|(id, found)| network.keep(id, found));
        }
        Ok(networks)
    }

    /// All that is needed of one network; nothing of one that diverged.
    fn measure(
        &self,
        network: &Network,
        planned: &Planned,
        all: &[Network],
    ) -> Result<Vec<(&'static str, Found)>, Error> {
        let mut found = Vec::new();
        let needed = |need: &&Need| network.is_sound() && (self.needed)(network, need);
        for need in self.measurements.iter().filter(needed) {
            let trained = Trained { run: &planned.run, network, stop: self.stop };
            let work = Work { preset: self.preset, trained, all, done: self.done };
            found.push((need.id(), need.measure(&work)?));
        }
        Ok(found)
    }
}
