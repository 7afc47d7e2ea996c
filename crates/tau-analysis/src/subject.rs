//! A trained network that protocols damage.

use std::sync::atomic::AtomicBool;

use tau_rnn::{Backend, Config, Error as NetworkError, Params};
use tau_tasks::Task;

use crate::{Error, Score, Scoring};

/// A trained network that protocols damage: each damaged copy is made anew.
pub struct Subject<'a> {
    /// Equations of the network.
    pub config: &'a Config,
    /// Parameters of the network.
    pub params: &'a Params<f32>,
    /// Task that the network answers.
    pub task: &'a dyn Task,
    /// For each head of the task, the head of the network that answers for it. A network with
    /// several heads is scored by the mean over them.
    pub heads: &'a [usize],
    /// Function that puts a network on a device. Several may be made at the same time.
    pub make: &'a Make<'a>,
}

/// Function that makes a network of its equations and parameters.
pub type Make<'a> =
    dyn Fn(Config, Params<f32>) -> Result<Box<dyn Backend<f32>>, NetworkError> + Sync + 'a;

impl Subject<'_> {
    /// Refuses a cell without time constants.
    pub(crate) fn check_tau(&self) -> Result<(), Error> {
        match self.config.leaky_cell() {
            Some(_) => Ok(()),
            None => Err(Error::NoTau { cell: self.config.cell }),
        }
    }

    /// Score with these parameters in place of its own.
    pub(crate) fn score(
        &self,
        params: Params<f32>,
        scoring: &Scoring,
        stop: &AtomicBool,
    ) -> Result<Score, Error> {
        let mut network = (self.make)(self.config.clone(), params)?;
        Ok(scoring.score(&mut *network, self.task, self.heads, stop)?.over_heads())
    }
}
