//! A measurement on trained networks, as a type: what it is made with, where, and what it finds.

use std::any::Any;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tau_rnn::Hardware;
use tau_runs::Run;

use crate::cache::cached;
use crate::{Compat, Error, Network, Preset};

/// Something that is measured on trained networks.
///
/// What was found is kept beside the run, by [`ID`](Self::ID), [`VERSION`](Self::VERSION), settings and
/// site, so that a later call measures nothing twice. Figures and claims get it by type:
/// `network.get::<TauNet>()`.
pub trait Measurement: 'static {
    /// Its name: of its files, of its table in a preset, in the list of a paper.
    const ID: &'static str;
    /// Raised whenever the measurement changes: earlier results are then made anew.
    const VERSION: u32;
    /// What it is made with: the table `measurements.ID` of a preset. Fields that choose sites and do not
    /// change what is found there carry `#[serde(skip_serializing)]`: they are not part of the key.
    type Settings: Serialize + DeserializeOwned;
    /// Where on a network it is made, mostly a checkpoint. Its text is part of a file's name.
    type Site: Clone + Display + Send + Sync + 'static;
    /// What is found at a site.
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The settings with quirks of published code, if some are switched on.
    #[must_use]
    fn with_quirks(settings: Self::Settings, _compat: Compat) -> Self::Settings {
        settings
    }

    /// Where this network is measured; `all` are the networks of the plan, this one among them.
    fn sites(settings: &Self::Settings, network: &Network, all: &[Network]) -> Vec<Self::Site>;

    /// Measures a network; `None` where there is no such number.
    ///
    /// # Errors
    /// [`Error::Interrupted`] soon after `trained.stop` is set; a checkpoint that cannot be read; what an
    /// estimator refuses.
    fn run(
        settings: &Self::Settings,
        site: &Self::Site,
        trained: &Trained<'_>,
    ) -> Result<Option<Self::Output>, Error>;
}

/// The settings of a measurement that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// A trained network that is measured, on one thread.
#[derive(Clone, Copy, Debug)]
pub struct Trained<'a> {
    /// Its folder: checkpoints and definition.
    pub run: &'a Run,
    /// What its training left behind.
    pub network: &'a Network,
    /// Set once the work shall stop.
    pub stop: &'a AtomicBool,
}

impl Trained<'_> {
    /// The device that trained it.
    ///
    /// # Errors
    /// [`Error::Paper`] for a run that was read from a folder which does not name its device.
    pub fn hardware(&self) -> Result<Hardware, Error> {
        let unknown = || Error::Paper(format!("run {}: its device is not known", self.run.name()));
        self.run.hardware().ok_or_else(unknown)
    }
}

/// A [`Measurement`] in the list of those that a figure or claim needs.
#[derive(Clone, Copy)]
pub struct Need {
    id: &'static str,
    check: fn(&Preset) -> Result<(), Error>,
    measure: fn(&Work<'_>) -> Result<Found, Error>,
}

/// What one measurement found in one network: a `Vec<(M::Site, M::Output)>`.
pub(crate) type Found = Arc<dyn Any + Send + Sync>;

/// A network to be measured, the plan that it is part of, and the receiver of progress.
pub(crate) struct Work<'a> {
    pub(crate) preset: &'a Preset,
    pub(crate) trained: Trained<'a>,
    pub(crate) all: &'a [Network],
    pub(crate) done: &'a (dyn Fn(&str) + Sync),
}

impl Need {
    /// The need of a measurement.
    #[must_use]
    pub const fn of<M: Measurement>() -> Self {
        Self { id: M::ID, check: |preset| preset.settings::<M>().map(drop), measure: measure::<M> }
    }

    /// Name of the measurement.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Whether the preset has settings for it that can be read.
    pub(crate) fn check(&self, preset: &Preset) -> Result<(), Error> {
        (self.check)(preset)
    }

    pub(crate) fn measure(&self, work: &Work<'_>) -> Result<Found, Error> {
        (self.measure)(work)
    }
}

impl PartialEq for Need {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Need").field(&self.id).finish()
    }
}

fn measure<M: Measurement>(work: &Work<'_>) -> Result<Found, Error> {
    let settings = work.preset.settings::<M>()?;
    let Trained { run, network, stop } = work.trained;
    let mut found: Vec<(M::Site, M::Output)> = Vec::new();
    for site in M::sites(&settings, network, work.all) {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if let Some(output) =
            cached::<M>(run, &settings, &site, || M::run(&settings, &site, &work.trained))?
        {
            found.push((site.clone(), output));
        }
        (work.done)(&format!("{}: {}, {site}", network.name, M::ID));
    }
    Ok(Arc::new(found))
}
